"""A stage uses an ARG that it does not declare.

## What it does

Finds stages that use an `ARG` declared only before the first `FROM`, and declares it in the stage.

Does the same for an argument that a compose service or a bake target passes and that the stage uses without any `ARG`
(`args: {APP_VERSION: "1.4"}` and `RUN echo "$APP_VERSION"`). Reports an argument that a build passes under a name that
no `ARG` declares and that looks like a typo.

## Why is this bad?

An `ARG` before the first `FROM` is visible only in `FROM` instructions. In a stage that does not declare it again, the
name is empty, or an error under `set -u`. The build succeeds with the value missing.

## Example

```dockerfile
ARG APP_VERSION=1.4.2
FROM debian:12
RUN echo "$APP_VERSION" > /version
```

Use instead:

```dockerfile
ARG APP_VERSION=1.4.2
FROM debian:12
ARG APP_VERSION
RUN echo "$APP_VERSION" > /version
```

An `ARG` without a value takes the default of the one before `FROM`. The line goes directly above the first use, because
a changed ARG reruns every later RUN of its stage.

## Fix safety

The fix is unsafe: the name gets a value where it is empty today, and a step may then do something else.
`RUN if [ -z "$V" ]; then make; else make "$V"; fi` takes the other branch, and `RUN curl -f https://example.org/$V`
requests another file. If the base image or a parent stage can set an environment variable of that name, the new line
would hide its value. An argument that only a build passes may have the same name by coincidence.

## When it does not apply

- Names that the base image is known to set: an `ARG PG_MAJOR` would hide the `ENV PG_MAJOR` of the postgres image.
- Names that the shell text sets itself (`X=1; echo $X`, `for X in ...`).
- CMD, ENTRYPOINT and HEALTHCHECK, which run when no ARG exists any more.
- Arguments that a build passes for stages that it does not build, or that no instruction uses.
- Names that the builder predefines (`HTTP_PROXY` and similar), which need no declaration.

## References

- https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
- https://docs.docker.com/reference/dockerfile/#scope
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import insert_above
from dockfix.facts.images import PREDEFINED_ARGS
from dockfix.facts.model import Known, OneOf
from dockfix.facts.stages import Stage
from dockfix.facts.variables import names_used
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Effect,
    Finding,
    Fix,
    Packages,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Arg, From, Instruction


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage, the first use of each argument that the stage does not declare."""
    globals_ = _global_args(target)
    passed = {name for build in target.builds for name in build.args} - PREDEFINED_ARGS
    if globals_ or passed:
        for stage in target.facts.graph.stages:
            yield from _in_stage(target, stage, globals_, globals_ | passed)
    yield from _typos(target, passed)


def _global_args(target: Target) -> frozenset[str]:
    """The names that an ARG declares before the first FROM."""
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
        state = target.facts.state(instruction)
        alike: dict[tuple[bool, str, str], list[str]] = {}  # one fix for all names with the same message
        for name in sorted((names_used(target.facts, instruction) & names) - seen):
            seen.add(name)
            passing = wiring.passing(target, stage, name)
            is_set = name in state.args or isinstance(state.lookup(name), Known | OneOf)
            if is_set or not (name in globals_ or passing):
                continue
            by = wiring.describe_builds(target.project, passing)
            refusal = _refusal(stage, instruction, name, name in globals_, by)
            if refusal is not None:
                yield refusal
                continue
            key = (name in globals_, by, _other_source(target, instruction, name))
            alike.setdefault(key, []).append(name)
        for (is_global, by, other_source), missing in alike.items():
            yield _declare(target, instruction, missing, is_global, by, other_source)


