"""An instruction uses a variable that is not defined.

## What it does

Finds variables in a `FROM` that no `ARG` before the first `FROM` declares, and variables in other instructions that no
`ARG` or `ENV` of the stage sets. If the name is a typo of one that is set, the fix corrects it. A stage that uses
`TARGETARCH` or a similar argument of BuildKit gets the `ARG` that it needs.

Also finds a `FROM` whose image is empty or invalid unless a build passes an argument.

## Why is this bad?

An undefined variable is empty: `COPY bin/$TARGETARC/app /app` copies `bin/app`, or nothing that exists. The build fails
far from the cause, or succeeds with the wrong files.

## Example

```dockerfile
FROM alpine:3.22
ARG VERSION=1.4
ENV APP_VERSION=$VERSON
```

Use instead:

```dockerfile
FROM alpine:3.22
ARG VERSION=1.4
ENV APP_VERSION=$VERSION
```

## Fix safety

The fixes are unsafe: the variable gets a value where it is empty today, and the base image may set the name as it is
written. A name counts as a typo of another if one letter differs, or two of a long word.

## When it does not apply

- Commands of `RUN`, `CMD`, `ENTRYPOINT` and `HEALTHCHECK`, which the shell expands.
- `${NAME:-default}` and `${NAME:+text}`, which say what to use if the name is not set.
- `$NAME` in single quotes or after a backslash.
- Names that the base image may set. Those are only reported if they look like a typo.
- Arguments that are declared before the first `FROM`, or that a build passes (`arg-scope`), names that the same `ENV`
  sets (`env-self-reference`), and the proxy variables.
- A `FROM` that needs an argument which each known build passes.

## References

- https://docs.docker.com/reference/build-checks/undefined-var/
- https://docs.docker.com/reference/build-checks/undefined-arg-in-from/
- https://docs.docker.com/reference/build-checks/invalid-default-arg-in-from/
- moby/buildkit `frontend/dockerfile/dockerfile2llb/validations.go`, `util/suggest/error.go`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.edit.dockerfile import insert_above
from dockfix.facts.images import PLATFORM_ARGS, PREDEFINED_ARGS
from dockfix.facts.model import Unknown
from dockfix.facts.state import BASE_MAY_SET, NOT_ENVIRONMENT
from dockfix.facts.variables import uses
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Part,
    Promise,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Arg, Env, Instruction
from dockfix_codemods.undefined_variable.images import check_defaults, declared_globally, is_predefined
from dockfix_codemods.undefined_variable.names import Definitions, occurrences, similar

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage


def check(target: Target) -> Iterator[Finding]:
    """Look at the variables of each instruction that BuildKit expands."""
    declared = declared_globally(target)
    passed = {name for build in target.builds for name in build.args}
    undefined: set[str] = set()
    for stage in target.facts.graph.stages:
        for name, finding in _in_from(target, stage, declared):
            undefined.add(name)
            yield finding
    yield from check_defaults(target, undefined)
    definitions = Definitions(target.dockerfile)
    for stage in target.facts.graph.stages:
        yield from _in_stage(target, stage, definitions, frozenset(declared | passed))


def _in_from(target: Target, stage: Stage, declared: set[str]) -> Iterator[tuple[str, Finding]]:
    node = stage.node
    for name in sorted(uses(node)):
        if name in declared or is_predefined(name) or (spans := occurrences(node, name)) is None:
            continue
        args = (node for node in target.dockerfile.instructions if isinstance(node, Arg))
        later = next((arg for arg in args if name in {pair.key for pair in arg.pairs}), None)
        message = f"`${name}` is not declared by an `ARG` before the first `FROM`, so it is empty here"
        if later is not None:
            message = f"`${name}` is empty here: its `ARG` on line {later.start_line} is not before the first `FROM`"
        help_ = "declare it before the first `FROM`" if later is None else "move its `ARG` before the first `FROM`"
        typo = None if later is not None else similar(name, declared)
        if typo is None or not spans:
            yield name, Advice(node.image.span if node.image else node.span, message, cause=name, help=help_)
        else:
            yield name, _corrected(spans, name, typo, message, "")


def _in_stage(target: Target, stage: Stage, definitions: Definitions, elsewhere: frozenset[str]) -> Iterator[Finding]:
    """The first use of each undefined name; names that are known `elsewhere` belong to `arg-scope`."""
    seen: set[str] = set()
    for instruction in stage.executed:
        names = uses(instruction) - elsewhere - PREDEFINED_ARGS - NOT_ENVIRONMENT - seen
        if not names:
            continue
        state = target.facts.state(instruction)
        own = {pair.key for pair in instruction.pairs} if isinstance(instruction, Env) else set()
        for name in sorted(names):
            fact = state.lookup(name)
            uncertain = isinstance(fact, Unknown) and fact == BASE_MAY_SET.fact and name not in PLATFORM_ARGS
            if (
                (fact is not None and fact != BASE_MAY_SET.fact)
                or name in state.args
                or _sets_too(instruction, own, name)
            ):
                continue
            spans = occurrences(instruction, name)
            if spans is None:
                continue
            seen.add(name)
            if name in PLATFORM_ARGS:
                yield _declared(target, instruction, name, spans)
            else:
                yield from _finding(target, stage, instruction, definitions, name, spans, uncertain)


def _sets_too(instruction: Instruction, own: set[str], name: str) -> bool:
    """Whether another variable of the same ENV uses a name that it sets: `env-self-reference` reports that."""
    return name in own and isinstance(instruction, Env) and len(instruction.pairs) > 1


def _declared(target: Target, instruction: Instruction, name: str, spans: tuple[Edit, ...]) -> Fix:
    """Declare an argument of BuildKit above its first use."""
    keyword = "arg" if instruction.keyword.text.islower() else "ARG"
    edit = insert_above(target.dockerfile, instruction, f"{keyword} {name}")
    review = f"check that this instruction should use the value of the build: `${name}` is empty today"
    message = f"`${name}` is empty here: a stage must declare it with `ARG {name}`"
    at = spans[0].span if spans else instruction.span
    return Fix(at, message, (edit,), Safety.UNSAFE, f"add `{keyword} {name}` above this instruction", review)


def _finding(
    target: Target,
    stage: Stage,
    instruction: Instruction,
    definitions: Definitions,
    name: str,
    spans: tuple[Edit, ...],
    uncertain: bool,
) -> Iterator[Finding]:
    """A name that nothing sets before its use; `uncertain`: the base image may set it."""
    at = spans[0].span if spans else instruction.span
    empty = f"`${name}` is empty here"
    own = definitions.sets(instruction, name)
    later = None if own else definitions.later(stage, instruction, name)
    state = target.facts.state(instruction)
    known = (each for each in definitions.like(name) if state.lookup(each) not in (None, BASE_MAY_SET.fact))
    typo = None if own or later else similar(name, known)
    if typo is not None and spans:
        base = f"that the base image does not set `{name}`, and " if uncertain else ""
        yield _corrected(spans, name, typo, f"`${name}` is not defined, so it is empty here", base)
    elif typo is not None:
        yield Advice(
            at,
            f"`${name}` is not defined, so it is empty here: possibly a typo",
            help=f"write `${typo}` if that is meant",
        )
    elif uncertain:
        return
    elif own:
        yield Advice(at, f"{empty}: only this instruction sets it", Severity.INFO)
    elif later is not None:
        yield Advice(at, f"{empty}: it is set only on line {later.start_line}", help="set it before this instruction")
    else:
        yield Advice(
            at, f"`${name}` is not defined, so it is empty here", help="declare it with `ARG` or `ENV`, or remove it"
        )


def _corrected(spans: tuple[Edit, ...], name: str, typo: str, message: str, base: str) -> Fix:
    edits = tuple(Edit(each.start, each.end, typo) for each in spans)
    review = f"check {base}that `{typo}` is meant: `${name}` is empty today"
    return Fix(edits[0].span, f"{message}: possibly a typo", edits, Safety.UNSAFE, f"use `${typo}`", review)


CODEMOD: Final = Codemod(
    name="undefined-variable",
    title="an instruction uses a variable that is not defined",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(
        {
            *(Effect.STAGES, Effect.STEPS, Effect.ARGS, Effect.ENV, Effect.COPIES, Effect.MOUNTS),
            *(Effect.USERS, Effect.WORKDIR, Effect.METADATA),
        }
    ),
    check=check,
    since="0.1.0",
    triggers=("$",),
    checks=frozenset({"UndefinedVar", "UndefinedArgInFrom", "InvalidDefaultArgInFrom"}),
    promise=Promise(
        config=frozenset(Part) - {Part.SHELL},
        adds=("/**",),
        removes=("/**",),
        changes=("/**",),
        packages=Packages.ANY,
        rationale=(
            "The variable is meant to have an effect, and what depends on its value is not known. So the promise is "
            "only that the image is still built and starts."
        ),
    ),
)
