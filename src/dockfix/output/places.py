"""Paths relative to the current folder, for text output.

Findings name files relative to the root of the project. In text output these paths must agree with the path at the
beginning of the line, which is relative to the current folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dockfix.project.discovery import is_dockerfile_name
from dockfix.project.problems import InputProblem
from dockfix.project.target import is_project_file_name
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult

__all__ = ["Places", "in_one_root"]

_PATH: Final = re.compile(r"(?<![\w./~$}-])(?:[\w.@+-]+/)*[\w.@+-]*[\w](?![\w/])")
_COMMAND: Final = re.compile(r"`docker [^`]*`")
_FILE: Final = re.compile(r"(?<= -f )[^\s'`]+")
"""In a command that a finding proposes: the files of `-f`."""
_FOLDER: Final = re.compile(r"(?<==)[^\s'`]+(?='? )|(?<= )[^\s'`=-][^\s'`=]*(?=`)")
"""In a `docker build`: the folders of named contexts, and the context."""


def in_one_root(results: Sequence[RunResult]) -> list[RunResult]:
    """Runs over several projects, with the paths in messages relative to the folder that holds all projects."""
    if len(results) == 1:
        return list(results)
    root = Path(os.path.commonpath([each.root for each in results]))
    moved = []
    for result in results:
        places = Places(result.root, root)
        files = (
            replace(
                file,
                applied=tuple(map(places.found, file.applied)),
                remaining=tuple(map(places.found, file.remaining)),
            )
            for file in result.files
        )
        problems = tuple(replace(each, message=places.text(each.message)) for each in result.problems)
        warnings = tuple(replace(each, message=places.text(each.message)) for each in result.warnings)
        moved.append(replace(result, files=tuple(files), problems=problems, warnings=warnings))
    return moved


class Places:
    """Makes paths that are relative to `root` relative to the folder `here`."""

    def __init__(self, root: Path, here: Path | None = None) -> None:
        self._root = os.path.realpath(root)
        self._here = os.path.realpath(here if here is not None else Path.cwd())
        self._same = self._root == self._here

    def found(self, found: Diagnostic) -> Diagnostic:
        """A finding with paths as seen from here."""
        if self._same:
            return found
        finding = replace(found.finding, message=self.text(found.finding.message))
        match finding:
            case Fix():
                finding = replace(finding, help=self.text(finding.help), review=self.text(finding.review))
            case Refusal():
                finding = replace(finding, note=self.text(finding.note))
            case Advice():
                finding = replace(finding, help=self.text(finding.help))
        return replace(found, finding=finding)

    def problem(self, problem: InputProblem) -> InputProblem:
        """A problem with paths as seen from here; its own path may be relative to the root, or as the user wrote it."""
        if self._same:
            return problem
        path = problem.path
        if "\0" not in path and not os.path.lexists(os.path.join(self._here, path)):  # noqa: PTH118 - joins any text
            path = self._moved(path) or path
        return replace(problem, path=path, message=self.text(problem.message))

    def text(self, text: str) -> str:
        """A message with the paths in it changed, as far as they are certainly paths of files of a build."""
        if self._same:
            return text
        done: list[str] = []
        at = 0
        for command in _COMMAND.finditer(text):
            words = _FILE.sub(self._operand, command[0])
            if words.startswith("`docker build "):
                words = _FOLDER.sub(self._operand, words)
            done += (_PATH.sub(self._file, text[at : command.start()]), words)
            at = command.end()
        return "".join(done) + _PATH.sub(self._file, text[at:])

    def _file(self, match: re.Match[str]) -> str:
        path, has_line = match[0], re.match(r":\d", match.string[match.end() : match.end() + 2]) is not None
        name = path.rpartition("/")[2]
        is_file = is_project_file_name(name) or (is_dockerfile_name(name) and "/" in path)
        return (self._moved(path) if has_line or is_file else None) or path

    def _operand(self, match: re.Match[str]) -> str:
        return self._moved(match[0]) or match[0]

    def _moved(self, path: str) -> str | None:
        real = os.path.join(self._root, path)  # noqa: PTH118 - joins any text
        if path.startswith("/") or "\0" in path or not os.path.lexists(real):
            return None
        return os.path.relpath(real, self._here)
