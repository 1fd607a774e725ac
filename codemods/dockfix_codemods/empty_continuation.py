"""A blank line inside a continued instruction.

## What it does

Finds blank lines between the lines of one instruction, and removes them. If only blank lines follow up to the end of
the file, the line continuation before them is removed.

## Why is this bad?

A reader takes a blank line for the end of the instruction, but the builder ignores it: the next line still belongs to
the `RUN`, also if it begins with a keyword. Docker warns that such lines will be errors in a future release.

## Example

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache \\
    curl \\

    git
```

Use instead:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache \\
    curl \\
    git
```

## Fix safety

The fix is safe: the builder skips these lines, so the instruction is the same without them. Comments stay.

## When it does not apply

- Blank lines in a heredoc: they are content.
- Comment lines inside an instruction.
- A keyword at the start of a line after the blank one (`RUN a \\`, blank, `RUN b`): not fixed. The builder reads one
  instruction, and probably two are meant.
- A continuation in the last line of the file.

## References

- https://docs.docker.com/reference/build-checks/no-empty-continuation/
- moby/buildkit `frontend/dockerfile/parser/parser.go` (`isEmptyContinuationLine`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import TYPES, Blank, Dockerfile, Instruction

_MESSAGE: Final = "a blank line is inside this instruction, which continues after it"


def check(target: Target) -> Iterator[Finding]:
    """Look for blank lines in each instruction, and for those that its last line continues to."""
    dockerfile = target.dockerfile
    for instruction in dockerfile.instructions:
        blanks = [node for node in instruction.trivia if isinstance(node, Blank)]
        inside = [node for node in blanks if node.span.start < instruction.logical.pieces[-1].start]
        if inside:
            yield _finding(dockerfile, instruction, inside)
        elif blanks and not instruction.heredocs:
            yield from _last_line(dockerfile, instruction)


def _last_line(dockerfile: Dockerfile, instruction: Instruction) -> Iterator[Finding]:
    """The last instruction of a file continues to nothing but blank lines."""
    last = instruction.logical.pieces[-1]
    text = dockerfile.text[last.start : last.end].rstrip()
    escape = dockerfile.text.find(instruction.escape, last.end)
    if text and escape >= 0:
        message = "the last instruction continues to a blank line"
        edit = Edit(last.start + len(text), escape + 1, "")
        yield Fix(instruction.keyword.span, message, (edit,), Safety.SAFE, "remove the line continuation")


def _finding(dockerfile: Dockerfile, instruction: Instruction, blanks: Sequence[Blank]) -> Finding:
    at = instruction.keyword.span
    keyword = _keyword_after(dockerfile, instruction, blanks)
    if keyword:
        note = f"a line after it begins with `{keyword}`, which may be meant as an instruction of its own"
        return Refusal(at, _MESSAGE, note, Severity.WARNING)
    edits = tuple(Edit(*_line(dockerfile, blank), "") for blank in blanks)
    return Fix(at, _MESSAGE, edits, Safety.SAFE, "remove the blank line" + ("s" if len(blanks) > 1 else ""))


def _keyword_after(dockerfile: Dockerfile, instruction: Instruction, blanks: Sequence[Blank]) -> str:
    """The keyword with which a line after the first blank line begins, "" if none does."""
    lower = instruction.keyword.text.islower()
    for piece in instruction.logical.pieces:
        if piece.start > max(blanks[0].span.start, instruction.keyword.span.start):
            words = dockerfile.text[piece.start : piece.end].split(maxsplit=1)
            cased = len(words) == 2 and (words[0].isupper() or (lower and words[0].islower()))
            if cased and words[0].lower() in TYPES:
                return words[0]
    return ""


def _line(dockerfile: Dockerfile, blank: Blank) -> tuple[int, int]:
    """A whole line with its line end."""
    text = dockerfile.text
    return text.rfind("\n", 0, blank.span.start) + 1, text.find("\n", blank.span.start) + 1 or len(text)


CODEMOD: Final = Codemod(
    name="empty-continuation",
    title="a blank line inside a continued instruction",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("\\", "`"),
    checks=frozenset({"NoEmptyContinuation"}),
    promise=Promise(
        rationale=("BuildKit drops blank lines inside a continued instruction: its text is the same."),
    ),
)
