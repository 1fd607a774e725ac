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
"""Characters of a line that are shown."""
_BEFORE: Final = 40
"""Of these, how many before the place in a line that is cut at its start."""
_TAB: Final = "    "


def excerpt(text: str, lines: Lines, at: Span, kind: str, style: Style = PLAIN) -> Iterator[str]:
    """The lines with their numbers; control characters are escaped, tabs are spaces, and long lines are cut.

    Args:
        text: the file.
        lines: its lines.
        at: the place of the finding.
        kind: the colour of the carets, a severity.
        style: colours.
    """
    first, last = lines.line(at.start), lines.line(max(at.start, at.end - 1))
    total = lines.line(max(0, len(text) - 1))
    shown = range(max(1, first - _AROUND), min(max(total, last), last + _AROUND) + 1)
    cut = last - first >= _MAX_LINES
    if cut:
        shown = range(shown.start, first + _MAX_LINES)
    width = len(str(shown.stop - 1))
    gutter = style("dim", f" {' ' * width} |")
    yield gutter
    for number in shown:
        start, line = lines.start(number), _line(text, lines, number)
        inside = first <= number <= last
        low = max(at.start - start, 0) if inside else 0
        high = min(at.end - start, len(line)) if inside else 0
        if inside and number > first:
            low = len(line) - len(line.lstrip())
        left = low - _BEFORE if low > _MAX_WIDTH - _BEFORE else 0
        cells = [_cell(each) for each in line[left : left + _MAX_WIDTH]]
        lead = "…" if left else ""
        rest = "…" if len(line) > left + _MAX_WIDTH else ""
        yield f"{style('dim', f' {number:>{width}} |')} {lead}{''.join(cells)}{rest}".rstrip()
        if inside and (high > low or number == first):
            before = len(lead) + sum(map(_width, cells[: low - left]))
            size = sum(map(_width, cells[low - left : high - left])) or 1
            yield f"{gutter} {' ' * before}{style(kind, '^' * size)}"
    if cut:
        yield style("dim", f" {'.' * width} | {last - first + 1 - _MAX_LINES} more lines")
    yield gutter


def _line(text: str, lines: Lines, number: int) -> str:
    start = lines.start(number)
    end = text.find("\n", start)
    return text[start : len(text) if end == -1 else end].removesuffix("\r")


def _cell(character: str) -> str:
    return _TAB if character == "\t" else printable(character)


def _width(cell: str) -> int:
    """The columns that a character takes on a terminal."""
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
