"""A fix as a replacement of whole lines, as review tools and people see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.engine.difftext import CONTEXT, split_lines, unified_diff
from dockfix.rule import Edit, apply_edits
from dockfix.syntax.source import Lines

__all__ = ["LineChange", "anchored", "hunks", "line_change", "merged"]

_HUNK: Final = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@")


class LineChange(Struct, frozen=True):
    """The lines from `start` on that are `old` become `new`. Each line has its line end; `start` counts from 1."""

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def end(self) -> int:
        """The last line that is replaced."""
        return self.start + len(self.old) - 1


def line_change(text: str, lines: Lines, edits: Sequence[Edit]) -> LineChange:
    """The smallest run of lines that all edits are in. Where the edits only insert or delete lines, a side is empty.

    Raises:
        EditError: the edits do not fit the text.
    """
    first, low, high = _window(text, lines, edits)
    before, after = split_lines(text[low:high]), split_lines(_edited(text, low, high, edits))
    shorter = min(len(before), len(after))
    head = 0
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return LineChange(first + head, tuple(before[head : len(before) - tail]), tuple(after[head : len(after) - tail]))


def anchored(change: LineChange, text: str, lines: Lines) -> Iterator[LineChange]:
    """The same change with lines on both sides: with the line before or the line after it where a side is empty.

    A change of the line end of the last line has no such form.
    """
    found = [change]
    if not (change.old and change.new):
        found = []
        if change.start > 1:
            line = _line(text, lines, change.start - 1)
            found.append(LineChange(change.start - 1, (line, *change.old), (line, *change.new)))
        after = change.start + len(change.old)
        if lines.line(len(text)) >= after and (line := _line(text, lines, after)):
            found.append(LineChange(change.start, (*change.old, line), (*change.new, line)))
    for each in found:
        if _line_end(each.old[-1]) == _line_end(each.new[-1]):
            yield each


def hunks(text: str, lines: Lines, edits: Sequence[Edit], path: str, *, context: int = CONTEXT) -> str:
    """The change as a unified diff; only the lines around the edits are compared.

    Args:
        text: the file.
        lines: its lines.
        edits: the change.
        path: the name of the file.
        context: how many unchanged lines to show around a change.

    Raises:
        EditError: the edits do not fit the text.
    """
    first, low, high = _window(text, lines, edits, context)
    diff = unified_diff(text[low:high], _edited(text, low, high, edits), path, context=context)
    if first == 1:
        return diff

    def moved(found: re.Match[str]) -> str:
        old, new = int(found[1]) + first - 1, int(found[3]) + first - 1
        return f"@@ -{old}{found[2] or ''} +{new}{found[4] or ''} @@"

    return "".join(_HUNK.sub(moved, line) for line in split_lines(diff))


def merged(edits: Sequence[Edit]) -> list[Edit]:
    """The same edits with those that touch each other joined, so that their order does not matter."""
    joined: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        if joined and joined[-1].end == edit.start:
            last = joined.pop()
            joined.append(Edit(last.start, edit.end, last.replacement + edit.replacement))
        else:
            joined.append(edit)
    return joined


def _window(text: str, lines: Lines, edits: Sequence[Edit], context: int = 0) -> tuple[int, int, int]:
    """The lines that edits are in, and `context` lines around: the number of the first, where they start and end."""
    first = max(1, lines.line(min(each.start for each in edits)) - context)
    high = max(each.end for each in edits)
    for _ in range(context + 1):
        at = text.find("\n", high)
        high = len(text) if at == -1 else at + 1
    return first, lines.start(first), high


def _edited(text: str, low: int, high: int, edits: Sequence[Edit]) -> str:
    return apply_edits(text[low:high], [Edit(each.start - low, each.end - low, each.replacement) for each in edits])


def _line(text: str, lines: Lines, number: int) -> str:
    start = lines.start(number)
    at = text.find("\n", start)
    return text[start:] if at == -1 else text[start : at + 1]


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
