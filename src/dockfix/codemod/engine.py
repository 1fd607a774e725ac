"""The engine: one codemod a pass over one file, in one documented order, each pass gated.

A codemod's fixes are independent edits of one snapshot. Those that overlap or touch an earlier one wait for the next
round, which parses the result of the one before; rounds repeat until the codemod finds nothing more. The whole sequence
repeats until no codemod changes anything. Nothing here writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dockfix.codemod.gates import check_gates, check_untouched
from dockfix.codemod.model import (
    Advice,
    Codemod,
    Edit,
    EditError,
    Fix,
    Found,
    HasRemaining,
    Refusal,
    Safety,
    apply_edits,
    conflict,
)
from dockfix.codemod.suppress import Suppressions
from dockfix.project.target import Target

MAX_ROUNDS = 10
"""Rounds of one codemod, and passes over all of them, past which it is a defect of ours."""

Accept = Callable[[Target, Found], bool]
"""Whether a fix is wanted; the interactive mode asks a person."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A codemod that did wrong and was caught; its change was discarded."""

    rule: str
    gate: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome(HasRemaining):
    """What became of one file.

    `target` is as it was given and `text` what it should be now. `applied` holds the fixes made, with the lines that
    they had when they were made; `remaining` the findings on the result: fixes held back, refusals and advice.
    """

    target: Target
    text: str
    applied: tuple[Found, ...]
    remaining: tuple[Found, ...]
    defects: tuple[Defect, ...]

    @property
    def changed(self) -> bool:
        """Whether the text differs."""
        return self.text != self.target.text


class _Broken(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, gate: str, message: str) -> None:
        super().__init__(message)
        self.defect = (gate, message)


def findings(target: Target, codemods: Sequence[Codemod]) -> tuple[tuple[Found, ...], tuple[Defect, ...]]:
    """What the codemods find in a file, in the order of its lines, and the codemods that failed while looking."""
    found: list[Found] = []
    defects: list[Defect] = []
    lowered = target.text.lower()
    for codemod in codemods:
        if codemod.could_apply(lowered):
            try:
                found += _find(target, codemod)
            except _Broken as broken:
                defects.append(Defect(codemod.name, *broken.defect))
    found.sort(key=lambda each: (each.line, each.column, each.rule))
    return tuple(found), tuple(defects)


def run(target: Target, codemods: Sequence[Codemod], *, unsafe: bool = False, accept: Accept | None = None) -> Outcome:
    """Apply the codemods' fixes to a file, in memory.

    Args:
        target: the file in its build. Its text parses; a file that BuildKit refuses is the caller's to report.
        codemods: what to run, in order.
        unsafe: whether unsafe fixes are made too.
        accept: asked for each fix before it is made.
    """
    current = target
    applied: list[Found] = []
    defects: dict[str, Defect] = {}
    declined: _Declined = frozenset()
    for _ in range(MAX_ROUNDS):
        before = current.text
        for codemod in codemods:
            if codemod.name in defects or not codemod.could_apply(current.text.lower()):
                continue
            try:
                current, made, declined = _apply(current, codemod, unsafe, accept, declined)
            except _Broken as broken:
                defects[codemod.name] = Defect(codemod.name, *broken.defect)
                continue
            applied += made
        if current.text == before:
            break
    else:
        applied.clear()
        current = target
        defects[""] = Defect(
            ", ".join(codemod.name for codemod in codemods),
            "convergence",
            "the codemods go on changing each other's work",
        )
    sound = [codemod for codemod in codemods if codemod.name not in defects]
    remaining, late = findings(current, sound)
    return Outcome(target, current.text, tuple(applied), remaining, (*defects.values(), *late))


def _find(target: Target, codemod: Codemod) -> list[Found]:
    if codemod.rewrite is None:
        return []
    suppressions = Suppressions(target.dockerfile)
    try:
        results = list(codemod.rewrite(target))
    except Exception as error:
        # A codemod may be a third party's; whatever it raises is its defect and no reason to stop the run.
        raise _Broken("crash", f"{type(error).__name__}: {error}") from error
    return [_locate(target, codemod, finding) for finding in results if not suppressions.silences(codemod, finding.at)]


def _locate(target: Target, codemod: Codemod, finding: Fix | Refusal | Advice) -> Found:
    positions = target.dockerfile.positions
    start, end = finding.at
    return Found(
        codemod.name,
        finding,
        finding.severity or codemod.severity,
        positions.line(start),
        positions.column(start),
        positions.line(max(start, end - 1)),
    )


_Declined: TypeAlias = frozenset[tuple[str, str, int]]
"""Fixes that a person did not want: rule, message and where it is now."""


def _apply(
    target: Target, codemod: Codemod, unsafe: bool, accept: Accept | None, declined: _Declined
) -> tuple[Target, list[Found], _Declined]:
    current = target
    made: list[Found] = []
    for _ in range(MAX_ROUNDS):
        wanted = [
            found
            for found in _find(current, codemod)
            if isinstance(found.finding, Fix)
            and not found.finding.elsewhere
            and (unsafe or found.finding.safety is Safety.SAFE)
            and _identity(found) not in declined
        ]
        if accept is not None:
            kept = []
            for found in wanted:
                if accept(current, found):
                    kept.append(found)
                else:
                    declined |= {_identity(found)}
            wanted = kept
        batch = _independent(wanted)
        if not batch:
            break
        edits = [edit for found in batch for edit in _edits(found)]
        try:
            text = apply_edits(current.text, edits)
        except EditError as error:
            raise _Broken("edits", str(error)) from error
        complaints = check_untouched(current.text, text, edits)
        if complaints:
            raise _Broken("bytes", complaints[0])
        if text == current.text:
            raise _Broken("stability", "a fix changes nothing")
        declined = _moved(declined, edits)
        current = current.with_text(text)
        made += batch
    else:
        raise _Broken("stability", "the codemod goes on finding more to do to its own output")
    if made:
        complaints = check_gates(codemod, target.dockerfile, current.dockerfile)
        if complaints:
            raise _Broken("gate", complaints[0])
    return current, made, declined


def _identity(found: Found) -> tuple[str, str, int]:
    return found.rule, found.finding.message, found.finding.at.start


def _moved(declined: _Declined, edits: Sequence[Edit]) -> _Declined:
    """The places of declined fixes after edits, so that nobody is asked twice."""
    return frozenset(
        (rule, message, at + sum(len(edit.replacement) - (edit.end - edit.start) for edit in edits if edit.end <= at))
        for rule, message, at in declined
    )


def _edits(found: Found) -> tuple[Edit, ...]:
    return found.finding.edits if isinstance(found.finding, Fix) else ()


def _independent(wanted: Sequence[Found]) -> list[Found]:
    batch: list[Found] = []
    for found in wanted:
        if not any(conflict(_edits(found), _edits(other)) for other in batch):
            batch.append(found)
    return batch


def preview(target: Target, found: Found) -> str:
    """The text with one fix made, for showing it alone.

    Raises:
        EditError: its edits do not fit the text.
    """
    return apply_edits(target.text, _edits(found))
