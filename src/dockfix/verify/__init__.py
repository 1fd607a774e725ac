"""Real builds, before against after: what `dockfix verify` and `dockfix apply --prove` do.

- `model`: builds, their outcomes, verdicts and results, as values; the interface of a builder.
- `process`: runs a command line with limits of time and output.
- `image`: reads a built image: configuration, layers, tree of files, packages.
- `archive`: reads tar archives as a stream.
- `layers`: merges the layers of an image to one tree, in memory.
- `packages`: which packages are installed, from the package managers' databases.
- `rpm`: reads rpm's database.
- `compare`: what differs between two images, and which rule promises it.
- `changes`: what differs between two trees of files; a folder that is new or gone is one difference.
- `noise`: the table of what differs between two builds of the same Dockerfile by itself.
- `ownership`: which files come from packages and package managers.
- `globs`: matches paths with patterns like those of `.gitignore`.
- `builders`: docker buildx, buildctl, podman and buildah, each with the same interface.
"""
