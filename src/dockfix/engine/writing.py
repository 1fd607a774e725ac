"""Writes the changed files of a run: the files of a change set together or not at all, other files one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from dockfix.engine.results import FileResult, RunResult
from dockfix.project.files import FileText
from dockfix.project.problems import InputError
from dockfix.project.temporary import remove_leftovers
from dockfix.project.writing import NewFile, write_files
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import encode

__all__ = ["write_results", "write_run"]


def write_results(
    results: Iterable[FileResult], workspace: Workspace, change_sets: Sequence[frozenset[Path]]
) -> list[FileResult]:
    """Write the files that changed, and return the results of all files in the same order.

    A file that cannot be written keeps its text and gets a problem, as do all files of its change set.
    """
    by_path = {each.real: each for each in results}
    root = workspace.project.root
    remove_leftovers({root, *(path.parent for path in by_path), *(each.real.parent for each in _read(workspace))})
    changed = [path for path, result in by_path.items() if result.changed]
    grouped = {path for group in change_sets for path in group}
    groups = [[path for path in changed if path in group] for group in change_sets]
    for group in [*groups, *([path] for path in changed if path not in grouped)]:
        try:
            write_files([(_original(by_path[path], workspace), encode(by_path[path].text)) for path in group], root)
        except InputError as error:
            for path in group:
                result = by_path[path].with_lines_before()
                by_path[path] = replace(result, text=result.before, applied=(), created=False)
            at = next((path for path in group if str(workspace.given(path)) == error.path), group[0])
            by_path[at] = replace(by_path[at], problems=(*by_path[at].problems, error.problem))
        else:
            for path in group:
                by_path[path] = replace(by_path[path], written=True)
    return list(by_path.values())


def write_run(run: RunResult) -> RunResult:
    """Write the files that changed in a run that wrote nothing; see `write_results`.

    The lines of the remaining findings are those of the files as they are then.
    """
    known = {id(problem) for result in run.files for problem in result.problems}
    results = write_results([each.with_lines_after() for each in run.files], run.workspace, run.change_sets)
    fresh = (problem for result in results for problem in result.problems if id(problem) not in known)
    return replace(
        run,
        files=tuple(each if each.written else each.with_lines_before() for each in results),
        problems=(*run.problems, *fresh),
    )


def _read(workspace: Workspace) -> Sequence[FileText]:
    """The files around the Dockerfiles that a run has read, which an earlier run may have wanted to change."""
    return workspace.project.files.seen


def _original(result: FileResult, workspace: Workspace) -> FileText | NewFile:
    own = workspace.by_path.get(result.real)
    if own is not None:
        return own
    return NewFile(result.real, result.real) if result.created else workspace.project.files.original(result.real)
