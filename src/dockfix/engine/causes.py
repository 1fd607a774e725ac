"""Findings that have one cause, shown as one finding with several places.

Each of them is still found, fixed, ignored and accepted by itself; they are joined when a result is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from dockfix.edit.text import conflict
from dockfix.engine.results import RunResult
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety

__all__ = ["by_cause"]


def by_cause(result: RunResult) -> RunResult:
    """A check in which the findings of one cause are one finding, at the place of the first."""
    return replace(result, files=tuple(replace(each, remaining=_joined(each.remaining)) for each in result.files))


def _joined(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings of one file, in their order; those that say the same of one cause are joined."""
    groups: dict[object, list[Diagnostic]] = {}
    for number, each in enumerate(found):
        groups.setdefault(_key(each) or number, []).append(each)
    return tuple(one for group in groups.values() for one in _as_one(group))


def _key(found: Diagnostic) -> object:
    """What findings have in common that are one; None for a finding of its own."""
    finding = found.finding
    if finding.cause is None:
        return None
    said: tuple[str | Safety, ...]
    match finding:
        case Fix(other_files=()):
            said = (finding.safety, finding.help, finding.review)
        case Refusal():
            said = (finding.note,)
        case Advice():
            said = (finding.help,)
        case _:
            return None  # one fix of another file may depend on the one before
    return (found.rule, type(finding).__name__, found.severity, finding.cause, finding.message, *said)


def _as_one(group: Sequence[Diagnostic]) -> list[Diagnostic]:
    """A finding for a group of them; a fix that overlaps those before it stays a finding of its own."""
    first = group[0]
    if len(group) == 1:
        return [first]
    if not isinstance(first.finding, Fix):
        return [replace(first, also=tuple(group[1:]))]
    edits, joined, apart = list(first.finding.edits), list[Diagnostic](), list[Diagnostic]()
    end = max(edit.end for edit in edits)
    for each in group[1:]:
        own = each.finding.edits if isinstance(each.finding, Fix) else ()
        if min(edit.start for edit in own) <= end and conflict(edits, own):
            apart.append(each)
            continue
        edits += own
        end = max(end, *(edit.end for edit in own))
        joined.append(each)
    return [replace(first, finding=replace(first.finding, edits=tuple(edits)), also=tuple(joined)), *apart]
