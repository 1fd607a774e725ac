"""The findings on changed lines of a file: those whose lines differ from an earlier text of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from dockfix.engine.baseline import only
from dockfix.engine.difftext import line_blocks
from dockfix.engine.results import FileResult, RunResult
from dockfix.rule.model import Diagnostic
from dockfix.syntax.source import BOM

__all__ = ["ChangedLines", "TextBefore", "changed_lines", "on_changed_lines"]

TextBefore: TypeAlias = Callable[[Path, str], "str | None"]
"""The earlier text of a file, given by its real path and its text; None if there was no such file."""


class ChangedLines(Struct, frozen=True):
    """The lines of a text that differ from an earlier one.

    `lines` are the numbers of added and changed lines. `gaps` are the places where lines were only deleted, each as the
    number of the line before it.
    """

    lines: frozenset[int]
    gaps: frozenset[int]

    def touches(self, line: int, end_line: int) -> bool:
        """Whether some lines include a changed one, or a place where lines were deleted between them."""
        numbers = range(line, end_line + 1)
        return any(number in numbers for number in self.lines) or any(line <= gap < end_line for gap in self.gaps)


def changed_lines(before: str | None, after: str) -> ChangedLines:
    """The lines that differ; all of them if there is no earlier text. Line ends and a byte order mark do not count."""
    new = _lines(after)
    if before is None:
        return ChangedLines(frozenset(range(1, len(new) + 1)), frozenset())
    lines: set[int] = set()
    gaps: set[int] = set()
    for block in line_blocks(_lines(before), new):
        if block.equal:
            continue
        if block.new_start == block.new_end:
            gaps.add(block.new_start)
        lines.update(range(block.new_start + 1, block.new_end + 1))
    return ChangedLines(frozenset(lines), frozenset(gaps))


def on_changed_lines(result: RunResult, before: TextBefore) -> RunResult:
    """A run with only the findings on lines that differ from an earlier text of their files.

    In a Dockerfile, lines that were deleted from an instruction change all lines of the instruction: a finding about
    what is missing is reported elsewhere in it.
    """
    known: dict[Path, ChangedLines] = {}

    def is_touched(outcome: FileResult, found: Diagnostic) -> bool:
        changed = known.get(outcome.real)
        if changed is None:
            changed = changed_lines(before(outcome.real, outcome.text), outcome.text)
            if outcome.is_dockerfile and changed.gaps:
                changed = _with_instructions(changed, outcome.text)
            known[outcome.real] = changed
        return changed.touches(found.line, found.end_line)

    return only(result, is_touched)


def _with_instructions(changed: ChangedLines, text: str) -> ChangedLines:
    from dockfix.syntax.parser import parse  # noqa: PLC0415 - only deletions need it

    lines = set(changed.lines)
    for node in parse(text).instructions:
        if any(node.start_line <= gap < node.end_line for gap in changed.gaps):
            lines.update(range(node.start_line, node.end_line + 1))
    return ChangedLines(frozenset(lines), changed.gaps)


def _lines(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.removeprefix(BOM).split("\n")]
    return lines if lines[-1] else lines[:-1]
