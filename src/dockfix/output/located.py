"""Findings in their files, with what the formats for programs need: positions, parts in words, and input problems."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.results import FileResult, RunResult
from dockfix.output.plain import printable
from dockfix.output.words import lines_text
from dockfix.project.problems import InputProblem
from dockfix.rule import Advice, Diagnostic, Edit, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Lines

__all__ = ["Located", "Notice", "Place", "body", "in_root", "located", "message", "notices", "parts", "remedy"]


class Place(NamedTuple):
    """A position; both numbers count from 1, the column in characters."""

    line: int
    column: int


class Located(Struct, frozen=True):
    """A finding in its file. `end` is exclusive."""

    file: FileResult
    found: Diagnostic
    lines: Lines

    @property
    def path(self) -> str:
        """The file, relative to the root of the project, with `/`."""
        return self.file.display

    @property
    def text(self) -> str:
        """The text of the file."""
        return self.file.text

    @property
    def start(self) -> Place:
        """Where the finding begins."""
        return self.place(self.found.finding.at.start)

    @property
    def end(self) -> Place:
        """Where the finding ends; a line end at its end is not part of it."""
        start, end = self.found.finding.at
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return self.place(end)

    def place(self, offset: int) -> Place:
        """The position of an offset of the file."""
        return Place(self.lines.line(offset), self.lines.column(offset))

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that a fix makes to this file."""
        return self.found.finding.edits if isinstance(self.found.finding, Fix) else ()


def located(result: RunResult) -> Iterator[Located]:
    """The findings of a check, in the order of files and lines."""
    for file in result.files:
        lines = Lines(file.text)
        yield from (Located(file, found, lines) for found in file.remaining)


def remedy(found: Diagnostic) -> str:
    """What can be done about a finding, in two words."""
    match found.finding:
        case Fix(safety=Safety.SAFE):
            return "safe fix"
        case Fix():
            return "unsafe fix"
        case Refusal():
            return "not fixed"
        case _:
            return "advice"


def message(found: Diagnostic) -> str:
    """What is wrong, and the lines of the further places; the text is not escaped."""
    lines = sorted({each.line for each in found.also} - {found.line})
    return f"{found.finding.message} (also in {lines_text(lines)})" if lines else found.finding.message


def parts(found: Diagnostic) -> list[tuple[str, str]]:
    """The parts of a finding that follow its message, each with its label; the texts are not escaped."""
    match found.finding:
        case Fix() as fix:
            changes = ", ".join(change.path.name for change in fix.other_files)
            named = (("help", fix.help), ("also changes", changes), ("review", fix.review))
            return [(label, text) for label, text in named if text]
        case Refusal(note=note):
            return [("not fixed", note)]
        case Advice(help=help_):
            return [("help", help_)] if help_ else []


def body(found: Diagnostic) -> str:
    """A finding as plain text: the message, then each part on its own line; text from files is escaped."""
    lines = [message(found), *(f"{label}: {text}" for label, text in parts(found))]
    return "\n".join(printable(line) for line in lines)


class Notice(NamedTuple):
    """Input that could not be used, a warning about it, or a defect of a rule."""

    path: str
    line: int | None
    message: str
    severity: Severity
    code: str
    """`input`, `comment` or `defect`."""


def notices(result: RunResult) -> Iterator[Notice]:
    """What went wrong in a run, so that findings may be missing; paths are relative to the root."""
    for problem in in_root(result.problems, result.root):
        yield Notice(problem.path, problem.line, problem.message, Severity.ERROR, "input")
    for warning in in_root(result.warnings, result.root):
        yield Notice(warning.path, warning.line, warning.message, Severity.WARNING, "comment")
    for file, defect in result.defects:
        message = f"defect in {defect.rule} ({defect.gate}): {defect.message}"
        yield Notice(file.display, None, message, Severity.ERROR, "defect")


def in_root(problems: Iterable[InputProblem], root: Path) -> Iterator[InputProblem]:
    """Problems with paths relative to the root; they have them as the user would write them."""
    real, here = os.path.realpath(root), Path.cwd()
    for problem in problems:
        yield replace(problem, path=_path(problem.path, real, here))


def _path(path: str, root: str, here: Path) -> str:
    """The path of a problem, which is relative to the root or to the current folder, as the former."""
    real = os.path.join(here, path)  # noqa: PTH118 - joins any text
    if "\0" in path or not os.path.lexists(real):
        return path
    relative = os.path.relpath(os.path.realpath(real), root)
    return path if relative.startswith("..") else Path(relative).as_posix()
