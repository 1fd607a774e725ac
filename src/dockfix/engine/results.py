"""What a run gives: plain values, which can be sent between processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.project.problems import InputProblem
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety, Severity

if TYPE_CHECKING:
    from dockfix.rule.workspace import Workspace

__all__ = ["Defect", "FileResult", "RunResult", "shown_path"]


@dataclass(frozen=True, slots=True)
class Defect:
    """A codemod that did wrong and was caught; its change was discarded."""

    rule: str
    gate: str
    message: str


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file, or of one text.

    `real` is its real path, `path` as the user would write it, `display` relative to the root with `/`. `text` is
    `before` with the fixes of `applied`; it is `before` if the file was only checked, or could not be used or written.
    `applied` holds the fixes made, with the lines that they had when they were made; `remaining` the findings on
    `text`: fixes not made, refusals, advice. `written` tells whether the file on disk has changed. `created`: there
    was no such file, and `before` is empty. `is_dockerfile` is false for compose, bake, ignore and new files, which are
    results only if they have findings or changes. `collected` is what codemods collect of it for other files of the
    run, by `workspace.collect_key`.
    """

    real: Path
    path: str
    display: str
    before: str
    text: str
    applied: tuple[Diagnostic, ...] = ()
    remaining: tuple[Diagnostic, ...] = ()
    defects: tuple[Defect, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    warnings: tuple[InputProblem, ...] = ()
    written: bool = False
    created: bool = False
    is_dockerfile: bool = True
    collected: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def changed(self) -> bool:
        """Whether there is a difference, written or not."""
        return self.before != self.text or self.created

    @property
    def fixes(self) -> tuple[Diagnostic, ...]:
        """Fixes that were found and not made, because they are unsafe, were declined or were not asked for."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Fix))

    @property
    def refused(self) -> tuple[Diagnostic, ...]:
        """Findings that must not be touched, with the reason."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Refusal))

    @property
    def advice(self) -> tuple[Diagnostic, ...]:
        """Findings without an edit."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Advice))

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        from dockfix.engine.difftext import unified_diff  # noqa: PLC0415 - only changes need it

        return unified_diff(None if self.created else self.before, self.text, self.display)

    def with_lines_before(self) -> FileResult:
        """The same with the remaining findings at the lines of `before`, which is the text on disk if none is written.

        Their spans are those of `text` all the same.
        """
        if not self.changed or not self.remaining:
            return self
        from dockfix.engine.difftext import original_lines  # noqa: PLC0415 - only changes need it

        lines = original_lines(self.before, self.text)

        def line(number: int) -> int:
            return lines[number - 1] if number <= len(lines) else number

        moved = (replace(each, line=line(each.line), end_line=line(each.end_line)) for each in self.remaining)
        return replace(self, remaining=tuple(moved))


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run.

    `files` are the Dockerfiles in the order of the run, then the other files that have findings or changes.
    `workspace` holds the texts as they are now. `change_sets` are the groups of real paths that one fix changed, and
    that are written together or not at all. `project_defects` are those of codemods that work on several files at once.
    `unsafe` tells whether unsafe fixes were asked for. `problems` holds what could not be used, those of the files
    included, in order; `warnings` what does not keep a file from being checked. `seconds` is by the clock of the run.
    """

    workspace: Workspace
    files: tuple[FileResult, ...]
    change_sets: tuple[frozenset[Path], ...] = ()
    project_defects: tuple[Defect, ...] = ()
    unsafe: bool = False
    problems: tuple[InputProblem, ...] = ()
    warnings: tuple[InputProblem, ...] = ()
    seconds: float = 0.0

    @property
    def root(self) -> Path:
        """The root of the project."""
        return self.workspace.project.root

    @property
    def dockerfiles(self) -> tuple[FileResult, ...]:
        """The Dockerfiles among the files."""
        return tuple(each for each in self.files if each.is_dockerfile)

    @property
    def others(self) -> tuple[FileResult, ...]:
        """The files that are not Dockerfiles of the run."""
        return tuple(each for each in self.files if not each.is_dockerfile)

    @property
    def changed(self) -> tuple[FileResult, ...]:
        """The files that differ."""
        return tuple(each for each in self.files if each.changed)

    @property
    def applied(self) -> int:
        """How many fixes were made."""
        return sum(len(each.applied) for each in self.files)

    @property
    def fixable(self) -> int:
        """How many safe fixes were found and not made."""
        return sum(not _is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def fixable_unsafe(self) -> int:
        """How many unsafe fixes were found and not made."""
        return sum(_is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def actionable(self) -> bool:
        """Whether a person has something to do: all findings count but refusals of severity info, which say that
        something is as it should be.
        """
        return any(
            not isinstance(found.finding, Refusal) or found.severity is not Severity.INFO
            for each in self.files
            for found in each.remaining
        )

    @property
    def refused(self) -> int:
        """How many findings must not be touched."""
        return sum(len(each.refused) for each in self.files)

    @property
    def advice(self) -> int:
        """How many findings have no edit."""
        return sum(len(each.advice) for each in self.files)

    @property
    def defects(self) -> tuple[tuple[FileResult, Defect], ...]:
        """The codemods that were caught doing wrong, and where."""
        own = [(each, defect) for each in self.files for defect in each.defects]
        project = FileResult(self.root, ".", ".", "", "")
        return (*own, *((project, defect) for defect in self.project_defects))


def _is_unsafe(found: Diagnostic) -> bool:
    return isinstance(found.finding, Fix) and found.finding.safety is Safety.UNSAFE


def shown_path(path: Path) -> str:
    """A real path as the user would write it: relative to the current folder if it is below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
