"""The lines of a file that a finding is in, with carets below its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from dockfix.output.plain import PLAIN, Style, printable
from dockfix.syntax.source import Lines, Span

__all__ = ["excerpt"]

_AROUND: Final = 2
"""Lines that are shown before and after."""
_MAX_LINES: Final = 6
"""Lines of a finding that are shown; of a longer one the first."""
_MAX_WIDTH: Final = 160
"""Columns of a line that are shown."""
_MIN_WIDTH: Final = 20
"""The same on a very narrow terminal."""
_BEFORE: Final = 40
"""Of these, how many at most before the place in a line that is cut at its start."""
_TAB: Final = "    "


def excerpt(
    text: str, lines: Lines, at: Span, kind: str, style: Style = PLAIN, *, columns: int | None = None
) -> Iterator[str]:
    """The lines with their numbers; control characters are escaped, tabs are spaces, and long lines are cut.

    Args:
        text: the file.
        lines: its lines.
        at: the place of the finding.
        kind: the colour of the carets, a severity.
        style: colours.
        columns: the width of the terminal; None for one of any width.
    """
    first, last = lines.line(at.start), lines.line(max(at.start, at.end - 1))
    total = lines.line(max(0, len(text) - 1))
    shown = range(max(1, first - _AROUND), min(max(total, last), last + _AROUND) + 1)
    cut = last - first >= _MAX_LINES
    if cut:
        shown = range(shown.start, first + _MAX_LINES)
    width = len(str(shown.stop - 1))
    gutter = style("dim", f" {' ' * width} |")
    room = _MAX_WIDTH if columns is None else min(_MAX_WIDTH, max(_MIN_WIDTH, columns - width - 6))
    yield gutter
    for number in shown:
        start, line = lines.start(number), lines.content(number)
        inside = first <= number <= last
        low = max(at.start - start, 0) if inside else 0
        high = min(at.end - start, len(line)) if inside else 0
        if inside and number > first:
            low = len(line) - len(line.lstrip())
        cells, left = _cells(line, low, min(high, low + room // 2), room)
        lead = "…" if left else ""
        rest = "…" if len(line) > left + len(cells) else ""
        yield f"{style('dim', f' {number:>{width}} |')} {lead}{''.join(cells)}{rest}".rstrip()
        if inside and (high > low or number == first):
            before = len(lead) + sum(map(_width, cells[: low - left]))
            size = sum(map(_width, cells[low - left : high - left])) or 1
            yield f"{gutter} {' ' * before}{style(kind, '^' * size)}"
    if cut:
        yield style("dim", f" {'.' * width} | {last - first + 1 - _MAX_LINES} more lines")
    yield gutter


def _cells(line: str, low: int, high: int, room: int) -> tuple[list[str], int]:
    """The part of a line that fits, with the place from `low` to `high` in it, and where it begins."""
    cells = [_cell(each) for each in line[: low + room]]
    left = 0
    if sum(map(_width, cells[:high])) > room:
        before = 0
        left = low
        while left and before + _width(cells[left - 1]) <= min(_BEFORE, room // 4):
            left -= 1
            before += _width(cells[left])
    shown, used = 0, 0
    for cell in cells[left:]:
        used += _width(cell)
        if used > room:
            break
        shown += 1
    return cells[left : left + shown], left


def _cell(character: str) -> str:
    return _TAB if character == "\t" else printable(character)


def _width(cell: str) -> int:
    """The columns that a character takes on a terminal."""
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
