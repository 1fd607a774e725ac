"""Real builds, before against after: what `dockfix verify` and `dockfix apply --prove` do.

- `model`: builds, their outcomes, verdicts and results, as values; the interface of a builder.
- `process`: runs a command line with limits of time and output.
- `builders`: docker buildx, buildctl, podman and buildah, each with the same interface.
- `scenarios`: what a scenario is given and what it shows.
- `edited_files`: which file of a context shows what an edit of a source file costs.
- `source_edit`: what is run again after an edit of a source file.
- `arg_change`: what is run again after a change of a build argument.
- `cache_mounts`: whether new cache mounts fill and are used.
- `mounts`: Dockerfile texts that run one RUN again and list its cache mounts.
- `trial`: starts containers, tries their health checks, and compares the outcomes.
"""
