"""The indentation of the lines that continue an instruction."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct

from dockfix.edit.dockerfile import indent_of, line_end, line_start
from dockfix.project.target import Target
from dockfix.rule import Edit
from dockfix.syntax.shell import tokens
from dockfix.syntax.source import Span
from dockfix.syntax.tree import TYPES, Comment, Dockerfile, Instruction, Maintainer, Onbuild, Run
from dockfix_codemods.format.spaces import Place
from dockfix_codemods.format.unchanged import means_the_same

_TAB: Final = 4
"""The columns of a tab, and the indentation that is chosen if the file has none."""

_OPERATORS: Final = ("&& ", "|| ")
_LONGEST: Final = 16
"""A keyword and a space are shorter."""

_LEAST: Final = 2
"""The least columns that are meant as an indentation of the file."""

_HANG: Final = 3
"""How far an operator with its space is to the left of its command."""


class _Line(Struct, frozen=True):
    """A continued line: its offset, its white space in columns, and whether an operator leads it."""

    start: int
    indent: str
    column: int
    leads: bool
    offset: int
    """Where it begins in the logical text of its instruction."""


class _Style(Struct, frozen=True):
    """The indentation of the file."""

    columns: int
    tabs: bool
    comments_left: bool
    """Whether the comments between lines are at the beginning of the instruction, not indented with the lines."""

    def text(self, column: int) -> str:
        """White space up to a column."""
        return "\t" * (column // _TAB) + " " * (column % _TAB) if self.tabs else " " * column


def indentation(target: Target, columns: int) -> Iterator[Place]:
    """Instructions whose continued lines are indented differently from the style of the file."""
    dockerfile = target.dockerfile
    blocks = [(node, lines) for node in dockerfile.instructions if (lines := _lines(dockerfile, node))]
    style = _style(dockerfile, blocks, columns)
    for instruction, lines in blocks:
        edits = _edits(dockerfile, instruction, lines, style)
        if edits and _may_move(target, instruction, lines) and means_the_same(dockerfile, instruction, edits):
            yield edits[0].span, edits


def _lines(dockerfile: Dockerfile, instruction: Instruction) -> list[_Line]:
    """The lines below that of the keyword, which may follow lines with only a continuation."""
    lines, offset = [], 0
    for piece in instruction.logical.pieces:
        text = dockerfile.text[piece.start : piece.end]
        if piece.start > instruction.keyword.span.start and text.strip():
            indent = text[: len(text) - len(text.lstrip(" \t"))]
            leads = text[len(indent) :].startswith(_OPERATORS)
            lines.append(_Line(piece.start, indent, _column(indent), leads, offset))
        offset += len(text)
    return lines


def _comments(instruction: Instruction) -> list[Comment]:
    """The comments between its lines, without those above its keyword."""
    return [comment for comment in instruction.comments if comment.span.start > instruction.keyword.span.start]


def _column(indent: str) -> int:
    return len(indent.expandtabs(_TAB))


def _style(dockerfile: Dockerfile, blocks: Sequence[tuple[Instruction, list[_Line]]], columns: int) -> _Style:
    """What most instructions of the file have; those that are aligned with a word of their first line do not count."""
    votes: Counter[int] = Counter()
    tabs = comments_left = 0
    for instruction, lines in blocks:
        own = _column(indent_of(dockerfile, instruction.span.start))
        column = min(line.column for line in lines) - own
        hanging = column == _TAB - _HANG and all(line.leads for line in lines if line.column - own == column)
        if hanging:
            column = _TAB
        if column >= _LEAST and not _is_aligned(dockerfile, instruction, column + own):
            votes[column] += 1
            tabs += 1 if "\t" in lines[0].indent else -1
        for comment in _comments(instruction):
            comments_left += 1 if _column(indent_of(dockerfile, comment.span.start)) <= own else -1
    most = max(votes.values(), default=0)
    winners = [column for column, count in votes.items() if count == most]
    usual = min(winners, key=lambda column: (abs(column - _TAB), column), default=_TAB)
    return _Style(columns or usual, not columns and tabs > 0 and usual % _TAB == 0, comments_left > 0)


def _is_aligned(dockerfile: Dockerfile, instruction: Instruction, column: int) -> bool:
    """Whether a column is that of a word in the first line of an instruction, or of an item of its array.

    The column after a keyword of three letters is the usual indentation.
    """
    if column <= _column(indent_of(dockerfile, instruction.span.start)) + _TAB:
        return False
    start = line_start(dockerfile, instruction.span.start)
    line = dockerfile.text[start : line_end(dockerfile, start)].expandtabs(_TAB)
    return (
        0 < column < len(line) and not line[column].isspace() and line[column - 1] in ' \t["' and line[column] != "\\"
    )


def _edits(dockerfile: Dockerfile, instruction: Instruction, lines: Sequence[_Line], style: _Style) -> tuple[Edit, ...]:
    """The new indentation of the lines of an instruction, and of the comments between them."""
    own = _column(indent_of(dockerfile, instruction.span.start))
    base = own + style.columns
    wanted = _columns(dockerfile, instruction, lines, base)
    edits = [_indented(line.start, line.indent, style.text(new)) for line, new in zip(lines, wanted, strict=True)]
    for comment in _comments(instruction):
        below = next((index for index, line in enumerate(lines) if line.start > comment.span.start), len(lines) - 1)
        line, new = lines[below], wanted[below]
        start = line_start(dockerfile, comment.span.start)
        indent = dockerfile.text[start : comment.span.start]
        if style.comments_left and _column(indent) <= own:
            continue
        edits.append(_indented(start, indent, style.text(_comment_column(_column(indent), line, new, base))))
    return tuple(sorted(each for each in edits if each.replacement != dockerfile.text[each.start : each.end]))


def _indented(start: int, old: str, new: str) -> Edit:
    return Edit(start, start + len(old), new)


def _comment_column(column: int, line: _Line, new: int, base: int) -> int:
    """The column of a comment: that of the line below it, if it was there or is too far left."""
    if column == line.column or (column < base and new >= base):
        return new
    return column if column < base else max(base, column + new - line.column)


def _columns(dockerfile: Dockerfile, instruction: Instruction, lines: Sequence[_Line], base: int) -> list[int]:
    """The new columns of the lines."""
    hang = base - _HANG
    columns = [line.column + _HANG if line.leads and line.column == hang else line.column for line in lines]
    low = min(columns)
    if low == base or (low > base and _is_aligned(dockerfile, instruction, low)):
        return [line.column for line in lines]
    left = [line for line, column in zip(lines, columns, strict=True) if column < base]
    alone = len(left) * 2 < len(lines) and base in columns
    if left and alone and (not isinstance(instruction, Run) or all(line.leads for line in left)):
        return [base if line in left else line.column for line in lines]
    return [line.column + base - low for line in lines]


def _may_move(target: Target, instruction: Instruction, lines: Sequence[_Line]) -> bool:
    """Whether no line begins inside a word."""
    if isinstance(instruction, Onbuild | Maintainer) or any(_is_keyword(instruction, line) for line in lines):
        return False
    if not isinstance(instruction, Run) or instruction.json:
        words = [Span(word.start, word.end) for word in (*instruction.args, *(each.word for each in instruction.flags))]
    else:
        words = _shell_words(target, instruction)
    places = _Places(words)
    return bool(words) and not any(_is_inside(instruction.logical.text, line, places) for line in lines)


def _is_keyword(instruction: Instruction, line: _Line) -> bool:
    """Whether a line begins with a keyword, which may be meant as an instruction of its own."""
    word = instruction.logical.text[line.offset + len(line.indent) : line.offset + len(line.indent) + _LONGEST].split(
        maxsplit=1
    )[0]
    return not line.indent and word.isupper() and word.lower() in TYPES


def _shell_words(target: Target, run: Run) -> list[Span]:
    """The words of a RUN in its logical text; none if they are not known."""
    if run.command_line is None or run.heredocs or target.facts.commands(run).script is None:
        return []
    script, shift = run.command_line.text, run.shape.command_span[0]
    spans = [Span(flag.word.start, flag.word.end) for flag in run.flags]
    for token in tokens(script):
        spans += [Span(word.start + shift, word.end + shift) for word in token.words]
        spans += [Span(each.start + shift, each.end + shift) for each in token.assignments]
    return spans


class _Places:
    """Where words are, which may contain each other."""

    def __init__(self, words: Sequence[Span]) -> None:
        ordered = sorted(words)
        self._starts = [word.start for word in ordered]
        self._reach = list(accumulate((word.end for word in ordered), max))

    def end_before(self, offset: int) -> int:
        """The last end of a word that starts before an offset; -1 if there is none."""
        number = bisect_left(self._starts, offset)
        return self._reach[number - 1] if number else -1


def _is_inside(text: str, line: _Line, words: _Places) -> bool:
    start, end = line.offset, line.offset + len(line.indent)
    if start == end:
        return text[start - 1 : start] not in (" ", "\t") or words.end_before(start) >= start
    return words.end_before(end) > start
