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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from dockfix.api import (
    Advice,
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
    inline_surgery,
    is_local_name,
    wiring,
)

Claim: TypeAlias = tuple[Path, BuildComment]
"""A comment that says how an image is built, and the real path of its file."""

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
    said = [
        (context_key(tag), path, comment)
        for path, (_, comments) in gathered.items()
        for comment in comments
        for tag in comment.tags
    ]
    for path, names in uses.items():
        others: dict[str, list[Claim]] = {}
        for key, other, comment in said:
            if key in names and other != path:
                others.setdefault(key, []).append((other, comment))
        local = names & (made | others.keys())
        if local:
            target = workspace.target(workspace.by_path[path])
            yield from _in_file(workspace, target, local, others, uses)


def _in_file(
    workspace: Workspace,
    target: Target,
    local: frozenset[str],
    said: Mapping[str, Sequence[Claim]],
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
                    others = sum(key in names for path, names in uses.items() if path != target.real)
                    others += sum(key in gather(other)[0] for other in workspace.outside)
                    case = _Case(target, node, name, supply, makers, said.get(key, ()))
                    yield from _judge(case, _inline(workspace, case, others))


@dataclass(frozen=True)
class _Case:
    """A file that names an image of the project, and what is known of both."""

    target: Target
    node: Instruction
    name: str
    supply: wiring.Supply
    makers: tuple[BuildInvocation, ...]
    said: Sequence[Claim]

    @property
    def use(self) -> str:
        """How the file uses the image, in words."""
        if isinstance(self.node, From):
            return f"{self.node.keyword.text} {self.name}"
        return f"{self.name}, which files are taken from,"

    @property
    def by(self) -> str:
        """Who makes the image, in words."""
        if self.makers:
            return wiring.where(self.target.project, self.makers[0])
        path, comment = self.said[0]
        return f"{wiring.shown_folder(self.target.project, path)}:{comment.line}"

    def beside(self, build: BuildInvocation) -> list[BuildInvocation]:
        """The makers that stand in the file of a build."""
        return [each for each in self.makers if each.source == build.source]


def _may_be_told(target: Target, node: Instruction) -> bool:
    """Whether the name of an image holds nothing that comes from a variable of the machine."""
    return not (isinstance(node, From) and node.image and "$" in node.image.text) or wiring.args_are_plain(target)


def _inline(workspace: Workspace, case: _Case, others: int) -> Fix | str:
    """Inline the stages of the image where no build of the file can be made to wait for it; in words why not."""
    target, supply = case.target, case.supply
    beside = [(build, case.beside(build)) for build in supply.without]
    if supply.givers or any(makers and not _why_not(target, build, makers) for build, makers in beside):
        return ""
    if others:
        files = "1 other Dockerfile takes" if others == 1 else f"{others} other Dockerfiles take"
        return f"{files} it too, and copies drift apart"
    done = inline_surgery.inlined(workspace, target, supply.key, case.makers, case.said)
    if isinstance(done, str):
        return done
    message = f"{case.use} is an image of this project ({case.by}) that no build of this file can wait for"
    why = f"with the stages of {done.source} in front of its own, every build of the file makes what it starts from"
    look_at = f"that the image is not meant to be pulled, and that the stage {done.stage} and {done.source} stay alike"
    if done.doubts:
        look_at += f"; whether a RUN reads {' or '.join(done.doubts)}, which the stage leaves in its environment"
    return Fix(case.node.span, message, done.edits, Safety.UNSAFE, why, look_at, file=target.real)


def _judge(case: _Case, inlined: Fix | str) -> Iterator[Finding]:
    if isinstance(inlined, Fix):
        yield inlined
        return
    target, supply, makers = case.target, case.supply, case.makers
    not_inlined = f"; its stages are not inlined: {inlined}" if inlined else ""
    apart = []
    for build in supply.without:
        beside = case.beside(build)
        if beside:
            yield _wire(case, build, beside, not_inlined)
        elif not any(each.service == build.service for each in (*supply.givers, *supply.without) if each != build):
            apart.append(build)
    if (supply.without and not apart) or (supply.givers and not supply.without) or not (makers or case.said):
        return
    first = apart[0] if apart else None
    command = wiring.build_command(target, makers[0]) if makers else case.said[0][1].command
    then = wiring.build_command(target, first)
    message = (
        f"{case.use} is an image of this project ({case.by}); unless it is published, `{command}` comes before `{then}`"
    )
    severity = Severity.INFO if "/" in case.name else None
    yield Advice(case.node.span, message + not_inlined, severity, file=target.real)


def _wire(case: _Case, build: BuildInvocation, makers: list[BuildInvocation], not_inlined: str) -> Finding:
    """Make a build wait for the one beside it that makes its base."""
    target, node, key = case.target, case.node, case.supply.key
    project = target.project
    one = wiring.one_of(project, makers, build)
    maker = one or makers[0]
    by = wiring.where_all(project, makers)
    message = f"{case.use} is the image that {by} builds; {wiring.where(project, build)} does not wait for it"
    never = [name for name in build.additional_contexts if context_key(name) == key]
    if never:
        message += f", since its context {never[0]} is never looked for under that name"
    reason = _why_not(target, build, makers)
    value = f"{'service' if build.kind == 'compose' else 'target'}:{maker.service}"
    change = f"{reason}{not_inlined if one else ''}" if reason else context_surgery.give(project, build, key, value)
    if isinstance(change, str):
        return Refusal(node.span, message, change, file=target.real)
    why = f"with a named context of the image's name {build.kind} builds {maker.service} first and takes the result"
    return Fix(node.span, message, (), Safety.UNSAFE, why, _LOOK_AT[build.kind], elsewhere=(change,), file=target.real)


def _why_not(target: Target, build: BuildInvocation, makers: list[BuildInvocation]) -> str:
    """Why no build can wait for what makes its base; empty if it can."""
    maker = wiring.one_of(target.project, makers, build) or makers[0]
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
    effects=frozenset(
        {
            *(Effect.COMPOSE, Effect.BAKE),
            # stages that are inlined, the ARGs in front of them, and the names by which the file's own reach them
            *(Effect.FRONT_STAGES, Effect.STAGES, Effect.STEPS, Effect.ARGS, Effect.COPIES, Effect.MOUNTS),
        }
    ),
    rewrite=None,
    survey=survey,
    gather=gather,
    since="0.1.0",
    triggers=("from ", "from="),
    page=__doc__,
    findings=("worker 1",),
)
