r"""An ENV or LABEL has the legacy form without an equals sign.

## What it does

Finds `ENV KEY value` and `LABEL KEY value`, and writes `KEY=value`, in quotes where they are needed.

## Why is this bad?

Without `=`, an instruction sets one key, to all the rest of the line. Whoever adds a second pair to the line, or one
pair of a continued line without `=`, changes the value of the first. Docker's documentation advises against the form,
and its build checks warn of it.

## Example

```dockerfile
FROM debian:12
ENV JAVA_HOME /opt/java
ENV JAVA_OPTS -Xms64m "-Dhome=$JAVA_HOME"
```

Use instead:

```dockerfile
FROM debian:12
ENV JAVA_HOME=/opt/java
ENV JAVA_OPTS="-Xms64m -Dhome=$JAVA_HOME"
```

A value that is continued on further lines stays on these lines. Spaces at their beginning are part of it today, and
remain.

## Fix safety

The fix is safe: the variable or label has the same value. dockfix reads the old and the new text as BuildKit's lexer
does, with every `$variable` as an unknown, and offers the fix only if the results are equal. So the fix also keeps
what the author may not have meant: `ENV DIR D:\tools` sets `D:tools`, since the backslash is an escape character, and
`ENV DIR=D:\tools` does, too.

## When it does not apply

- `ENV KEY = value`, which sets the key to `= value`: only a person knows whether the `=` is meant.
- A value that contains another `KEY=...`, or of which a further line begins like a pair of its own. It seems that
  several keys are meant, but today there is one.
- A value for which dockfix knows no text after `=` with the same meaning.
- A comment between the key and the value.
- `ONBUILD`: BuildKit does not check its instruction, and its text is part of the image.

`ARG a b` is not this form: it declares two arguments.

## References

- https://docs.docker.com/reference/build-checks/legacy-key-value-format/
- https://docs.docker.com/reference/dockerfile/#env
- moby/buildkit, `frontend/dockerfile/parser/line_parsers.go` and `frontend/dockerfile/shell/lex.go`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import edited
from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.source import GO_SPACE, Span
from dockfix.syntax.tree import Dockerfile, Env, Label
from dockfix_codemods.key_value_format.spelling import respelled, same_value

_PAIR: Final = {
    Env: re.compile(r"[A-Z_][A-Z0-9_]*="),
    Label: re.compile(r"[A-Za-z][\w./-]*="),
}
"""How another pair begins that the value seems to contain. Options such as `-Dkey=value` are no pairs."""

_LINE: Final = re.compile(r"[A-Z_][A-Z0-9_]*[ \t=]")
"""How a line with another variable begins."""


def check(target: Target) -> Iterator[Finding]:
    """Find the ENVs and LABELs without `=`."""
    for instruction in target.dockerfile.instructions:
        if isinstance(instruction, Env | Label) and instruction.legacy:
            yield _finding(target.dockerfile, instruction)


def _finding(dockerfile: Dockerfile, instruction: Env | Label) -> Finding:
    (pair,) = instruction.pairs
    name = instruction.name
    message = f"`{name} key value` without `=` is a legacy form"
    if (pair.value or "").startswith("="):
        message = f"`{pair.key}` is set to a value that begins with `=`: `{name}` takes no spaces around it"
        note = "it is not known whether the `=` is meant to be a part of the value"
        return Refusal(instruction.span, message, note, Severity.WARNING)
    try:
        edits = _edits(dockerfile, instruction)
    except Refused as refused:
        return Refusal(instruction.span, message, refused.reason, cause=name)
    return Fix(instruction.span, message, edits, Safety.SAFE, "write `=` between key and value", cause=name)


def _edits(dockerfile: Dockerfile, instruction: Env | Label) -> tuple[Edit, ...]:
    """Put `=` between key and value, and quote the value if necessary.

    Raises:
        Refused: the value might change, or seems to be several.
    """
    key, value = instruction.args
    if _several(dockerfile, instruction):
        raise Refused(
            f"the value contains what looks like another pair, but is one value: all of it belongs to `{key.text}`"
        )
    gap = Span(key.span.end, value.span.start)
    if any(gap.start < node.span.start < gap.end for node in instruction.comments):
        raise Refused("there is a comment between the key and the value")
    changes = respelled(value.text, instruction.escape)
    if changes is None:
        raise Refused("no spelling with `=` is known that has the same value")
    logical = instruction.logical
    edits = [Edit(gap.start, gap.end, "=")]
    for start, end, new in changes:
        if start == end == 0:
            edits[0] = Edit(gap.start, gap.end, f"={new}")
            continue
        if start == end:
            at = logical.start(value.start + start) if start < len(value.text) else value.span.end
            edits.append(Edit(at, at, new))
        else:
            edits.append(Edit(*logical.span(value.start + start, value.start + end), new))
    if not _has_same_value(dockerfile, instruction, edits):
        raise Refused("no spelling with `=` is known that has the same value")
    return tuple(edits)


def _several(dockerfile: Dockerfile, instruction: Env | Label) -> bool:
    """Whether the author seems to mean several pairs."""
    value = instruction.args[1]
    words = re.split(f"[{GO_SPACE}]+", value.text)
    if any(_PAIR[type(instruction)].match(word) for word in words[1:]):
        return True
    lines = [dockerfile.text[piece.start : piece.end].lstrip(" \t") for piece in instruction.logical.pieces]
    return any(_LINE.match(f"{line} ") for line in lines[1:] if isinstance(instruction, Env))


def _has_same_value(dockerfile: Dockerfile, instruction: Env | Label, edits: list[Edit]) -> bool:
    """Whether the parser reads the new text as one pair with the same key and value."""
    new = edited(dockerfile, instruction, edits)
    if not isinstance(new, Env | Label) or new.legacy or new.name != instruction.name or len(new.pairs) != 1:
        return False
    (before,), (after,) = instruction.pairs, new.pairs
    return before.key == after.key and same_value(before.value or "", after.value or "", instruction.escape)


CODEMOD: Final = Codemod(
    name="key-value-format",
    title="an ENV or LABEL has the legacy form without =",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.ENV, Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("env", "label"),
    checks=frozenset({"LegacyKeyValueFormat"}),
    promise=Promise(rationale="The value is the same, computed as BuildKit does: only its spelling differs."),
)
