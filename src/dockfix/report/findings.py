"""Findings with their evidence, their diffs, and what it takes to fix them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from dockfix.edit.text import Change
from dockfix.engine.results import RunResult
from dockfix.output.fingerprints import fingerprints
from dockfix.output.line_changes import hunks
from dockfix.output.links import rule_url
from dockfix.output.located import Located, located, remedy
from dockfix.output.measures import count
from dockfix.report.model import IMPACTS, Effort, Item, SourceLine
from dockfix.rule.model import Diagnostic, Fix, Refusal, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Lines

__all__ = ["Selection", "also_made", "apply_command", "items_of"]

_MAX_LINES: Final = 12
"""Lines of a finding that are shown; of a longer one the first."""


class Selection(NamedTuple):
    """What a run was asked to do.

    Args:
        options: the options of the command line that select rules.
        paths: the paths, relative to the root; none for all of the project.
    """

    options: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


_ALL: Final = Selection()


def items_of(result: RunResult, registry: Registry, run: Selection) -> dict[str, list[Item]]:
    """The findings of a check by the path of their file, in the order of the lines."""
    found = sorted(located(result), key=lambda each: (each.path, each.found.line))
    items: dict[str, list[Item]] = {}
    for each, name in zip(found, fingerprints(found), strict=True):
        items.setdefault(each.path, []).append(_item(each, name, result, registry, run))
    return items


def _item(each: Located, name: str, result: RunResult, registry: Registry, run: Selection) -> Item:
    found = each.found
    finding = found.finding
    codemod = registry.get(found.rule)
    fix = finding if isinstance(finding, Fix) else None
    diff = "".join(_diffs(each, fix, result)) if fix is not None else ""
    return Item(
        id=name,
        path=each.path,
        line=found.line,
        end_line=each.end.line,
        also=tuple(sorted({other.line for other in found.also} - {found.line})),
        rule=found.rule,
        title=codemod.title,
        category=codemod.category.value,
        severity=found.severity.value,
        kind=remedy(found),
        counts=not (isinstance(finding, Refusal) and found.severity is Severity.INFO),
        message=finding.message,
        evidence=tuple(_evidence(each)),
        help="" if isinstance(finding, Refusal) else finding.help,
        review=fix.review if fix is not None else "",
        note=finding.note if isinstance(finding, Refusal) else "",
        diff=diff,
        command=_command(each, found, run),
        url=rule_url(found.rule, registry) or "",
        impact=IMPACTS[found.severity],
        effort=_effort(found),
    )


def _effort(found: Diagnostic) -> Effort:
    if not isinstance(found.finding, Fix):
        return Effort.HAND
    return Effort.COMMAND if found.finding.safety is Safety.SAFE else Effort.REVIEW


def _command(each: Located, found: Diagnostic, run: Selection) -> str:
    if not isinstance(found.finding, Fix):
        return ""
    return apply_command(
        each.path if each.file.is_dockerfile else "",
        rule=found.rule,
        unsafe=found.finding.safety is Safety.UNSAFE,
        run=run,
    )


def apply_command(path: str = "", *, rule: str = "", unsafe: bool = False, run: Selection = _ALL) -> str:
    """The command that applies fixes, for a shell in the root of the project.

    Args:
        path: the file; empty for all.
        rule: the rule; empty for all that run by default.
        unsafe: whether unsafe fixes are applied, too.
        run: what the run was asked to do, if `rule` or `path` is empty.
    """
    words = ["dockfix", "apply", *(("--rule", rule) if rule else run.options)]
    if unsafe:
        words.append("--unsafe")
    words += (f"./{each}" if each.startswith("-") else each for each in ((path,) if path else run.paths))
    return shlex.join(words)


def also_made(item: Item, items: Sequence[Item]) -> str:
    """What the command of a finding does besides its own change: it applies the fixes of a rule to a whole file.

    Args:
        item: the finding.
        items: all findings of its file.
    """
    kinds = ("safe fix", "unsafe fix") if item.kind == "unsafe fix" else ("safe fix",)
    others = [each for each in items if each.rule == item.rule and each.kind in kinds and each.id != item.id]
    return f"{count(len(others), 'other change', 'other changes')} of the rule in this file" if others else ""


def _evidence(each: Located) -> Iterator[SourceLine]:
    first, last = each.start.line, max(each.start.line, each.end.line)
    total = each.lines.line(max(0, len(each.text) - 1))
    for number in range(max(1, first - 1), min(total, last + 1, first + _MAX_LINES) + 1):
        yield SourceLine(number, each.lines.content(number), first <= number <= last)


def _diffs(each: Located, fix: Fix, result: RunResult) -> Iterator[str]:
    if fix.edits:
        yield hunks(each.text, each.lines, fix.edits, each.path)
    for change in fix.other_files:
        yield _other(change, result)


def _other(change: Change, result: RunResult) -> str:
    from dockfix.engine.difftext import unified_diff  # noqa: PLC0415 - few fixes create a file

    path, text = result.workspace.display(change.path), result.workspace.text_if_any(change.path)
    if change.create is not None:
        return unified_diff(None, change.create, path)
    if text is None:
        return ""
    return hunks(text, Lines(text), change.edits, path)
