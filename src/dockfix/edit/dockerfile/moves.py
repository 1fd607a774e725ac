"""Moving instructions with their comments."""

from __future__ import annotations

from collections.abc import Sequence

from dockfix.edit.dockerfile.blocks import blank_at, block, delete_block, insert_below, own_comments
from dockfix.edit.dockerfile.lines import insert, line_start
from dockfix.edit.dockerfile.words import delete_arguments, words_line
from dockfix.edit.text import Edit
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Dockerfile, Instruction, Word


def move_below(dockerfile: Dockerfile, instruction: Instruction, anchor: Instruction) -> tuple[Edit, ...]:
    """Move an instruction and its own comments directly below a later one."""
    span = block(dockerfile, instruction)
    lines = dockerfile.text[span.start : span.end].rstrip("\r\n")
    return delete_block(dockerfile, span), insert_below(dockerfile, anchor, lines)


def move_above(dockerfile: Dockerfile, instructions: Sequence[Instruction], anchor: Instruction) -> tuple[Edit, ...]:
    """Move instructions and their own comments directly above another one and its comments."""
    gone: list[Span] = []
    lines: list[str] = []
    for instruction in instructions:
        span = block(dockerfile, instruction)
        lines.append(dockerfile.text[span.start : span.end].rstrip("\r\n") + instruction.newline)
        if gone and gone[-1].end == span.start:
            span = Span(gone.pop().start, span.end)
        gone.append(span)
    deleted = tuple(delete_block(dockerfile, span) for span in gone)
    return *deleted, insert(block(dockerfile, anchor).start, "".join(lines))


def move_all_below(
    dockerfile: Dockerfile, pieces: Sequence[tuple[Instruction, Sequence[Word]]], anchor: Instruction
) -> tuple[Edit, ...]:
    """Move instructions, or some of their words, directly below a later one, keeping their order.

    Comments move with an instruction that moves as a whole. If only some of its words move, the comments stay; the
    words move to a new instruction with the same keyword, flags and last word. The moved lines are separated by a blank
    line if their source was.

    Args:
        dockerfile: the file.
        pieces: instructions in order, each with the words that move, or none if it moves as a whole.
        anchor: the instruction below which they go.
    """
    edits: list[Edit] = []
    gone: list[Span] = []
    lines: list[str] = []
    moving = [instruction for instruction, words in pieces if not words]
    for instruction, words in pieces:
        if words:
            edits += delete_arguments(dockerfile, instruction, words)
            spans = [*(word.span for word in words), instruction.args[-1].span]
            lines.append(words_line(dockerfile, instruction, spans))
            continue
        span = _paragraph(dockerfile, instruction, moving)
        lines.append(dockerfile.text[span.start : span.end].rstrip("\r\n"))
        if gone and gone[-1].end == span.start:
            span = Span(gone.pop().start, span.end)
        gone.append(span)
    edits += [delete_block(dockerfile, span) for span in gone]
    start = gone[0].start if gone else block(dockerfile, pieces[0][0]).start
    last = anchor.lines.end == len(dockerfile.text)
    apart = blank_at(dockerfile, line_start(dockerfile, start - 1)) and (last or blank_at(dockerfile, anchor.lines.end))
    text = anchor.newline.join(lines)
    edits.append(insert_below(dockerfile, anchor, f"{anchor.newline}{text}" if apart else text))
    return tuple(sorted(edits))


def _paragraph(dockerfile: Dockerfile, instruction: Instruction, moving: Sequence[Instruction]) -> Span:
    """The block of an instruction, including the heading above it if everything below the heading moves."""
    span = block(dockerfile, instruction)
    above = dockerfile.above(instruction)
    if not above or len(above) == len(own_comments(dockerfile, instruction)):
        return span
    end = instruction.lines.end
    for other in moving:
        if block(dockerfile, other).start == end:
            end = other.lines.end
    if end < len(dockerfile.text) and blank_at(dockerfile, end) is None:
        return span
    return Span(line_start(dockerfile, above[0].span.start), span.end)


def replace_and_move_below(
    dockerfile: Dockerfile, instruction: Instruction, lines: Sequence[str], anchor: Instruction
) -> tuple[Edit, ...]:
    """Move an instruction and its own comments directly below a later `anchor`, and put `lines` in its place."""
    span = block(dockerfile, instruction)
    text = dockerfile.text[span.start : span.end].rstrip("\r\n")
    kept = "".join(f"{line}{instruction.newline}" for line in lines)
    taken = Edit(span.start, span.end, kept) if lines else delete_block(dockerfile, span)
    return taken, insert_below(dockerfile, anchor, text)
