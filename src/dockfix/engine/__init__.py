"""The engine: it runs codemods over files, holds their work to the gates, and writes what changed.

- `session`: a whole run, from paths or a text to a `RunResult`: what `dockfix apply` and `dockfix check` do.
- `settings`: what a run is asked to do.
- `inputs`: which files the paths of a run name, and which problems concern it.
- `workers`: the Dockerfiles of a run, each done by itself, in several processes where there are many.
- `project`: the engine over one Dockerfile (`run`, `findings`, `run_file`) and over a project (`run_project`).
- `passes`: one codemod after another works on a workspace, until none finds more to do.
- `findings`: what a codemod finds; it looks at a text once.
- `relevance`: whether a codemod may find anything, by what is cheap to see.
- `fixes`: fixes as changes of a workspace.
- `gates`: what must hold of a codemod's work, over all files that it changed.
- `contract`: the build model that the effect contract compares.
- `file_gates`: what must hold of work on compose, bake and ignore files.
- `results`: `FileResult`, `RunResult`, `Defect`: what a run gives.
- `writing`: the change sets, written whole or not at all.
- `difftext`: unified diffs that `git apply` and `patch -p1` take, of texts with any line ends and any bytes.
"""
