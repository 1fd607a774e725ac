"""The passes: one codemod after another works on a workspace, until none finds more to do; nothing is written here.

The fixes of one codemod are independent edits of the same texts. Those that collide with an earlier one wait for its
next round, which sees the result of the one before. Before its work counts, the gates look at it; what they reject is
discarded. A run that only checks tries each codemod's fixes in the same way, and keeps the texts as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from dockfix.engine.findings import Failed
from dockfix.engine.fixes import collide, edits_by_file, fixed
from dockfix.engine.results import Defect
from dockfix.engine.settings import Mode
from dockfix.rule.model import Codemod, Diagnostic, Edit, Fix, Safety
from dockfix.rule.workspace import Workspace, changed_paths

__all__ = ["MAX_ROUNDS", "Candidates", "Passes"]

MAX_ROUNDS: Final = 10
"""Rounds of one codemod, and passes over all of them, past which it is a defect of ours."""

Candidates: TypeAlias = Callable[[Codemod, Workspace], Iterable[Diagnostic]]
"""What a codemod finds in a workspace that may be fixed in these passes."""


class Passes:
    """Codemods at work on a workspace.

    `workspace` is what it is by now, `applied` the fixes made, and `defects` the codemods that were caught, by name.
    """

    def __init__(self, workspace: Workspace, codemods: Sequence[Codemod], mode: Mode, candidates: Candidates) -> None:
        self.start = self.workspace = workspace
        self.codemods, self.mode = codemods, mode
        self.applied: list[Diagnostic] = []
        self.defects: dict[str, Defect] = {}
        self._candidates = candidates
        self._declined: set[tuple[str, str, Path, int]] = set()
        self._rejected: dict[str, frozenset[Safety]] = {}

    def run(self, between: Callable[[Workspace], None] = lambda _: None) -> None:
        """Make the fixes, or try them if the run only checks.

        Args:
            between: called after a pass that changed something, with the workspace as it was before it.
        """
        for _ in range(MAX_ROUNDS):
            before = self.workspace
            for codemod in self.codemods:
                self._pass_of(codemod)
            if not changed_paths(before, self.workspace):
                return
            between(before)
        names = ", ".join(sorted({each.rule for each in self.applied}))
        self.applied.clear()
        self.workspace = self.start
        self.defects[""] = Defect(names, "convergence", "the codemods go on changing each other's work")

    def offered(self, found: Diagnostic) -> bool:
        """Whether a finding may be shown: all but fixes that a gate has rejected."""
        return not isinstance(found.finding, Fix) or found.finding.safety not in self._rejected.get(found.rule, ())

    def _pass_of(self, codemod: Codemod) -> None:
        if codemod.name in self.defects:
            return
        if not self.mode.fix:
            self._try(codemod)
            return
        try:
            self.workspace, made = self._attempt(codemod, unsafe=self.mode.unsafe)
        except Failed as failed:
            self._reject(codemod, failed, frozenset(Safety))
        else:
            self.applied += made

    def _try(self, codemod: Codemod) -> None:
        """Put all fixes of a codemod to the gates; if they fail, the safe ones alone."""
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

    def _attempt(self, codemod: Codemod, *, unsafe: bool) -> tuple[Workspace, list[Diagnostic]]:
        """The workspace with a codemod's fixes made, until it has no more, and these fixes.

        Raises:
            Failed: a gate rejects the work.
        """
        workspace, made = self.workspace, list[Diagnostic]()
        for _ in range(MAX_ROUNDS):
            batch = self._batch(codemod, workspace, unsafe=unsafe)
            if not batch:
                break
            workspace = fixed(workspace, batch)
            self._move_declined(batch)
            made += batch
        else:
            raise Failed("stability", "the codemod goes on finding more to do to its own output")
        if made:
            from dockfix.engine.gates import check_work  # noqa: PLC0415 - only changes need it

            check_work(codemod, self.workspace, workspace)
        return workspace, made

    def _batch(self, codemod: Codemod, workspace: Workspace, *, unsafe: bool) -> list[Diagnostic]:
        """The codemod's next fixes, of which none collides with another."""
        batch: list[Diagnostic] = []
        edits: list[dict[Path, tuple[Edit, ...]]] = []
        for found in self._candidates(codemod, workspace):
            if not isinstance(found.finding, Fix) or not (unsafe or found.finding.safety is Safety.SAFE):
                continue
            own = edits_by_file(found)
            if not any(collide(own, other) for other in edits) and self._wanted(found, workspace):
                batch.append(found)
                edits.append(own)
        return batch

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
        """Follow the declined fixes of a file through edits before them, so that nobody is asked twice."""
        if not self._declined:
            return
        moved = set()
        for rule, message, path, at in self._declined:
            edits = [edit for found in batch for edit in edits_by_file(found).get(path, ()) if edit.end <= at]
            moved.add(
                (rule, message, path, at + sum(len(each.replacement) - (each.end - each.start) for each in edits))
            )
        self._declined = moved


def _identity(found: Diagnostic) -> tuple[str, str, Path, int]:
    return found.rule, found.finding.message, found.path, found.finding.at.start
