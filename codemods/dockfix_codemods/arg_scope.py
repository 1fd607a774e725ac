"""An ARG from before FROM is used in a stage that does not declare it.

## What it does

An `ARG` above the first `FROM` is visible in `FROM` lines only. A stage that uses it must declare it again, without a
value, which brings the default in:

```dockerfile
ARG APP_VERSION=1.4.2
FROM debian:12
RUN echo "$APP_VERSION" > /version
```

becomes

```dockerfile
ARG APP_VERSION=1.4.2
FROM debian:12
ARG APP_VERSION
RUN echo "$APP_VERSION" > /version
```

The line goes directly above the first use, because a changed ARG reruns every later RUN of its stage.

## Why

Without it the name is empty in the stage, or unset under `set -u`. The image is built, with a hole in it.

## Safety

Safe where no base image or parent stage can set an environment variable of that name: then it was certainly empty. Else
unsafe, because the new line would hide a value that the image sets.

## What it leaves alone

- Names that the base image is known to set: an `ARG PG_MAJOR` would hide the `ENV PG_MAJOR` of the postgres image.
- Names that the shell text sets itself (`X=1; echo $X`, `for X in ...`).
- CMD, ENTRYPOINT and HEALTHCHECK, which run when no ARG is left.
- Names that a builder predefines (`HTTP_PROXY` and its like), which need no declaration.

## Sources

- https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
- https://docs.docker.com/reference/dockerfile/#scope
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    PREDEFINED_ARGS,
    Arg,
    Category,
    Codemod,
    Effect,
    Finding,
    Fix,
    From,
    Instruction,
    Known,
    OneOf,
    Refusal,
    Safety,
    Severity,
    Stage,
    Target,
    names_used,
    surgery,
)


def rewrite(target: Target) -> Iterator[Finding]:
    """Find, in each stage, the first use of each global ARG that the stage does not see."""
    globals_ = _global_args(target)
    if globals_:
        for stage in target.facts.graph.stages:
            yield from _in_stage(target, stage, globals_)


def _global_args(target: Target) -> frozenset[str]:
    names: set[str] = set()
    for instruction in target.dockerfile.instructions:
        if isinstance(instruction, From):
            break
        if isinstance(instruction, Arg):
            names |= {pair.key for pair in instruction.pairs}
    return frozenset(names - PREDEFINED_ARGS)


def _in_stage(target: Target, stage: Stage, globals_: frozenset[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for instruction in stage.instructions:
        for name in sorted((names_used(target.facts, instruction) & globals_) - seen):
            state = target.facts.state(instruction)
            seen.add(name)
            if name not in state.args and not isinstance(state.lookup(name), Known | OneOf):
                yield _declare(target, stage, instruction, name)


def _declare(target: Target, stage: Stage, instruction: Instruction, name: str) -> Finding:
    if stage.base is not None and name in stage.base.sets_env:
        message = f"{name} is declared before FROM, and the stage sees the value that its base image sets"
        return Refusal(instruction.span, message, "an ARG in the stage would hide the image's own value", Severity.INFO)
    look_at = ""
    if target.facts.state(instruction).lookup(name) is not None:
        look_at = f"whether the base image sets {name} itself: the new line would hide that value"
    elif any(step.opaque for step in target.facts.commands(instruction).steps):
        look_at = f"whether what the script reads in sets {name}, so that nothing is missing"
    return Fix(
        instruction.span,
        f"{name} is declared before FROM only, so it is empty in this stage",
        (surgery.insert_above(target.dockerfile, instruction, f"{_keyword(target)} {name}"),),
        Safety.UNSAFE if look_at else Safety.SAFE,
        "a bare ARG in the stage brings the global default in",
        look_at,
    )


def _keyword(target: Target) -> str:
    """`ARG` as this file spells it."""
    return next((node.keyword.text for node in target.dockerfile.instructions if isinstance(node, Arg)), "ARG")


CODEMOD: Final = Codemod(
    name="arg-scope",
    title="a global ARG is used in a stage that does not declare it",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.ARGS, Effect.STEPS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("arg ", "arg\t"),
    page=__doc__,
    checks=frozenset({"UndefinedVar"}),
    findings=("postgres 3",),
)
