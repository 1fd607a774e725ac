"""An ARG that stands far above its first use.

## What it does

A changed ARG reruns every later RUN of its stage, used there or not. An ARG that stands above RUNs that have nothing
to do with it is moved down to just above its first use:

```dockerfile
FROM debian:12
ARG APP_VERSION=1.4.2
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
RUN echo "$APP_VERSION" > /version
```

becomes

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
ARG APP_VERSION=1.4.2
RUN echo "$APP_VERSION" > /version
```

## Why

A build with another `--build-arg` then finds the RUNs above in its cache.

## Safety

Unsafe: a RUN can read its environment without naming it. Safe where the RUNs that are crossed execute nothing that
could (`mkdir`, `ln`, `cp` with literal words and their like) and no build passes the argument, all compose and bake
files of the project being understood.

## What it leaves alone

- Names that tools read silently: `DEBIAN_FRONTEND`, `*_INDEX_URL`, `CFLAGS`, proxies and others.
- An ARG without a use in its stage, or with a use in a stage built on it.
- `TARGETARCH` and its like, unless the stage is the same for several platforms (`--platform=$BUILDPLATFORM`).
- An ARG that is only crossed by COPY, WORKDIR and their like, which a changed ARG leaves cached.
- A move across an ENV or ARG that sets the same name, or one that its default uses.
- Lines that declare several names, and the first of a block of ARGs that share the comment above it.

## Sources

- https://docs.docker.com/reference/dockerfile/#impact-on-build-caching
- Measured with BuildKit: a changed ARG reruns all later RUNs; COPY and WORKDIR stay cached
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.api import (
    Arg,
    Category,
    Codemod,
    Effect,
    Env,
    Finding,
    Fix,
    Instruction,
    Refusal,
    Run,
    Safety,
    Severity,
    Stage,
    Target,
    is_deaf,
    is_silently_read,
    names_mentioned,
    surgery,
    variables,
    wiring,
)

_OF_TARGET: Final = frozenset(("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"))
"""Set by BuildKit to the same value in every build for a platform (docs.docker.com/reference/dockerfile)."""


def rewrite(target: Target) -> Iterator[Finding]:
    """Find ARGs of a stage that RUNs separate from their first use."""
    for stage in target.facts.graph.stages:
        for index, instruction in enumerate(stage.instructions):
            if isinstance(instruction, Arg):
                yield from _judge(target, stage, index, instruction)


def _judge(target: Target, stage: Stage, index: int, arg: Arg) -> Iterator[Finding]:
    names = {pair.key for pair in arg.pairs}
    below = stage.instructions[index + 1 :]
    first = next((at for at, node in enumerate(below) if names & names_mentioned(node)), None)
    if first is None or not any(isinstance(node, Run) for node in below[:first]):
        return
    if names <= _OF_TARGET and not _is_shared(target, stage):
        return
    crossed, use = below[:first], below[first]
    count = sum(isinstance(node, Run) for node in crossed)
    steps = "1 RUN that does" if count == 1 else f"{count} RUNs that do"
    shown = ", ".join(sorted(names))
    message = f"ARG {shown} stands above {steps} not name it; a changed value reruns {'it' if count == 1 else 'them'}"
    reason = _why_not(arg, crossed) or _shared_comment(target, arg, below[0])
    if reason:
        yield Refusal(arg.span, message, reason)
        return
    deaf = all(is_deaf(target.facts, node) for node in crossed)
    safe = deaf and wiring.never_passed(target, names)
    passing = wiring.passing(target, stage, arg.pairs[0].key)
    by = wiring.where_all(target.project, passing)
    look_at = f"whether one of the crossed RUNs reads {shown} from its environment"
    yield Fix(
        arg.span,
        message,
        surgery.move_above(target.dockerfile, arg, use),
        Safety.SAFE if safe else Safety.UNSAFE,
        f"the RUNs that it crosses then stay cached when {f'{by} passes another' if by else 'it has another'} value",
        "" if safe else f"{look_at}, which {by} passes" if by else look_at,
    )


def _is_shared(target: Target, stage: Stage) -> bool:
    """Whether builds for several platforms share a stage, as cross compilers do: else each has all of its own."""
    flags = [flag for each in (stage, *target.facts.graph.chain(stage)) for flag in each.node.flags]
    return any(flag.name == "platform" and "TARGETPLATFORM" not in (flag.value or "") for flag in flags)


def _why_not(arg: Arg, crossed: Sequence[Instruction]) -> str:
    """Why an ARG must stay where it is; empty if it need not."""
    if len(arg.pairs) != 1:
        return "the line declares several names"
    pair = arg.pairs[0]
    if is_silently_read(pair.key):
        return f"tools read {pair.key} from the environment without being told to"
    related = {pair.key} | variables(pair.value or "", arg.escape)
    for node in crossed:
        if isinstance(node, Env | Arg) and related & {other.key for other in node.pairs}:
            return f"line {node.start_line} sets a name that it shares with it"
    return ""


def _shared_comment(target: Target, arg: Arg, following: Instruction) -> str:
    """Whether the comment above an ARG may be the heading of a block of ARGs, which moving one would take away."""
    comments = surgery.own_comments(target.dockerfile, arg)
    if comments and isinstance(following, Arg) and following.start_line == arg.end_line + 1:
        return "the comment above it may speak of the ARGs below it too"
    return ""


CODEMOD: Final = Codemod(
    name="arg-position",
    title="an ARG stands above steps that it needlessly reruns",
    severity=Severity.INFO,
    category=Category.CACHE,
    effects=frozenset({Effect.ORDER}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("arg ", "arg\t"),
    page=__doc__,
    findings=("postgres 3",),
)
