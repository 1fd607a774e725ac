"""Real builds, before against after: what `dockfix verify` and `dockfix apply --prove` do.

- `model`: builds, their outcomes, verdicts and results, as values; the interface of a builder.
- `process`: runs a command line with limits of time and output.
- `builders`: docker buildx, buildctl, podman and buildah, each with the same interface.
- `session`: a whole run: what to build, in which order, and what it shows.
"""
