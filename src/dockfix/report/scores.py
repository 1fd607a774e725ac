"""The score of a Dockerfile: 100, less what each rule with a finding takes once.

A rule takes the points of its worst finding in the file, however many it has: one cause that shows on twenty lines is
one thing to fix. Refusals of severity info take nothing: dockfix leaves these alone, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dockfix.report.model import Deduction, Item, Score

__all__ = ["POINTS", "score_of"]

POINTS: Final = {"error": 15, "warning": 5, "info": 1}
"""What a rule takes whose worst finding has this severity."""


def score_of(items: Iterable[Item]) -> Score:
    """The score of a file with these findings."""
    numbers: dict[str, int] = {}
    worst: dict[str, str] = {}
    for item in items:
        if not item.counts:
            continue
        numbers[item.rule] = numbers.get(item.rule, 0) + 1
        worst[item.rule] = max(worst.get(item.rule, item.severity), item.severity, key=lambda each: POINTS[each])
    rules = sorted(numbers, key=lambda rule: (-POINTS[worst[rule]], rule))
    deductions = tuple(Deduction(rule, worst[rule], numbers[rule], POINTS[worst[rule]]) for rule in rules)
    return Score(max(0, 100 - sum(each.points for each in deductions)), deductions)
