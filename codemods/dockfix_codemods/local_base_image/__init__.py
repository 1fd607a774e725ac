"""A base image that the project builds itself, and that its builds do not wait for.

## What it does

`FROM org/base` is pulled, unless an image of that name lies on the machine. Where the project builds that image itself,
a fresh checkout fails, and a stale image is taken without a word. A named context of the image's name makes compose or
bake build the base first and take the result:

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

becomes

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

In a bake file it is `contexts = { "org/base" = "target:base" }`. The key has no `:latest`: BuildKit looks for the name
without it, and compose and bake hand keys on as they are written.

The same is done for an image in `COPY --from=` and `RUN --mount=from=`.

Where no build can wait for the other (the base's service has a `profiles:` that need not be active, it stands in
another file, or only a comment says how it is built), the stages of the base come in front of the file's own:

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

becomes

```dockerfile docker/jobs/Dockerfile
# docker build -t org/jobs -f docker/jobs/Dockerfile .

# The stages of docker/tools/Dockerfile, which make org/tools
FROM python:3.13-slim AS tools
COPY requirements.txt .
RUN pip install -r requirements.txt

FROM tools
CMD ["jobs"]
```

Every place that named the image names the stage then. The base's own file stays as it is.

## Why

`docker compose up --build` on a new machine ends with `pull access denied, repository does not exist`.

## Safety

Unsafe: the image may be published, and meant to be pulled. `service:` contexts need compose 2.33 (2.36 to bring the
base along in `docker compose build worker`).

Inlined stages are a copy that somebody must keep like its source, and an ARG of the base's last stage is left in the
environment of the RUNs below: the finding names those that a RUN may read.

## What it leaves alone

- Images with a registry in their name, and well-known images: they are meant to be pulled.
- A file that builds the image which it starts from.
- Builds that are wired already, and builds that can be wired by hand: the finding then has the line to write.

Stages are inlined only if nothing else changes by it. Else the finding says which command comes first, and what stands
in the way:

- The base takes files from another context, or through another ignore file.
- Build arguments, secrets, networks, platforms, labels or named contexts differ between the builds.
- `# syntax=`, `# escape=` or `# check=` differ, or `# check=error=true` would judge the base too.
- Both files have a stage of one name, a stage would hide an image of its name, or stages are named by number.
- An ARG before the first FROM has two defaults, or would reach a bare ARG of the other file.
- An ARG of the base would reach a RUN that names it, or tools that read it.
- The base has a `--platform`, asks for `TARGETSTAGE`, silences rules for its whole file, ends in a continuation, or
  has shell text that is not understood.
- FROM has the name from a variable: another base can be given to the build.
- Several Dockerfiles take the image, or the base's has more than 60 lines: better one file than a copy.

## Sources

- https://docs.docker.com/reference/compose-file/build/#additional_contexts
- https://docs.docker.com/build/bake/contexts/
- docker/compose pull requests 12485 (2.33.0), 12785 (2.36.0), issue 14223 (profiles); compose-go `loader/validate.go`
- moby/buildkit `frontend/dockerui/config.go` (`NamedContext`), docker/buildx `bake/bake.go` (`toNamedContexts`)
- moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`: what a stage has from the stage that it is FROM
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import contexts as context_surgery
from dockfix.facts.model import Refused
from dockfix.facts.stages import context_key
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Requires, Safety, Severity
from dockfix.rule.workspace import Workspace
from dockfix_codemods.local_base_image import images as local_images
from dockfix_codemods.local_base_image import inline_edits as inline_surgery

_LOOK_AT: Final = {
    "compose": "that compose is 2.33 or newer and the image is not meant to be pulled;"
    " a plain `docker build` still needs it built before",
    "bake": "that both are built for the same platforms and the image is not meant to be pulled; a plain `docker build`"
    " still needs it built before",
}


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Make the builds wait for the images that they take, or bring the images' stages into the file."""
    for taken in local_images.image_uses(workspace):
        inlined = _inline(workspace, taken)
        if isinstance(inlined, Fix):
            yield inlined
        else:
            yield from _judge(taken, f"; its stages are not inlined: {inlined}" if inlined else "")


