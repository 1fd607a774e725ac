"""Real builds, before against after: what `dockfix verify` and `dockfix apply --prove` do.

- `session`: a whole run of `dockfix verify`.
- `proof`: a whole run of `dockfix apply --prove`.
- `subject`: one build of one Dockerfile, its fixes, and the search for those that break a promise.
- `bisect`: finds culprits among several items with few trials.
- `choice`: fixes as items that can be chosen one by one.
- `requests`: how compose, bake and the command line build a Dockerfile.
- `context`: private copies of build contexts.
- `bench`: builds the versions of one Dockerfile, each once.
- `comparison`: what the builds of two versions show of the promises that every rule makes.
- `claims`: what they show of the claims of rules.
- `hiding`: results without the values of secrets.
- `model`: builds, their outcomes, verdicts and results, as values; the interface of a builder.
- `process`: runs a command line with limits of time and output.
- `builders`: docker buildx, buildctl, podman and buildah, each with the same interface.
- `scenarios`: what a scenario is given and what it shows.
- `source_edit`: what is run again after an edit of a source file.
- `arg_change`: what is run again after a change of a build argument.
- `cache_mounts`: whether new cache mounts fill and are used.
- `mounts`: Dockerfile texts that run one RUN again and list its cache mounts.
- `trial`: starts containers, tries their health checks, and compares the outcomes.
"""
