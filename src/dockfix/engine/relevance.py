"""A cheap test of whether a codemod may find anything in a file or a project, before its module is imported.

The answer may be yes where the codemod finds nothing. It is never no where the codemod would find something.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dockfix.rule.lazy import LazyClass
from dockfix.rule.model import Codemod, Requires

if TYPE_CHECKING:
    from dockfix.project.target import Project, Target
    from dockfix.rule.workspace import Workspace


def may_apply(codemod: Codemod, target: Target, lowered: str) -> bool:
    """Whether a codemod may find something in one Dockerfile; `lowered` is its text in lower case."""
    if not codemod.could_apply(lowered) or (codemod.needs_options and not _is_configured(codemod, target)):
        return False
    if codemod.requires is Requires.COMPOSE:
        return bool(target.project.compose_files)
    if codemod.requires is Requires.SECOND:
        return bool(target.named_contexts) or _tells_builds(target.project) or _has_two(codemod, (lowered,))
    return True


def may_apply_to_project(codemod: Codemod, workspace: Workspace) -> bool:
    """Whether a project rule may find something; `workspace` has the Dockerfiles with one of its triggers."""
    project = workspace.project
    if codemod.triggers and not workspace.files and not _tells_builds(project):
        return False
    if codemod.requires is Requires.COMPOSE:
        return bool(project.compose_files)
    if codemod.requires is Requires.SECOND:
        return _tells_builds(project) or _has_two(codemod, (text.lower() for text in workspace.texts))
    if codemod.requires is Requires.IGNORE:
        return _tells_builds(project) or workspace.has_ignore_files
    return True


def _is_configured(codemod: Codemod, target: Target) -> bool:
    """Whether the configuration has options of the rule; their class is not imported."""
    kind = codemod.options
    name = (
        (kind.module, kind.name) if isinstance(kind, LazyClass) else (kind.__module__, kind.__name__) if kind else None
    )
    return any((each.__module__, each.__name__) == name for each in target.own_options.rule_options)


def _tells_builds(project: Project) -> bool:
    return bool(project.compose_files or project.bake_files)


def _has_two(codemod: Codemod, lowered: Iterable[str]) -> bool:
    count = 0
    for text in lowered:
        count += sum(text.count(trigger) for trigger in codemod.triggers)
        if count > 1:
            return True
    return False
