"""The runs over several projects as one result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from dockfix.engine.results import FileResult, RunResult
from dockfix.project.files import Snapshot
from dockfix.project.target import Project
from dockfix.rule.workspace import Workspace

__all__ = ["joined"]


def joined(results: Sequence[RunResult]) -> RunResult:
    """One result for the runs over several projects; its root is the folder that holds all of them.

    Args:
        results: the runs, at least one.
    """
    if len(results) == 1:
        return results[0]
    root = Path(os.path.commonpath([each.root for each in results]))
    changes = {path: text for each in results for path, text in each.workspace.project.files.changes.items()}
    files = tuple(file for each in results for file in each.workspace.files)
    # a folder above a project may be named in addition to it: each file counts once
    outcomes: dict[Path, FileResult] = {}
    for each in results:
        for file in each.files:
            outcomes.setdefault(file.real, file)
    read = {file.real: file for each in results for file in each.workspace.project.files.seen}
    project = Project(root, snapshot=Snapshot(root, changes, read))
    workspace = Workspace(project, files, results[0].workspace.build_options)
    return RunResult(
        workspace,
        tuple(replace(file, display=_display(file.real, root)) for file in outcomes.values()),
        tuple(group for each in results for group in each.change_sets),
        tuple(dict.fromkeys(defect for each in results for defect in each.project_defects)),
        unsafe=any(each.unsafe for each in results),
        problems=tuple(problem for each in results for problem in each.problems),
        warnings=tuple(warning for each in results for warning in each.warnings),
        seconds=sum(each.seconds for each in results),
    )


def _display(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