def _inline(workspace: Workspace, taken: local_images.ImageUse) -> Fix | str:
    """Inline the stages of the image where no build of the file can be made to wait for it; in words why not."""
    target, supply = taken.target, taken.supply
    beside = [(build, taken.beside(build)) for build in supply.without]
    if supply.providers or any(producers and not _why_not(target, build, producers) for build, producers in beside):
        return ""
    if taken.others:
        files = "1 other Dockerfile takes" if taken.others == 1 else f"{taken.others} other Dockerfiles take"
        return f"{files} it too, and copies drift apart"
    done = inline_surgery.inlined(workspace, target, supply.key, taken.producers, taken.claims)
    if isinstance(done, str):
        return done
    message = f"{taken.use} is an image of this project ({taken.by}) that no build of this file can wait for"
    why = f"with the stages of {done.source} in front of its own, every build of the file makes what it starts from"
    review = f"that the image is not meant to be pulled, and that the stage {done.stage} and {done.source} stay alike"
    if done.caveats:
        review += f"; whether a RUN reads {' or '.join(done.caveats)}, which the stage leaves in its environment"
    return Fix(taken.node.span, message, done.edits, Safety.UNSAFE, why, review, file=target.real)


def _judge(taken: local_images.ImageUse, not_inlined: str) -> Iterator[Finding]:
    target, supply = taken.target, taken.supply
    apart = []
    for build in supply.without:
        beside = taken.beside(build)
        if beside:
            yield _wire(taken, build, beside, not_inlined)
        elif not any(each.service == build.service for each in (*supply.providers, *supply.without) if each != build):
            apart.append(build)
    if (supply.without and not apart) or (supply.providers and not supply.without):
        return
    then = wiring.build_command(target, apart[0] if apart else None)
    message = (
        f"{taken.use} is an image of this project ({taken.by}); unless it is published, `{taken.command}` comes before"
        f" `{then}`{not_inlined}"
    )
    yield Advice(taken.node.span, message, Severity.INFO if "/" in taken.name else None, file=target.real)


def _wire(
    taken: local_images.ImageUse, build: BuildInvocation, producers: list[BuildInvocation], not_inlined: str
) -> Finding:
    """Make a build wait for the one beside it that makes its base."""
    target, node, key = taken.target, taken.node, taken.supply.key
    project = target.project
    one = wiring.one_of(project, producers, build)
    maker = one or producers[0]
    by = wiring.where_all(project, producers)
    message = f"{taken.use} is the image that {by} builds; {wiring.where(project, build)} does not wait for it"
    never = [name for name in build.additional_contexts if context_key(name) == key]
    if never:
        message += f", since its context {never[0]} is never looked for under that name"
    reason = _why_not(target, build, producers)
    value = f"{'service' if build.kind == 'compose' else 'target'}:{maker.service}"
    if reason:
        return Refusal(node.span, message, f"{reason}{not_inlined if one else ''}", file=target.real)
    try:
        change = context_surgery.add_context(project, build, key, value)
    except Refused as error:
        return Refusal(node.span, message, error.reason, file=target.real)
    why = f"with a named context of the image's name {build.kind} builds {maker.service} first and takes the result"
    return Fix(
        node.span, message, (), Safety.UNSAFE, why, _LOOK_AT[build.kind], other_files=(change,), file=target.real
    )


def _why_not(target: Target, build: BuildInvocation, producers: list[BuildInvocation]) -> str:
    """Why no build can wait for what makes its base; empty if it can."""
    maker = wiring.one_of(target.project, producers, build) or producers[0]
    first = f"run `{wiring.build_command(target, maker)}` before"
    if wiring.one_of(target.project, producers, build) is None:
        return f"they make different images of one name; {first}"
    if wiring.is_of_matrix(target.project, maker):
        return f"{maker.service} is one of a matrix; {first}"
    if not wiring.enabled_with(target.project, maker, build):
        return (
            f"compose refuses a file in which a service is built from one whose profile is not active; {first}, or take"
            f" the `profiles:` of {maker.service} away (`scale: 0` keeps it from starting)"
        )
    return ""


CODEMOD: Final = Codemod(
    name="local-base-image",
    title="a base image that the project builds itself is not built first",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(
        {
            *(Effect.COMPOSE, Effect.BAKE),
            # stages that are inlined, the ARGs in front of them, and the names by which the file's own reach them
            *(Effect.FRONT_STAGES, Effect.STAGES, Effect.STEPS, Effect.ARGS, Effect.COPIES, Effect.MOUNTS),
        }
    ),
    check=None,
    check_project=check_project,
    collect=local_images.collect,
    since="0.1.0",
    triggers=("from ", "from="),
    requires=Requires.SECOND,
    page=__doc__,
    findings=("worker 1",),
)
