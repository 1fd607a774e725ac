"""Changed lines: those that were added or changed, and the places where lines were only deleted."""

from __future__ import annotations

import pytest

from dockfix.engine.changed_lines import changed_lines


@pytest.mark.parametrize(
    ("before", "after", "lines", "gaps"),
    [
        ("a\nb\nc\n", "a\nb\nc\n", [], []),
        ("a\nb\nc\n", "a\nx\nc\n", [2], []),
        ("a\nb\n", "x\na\ny\nb\nz\n", [1, 3, 5], []),
        ("a\nb\nc\n", "a\nc\n", [], [1]),
        ("a\nb\n", "b\n", [], [0]),
        ("a\nb\n", "a\n", [], [1]),
        ("a\nb", "a\nb\n", [], []),
        ("\ufeffa\r\nb\r\n", "a\nb\n", [], []),
        ("", "a\nb\n", [1, 2], []),
        (None, "a\nb\n", [1, 2], []),
        ("a\n", "", [], [0]),
    ],
)
def test_what_differs(before: str | None, after: str, lines: list[int], gaps: list[int]) -> None:
    changed = changed_lines(before, after)
    assert (sorted(changed.lines), sorted(changed.gaps)) == (lines, gaps)


def test_a_deletion_counts_between_the_lines_of_a_finding() -> None:
    changed = changed_lines("a\nb\nc\nd\n", "a\nb\nd\n")
    assert changed.gaps == {2}
    assert changed.touches(2, 3)
    assert changed.touches(1, 3)
    assert not changed.touches(2, 2)
    assert not changed.touches(3, 3)
