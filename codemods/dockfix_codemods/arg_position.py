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

Such a RUN does the same without the variable: it names it nowhere, and what it executes reads no variable but the
locale's, which are never moved. The base image is known, no COPY above puts programs or settings of the shell into it,
and the shell is not a login shell, which would run a profile first. The instruction that uses the ARG comes after it
still, and so does all that came after that instruction: from there on nothing has changed. An ENV, an ARG or a default
of the same name is not crossed.

## What it leaves alone

- Names that programs are documented to read: `DEBIAN_FRONTEND`, `GIT_SSH_COMMAND`, `CARGO_BUILD_JOBS`, `CFLAGS`,
  `PIP_*`, proxies and others. `GIT_SHA` and `CARGO_BUILD_FLAGS` are none.
- Tokens and `*_INDEX_URL`, which `.npmrc` and requirements files have expanded.
- An ARG without a use in its stage, or with a use in a stage built on it.
- `TARGETARCH` and its like, unless the stage is the same for several platforms (`--platform=$BUILDPLATFORM`).
- An ARG that is only crossed by COPY, WORKDIR and their like, which a changed ARG leaves cached.
- A move across an ENV or ARG that sets the same name, or one that its default uses.
- Lines that declare several names, and the first of a block of ARGs that share the comment above it.

## Sources

- https://docs.docker.com/reference/dockerfile/#impact-on-build-caching
- git(1), doc.rust-lang.org/cargo/reference/environment-variables.html, pip.pypa.io/en/stable/topics/configuration and
  others: what reads which variable
- Measured with BuildKit: a changed ARG reruns all later RUNs; COPY and WORKDIR stay cached
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.images import is_silently_read
from dockfix.facts.model import Known
from dockfix.facts.names import ignores_environment, names_mentioned
from dockfix.facts.stages import Stage
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run
from dockfix.syntax.words import variables

_LOGIN: Final = re.compile(r"-[a-zA-Z]*[li]|--login")
_SYSTEM: Final = re.compile(r"/+\Z|/+(?:bin|sbin|usr|lib|etc)(?:/|\Z)|.*\$")
"""Where the system keeps its programs and what its shells read."""

_OF_TARGET: Final = frozenset(("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"))
"""Set by BuildKit to the same value in every build for a platform (docs.docker.com/reference/dockerfile)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where ARGs go: directly above `use`, in one fix. `alone` is the ARG of a fix of its own, else -1."""

    use: Instruction
    safe: bool
    alone: int


@dataclass(frozen=True, slots=True)
class _Move:
    """An ARG that may go to a place, over the instructions that are `crossed`."""

    arg: Arg
    crossed: Sequence[Instruction]
    place: _Place


def check(target: Target) -> Iterator[Finding]:
    """Find ARGs of a stage that RUNs separate from their first use."""
    for stage in target.facts.graph.stages:
        moves: dict[int, _Move] = {}
        for index in reversed(range(len(stage.instructions))):  # an ARG may go along with the one that uses it
            arg = stage.instructions[index]
            found = _check(target, stage, index, arg, moves) if isinstance(arg, Arg) else None
            if isinstance(found, Refusal):
                yield found
            elif found is not None:
                moves[arg.span.start] = found
        together: dict[_Place, list[_Move]] = {}
        for move in reversed(moves.values()):
            together.setdefault(move.place, []).append(move)
        for group in together.values():
            yield _fix(target, stage, group)


