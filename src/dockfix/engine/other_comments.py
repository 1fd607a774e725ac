"""Warnings about dockfix's comments that concern more than one Dockerfile: in compose, bake and ignore files, and
comments that ignore a rule that checks the whole project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dockfix.engine.findings import Failed, project_findings
from dockfix.engine.inputs import is_in
from dockfix.engine.results import shown_path
from dockfix.engine.settings import Mode
from dockfix.project.problems import InputError, InputProblem
from dockfix.rule.model import Codemod
from dockfix.rule.suppression import Suppressions, disarmed_text, mistakes_in_text, unused_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Lines, Span

__all__ = ["comment_mistakes", "unused_comments"]


def comment_mistakes(workspace: Workspace, counted: Sequence[Path], names: frozenset[str]) -> Iterator[InputProblem]:
    """The mistakes in dockfix's comments in the compose, bake and ignore files of a run."""
    for path, text in _other_texts(workspace, counted).items():
        for line, message in mistakes_in_text(text, names):
            yield InputProblem(shown_path(path), line, message)


def unused_comments(
    workspace: Workspace, codemods: Sequence[Codemod], mode: Mode, counted: Sequence[Path]
) -> Iterator[InputProblem]:
    """The comments without effect, as far as only a check of the whole project can tell.

    Args:
        workspace: the files, unchanged.
        codemods: the rules that ran.
        mode: as of the run.
        counted: the files and folders that were checked; nothing is known unless the project root is one of them.
    """
    if workspace.project.root not in counted:
        return
    others = {path: text for path, text in _other_texts(workspace, counted).items() if "dockfix" in text.lower()}
    own = {
        each.real: Suppressions(workspace.target(each).dockerfile)
        for each in workspace.files
        if "dockfix" in each.text.lower()
    }
    rules = [each for each in codemods if each.check_project is not None]
    named = {name for each in own.values() for _, directive in each.directives for name in directive.names}
    if not others and not any(each.name in named for each in rules):
        return
    bare = workspace.with_changes(
        {path: disarmed_text(text) for path, text in others.items()}
        | {path: each.disarmed() for path, each in own.items()}
    )
    found: dict[Path, list[tuple[str, Span]]] = {}
    complete = set()
    for rule in rules:
        try:
            for each in project_findings(rule, bare, mode):
                found.setdefault(each.path, []).append((each.rule, each.finding.at))
        except Failed:
            continue
        complete.add(rule.name)
    for path, suppressions in own.items():
        for number, name in sorted(suppressions.unused(found.get(path, ()), complete)):
            line = suppressions.directives[number][0].line
            yield _unused(shown_path(path), line, name)
    # a rule that checks Dockerfiles one by one has no finding in another file
    complete |= {each.name for each in codemods if each.check is not None}
    for path, text in others.items():
        lines = Lines(text)
        places = [(rule, lines.line(at.start)) for rule, at in found.get(path, ())]
        for line, name in unused_in_text(text, places, complete):
            yield _unused(shown_path(path), line, name)


def _unused(path: str, line: int, name: str) -> InputProblem:
    return InputProblem(path, line, f"unused dockfix comment: {name} has no finding here")


def _other_texts(workspace: Workspace, counted: Sequence[Path]) -> dict[Path, str]:
    """The texts of the compose, bake and ignore files of a run."""
    project = workspace.project
    paths = {each.path for each in project.compose_files} | {each.path for each in project.bake_files}
    ignores = {each.context / ".dockerignore" for each in project.invocations if each.context is not None}
    ignores |= {each.real.with_name(f"{each.real.name}.dockerignore") for each in workspace.files}
    ignores.add(project.root / ".dockerignore")
    paths |= {path for path in ignores if project.files.is_file(path)}
    texts: dict[Path, str] = {}
    for path in sorted(paths):
        if not is_in(path, counted):
            continue
        try:
            texts[path] = project.files.original(path).text
        except InputError:
            continue  # reported where it is read
    return texts
