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

## Why

`docker compose up --build` on a new machine ends with `pull access denied, repository does not exist`.

## Safety

Unsafe: the image may be published, and meant to be pulled. `service:` contexts need compose 2.33 (2.36 to bring the
base along in `docker compose build worker`).

## What it leaves alone

- Images with a registry in their name, and well-known images: they are meant to be pulled.
- A base whose service stands in another file, or is known from a comment (`# docker build -t org/base docker/base`)
  only: the finding then says which command comes first.
- A base whose service has a `profiles:` that need not be active when the worker is built: compose refuses such a
  reference, for the whole project. The finding says what can be done.
- A file that builds the image which it starts from.
- Builds that are wired already.

## Sources

- https://docs.docker.com/reference/compose-file/build/#additional_contexts
- https://docs.docker.com/build/bake/contexts/
- docker/compose pull requests 12485 (2.33.0), 12785 (2.36.0), issue 14223 (profiles); compose-go `loader/validate.go`
- moby/buildkit `frontend/dockerui/config.go` (`NamedContext`), docker/buildx `bake/bake.go` (`toNamedContexts`)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dockfix.api import (
    Advice,
    Beside,
    BuildComment,
    BuildInvocation,
    Category,
    Codemod,
    Effect,
    Finding,
    Fix,
    From,
    Instruction,
    Refusal,
    Safety,
    Severity,
    Target,
    Workspace,
    build_comments,
    context_key,
    context_surgery,
    is_local_name,
    wiring,
)

_LOOK_AT: Final = {
    "compose": "that compose is 2.33 or newer and the image is not meant to be pulled;"
    " a plain `docker build` still needs it built before",
    "bake": "that both are built for the same platforms and the image is not meant to be pulled; a plain `docker build`"
    " still needs it built before",
}


def gather(target: Target) -> tuple[frozenset[str], tuple[BuildComment, ...]]:
    """The images that a file takes from elsewhere, and how its comments say that it is built."""
    graph = target.facts.graph
    names = {name for stage in graph.stages for _, name in graph.names_taken(stage) if graph.by_name(name) is None}
    return frozenset(context_key(name) for name in names if is_local_name(name)), tuple(
        build_comments(target.dockerfile)
    )


def survey(workspace: Workspace) -> Iterator[Finding]:
    """Hold the images that files take against those that the project makes."""
    gathered = dict(workspace.gathered(gather))
    uses = {path: names for path, (names, _) in gathered.items()}
    made = {context_key(tag) for build in workspace.project.invocations for tag in build.tags}
    comments: dict[str, dict[Path, BuildComment]] = {}
    for path, (_, own) in gathered.items():
        for comment in own:
            for tag in comment.tags:
                comments.setdefault(context_key(tag), {})[path] = comment
    for path, names in uses.items():
        said = {
            name: (other, comment)
            for name in names & comments.keys()
            for other, comment in comments[name].items()
            if other != path
        }
        local = names & (made | said.keys())
        if local:
            target = workspace.target(workspace.by_path[path])
            yield from _in_file(target, frozenset(local), said, uses)


def _in_file(
    target: Target,
    local: frozenset[str],
    said: Mapping[str, tuple[Path, BuildComment]],
    uses: Mapping[Path, frozenset[str]],
) -> Iterator[Finding]:
    graph, seen = target.facts.graph, set[str]()
    for stage in graph.stages:
        for node, name in graph.names_taken(stage):
            key = context_key(name)
            if key in local - seen and graph.by_name(name) is None and _may_be_told(target, node):
                seen.add(key)
                supply = wiring.supply_of(target, stage, key)
                makers = wiring.makers_of(target, supply, uses)
                if not supply.by_command_line and makers is not None:
                    yield from _judge(target, node, name, supply, makers, said.get(key))


def _may_be_told(target: Target, node: Instruction) -> bool:
    """Whether the name of an image holds nothing that comes from a variable of the machine."""
    return not (isinstance(node, From) and node.image and "$" in node.image.text) or wiring.args_are_plain(target)


def _judge(
    target: Target,
    node: Instruction,
    name: str,
    supply: wiring.Supply,
    makers: tuple[BuildInvocation, ...],
    said: tuple[Path, BuildComment] | None,
) -> Iterator[Finding]:
    project = target.project
    use = f"{node.keyword.text} {name}" if isinstance(node, From) else f"{name}, which files are taken from,"
    apart = []
    for build in supply.without:
        beside = [each for each in makers if each.source == build.source]
        if beside:
            yield _wire(target, node, f"{use} is the image that", build, beside, supply.key)
        elif not any(each.service == build.service for each in (*supply.givers, *supply.without) if each != build):
            apart.append(build)
    if (supply.without and not apart) or (supply.givers and not supply.without):
        return
    first = apart[0] if apart else None
    if makers:
        by, command = wiring.where(project, makers[0]), wiring.build_command(target, makers[0])
    elif said is not None:
        by, command = f"{wiring.shown_folder(project, said[0])}:{said[1].line}", said[1].command
    else:
        return
    then = wiring.build_command(target, first)
    message = f"{use} is an image of this project ({by}); unless it is published, `{command}` comes before `{then}`"
    yield Advice(node.span, message, Severity.INFO if "/" in name else None, file=target.real)


def _wire(
    target: Target, node: Instruction, use: str, build: BuildInvocation, makers: list[BuildInvocation], key: str
) -> Finding:
    """Make a build wait for the one beside it that makes its base."""
    project = target.project
    maker = wiring.one_of(project, makers, build) or makers[0]
    by = wiring.where_all(project, makers)
    message = f"{use} {by} builds; {wiring.where(project, build)} does not wait for it"
    never = [name for name in build.additional_contexts if context_key(name) == key]
    if never:
        message += f", since its context {never[0]} is never looked for under that name"
    reason = _why_not(target, build, makers, maker)
    value = f"{'service' if build.kind == 'compose' else 'target'}:{maker.service}"
    change = reason or context_surgery.give(project, build, key, value)
    if isinstance(change, str):
        return Refusal(node.span, message, change, file=target.real)
    why = f"with a named context of the image's name {build.kind} builds {maker.service} first and takes the result"
    return Fix(node.span, message, (), Safety.UNSAFE, why, _LOOK_AT[build.kind], elsewhere=(change,), file=target.real)


def _why_not(target: Target, build: BuildInvocation, makers: list[BuildInvocation], maker: BuildInvocation) -> str:
    first = f"run `{wiring.build_command(target, maker)}` before"
    if wiring.one_of(target.project, makers, build) is None:
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
    effects=frozenset({Effect.COMPOSE, Effect.BAKE}),
    rewrite=None,
    survey=survey,
    gather=gather,
    since="0.1.0",
    triggers=("from ", "from="),
    beside=Beside.SECOND,
    page=__doc__,
    findings=("worker 1",),
)
