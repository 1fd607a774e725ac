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

The same is done for an argument that a compose service or a bake target passes, and that the stage uses without any
`ARG` (`args: {APP_VERSION: "1.4"}` and `RUN echo "$APP_VERSION"`). Where a build passes a name that is declared nowhere
and looks like a slip for one that is, the finding says so.

## Why

Without it the name is empty in the stage, or unset under `set -u`. The image is built, with a hole in it.

## Safety

Unsafe: the name gets a value where it is empty today, and what a step does with that may be another thing.
`RUN if [ -z "$V" ]; then make; else make "$V"; fi` takes the other branch, and `RUN curl -f https://example.org/$V`
asks for another file. Where the base image or a parent stage can set an environment variable of that name, the new line
would hide its value. What only a build passes may have the same name by chance.

## What it leaves alone

- Names that the base image is known to set: an `ARG PG_MAJOR` would hide the `ENV PG_MAJOR` of the postgres image.
- Names that the shell text sets itself (`X=1; echo $X`, `for X in ...`).
- CMD, ENTRYPOINT and HEALTHCHECK, which run when no ARG is left.
- Arguments that a build passes for stages that it does not build, or that no instruction uses.
- Names that a builder predefines (`HTTP_PROXY` and its like), which need no declaration.

## Sources

- https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
- https://docs.docker.com/reference/dockerfile/#scope
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.images import PREDEFINED_ARGS
from dockfix.facts.model import Known, OneOf
from dockfix.facts.names import names_used
from dockfix.facts.stages import Stage
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Arg, From, Instruction


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage, the first use of each name that is given from outside and that the stage does not see."""
    globals_ = _global_args(target)
    passed = {name for build in target.builds for name in build.args} - PREDEFINED_ARGS
    if globals_ or passed:
        for stage in target.facts.graph.stages:
            yield from _in_stage(target, stage, globals_, globals_ | passed)
    yield from _slips(target, passed)


def _global_args(target: Target) -> frozenset[str]:
    names: set[str] = set()
    for instruction in target.dockerfile.instructions:
        if isinstance(instruction, From):
            break
        if isinstance(instruction, Arg):
            names |= {pair.key for pair in instruction.pairs}
    return frozenset(names - PREDEFINED_ARGS)


def _in_stage(target: Target, stage: Stage, globals_: frozenset[str], names: frozenset[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for instruction in stage.instructions:
        alike: dict[tuple[bool, str, str], list[str]] = {}  # one fix for all that one line can say
        for name in sorted((names_used(target.facts, instruction) & names) - seen):
            state = target.facts.state(instruction)
            seen.add(name)
            if name not in state.args and not isinstance(state.lookup(name), Known | OneOf):
                passing = wiring.passing(target, stage, name)
                if name in globals_ or passing:
                    by = wiring.where_all(target.project, passing)
                    refusal = _why_not(stage, instruction, name, name in globals_, by)
                    if refusal is not None:
                        yield refusal
                    else:
                        alike.setdefault((name in globals_, by, _doubt(target, instruction, name)), []).append(name)
        for (is_global, by, doubt), missing in alike.items():
            yield _declare(target, instruction, missing, is_global, by, doubt)


def _why_not(stage: Stage, instruction: Instruction, name: str, is_global: bool, by: str) -> Refusal | None:
    known = f"{name} is declared before FROM" if is_global else f"{name} is passed by {by}"
    if stage.base is not None and name in stage.base.sets_env:
        message = f"{known}, and the stage sees the value that its base image sets"
        return Refusal(instruction.span, message, "an ARG in the stage would hide the image's own value", Severity.INFO)
    args = (node for node in stage.instructions if isinstance(node, Arg))
    below = next((node for node in args if name in {pair.key for pair in node.pairs}), None)
    if below is not None and not is_global:
        message = f"{known}, and no ARG of this stage takes it"
        return Refusal(instruction.span, message, f"its ARG stands below, on line {below.start_line}")
    return None


def _doubt(target: Target, instruction: Instruction, name: str) -> str:
    """What else may give a name its value: `base`, `script` or nothing that is known of."""
    if target.facts.state(instruction).lookup(name) is not None:
        return "base"
    return "script" if any(step.opaque for step in target.facts.commands(instruction).steps) else ""


def _declare(
    target: Target, instruction: Instruction, names: Sequence[str], is_global: bool, by: str, doubt: str
) -> Fix:
    """Declare names above the first instruction that uses them."""
    shown = ", ".join(names)
    be, they, values = ("is", "it", "that value") if len(names) == 1 else ("are", "they", "those values")
    if is_global:
        message = f"{shown} {be} declared before FROM only, so {they} {be} empty in this stage"
        message += f"; passed by {by}" if by else ""
        review = f"whether this step is to have the default: {shown} {be} empty in it today"
    else:
        message = f"{shown} {be} passed by {by}, and no ARG of this stage takes {'it' if len(names) == 1 else 'them'}"
        review = f"whether this step is to have what {by} passes"
    if doubt == "base":
        review = f"whether the base image sets {shown} itself: the new line would hide {values}"
    elif doubt == "script":
        review = f"whether what the script reads in sets {shown}, so that nothing is missing"
    edits = [surgery.insert_above(target.dockerfile, instruction, f"{_keyword(target)} {name}") for name in names]
    why = f"a bare ARG in the stage brings {'the global default' if is_global else 'what is passed'} in"
    return Fix(instruction.span, message, tuple(edits), Safety.UNSAFE, why, review)


def _slips(target: Target, passed: set[str]) -> Iterator[Finding]:
    """Arguments that no ARG takes and that look like one that nothing passes."""
    declared = {
        pair.key: node for node in target.dockerfile.instructions if isinstance(node, Arg) for pair in node.pairs
    }
    for name in sorted(passed - declared.keys()):
        close = difflib.get_close_matches(name, declared.keys() - passed, n=1, cutoff=0.85)
        if close:
            by = wiring.where_all(target.project, [each for each in target.builds if name in each.args])
            message = f"{by} passes {name}, which no ARG declares; {close[0]} may be meant"
            yield Advice(declared[close[0]].span, message, Severity.WARNING)


def _keyword(target: Target) -> str:
    """`ARG` as this file spells it."""
    return next((node.keyword.text for node in target.dockerfile.instructions if isinstance(node, Arg)), "ARG")


CODEMOD: Final = Codemod(
    name="arg-scope",
    title="a global ARG is used in a stage that does not declare it",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.ARGS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("arg ", "arg\t", "$"),
    page=__doc__,
    checks=frozenset({"UndefinedVar"}),
    findings=("postgres 3",),
)
