"""Adding and deleting whole instructions with their comments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from dockfix.edit.dockerfile.lines import (
    before_line_end,
    breaks_lines,
    continuation,
    continuation_indent,
    indent_of,
    insert,
    line_end,
    line_start,
)
from dockfix.edit.text import Edit
from dockfix.facts.model import Refused
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Blank, Comment, Dockerfile, Instruction

_BANNER = frozenset("#-=*~_+ \t─━═")


def is_banner(comment: Comment) -> bool:
    """Whether a comment is a line of punctuation or a heading set off by one (`# ---- build ----`), which describes a
    section."""
    text = comment.text.strip()
    return not text or set(text) <= _BANNER or (len(text) > 6 and set(text[:3]) <= _BANNER and len(set(text[:3])) == 1)


def own_comments(dockerfile: Dockerfile, instruction: Instruction) -> tuple[Comment, ...]:
    """The comments directly above an instruction that describe it: those below the nearest banner."""
    own: list[Comment] = []
    for comment in reversed(dockerfile.above(instruction)):
        if is_banner(comment):
            break
        own.append(comment)
    return tuple(reversed(own))


def block(dockerfile: Dockerfile, instruction: Instruction) -> Span:
    """The lines of an instruction and of its own comments."""
    comments = own_comments(dockerfile, instruction)
    first = comments[0].span if comments else instruction.lines
    return Span(line_start(dockerfile, first.start), instruction.lines.end)


def blank_at(dockerfile: Dockerfile, offset: int) -> Blank | None:
    """The blank line that begins at an offset."""
    index = bisect_left(dockerfile.nodes, offset, key=lambda node: node.span.start)
    node = dockerfile.nodes[index] if index < len(dockerfile.nodes) else None
    return node if isinstance(node, Blank) and node.span.start == offset else None


def delete_block(dockerfile: Dockerfile, span: Span) -> Edit:
    """Delete whole lines, and one of two blank lines that would then be adjacent or begin or end the file."""
    start, end = span
    size = len(dockerfile.text)
    first = start == line_start(dockerfile, 0)
    before = blank_at(dockerfile, line_start(dockerfile, start - 1)) if not first else None
    after = blank_at(dockerfile, end)
    if after and (before or first):
        end = after.span.end
    elif before and end == size:
        start = before.span.start
    if end == size and not dockerfile.text.endswith("\n"):
        start = before_line_end(dockerfile, start)
    return Edit(start, end, "")


def delete_superseded(dockerfile: Dockerfile, gone: Sequence[Instruction], heir: Instruction) -> tuple[Edit, ...]:
    """Delete instructions that a later instruction (`heir`) makes redundant, and move their comments to it.

    A heading is deleted too if everything below it is.

    Raises:
        Refused: a comment would be lost, or a heading or pragma separated from what it describes.
    """
    spans: list[Span] = []
    comments: list[Comment] = []
    for instruction in gone:
        own = dockerfile.above(instruction)
        end = instruction.lines.end
        headed = len(own) > len(own_comments(dockerfile, instruction))
        if headed and end < len(dockerfile.text) and blank_at(dockerfile, end) is None:
            raise Refused(f"the heading above line {instruction.start_line} may also describe what follows")
        if instruction.comments:
            raise Refused(f"the comments inside line {instruction.start_line} would be lost")
        if any(is_pragma(comment) for comment in own):
            raise Refused(f"the pragma above line {instruction.start_line} would be separated from it")
        first = own[0].span if own else instruction.lines
        start = line_start(dockerfile, first.start)
        if spans and spans[-1].end == start:
            start = spans.pop().start
        spans.append(Span(start, end))
        comments += own
    target = block(dockerfile, heir).start
    if len(gone) == 1 and gone[0].lines.end == target:
        return (Edit(line_start(dockerfile, gone[0].lines.start), target, ""),)  # the comments are already in place
    edits = tuple(delete_block(dockerfile, span) for span in spans)
    lines = "".join(
        f"{dockerfile.text[line_start(dockerfile, each.span.start) : each.span.end].rstrip()}{heir.newline}"
        for each in comments
    )
    return (*edits, insert(target, lines)) if lines else edits


def insert_above(dockerfile: Dockerfile, instruction: Instruction, line: str) -> Edit:
    """Insert a line above an instruction and its own comments, with its indentation and line end."""
    at = block(dockerfile, instruction).start
    return insert(at, f"{indent_of(dockerfile, instruction.span.start)}{line}{instruction.newline}")


def insert_below(dockerfile: Dockerfile, instruction: Instruction, lines: str) -> Edit:
    """Insert lines (without a final line end) directly below an instruction.

    Continuations at the end of a file are removed: the new lines would become part of the instruction.
    """
    pieces = instruction.logical.pieces
    data = next(piece.end for piece in reversed(pieces) if dockerfile.text[piece.start : piece.end].strip())
    if dockerfile.text.startswith(instruction.escape, data):
        end = len(dockerfile.text[: line_end(dockerfile, pieces[-1].end)].rstrip("\r\n"))
        inside = (each for each in instruction.comments if data <= each.span.start < end)
        comments = (dockerfile.text[line_start(dockerfile, each.span.start) : each.span.end] for each in inside)
        return Edit(data, end, "".join(f"{instruction.newline}{each}" for each in (lines, *comments)))
    at = instruction.lines.end
    if dockerfile.text.endswith("\n", 0, at):
        return insert(at, f"{lines}{instruction.newline}")
    return insert(at, f"{instruction.newline}{lines}")


def insert_instruction(dockerfile: Dockerfile, anchor: Instruction, head: str, tail: str, *, above: bool) -> Edit:
    """Insert a new instruction above or below another one, in the style of the file.

    Args:
        dockerfile: the file.
        anchor: the instruction next to which it is inserted; "above" is above the comments of the anchor.
        head: the first line of the instruction, without a continuation.
        tail: the text of a second line, indented as other continuations of the file; on the same line if empty.
        above: whether to insert above. A blank line above `anchor` also separates the new instruction from it.
    """
    outer = indent_of(dockerfile, anchor.span.start)
    model = next((node for node in dockerfile.instructions if breaks_lines(node)), anchor)
    inner = continuation(dockerfile, anchor, continuation_indent(dockerfile, model) or "    ") if tail else ""
    text = f"{head}{inner}{tail}"
    start = block(dockerfile, anchor).start
    apart = start > 0 and blank_at(dockerfile, line_start(dockerfile, start - 1)) is not None
    gap = anchor.newline if apart else ""
    if above:
        return insert(start, f"{outer}{text}{anchor.newline}{gap}")
    return insert_below(dockerfile, anchor, f"{gap}{outer}{text}")
