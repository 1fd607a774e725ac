"""An ARG is declared long before its first use.

## What it does

Finds an `ARG` that precedes RUNs which do not use it, and moves it down to its first use.

## Why is this bad?

A new value of an ARG invalidates the cache of every later RUN in the stage, whether the RUN uses it or not. After the
fix, a build with another `--build-arg` finds the RUNs above the ARG in its cache.

## Example

```dockerfile
FROM debian:12
ARG APP_VERSION=1.4.2
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
RUN echo "$APP_VERSION" > /version
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
ARG APP_VERSION=1.4.2
RUN echo "$APP_VERSION" > /version
```

## Fix safety

The fix is unsafe in general: a RUN can read a variable from its environment without mentioning it. It is safe if both
of these hold:

- The RUNs above the new place execute only commands that ignore the environment (`mkdir`, `ln`, `cp` and similar, with
  literal words).
- No build passes the argument, and dockfix understands all compose and bake files of the project.

Such a RUN does the same without the variable: it does not mention it, and what it executes reads no variables except
those of the locale, which are never moved. The base image is known, no earlier COPY puts programs or shell settings in
it, and the shell is not a login shell, which would run a profile first. The ARG still precedes the instruction that
uses it and everything after that, so nothing changes from there on. The ARG never moves across an ENV, an ARG or a
default of the same name.

## When it does not apply

- Names that programs are documented to read: `DEBIAN_FRONTEND`, `GIT_SSH_COMMAND`, `CARGO_BUILD_JOBS`, `CFLAGS`,
  `PIP_*`, proxies and others. `GIT_SHA` and `CARGO_BUILD_FLAGS` are not among them.
- Tokens and `*_INDEX_URL`, which `.npmrc` and requirements files expand.
- An ARG that its stage does not use, or that only a stage based on it uses.
- `TARGETARCH` and similar, unless several platforms share the stage (`--platform=$BUILDPLATFORM`).
- An ARG that would move only past COPY, WORKDIR and similar, which stay cached anyway.
- An ENV or ARG in between that sets the same name, or one that its default uses.
- Instructions that declare several names, and the first of several ARGs under one comment.

## References

- https://docs.docker.com/reference/dockerfile/#impact-on-build-caching
- Variables that programs read: git(1), doc.rust-lang.org/cargo/reference/environment-variables.html,
  pip.pypa.io/en/stable/topics/configuration and others
- Tested with BuildKit: a new ARG value reruns all later RUNs; COPY and WORKDIR stay cached
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.edit.dockerfile import move_above
from dockfix.facts.model import Refused
from dockfix.facts.variables import names_mentioned
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Arg, Instruction, Run
from dockfix_codemods.arg_position.analysis import find_move, may_move, skipped_and_use

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage
    from dockfix_codemods.arg_position.analysis import Move, Place


def check(target: Target) -> Iterator[Finding]:
    """Find the ARGs of each stage that RUNs separate from their first use."""
    for stage in target.facts.graph.stages:
        moves: dict[int, Move] = {}
        nearest: dict[str, int] = {}  # the first instruction below that mentions a name
        for index in reversed(range(len(stage.instructions))):  # an ARG can move together with one that uses it
            arg = stage.instructions[index]
            names = [pair.key for pair in arg.pairs] if isinstance(arg, Arg) else []
            first = min((nearest[name] for name in names if name in nearest), default=None)
            nearest |= dict.fromkeys(names_mentioned(arg), index)
            if not isinstance(arg, Arg):
                continue
            at = None if first is None else first - index - 1
            skipped, use = skipped_and_use(arg, stage.instructions[index + 1 :], at, moves)
            if use is None or not may_move(target, stage, arg, skipped):
                continue
            try:
                move = find_move(target, stage, index, arg, skipped, use, moves)
            except Refused as refused:
                yield Refusal(arg.span, _message(sorted(pair.key for pair in arg.pairs), skipped), refused.reason)
                continue
            if move is not None:
                moves[arg.span.start] = move
        together: dict[Place, list[Move]] = {}
        for move in reversed(moves.values()):
            together.setdefault(move.place, []).append(move)
        for group in together.values():
            yield _fix(target, stage, group)


def _message(names: Sequence[str], skipped: Sequence[Instruction]) -> str:
    count = sum(isinstance(node, Run) for node in skipped)
    shown = ", ".join(f"`{name}`" for name in names)
    declared, they = (f"ARG {shown} precedes", "it") if len(names) == 1 else (f"ARGs {shown} precede", "them")
    runs, again = ("1 RUN that does", "it") if count == 1 else (f"{count} RUNs that do", "them")
    return f"{declared} {runs} not mention {they}: a new value reruns {again}"


def _fix(target: Target, stage: Stage, moves: Sequence[Move]) -> Fix:
    """Move the ARGs of one place there, in their order."""
    place = moves[0].place
    names = [move.arg.pairs[0].key for move in moves]
    by = _passed(target, stage, names)
    them = "it" if len(names) == 1 else "them"
    review = f"check that none of these RUNs reads {', '.join(f'`{name}`' for name in names)} from the environment"
    review += f" ({by})" if by else ""
    return Fix(
        moves[0].arg.span,
        _message(names, moves[0].skipped),
        move_above(target.dockerfile, [move.arg for move in moves], place.use),
        Safety.SAFE if place.safe else Safety.UNSAFE,
        f"move {them} above line {place.use.start_line}",
        "" if place.safe else review,
    )


def _passed(target: Target, stage: Stage, names: Sequence[str]) -> str:
    """Which of the ARGs are passed, and by which builds; empty if none is."""
    passing = {name: wiring.passing(target, stage, name) for name in names}
    by = {name: wiring.describe_builds(target.project, builds) for name, builds in passing.items() if builds}
    if len(by) == len(names) and len(set(by.values())) == 1:
        return f"{'it is' if len(names) == 1 else 'they are'} passed by {by[names[0]]}"
    return "; ".join(f"`{name}` is passed by {builds}" for name, builds in by.items())


CODEMOD: Final = Codemod(
    name="arg-position",
    title="an ARG is declared long before its first use",
    severity=Severity.INFO,
    category=Category.CACHE,
    effects=frozenset({Effect.ORDER}),
    check=check,
    since="0.1.0",
    triggers=("arg ", "arg\t"),
    findings=("postgres 3",),
    promise=Promise(
        claims=frozenset({Claim.ARG_CHANGE}),
        rationale="The RUNs above the new place do not use the argument, and those below it have it as before.",
    ),
)
