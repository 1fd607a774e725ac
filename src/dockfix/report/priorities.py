"""What to do first: the matrix of impact and effort, and the recommended order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.output.measures import count
from dockfix.report.findings import Selection, apply_command
from dockfix.report.model import Cell, Effort, Impact, Item, Step

__all__ = ["matrix_of", "order_of"]

_IMPACTS: Final = {
    Impact.HIGH: "errors: the build, the container or its health check does not do what the file says",
    Impact.MEDIUM: "warnings: likely to cause trouble, or needlessly slow, large or exposed",
    Impact.LOW: "infos: small gains, and questions of style",
}
_EFFORTS: Final = {
    Effort.COMMAND: "one command, no review: no build that succeeds fails afterwards",
    Effort.REVIEW: "one command, then check what each finding says",
    Effort.HAND: "a person must decide or write it",
}


def matrix_of(items: Sequence[Item]) -> tuple[Cell, ...]:
    """The nine cells, from high impact and low effort on; what needs nothing done is left out."""
    counted = [item for item in items if item.counts]
    cells: list[Cell] = []
    for impact, effects in _IMPACTS.items():
        for effort, work in _EFFORTS.items():
            rules = Counter(item.rule for item in counted if (item.impact, item.effort) == (impact, effort))
            ordered = tuple(sorted(rules.items(), key=lambda each: (-each[1], each[0])))
            cells.append(Cell(impact, effort, f"{effects}; {work}", ordered))
    return tuple(cells)


def order_of(items: Sequence[Item], run: Selection) -> tuple[Step, ...]:
    """The steps in the order in which to take them: what is safe at once, then by impact, the least effort first.

    Args:
        items: the findings.
        run: what the run was asked to do.
    """
    return tuple(_steps([item for item in items if item.counts], run))


def _steps(items: Sequence[Item], run: Selection) -> Iterator[Step]:
    safe = [item for item in items if item.effort is Effort.COMMAND]
    if safe:
        text = f"apply the safe fixes of {count(len({item.rule for item in safe}), 'rule', 'rules')}"
        paths = {item.path for item in safe if item.command}
        path = safe[0].path if len(paths) == 1 and safe[0].command.endswith(safe[0].path) else ""
        yield Step(text, apply_command(path, run=run), len(safe), "no review is needed")
    groups: dict[tuple[str, Effort], list[Item]] = defaultdict(list)
    for item in items:
        if item.effort is not Effort.COMMAND:
            groups[item.rule, item.effort].append(item)
    for _, group in sorted(groups.items(), key=lambda each: (_rank(each[1]), -len(each[1]), each[0][0])):
        yield _step(group, run)


def _rank(items: Sequence[Item]) -> tuple[int, int]:
    """The place of a step: its highest impact, then its effort."""
    impacts, efforts = tuple(Impact), tuple(Effort)
    return min(impacts.index(item.impact) for item in items), efforts.index(items[0].effort)


def _step(items: Sequence[Item], run: Selection) -> Step:
    """The step for all findings of a rule that take the same effort: its command does not choose between them."""
    first = min(items, key=lambda item: tuple(Impact).index(item.impact))
    number = len(items)
    files = len({item.path for item in items})
    where = f"in {first.path}" if files == 1 else f"in {files} files"
    if first.effort is not Effort.REVIEW:
        return Step(f"decide about `{first.rule}` {where}", "", number, f"impact {first.impact}; {_by_hand(items)}")
    more = sum(item.review != first.review for item in items)
    others = f" ({count(more, 'finding has', 'findings have')} another review)" if more else ""
    command = first.command if files == 1 else apply_command(rule=first.rule, unsafe=True, run=run)
    reason = f"impact {first.impact}; review: {first.review}{others}"
    return Step(f"apply `{first.rule}` {where}, and review the change", command, number, reason)


def _by_hand(items: Sequence[Item]) -> str:
    refused = sum(item.kind == "not fixed" for item in items)
    if not refused:
        return "dockfix has no fix for it"
    return "dockfix refuses to fix it" if refused == len(items) else f"dockfix refuses {refused} of {len(items)}"
