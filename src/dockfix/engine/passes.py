"""The passes: codemods run one after another on a workspace, until none of them finds more to fix.

The fixes of one codemod are independent edits of the same texts. A fix that collides with an earlier one waits for the
next round of the codemod, which sees the result of the round before. The gates check the result of each codemod; a
result that they reject is discarded. A run that only checks tries the fixes of each codemod in the same way, and keeps
the texts. Nothing is written here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from msgspec.structs import replace

from dockfix.engine.calls import Failed
from dockfix.engine.fixes import Chosen, Shift, edits_by_file, fixed
from dockfix.engine.results import Defect, with_lines_of
from dockfix.engine.settings import Mode
from dockfix.rule import Codemod, Diagnostic, Edit, Fix, Safety
from dockfix.rule.workspace import Workspace, changed_paths
from dockfix.syntax.source import Lines

MAX_ROUNDS: Final = 10
"""The highest number of rounds of one codemod that leave no fewer fixes than before, and of passes over all codemods;
more is a defect."""

_MOST_BATCHES: Final = 200
"""The highest number of all rounds of one codemod."""

Candidates: TypeAlias = Callable[[Codemod, Workspace], Iterable[Diagnostic]]
"""The findings of a codemod in a workspace that these passes may fix."""

_Edits: TypeAlias = Mapping[Path, Shift]
"""The edits of a batch of fixes, by file."""


class Passes:
    """The passes of codemods over a workspace.

    `workspace` is the current state, `applied` the fixes that were applied, with their lines in the texts at the start,
    and `defects` the defects of codemods, by name.
    """

    def __init__(self, workspace: Workspace, codemods: Sequence[Codemod], mode: Mode, candidates: Candidates) -> None:
        self.start = self.workspace = workspace
        self.codemods, self.mode = codemods, mode
        self.applied: list[Diagnostic] = []
        self.defects: dict[str, Defect] = {}
        self._candidates = candidates
        self._batches: list[_Edits] = []
        self._first_lines: tuple[str, Lines] | None = None
        self._untraced: set[Path] = set()
        self._declined: set[tuple[str, str, Path, int]] = set()
        self._rejected: dict[str, frozenset[Safety]] = {}

    def run(self, between: Callable[[Workspace], None] = lambda _: None) -> None:
        """Apply the fixes, or try them if the run only checks.

        Args:
            between: called after each pass that changed something, with the workspace before the pass.
        """
        for _ in range(MAX_ROUNDS):
            before = self.workspace
            for codemod in self.codemods:
                self._pass_of(codemod)
            if not changed_paths(before, self.workspace):
                return
            after = self.workspace
            between(before)
            self._untraced.update(changed_paths(after, self.workspace))
        names = ", ".join(sorted({each.rule for each in self.applied}))
        self.applied.clear()
        self.workspace = self.start
        self.defects[""] = Defect(names, "convergence", "the codemods keep changing each other's results")

    def offered(self, found: Diagnostic) -> bool:
        """Whether a finding may be shown: any but a fix that a gate has rejected."""
        return not isinstance(found.finding, Fix) or found.finding.safety not in self._rejected.get(found.rule, ())

    def _pass_of(self, codemod: Codemod) -> None:
        if codemod.name in self.defects:
            return
        if not self.mode.fix:
            self._try(codemod)
            return
        try:
            self.workspace, made, batches = self._attempt(codemod, unsafe=self.mode.unsafe)
        except Failed as failed:
            self._reject(codemod, failed, frozenset(Safety))
        else:
            self.applied += made
            self._batches += batches

    def _try(self, codemod: Codemod) -> None:
        """Check all fixes of a codemod with the gates; if they fail, the safe ones alone."""
        try:
            self._attempt(codemod, unsafe=True)
        except Failed as failed:
            self._reject(codemod, failed, frozenset(Safety))
            try:
                self._attempt(codemod, unsafe=False)
            except Failed:
                return
            self._rejected[codemod.name] = frozenset({Safety.UNSAFE})

    def _reject(self, codemod: Codemod, failed: Failed, fixes: frozenset[Safety]) -> None:
        self.defects[codemod.name] = failed.defect(codemod.name)
        self._rejected[codemod.name] = fixes

    def _attempt(self, codemod: Codemod, *, unsafe: bool) -> tuple[Workspace, list[Diagnostic], list[_Edits]]:
        """Apply a codemod's fixes until it has no more; returns the new workspace, the fixes and their edits.

        Raises:
            Failed: a gate rejects the result.
        """
        workspace, made, batches = self.workspace, list[Diagnostic](), list[_Edits]()
        rounds, fewest = 0, sys.maxsize
        while True:
            batch, wanted = self._batch(codemod, workspace, unsafe=unsafe)
            if not batch:
                break
            # fixes that touch each other are done in several rounds, each of which leaves fewer
            rounds += wanted >= fewest
            fewest = min(fewest, wanted)
            if rounds == MAX_ROUNDS or len(batches) == _MOST_BATCHES:
                raise Failed("stability", "the codemod keeps finding more to fix in its own output")
            made += [self._with_first_lines(each, workspace, [*self._batches, *batches]) for each in batch]
            batches.append(_edits_of(batch))
            workspace = fixed(workspace, batch)
            self._move_declined(batch)
        if made:
            from dockfix.engine.gates import check_work  # noqa: PLC0415 - only changes need it

            check_work(codemod, self.workspace, workspace)
        return workspace, made, batches

    def _with_first_lines(self, found: Diagnostic, workspace: Workspace, batches: Sequence[_Edits]) -> Diagnostic:
        """A fix of a workspace after batches of edits, with its lines in the text at the start."""
        text = self.start.text_if_any(found.path)
        if text is None:
            return found
        if found.path in self._untraced:  # other passes have changed it, too
            return with_lines_of(text, workspace.text(found.path), [found])[0]
        if not any(found.path in batch for batch in batches):
            return found
        start, end = found.finding.at.start, max(found.finding.at.start, found.finding.at.end - 1)
        for batch in reversed(batches):
            if (shift := batch.get(found.path)) is not None:
                start, end = shift.before(start), shift.before(end)
        if self._first_lines is None or self._first_lines[0] is not text:
            self._first_lines = (text, Lines(text))
        lines = self._first_lines[1]
        return replace(found, line=lines.line(start), column=lines.column(start), end_line=lines.line(end))

    def _batch(self, codemod: Codemod, workspace: Workspace, *, unsafe: bool) -> tuple[list[Diagnostic], int]:
        """The next fixes of a codemod that do not collide with each other, and the number of all of its fixes."""
        batch: list[Diagnostic] = []
        wanted = 0
        chosen = Chosen()
        for found in self._candidates(codemod, workspace):
            if not isinstance(found.finding, Fix) or not (unsafe or found.finding.safety is Safety.SAFE):
                continue
            wanted += 1
            own = edits_by_file(found)
            if not chosen.collides(own) and self._wanted(found, workspace):
                batch.append(found)
                chosen.add(own)
        return batch, wanted

    def _wanted(self, found: Diagnostic, workspace: Workspace) -> bool:
        if self.mode.accept is None:
            return True
        if _identity(found) in self._declined:
            return False
        if self.mode.accept(workspace, found):
            return True
        self._declined.add(_identity(found))
        return False

    def _move_declined(self, batch: Sequence[Diagnostic]) -> None:
        """Update the places of declined fixes after edits before them, so that the user is not asked twice."""
        if not self._declined:
            return
        moved = set()
        for rule, message, path, at in self._declined:
            edits = [edit for found in batch for edit in edits_by_file(found).get(path, ()) if edit.end <= at]
            moved.add(
                (rule, message, path, at + sum(len(each.replacement) - (each.end - each.start) for each in edits))
            )
        self._declined = moved


def _edits_of(batch: Sequence[Diagnostic]) -> _Edits:
    edits: dict[Path, list[Edit]] = {}
    for found in batch:
        for path, own in edits_by_file(found).items():
            edits.setdefault(path, []).extend(own)
    return {path: Shift(own) for path, own in edits.items()}


def _identity(found: Diagnostic) -> tuple[str, str, Path, int]:
    return found.rule, found.finding.message, found.path, found.finding.at.start