def _refusal(stage: Stage, instruction: Instruction, name: str, is_global: bool, by: str) -> Refusal | None:
    """The finding that is not fixed, if a declaration would hide a value or there is a later one."""
    known = f"`{name}` is declared before the first `FROM`" if is_global else f"`{name}` is passed by {by}"
    if stage.base is not None and name in stage.base.sets_env:
        message = f"{known}, but the stage sees the value that its base image sets"
        note = "an `ARG` in the stage would hide the value of the base image"
        return Refusal(instruction.span, message, note, Severity.INFO)
    args = (node for node in stage.instructions if isinstance(node, Arg))
    below = next((node for node in args if name in {pair.key for pair in node.pairs}), None)
    if below is not None and not is_global:
        message = f"{known}, but this instruction precedes its `ARG`"
        return Refusal(instruction.span, message, f"its `ARG` is further down, on line {below.start_line}")
    return None


def _other_source(target: Target, instruction: Instruction, name: str) -> str:
    """What else may set a name: `base`, `script`, or nothing known."""
    if target.facts.state(instruction).lookup(name) is not None:
        return "base"
    return "script" if any(step.opaque for step in target.facts.commands(instruction).steps) else ""


def _declare(
    target: Target, instruction: Instruction, names: Sequence[str], is_global: bool, by: str, other_source: str
) -> Fix:
    """Declare names above the first instruction that uses them."""
    shown = ", ".join(f"`{name}`" for name in names)
    one = len(names) == 1
    are, it, they = ("is", "it", "it") if one else ("are", "them", "they")
    if is_global:
        where = "its `ARG` is" if one else "their `ARG`s are"
        message = f"{shown} {are} empty in this stage: {where} only before the first `FROM`"
        message += f", although {they} {are} passed by {by}" if by else ""
        review = f"check that this instruction should use the default: {shown} {are} empty today"
    else:
        message = f"{shown} {are} passed by {by}, but no `ARG` of this stage declares {it}"
        review = f"check that this instruction should use the {'value' if one else 'values'} passed by {by}"
    if other_source == "base":
        review = f"check that the base image does not set {shown}: the new line would hide its value"
    elif other_source == "script":
        review = f"check whether a file that the script sources sets {shown}: then nothing is missing"
    lines = [f"{_keyword(target)} {name}" for name in names]
    edits = [insert_above(target.dockerfile, instruction, line) for line in lines]
    added = ", ".join(f"`{line}`" for line in lines)
    return Fix(instruction.span, message, tuple(edits), Safety.UNSAFE, f"add {added} above this instruction", review)


def _typos(target: Target, passed: set[str]) -> Iterator[Finding]:
    """Passed arguments that no ARG declares and that resemble a declared one that nothing passes."""
    declared = {
        pair.key: node for node in target.dockerfile.instructions if isinstance(node, Arg) for pair in node.pairs
    }
    for name in sorted(passed - declared.keys()):
        close = difflib.get_close_matches(name, declared.keys() - passed, n=1, cutoff=0.85)
        if close:
            by = wiring.describe_builds(target.project, [each for each in target.builds if name in each.args])
            message = f"`{name}`, passed by {by}, is declared by no `ARG`: possibly a typo"
            help_ = f"pass `{close[0]}` if that is meant"
            yield Advice(declared[close[0]].span, message, Severity.WARNING, help=help_)


def _keyword(target: Target) -> str:
    """`ARG` in the letter case of this file."""
    return next((node.keyword.text for node in target.dockerfile.instructions if isinstance(node, Arg)), "ARG")


CODEMOD: Final = Codemod(
    name="arg-scope",
    title="a stage uses an ARG that it does not declare",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.ARGS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("arg ", "arg\t", "$"),
    checks=frozenset({"UndefinedVar"}),
    findings=("postgres 3",),
    promise=Promise(
        config=frozenset({Part.USER, Part.ENV, Part.LABELS, Part.PORTS, Part.WORKDIR, Part.VOLUMES, Part.STOP_SIGNAL}),
        adds=("/**",),
        removes=("/**",),
        changes=("/**",),
        packages=Packages.ANY,
        rationale=(
            "The argument is meant to have an effect, and what the steps do with its value is not known. So the "
            "promise is only that the image is still built and starts."
        ),
    ),
)
