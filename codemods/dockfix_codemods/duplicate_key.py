"""An ENV or LABEL sets a key that is set again before anything uses it.

## What it does

Finds a variable or label that a later `ENV` or `LABEL` of the stage sets again, with nothing in between that could use
it, and removes the first.

## Why is this bad?

The first value has no effect. Whoever reads or changes it believes that it does.

## Example

```dockerfile
FROM debian:12
ENV LANG=C PORT=80
ENV PORT=8080
LABEL version="1.0" team="web"
LABEL version="1.1"
```

Use instead:

```dockerfile
FROM debian:12
ENV LANG=C
ENV PORT=8080
LABEL team="web"
LABEL version="1.1"
```

## Fix safety

The fix is safe: the image has the last value, and no step sees the first one. A variable is used by every `RUN`, which
has it in its environment, and by instructions that expand it: `ENV PATH=/a:$PATH` uses the `PATH` before it. All values
of one `ENV` are expanded before any of its variables is set. A label is used by nothing before the end of the stage.

## When it does not apply

- A variable that may be used in between, which is right.
- A key with a `$variable`, whose name is not known, and a variable that an `ARG` in between also declares.
- A first value that a comment describes: the comment would be lost, or describe something else.
- `ONBUILD`, whose instructions run in other builds.

## References

- https://docs.docker.com/reference/dockerfile/#env
- https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from msgspec import Struct, field

from dockfix.edit.dockerfile import block, delete_arguments, delete_block, edited
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.facts.variables import plain_key, uses
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Arg, Dockerfile, Env, Instruction, Label, Pair, Run, Unknown

_Unused: TypeAlias = dict[str, dict[str, tuple[Env | Label, Pair]]]
"""What was set last and not used since: by key in upper case (Windows ignores the case), then by key."""


class _Superseded(Struct):
    """The pairs of one instruction that are set again, and the lines that do so."""

    instruction: Env | Label
    pairs: list[Pair] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)


def check(target: Target) -> Iterator[Finding]:
    """Find what is set again, stage by stage."""
    for stage in target.facts.graph.stages:
        for superseded in _superseded(stage):
            yield _finding(target.dockerfile, superseded)


def _superseded(stage: Stage) -> list[_Superseded]:
    found: dict[int, _Superseded] = {}
    variables: _Unused = {}
    labels: _Unused = {}
    for instruction in stage.executed:
        _use(instruction, variables)
        if not isinstance(instruction, Env | Label):
            continue
        unused = variables if isinstance(instruction, Env) else labels
        for pair in instruction.pairs:
            key = plain_key(pair, instruction.escape)
            if key is None:
                continue
            last = unused.setdefault(key.upper(), {})
            if key in last:
                earlier, gone = last[key]
                each = found.setdefault(earlier.span.start, _Superseded(earlier))
                each.pairs.append(gone)
                each.lines.add(instruction.start_line)
            last[key] = instruction, pair
    return [found[start] for start in sorted(found)]


def _use(instruction: Instruction, variables: _Unused) -> None:
    """Drop the variables that an instruction may use, or declares in another way."""
    if isinstance(instruction, Run | Unknown):
        variables.clear()
        return
    names = uses(instruction)
    if isinstance(instruction, Arg):
        names |= {pair.key for pair in instruction.pairs}
    for name in names:
        variables.pop(name.upper(), None)


def _finding(dockerfile: Dockerfile, found: _Superseded) -> Finding:
    pairs = sorted(found.pairs, key=lambda pair: pair.word.start)
    at = pairs[0].span
    names = tuple(dict.fromkeys(pair.key for pair in pairs))
    keys = ", ".join(f"`{name}`" for name in names)
    lines = sorted(found.lines)
    if lines == [found.instruction.start_line]:
        where = f"the same `{found.instruction.name}`"
    else:
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    used = "" if isinstance(found.instruction, Label) else " before anything uses it"
    message = f"{keys} {'is' if len(names) == 1 else 'are'} set again in {where}{used}: this value has no effect"
    try:
        edits = _edits(dockerfile, found.instruction, pairs)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    return Fix(at, message, edits, Safety.SAFE, f"remove {keys} here")


def _edits(dockerfile: Dockerfile, instruction: Env | Label, pairs: Sequence[Pair]) -> tuple[Edit, ...]:
    """Delete some pairs, or the instruction if it has no others.

    Raises:
        Refused: a comment would be lost, or describe something else.
    """
    if len(pairs) == len(instruction.pairs):
        if instruction.comments or dockerfile.above(instruction):
            raise Refused(f"a comment describes line {instruction.start_line}")
        return (delete_block(dockerfile, block(dockerfile, instruction)),)
    previous = {word.start: before.span.end for before, word in pairwise(instruction.args)}
    for pair in pairs:
        start, end = previous.get(pair.word.start, instruction.keyword.span.end), pair.span.start
        if any(start < comment.span.start < end for comment in instruction.comments):
            raise Refused(f"a comment describes `{pair.key}`")
    gone = {pair.word.start for pair in pairs}
    first = next(word for word in instruction.args if word.start not in gone)
    leading = [word for word in instruction.args if word.start < first.start]
    if any(comment.span.start < first.span.start for comment in instruction.comments):
        leading = []
    others = [pair.word for pair in pairs if pair.word not in leading]
    edits = tuple(delete_arguments(dockerfile, instruction, others))
    if leading:  # the next pair moves up to the keyword
        edits = (Edit(leading[0].span.start, first.span.start, ""), *edits)
    kept = [pair.word.text for pair in instruction.pairs if pair not in pairs]
    new = edited(dockerfile, instruction, edits)
    if new is None or [word.text for word in new.args] != kept:
        raise Refused("the other pairs would not stay as they are")
    return edits


CODEMOD: Final = Codemod(
    name="duplicate-key",
    title="an ENV or LABEL sets a key that is set again before anything uses it",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.ENV, Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("env", "label"),
    promise=Promise(rationale="The last value of each key is the same, and no step is run with the first one."),
)
