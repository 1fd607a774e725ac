"""The files around a Dockerfile: contexts, compose and bake files, ignore files, manifests.

- `bake`: bake files: which targets build which Dockerfile, from which context, and with what.
- `checks`: the health checks that compose gives to the images that it builds.
- `compose`: compose files: which services build which Dockerfile, from which context, and with what.
- `config`: the configuration: `[tool.dockfix]` in `pyproject.toml`, or a file of its own (`CONFIG_NAMES`).
- `context`: a build context.
- `discovery`: finding Dockerfiles below the paths that a user names.
- `files`: reading and writing files without surprises.
- `gitignore`: what `.gitignore` files, and the patterns of `exclude`, ignore.
- `globs`: matching of glob patterns in time that is linear in the text, whatever the pattern.
- `gopath`: go's path rules, which Docker's own rules are made of.
- `ignore`: what `.dockerignore` keeps out of a build context, by Docker's own rules.
- `installs`: what an install from a manifest needs of the build context, so that only that need be copied before it.
- `manifests`: what the manifests of a build context say about which files a package build reads.
- `names`: by which names the files are known that say how Dockerfiles are built, and those that configure dockfix.
- `postgres`: what the files around a Dockerfile say of the PostgreSQL server in its image.
- `problems`: what can be wrong with the input, said once and in one sentence.
- `secrets`: values that no message, table or edit may show.
- `snapshot`: the files of a project as one run sees them.
- `sources`: what a Dockerfile takes from its build context, and what another ignore file would take away from it.
- `table`: which Dockerfiles a project has, and how each is built: what `dockfix targets` shows.
- `target`: a build target: a Dockerfile, its context, and how it is invoked; and the project that they are in.
- `templates`: new Dockerfiles from templates, filled in with answers, which the project's manifests suggest.
- `toml`: TOML files, which come from strangers.
- `trees`: the trees of many files as plain data: what `dockfix ast` shows.
- `workspaces`: manifests that refer to folders of the build context: whose further manifests an install reads too.
- `yaml_tree`: YAML as it is written.
"""
