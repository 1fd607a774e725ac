"""The engine: it runs codemods over files, checks their changes with the gates, and writes the files.

- `session`: a whole run, from paths or a text to a `RunResult`: what `dockfix apply` and `dockfix check` do.
- `settings`: what a run does.
- `comment_findings`: mistakes in comments as findings of the rule that reports them.
- `configure`: settings from a configuration file.
- `nesting`: the nearest configuration file of each Dockerfile.
- `unmatched`: warnings for patterns of the configuration that match no file.
- `joining`: the runs over several projects as one result.
- `inputs`: which files the paths of a run name, and which problems belong to the run.
- `other_comments`: warnings about dockfix's comments that concern more than one Dockerfile.
- `workers`: the Dockerfiles of a run, one by one, in several processes if there are many.
- `project`: the engine over one Dockerfile (`run`, `findings`, `run_file`) and over a project (`run_project`).
- `passes`: codemods run one after another on a workspace, until none of them finds more to fix.
- `findings`: the findings of codemods, computed once for each text.
- `triggers`: what a rule finds in `ONBUILD RUN`.
- `relevance`: a cheap test of whether a codemod can find anything.
- `fixes`: fixes as changes of a workspace.
- `gates`: what every change of a codemod must satisfy, over all files that it changed.
- `contract`: the build model that the effect contract compares.
- `file_gates`: what changes of compose, bake and ignore files must satisfy.
- `results`: `FileResult`, `RunResult`, `Defect`: the results of a run.
- `steps`: the fixes of a run one after another, for patches.
- `writing`: writes each change set as a whole or not at all.
- `baseline`: findings that were accepted, by fingerprints that survive moved lines.
- `changed_lines`: the findings on lines that differ from an earlier text of their file.
- `causes`: findings of one cause as one finding with several places.
- `ignoring`: ignore comments for the findings of a run.
- `difftext`: unified diffs that `git apply` and `patch -p1` accept, for texts with any line ends and any bytes.
"""
