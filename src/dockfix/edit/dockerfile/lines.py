"""Lines, indentation and continuations of a Dockerfile, and edits at an offset."""

from __future__ import annotations

from dockfix.edit.text import Edit
from dockfix.syntax.source import BOM, GO_SPACE, Mapped, Span
from dockfix.syntax.tree import Dockerfile, Instruction

MAX_LINE = 120
"""A line that grows beyond this many columns is broken."""


def replace(span: Span, text: str) -> Edit:
    """Replace the text at `span`."""
    return Edit(span.start, span.end, text)


def insert(at: int, text: str) -> Edit:
    """Insert `text` at a source offset."""
    return Edit(at, at, text)


def insert_text_before(text: Mapped, offset: int, new: str) -> Edit:
    """Insert `new` directly before the character at `offset` of a mapped text (a script, a logical line)."""
    return insert(text.start(offset), new)


def insert_text_after(text: Mapped, offset: int, new: str) -> Edit:
    """Insert `new` directly after the character before `offset` of a mapped text."""
    return insert(text.end(offset), new)


def line_end(dockerfile: Dockerfile, offset: int) -> int:
    r"""The offset after the `\n` of the line that contains `offset`; on the last line, the end of the text."""
    end = dockerfile.text.find("\n", offset)
    return len(dockerfile.text) if end == -1 else end + 1


def line_start(dockerfile: Dockerfile, offset: int) -> int:
    """The offset at which the line that contains `offset` begins; on the first line, after the byte order mark."""
    start = dockerfile.text.rfind("\n", 0, offset) + 1
    return len(BOM) if start == 0 and dockerfile.bom else start


def indent_of(dockerfile: Dockerfile, offset: int) -> str:
    """The white space at the beginning of the line that contains `offset`."""
    start = line_start(dockerfile, offset)
    end = start
    while end < len(dockerfile.text) and dockerfile.text[end] in " \t":
        end += 1
    return dockerfile.text[start:end]


def continuation_indent(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The indentation of an instruction's continuation lines: the smallest, since operands may be indented further.
    Four spaces if there are none."""
    memo, key = dockerfile.indents, instruction.span.start
    if key not in memo:
        memo[key] = _continuation_indent(dockerfile, instruction)
    return memo[key]


def _continuation_indent(dockerfile: Dockerfile, instruction: Instruction) -> str:
    indents = [
        indent_of(dockerfile, piece.start)
        for piece in instruction.logical.pieces[1:]
        if piece.start > instruction.keyword.span.start and dockerfile.text[piece.start : piece.end].strip(GO_SPACE)
    ]
    base = indent_of(dockerfile, instruction.span.start)
    return min((each for each in indents if each), key=len, default=indents[0] if indents else f"{base}    ")


def continuation(dockerfile: Dockerfile, instruction: Instruction, indent: str | None = None) -> str:
    """A line break inside an instruction: a space, the escape character, the line end and the indentation."""
    inner = continuation_indent(dockerfile, instruction) if indent is None else indent
    return f" {instruction.escape}{instruction.newline}{inner}"


def breaks_lines(instruction: Instruction) -> bool:
    """Whether an instruction has lines below that of its keyword, which may follow lines with only a continuation."""
    return instruction.logical.pieces[-1].start > instruction.keyword.span.start


def before_line_end(dockerfile: Dockerfile, offset: int) -> int:
    """The offset before the line end directly before `offset`, if there is one."""
    for newline in ("\r\n", "\n"):
        if dockerfile.text.endswith(newline, 0, offset):
            return offset - len(newline)
    return offset


def offset_in_logical(instruction: Instruction, text: Mapped, at: int) -> int | None:
    """The offset in the logical line of the character at `at` of a script; None if it is in the body of a heredoc."""
    return instruction.logical.offset(text.start(at)) if text.text else None
