"""The engine: one codemod a pass over one file, in one documented order, each pass gated.

A codemod's fixes are independent edits of one snapshot. Those that overlap or touch an earlier one wait for the next
round, which parses the result of the one before; rounds repeat until the codemod finds nothing more. The whole sequence
repeats until no codemod changes anything. Nothing here writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from dockfix.codemod.concern import concerns_file
from dockfix.codemod.model import (
    Advice,
    Change,
    Codemod,
    Edit,
    EditError,
    Finding,
    Fix,
    Found,
    HasRemaining,
    Refusal,
    Rewrite,
    Safety,
    apply_edits,
    conflict,
)
from dockfix.codemod.suppress import Suppressions
from dockfix.project.secrets import Secrets
from dockfix.project.target import Target
from dockfix.syntax.source import Lines

MAX_ROUNDS = 10
"""Rounds of one codemod, and passes over all of them, past which it is a defect of ours."""


@dataclass(frozen=True)
class Proposal:
    """A fix with the files that it would change, for showing it alone.

    `path` is the file that the finding stands in, `display` its name relative to the project and `text` what it holds;
    `others` has the same of each file that the fix changes besides, with `None` for one that it creates.
    """

    path: Path
    display: str
    text: str
    others: Mapping[Path, tuple[str, str | None]]

    def results(self, found: Found) -> list[tuple[str, str | None, str]]:
        """Every file that the fix changes: its name, its text now (`None`: there is none) and its text with the fix.

        Raises:
            EditError: the edits do not fit the texts.
        """
        fix = found.finding
        if not isinstance(fix, Fix):
            return []
        results: list[tuple[str, str | None, str]] = []
        if fix.edits:
            results.append((self.display, self.text, apply_edits(self.text, fix.edits)))
        for change in fix.elsewhere:
            display, text = self.others[change.path]
            results.append((display, text, changed_text(change, text)))
        return results


def changed_text(change: Change, text: str | None) -> str:
    """The text of a file with a change made to it.

    Raises:
        EditError: the edits do not fit the text, or the file is to be created and is there.
    """
    if change.create is not None:
        if text is not None:
            raise EditError(f"{change.path.name} is there already")
        return change.create
    if text is None:
        raise EditError(f"{change.path.name} is not there")
    return apply_edits(text, change.edits)


Accept = Callable[[Proposal, Found], bool]
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
        if concerns_file(codemod, target, lowered):
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
            if codemod.name in defects or not concerns_file(codemod, current, current.text.lower()):
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
        results = _over_variants(target, codemod.rewrite)
    except Exception as error:
        # A codemod may be a third party's; whatever it raises is its defect and no reason to stop the run.
        raise _Broken("crash", f"{type(error).__name__}: {error}") from error
    return [
        locate_in(target, codemod, finding) for finding in results if not suppressions.silences(codemod, finding.at)
    ]


def _over_variants(target: Target, rewrite: Rewrite) -> list[Finding]:
    """The findings in a file that may be built in several contexts: a fix must be right in each of them."""
    variants = target.variants
    if len(variants) == 1:
        return list(rewrite(variants[0]))
    results = [list(rewrite(variant)) for variant in variants]
    merged: list[Finding] = []
    for variant, findings in zip(variants, results, strict=True):
        for finding in findings:
            if not isinstance(finding, Fix):
                merged.append(finding)
                continue
            same = [_same_fix(finding, others) for others in results]
            if all(same):
                merged.append(next((fix for fix in same if fix and fix.safety is Safety.UNSAFE), finding))
            else:
                missing = next(each for each, fix in zip(variants, same, strict=True) if not fix)
                reason = f"it is right for {variant.context_why} only; {missing.context_why} builds this file too"
                merged.append(Refusal(finding.at, finding.message, reason, finding.severity))
    return _once(merged)


def _same_fix(wanted: Fix, findings: Sequence[Finding]) -> Fix | None:
    for finding in findings:
        if isinstance(finding, Fix) and (finding.edits, finding.elsewhere) == (wanted.edits, wanted.elsewhere):
            return finding
    return None


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Each finding once; of several refusals of one thing the first."""
    kept: dict[tuple[str, int, int, str], Finding] = {}
    for finding in findings:
        kept.setdefault((type(finding).__name__, *finding.at, finding.message), finding)
    return list(kept.values())


def locate_in(target: Target, codemod: Codemod, finding: Finding) -> Found:
    """A finding in a Dockerfile; see `locate`."""
    return locate(codemod, finding, target.dockerfile.positions, target.text, target.secrets)


def locate(codemod: Codemod, finding: Finding, positions: Lines, text: str, secrets: Secrets) -> Found:
    """A finding in a file of this text, with the line and column where people look for it, and without secrets."""
    finding = _without_secrets(finding, text, secrets)
    start, end = finding.at
    return Found(
        codemod.name,
        finding,
        finding.severity or codemod.severity,
        positions.line(start),
        positions.column(start),
        positions.line(max(start, end - 1)),
    )


def _without_secrets(finding: Finding, text: str, secrets: Secrets) -> Finding:
    """What a codemod says comes from values; they are shown only where the file itself has them."""
    message = secrets.hide(finding.message, text)
    match finding:
        case Fix():
            for edit in finding.edits:
                if variable := secrets.written_by(edit.replacement, text):
                    reason = f"it would write the value of {variable} into the file"
                    return Refusal(finding.at, message, reason, finding.severity, finding.file)
            return replace(finding, message=message, look_at=secrets.hide(finding.look_at, text))
        case Refusal():
            return replace(finding, message=message, reason=secrets.hide(finding.reason, text))
        case Advice():
            return replace(finding, message=message)


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
                if accept(Proposal(current.path, current.display, current.text, {}), found):
                    kept.append(found)
                else:
                    declined |= {_identity(found)}
            wanted = kept
        batch = _independent(wanted)
        if not batch:
            break
        from dockfix.codemod.gates import check_untouched  # noqa: PLC0415 - only changes need it

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
        from dockfix.codemod.gates import check_gates  # noqa: PLC0415 - as above

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
