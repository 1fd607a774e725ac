"""Writes the changed files of a run: the files of a change set together or not at all, other files one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from dockfix.engine.results import FileResult
from dockfix.project.files import FileText
from dockfix.project.problems import InputError
from dockfix.project.writing import NewFile, remove_leftovers, write_files
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import encode

__all__ = ["write_results"]


def write_results(
    results: Iterable[FileResult], workspace: Workspace, change_sets: Sequence[frozenset[Path]]
) -> list[FileResult]:
    """Write the files that changed, and return the results of all files in the same order.

    A file that cannot be written keeps its text and gets a problem, as do all files of its change set.
    """
    by_path = {each.real: each for each in results}
    remove_leftovers({path.parent for path in by_path})
    changed = [path for path, result in by_path.items() if result.changed]
    grouped = {path for group in change_sets for path in group}
    groups = [[path for path in changed if path in group] for group in change_sets]
    for group in [*groups, *([path] for path in changed if path not in grouped)]:
        try:
            write_files([(_original(by_path[path], workspace), encode(by_path[path].text)) for path in group])
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


def _original(result: FileResult, workspace: Workspace) -> FileText | NewFile:
    own = workspace.by_path.get(result.real)
    if own is not None:
        return own
    return NewFile(result.real, result.real) if result.created else workspace.project.files.original(result.real)