def _check(target: Target, stage: Stage, index: int, arg: Arg, moves: Mapping[int, _Move]) -> _Move | Refusal | None:
    names = {pair.key for pair in arg.pairs}
    below = stage.instructions[index + 1 :]
    crossed, use = _first_use(names, below, moves)
    if use is None or not any(isinstance(node, Run) for node in crossed):
        return None
    if names <= _OF_TARGET and not _is_shared(target, stage):
        return None
    reason = _why_not(arg, crossed) or _shared_comment(target, arg, below[0])
    if reason:
        return Refusal(arg.span, _message(sorted(names), crossed), reason)
    deaf = all(ignores_environment(target.facts, node) for node in crossed) and not _runs_more(target, stage, crossed)
    safe = deaf and wiring.never_passed(target, names)
    # a pragma above an ARG speaks of that ARG alone
    alone = arg.span.start if any(map(is_pragma, target.dockerfile.above(arg))) else -1
    place = _Place(use, safe, alone)
    user = next(node for node in below if names & names_mentioned(node))
    if user is not use and place != moves[user.span.start].place:
        return None  # it goes along in the next round
    return _Move(arg, crossed, place)


def _runs_more(target: Target, stage: Stage, crossed: Sequence[Instruction]) -> bool:
    """Whether RUNs may run another program than they name: one of the project's, or what a login shell reads first."""
    chain = target.facts.graph.chain(stage)
    copies = [node for link in chain for node in link.instructions if isinstance(node, Copy | Add)]
    places = [_landing(target, node) for node in copies]
    shells = [target.facts.state(node).shell for node in crossed if isinstance(node, Run)]
    login = any(not isinstance(shell, Known) or any(map(_LOGIN.match, shell.value[1:])) for shell in shells)
    return stage.base is None or login or any(_SYSTEM.match(place) for place in places)


def _landing(target: Target, copy: Copy | Add) -> str:
    """The absolute path that a COPY or ADD writes to, `/` if the working directory is not known."""
    workdir = target.facts.state(copy).workdir
    text = copy.destination.text if copy.destination is not None else ""
    return posixpath.normpath(posixpath.join(workdir.value if isinstance(workdir, Known) else "/", text))


def _first_use(
    names: Set[str], below: Sequence[Instruction], moves: Mapping[int, _Move]
) -> tuple[Sequence[Instruction], Instruction | None]:
    """The first instruction that names one of these, and those above it; with an ARG that moves, where that goes."""
    at = next((at for at, node in enumerate(below) if names & names_mentioned(node)), None)
    if at is None:
        return below, None
    move = moves.get(below[at].span.start)
    if move is None:
        return below[:at], below[at]
    going = {start for start, other in moves.items() if other.place == move.place}
    crossed = [node for node in below[: below.index(move.place.use)] if node.span.start not in going]
    if any(names & names_mentioned(node) for node in crossed):
        return below[:at], below[at]
    return crossed, move.place.use


def _message(names: Sequence[str], crossed: Sequence[Instruction]) -> str:
    count = sum(isinstance(node, Run) for node in crossed)
    steps = "1 RUN that does" if count == 1 else f"{count} RUNs that do"
    verb, they = ("stands", "it") if len(names) == 1 else ("stand", "them")
    again = "it" if count == 1 else "them"
    return f"ARG {', '.join(names)} {verb} above {steps} not name {they}; a changed value reruns {again}"


def _fix(target: Target, stage: Stage, moves: Sequence[_Move]) -> Fix:
    """Move ARGs that go to one place there, in their order."""
    place = moves[0].place
    names = [move.arg.pairs[0].key for move in moves]
    passing = [build for name in names for build in wiring.passing(target, stage, name)]
    by = wiring.where_all(target.project, [build for build in target.builds if build in passing])
    shown = ", ".join(names)
    review = f"whether one of the crossed RUNs reads {shown} from its environment"
    return Fix(
        moves[0].arg.span,
        _message(names, moves[0].crossed),
        surgery.move_above(target.dockerfile, [move.arg for move in moves], place.use),
        Safety.SAFE if place.safe else Safety.UNSAFE,
        f"the RUNs that it crosses then stay cached when {f'{by} passes another' if by else 'it has another'} value",
        "" if place.safe else f"{review}, which {by} passes" if by else review,
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
    check=check,
    since="0.1.0",
    triggers=("arg ", "arg\t"),
    page=__doc__,
    findings=("postgres 3",),
)
