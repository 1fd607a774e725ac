"""A base image that the project builds itself is not built first.

## What it does

`FROM org/base` is pulled, unless an image of that name is on the machine. If the project builds that image itself, a
build on a new machine fails, and a stale image is used without a warning. The rule adds a named context of the image's
name, so that compose or bake builds the base first and uses the result. In a bake file it is
`contexts = { "org/base" = "target:base" }`. The key has no `:latest`: BuildKit looks up the name without it, and
compose and bake pass keys on as they are written.

The same applies to an image in `COPY --from=` and `RUN --mount=from=`.

If no build can wait for the other (the base's service has a `profiles:` that may be inactive, it is in another file, or
only a comment says how it is built), the fix inlines the stages of the base: it inserts them before the file's own, and
every place that named the image names the stage. The base's own file does not change.

## Why is this bad?

`docker compose up --build` on a new machine fails with `pull access denied, repository does not exist`.

## Example

```dockerfile docker/worker/Dockerfile
FROM org/base:latest
```

```yaml compose.yaml
services:
  base:
    image: org/base:latest
    build: docker/base
  worker:
    build:
      context: docker/worker
```

Use instead:

```yaml compose.yaml
services:
  base:
    image: org/base:latest
    build: docker/base
  worker:
    build:
      context: docker/worker
      additional_contexts:
        org/base: service:base
```

Inlined stages, where only a comment says how the base is built:

```dockerfile docker/tools/Dockerfile
# docker build -t org/tools -f docker/tools/Dockerfile .
FROM python:3.13-slim
COPY requirements.txt .
RUN pip install -r requirements.txt
```

```dockerfile docker/jobs/Dockerfile
# docker build -t org/jobs -f docker/jobs/Dockerfile .
FROM org/tools
CMD ["jobs"]
```

Use instead:

```dockerfile docker/jobs/Dockerfile
# docker build -t org/jobs -f docker/jobs/Dockerfile .

# The stages of docker/tools/Dockerfile, which make org/tools
FROM python:3.13-slim AS tools
COPY requirements.txt .
RUN pip install -r requirements.txt

FROM tools
CMD ["jobs"]
```

## Fix safety

All fixes are unsafe: the image may be published, and meant to be pulled. `service:` contexts need compose 2.33 (2.36 to
build the base with `docker compose build worker`).

Inlined stages are a copy that somebody must keep in sync with its source. An ARG of the base's last stage stays in the
environment of later RUNs: the finding names those that a RUN may read.

## When it does not apply

- The image has a registry in its name, or is a well-known image: it is meant to be pulled.
- The file builds the image that it starts from.
- The build already has such a context, or only an edit by hand can add it: the finding then shows the line to write.

Stages are inlined only if nothing else changes. Otherwise the finding says which command to run first, and why:

- The base uses files of another context, or its context has another ignore file.
- Build arguments, secrets, networks, platforms, labels or named contexts differ between the builds.
- `# syntax=`, `# escape=` or `# check=` differ, or `# check=error=true` would apply to the base too.
- Both files have a stage of the same name, a stage would hide an image of its name, or stages are named by number.
- An ARG before the first FROM has two defaults, or would set an ARG without a default in the other file.
- An ARG of the base would reach a RUN that names it, or programs that read it.
- The base has a `--platform`, reads `TARGETSTAGE`, silences rules for its whole file, ends in a line continuation, or
  has shell text that cannot be parsed.
- FROM takes the name from a variable: a build can use another base.
- Several Dockerfiles use the image, or the base's has more than 60 lines: one file is better than a copy.

## References

- https://docs.docker.com/reference/compose-file/build/#additional_contexts
- https://docs.docker.com/build/bake/contexts/
- docker/compose pull requests 12485 (2.33.0), 12785 (2.36.0), issue 14223 (profiles); compose-go `loader/validate.go`
- moby/buildkit `frontend/dockerui/config.go` (`NamedContext`), docker/buildx `bake/bake.go` (`toNamedContexts`)
- moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`: what a stage inherits from the stage in its FROM
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.model import Refused
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, Fix, Promise, Requires, Safety, Severity
from dockfix.rule.workspace import Workspace
from dockfix_codemods.local_base_image.image_uses import ImageUse, collect, image_uses


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Check every use of an image that the project builds: a build must wait for it, or its stages be inlined."""
    for use in image_uses(workspace):
        yield from _check_use(workspace, use)


def _check_use(workspace: Workspace, use: ImageUse) -> Iterator[Finding]:
    from dockfix_codemods.local_base_image.inline_edits import may_inline  # noqa: PLC0415 - as below
    from dockfix_codemods.local_base_image.wait_for_base import (  # noqa: PLC0415 - few projects have such an image
        can_wait,
        wait_findings,
    )

    not_inlined = None
    if not can_wait(use) and may_inline(use):
        try:
            yield _inline(workspace, use)
        except Refused as refused:
            not_inlined = refused.reason
        else:
            return
    yield from wait_findings(use, not_inlined)


def _inline(workspace: Workspace, use: ImageUse) -> Fix:
    """The fix that inlines the stages of the image.

    Raises:
        Refused: inlining would change more, or it is unknown how the image is built.
    """
    from dockfix_codemods.local_base_image.inline_edits import inline_stages  # noqa: PLC0415 - as above

    inlined = inline_stages(workspace, use)
    message = f"{use.shown} uses an image of this project ({use.by}) that no build of this file can wait for"
    fix = f"insert the stages of {inlined.source}, so that every build of this file also builds the image"
    review = (
        f"check that the image is not meant to be pulled, and that the stage `{inlined.stage}` and {inlined.source} are"
        " kept in sync"
    )
    if inlined.caveats:
        names = " or ".join(f"`{name}`" for name in inlined.caveats)
        review += f"; check whether a RUN reads {names}, which the stage leaves in its environment"
    return Fix(use.node.span, message, inlined.edits, Safety.UNSAFE, fix, review, file=use.target.real)


CODEMOD: Final = Codemod(
    name="local-base-image",
    title="a base image that the project builds itself is not built first",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(
        {
            *(Effect.COMPOSE, Effect.BAKE),
            # inlined stages, the ARGs before them, and the places that name the image
            *(Effect.FRONT_STAGES, Effect.STAGES, Effect.STEPS, Effect.ARGS, Effect.COPIES, Effect.MOUNTS),
        }
    ),
    check=None,
    check_project=check_project,
    collect=collect,
    since="0.1.0",
    triggers=("from ", "from="),
    requires=Requires.SECOND,
    findings=("worker 1",),
    promise=Promise(
        claims=frozenset({Claim.REPAIRS}),
        rationale=(
            "The base image is built from the same file as before, now by the same build. The image differs if the "
            "base image that the machine has is older than its Dockerfile."
        ),
    ),
)
