"""The files around a Dockerfile: contexts, compose and bake files, ignore files, manifests.

The project and its builds:
- `target`: a project, a Dockerfile in its build, and the options of a run.
- `wiring`: how builds depend on each other: who supplies a named context, passes an argument or makes an image.
- `stage_services`: the compose services that build each stage, and the health checks that they set.
- `compose`: compose files: which services build which Dockerfile, from which context, and how.
- `bake`: bake files: which targets build which Dockerfile, from which context, and how.
- `yaml_tree`: YAML as written: one tree for reading, editing and checking.
- `listing`: what `dockfix targets` and `dockfix ast` show.

The build context:
- `context`: a build context and the files in it.
- `ignore`: what `.dockerignore` keeps out of a build context, by Docker's rules.
- `copied_files`: which file of the build context a COPY writes to a path of the image.
- `sources`: what a Dockerfile takes from its build context, and what another ignore file would remove from it.
- `archives`: whether a file of the context is an archive that ADD unpacks.
- `manifests`: which files of a build context a package build reads, as its manifests tell.
- `workspaces`: manifests that refer to folders of the build context, whose manifests an install reads too.
- `installs`: which files an install from a manifest needs, so that only those must be copied before it.
- `postgres`: what the project's files tell of the PostgreSQL server in an image.

Files and configuration:
- `discovery`: finding Dockerfiles, compose files and bake files, by their names.
- `gitignore`: what `.gitignore` files and the patterns of `exclude` ignore.
- `patterns`: Go's path rules, and glob matching in linear time.
- `files`: reading files; the files of a project as one run sees them.
- `writing`: writing files, all or none.
- `journal`: undoes what a killed run has begun to write.
- `temporary`: temporary files that a later run can recognise.
- `tracing`: what a run asks of the file system, and whether the answers are still the same.
- `problems`: a problem with the input, as a value and as an exception.
- `shellcheck`: what the program ShellCheck says of shell text.
- `shellcheck_answer`: the output of ShellCheck as values, and a folder that keeps it.
- `secrets`: values that no message, table or edit may show.
- `toml`: TOML files, within limits.
- `config`: the configuration: `[tool.dockfix]` in `pyproject.toml`, or a file of its own (`CONFIG_NAMES`).
- `config_keys`: the keys of the configuration: their values, meanings and defaults.
- `config_targets`: the tables of `targets` in the configuration.
- `hadolint_config`: the configuration of hadolint.
- `toml_text`: values as TOML.
- `policy`: which rules are ignored in some files, and in which context some files are built.
- `templates`: new Dockerfiles from templates, for `dockfix init`.
"""
