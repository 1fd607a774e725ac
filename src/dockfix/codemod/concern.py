"""Whether a codemod has anything to say about a file or a run, by what is cheap to see: before its module is imported.

Everything here may say yes for nothing, and never no for something.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dockfix.codemod.model import Beside, Codemod

if TYPE_CHECKING:
    from dockfix.codemod.workspace import Workspace
    from dockfix.project.target import Project, Target

__all__ = ["concerns_file", "concerns_run"]


def concerns_file(codemod: Codemod, target: Target, lowered: str) -> bool:
    """Whether a codemod may have something to say of one Dockerfile; `lowered` is its text in lower case."""
    if not codemod.could_apply(lowered):
        return False
    if codemod.beside is Beside.COMPOSE:
        return bool(target.project.compose_files)
    if codemod.beside is Beside.SECOND:
        return bool(target.named_contexts) or _tells_builds(target.project) or _has_two(codemod, (lowered,))
    return True


def concerns_run(codemod: Codemod, workspace: Workspace) -> bool:
    """Whether a survey may have something to say; `workspace` holds the Dockerfiles that it could apply to."""
    project = workspace.project
    if codemod.triggers and not workspace.files and not _tells_builds(project):
        return False
    if codemod.beside is Beside.COMPOSE:
        return bool(project.compose_files)
    if codemod.beside is Beside.SECOND:
        return _tells_builds(project) or _has_two(codemod, (text.lower() for text in workspace.texts))
    if codemod.beside is Beside.IGNORE:
        return _tells_builds(project) or workspace.has_ignore_files
    return True


def _tells_builds(project: Project) -> bool:
    return bool(project.compose_files or project.bake_files)


def _has_two(codemod: Codemod, lowered: Iterable[str]) -> bool:
    count = 0
    for text in lowered:
        count += sum(text.count(trigger) for trigger in codemod.triggers)
        if count > 1:
            return True
    return False
