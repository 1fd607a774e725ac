"""The results of a run: plain values that can be sent between processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.problems import InputProblem
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Lines

if TYPE_CHECKING:
    from dockfix.rule.workspace import Workspace

__all__ = ["Defect", "FileResult", "RunResult", "is_unsafe", "shown_path", "with_lines_of"]


class Defect(Struct, frozen=True):
    """A rule whose change was rejected by a gate and discarded, or that raised an exception.

    Args:
        rule: the rule's name; `dockfix` for a defect of dockfix itself.
        gate: the gate that rejected the change; `crash` for an exception.
        message: what is wrong.
        traceback: the traceback of an exception.
    """

    rule: str
    gate: str
    message: str
    traceback: str = ""


class FileResult(Struct, frozen=True):
    """The result for one file, or for one text.

    Args:
        real: the real path.
        path: the path as the user would write it.
        display: the path relative to the root, with `/`.
        before: the text before the run; empty for a file that a fix creates.
        text: `before` with the fixes of `applied`; equal to `before` if the file was only checked, or could not be
            used or written.
        applied: the fixes that were applied, with their lines in `before`.
        remaining: the findings in `text`: fixes that were not applied, refusals, advice.
        defects: the defects of rules on this file.
        problems: why the file could not be used or written.
        warnings: what is wrong with dockfix's comments in the file.
        written: whether the file on disk has changed.
        created: whether a fix creates the file.
        is_dockerfile: false for compose, bake, ignore and new files, which are results only if they have findings or
            changes.
        collected: what rules collect from the file for other files of the run, by `workspace.collect_key`.
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
    collected: Mapping[str, object] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether there is a difference, written or not."""
        return self.before != self.text or self.created

    @property
    def fixes(self) -> tuple[Diagnostic, ...]:
        """The fixes that were not applied: they are unsafe, were declined, or the run only checked."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Fix))

    @property
    def refused(self) -> tuple[Diagnostic, ...]:
        """The findings that are not fixed, with the reason."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Refusal))

    @property
    def advice(self) -> tuple[Diagnostic, ...]:
        """The findings without an edit."""
        return tuple(each for each in self.remaining if isinstance(each.finding, Advice))

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        from dockfix.engine.difftext import unified_diff  # noqa: PLC0415 - only changes need it

        return unified_diff(None if self.created else self.before, self.text, self.display)

    def with_lines_before(self) -> FileResult:
        """The same result with the lines of the remaining findings in `before`, the text on disk if nothing is written.

        Their spans stay those of `text`.
        """
        if not self.changed or not self.remaining:
            return self
        return replace(self, remaining=tuple(with_lines_of(self.before, self.text, self.remaining)))

    def with_lines_after(self) -> FileResult:
        """The same result with the lines of the remaining findings in `text`, as on disk once it is written."""
        if not self.changed or not self.remaining:
            return self
        lines = Lines(self.text)
        return replace(self, remaining=tuple(_located(each, lines) for each in self.remaining))


class RunResult(Struct, frozen=True):
    """The result of a run.

    Args:
        workspace: the files with their texts after the run.
        files: the Dockerfiles in the order of the run, then the other files that have findings or changes.
        change_sets: groups of real paths that a fix changed together; each is written as a whole or not at all.
        project_defects: the defects of rules that work on several files at once.
        unsafe: whether unsafe fixes were to be applied.
        problems: the input that could not be used, including the problems of `files`.
        warnings: problems that do not keep a file from being checked.
        seconds: how long the run took.
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
        """How many fixes were applied."""
        return sum(len(each.applied) for each in self.files)

    @property
    def applied_unsafe(self) -> int:
        """How many of the applied fixes are unsafe."""
        return sum(is_unsafe(found) for each in self.files for found in each.applied)

    @property
    def fixable(self) -> int:
        """How many safe fixes were found and not applied."""
        return sum(not is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def fixable_unsafe(self) -> int:
        """How many unsafe fixes were found and not applied."""
        return sum(is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def actionable(self) -> bool:
        """Whether there is something to do: any finding but refusals and advice of severity info."""
        return self.fails(Severity.INFO)

    def fails(self, level: Severity | None, *, info_advice: bool = False) -> bool:
        """Whether there is a finding of a severity or a higher one.

        Refusals of severity info, which say that all is right, do not count.

        Args:
            level: the severity; None for none.
            info_advice: whether advice of severity info counts.
        """
        if level is None:
            return False
        severities = list(Severity)  # the highest first
        counted = severities[: severities.index(level) + 1]
        of_info = (Fix, Advice) if info_advice else (Fix,)
        return any(
            found.severity in counted and (found.severity is not Severity.INFO or isinstance(found.finding, of_info))
            for each in self.files
            for found in each.remaining
        )

    @property
    def refused(self) -> int:
        """How many findings are not fixed."""
        return sum(len(each.refused) for each in self.files)

    @property
    def advice(self) -> int:
        """How many findings have no edit."""
        return sum(len(each.advice) for each in self.files)

    @property
    def defects(self) -> tuple[tuple[FileResult, Defect], ...]:
        """The defects of rules, with the file that they occurred on."""
        own = [(each, defect) for each in self.files for defect in each.defects]
        project = FileResult(self.root, ".", ".", "", "")
        return (*own, *((project, defect) for defect in self.project_defects))


def with_lines_of(before: str, text: str, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Findings in `text` with the lines of `before` that theirs equal, replace or are next to."""
    if before == text or not found:
        return list(found)
    from dockfix.engine.difftext import original_lines  # noqa: PLC0415 - only changes need it

    lines = original_lines(before, text)

    def line(number: int) -> int:
        return lines[number - 1] if number <= len(lines) else number

    return [replace(each, line=line(each.line), end_line=line(each.end_line)) for each in found]


def _located(found: Diagnostic, lines: Lines) -> Diagnostic:
    start, end = found.finding.at
    line, end_line = lines.line(start), lines.line(max(start, end - 1))
    return replace(found, line=line, column=lines.column(start), end_line=end_line)


def is_unsafe(found: Diagnostic) -> bool:
    """Whether a finding is an unsafe fix."""
    return isinstance(found.finding, Fix) and found.finding.safety is Safety.UNSAFE


def shown_path(path: Path) -> str:
    """A real path as the user would write it: relative to the current folder if it is inside it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
