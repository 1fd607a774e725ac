"""Warnings about dockfix's comments that concern more than one Dockerfile: in compose, bake and ignore files, and
comments that ignore a rule that checks the whole project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from dockfix.engine.calls import Failed
from dockfix.engine.findings import project_findings
from dockfix.engine.inputs import is_in
from dockfix.engine.project import findings
from dockfix.engine.results import shown_path
from dockfix.engine.settings import Mode
from dockfix.project.problems import InputError, InputProblem
from dockfix.rule.model import Codemod
from dockfix.rule.naming import RuleNames
from dockfix.rule.suppression import FOR_ALL, Suppressions, disarmed_text, mistakes_in_text, unused_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Lines, Span

_Place: TypeAlias = tuple[str, Span]
"""The rule and the place of a finding."""

__all__ = ["comment_mistakes", "unused_comments"]


def comment_mistakes(workspace: Workspace, counted: Sequence[Path], names: RuleNames) -> Iterator[InputProblem]:
    """The mistakes in dockfix's comments in the compose, bake and ignore files of a run."""
    for path, text in _other_texts(workspace, counted).items():
        for line, message in mistakes_in_text(text, names):
            yield InputProblem(shown_path(path), line, message)


def unused_comments(
    workspace: Workspace,
    codemods: Sequence[Codemod],
    mode: Mode,
    counted: Sequence[Path],
    names: RuleNames,
    *,
    all_rules: bool,
) -> Iterator[InputProblem]:
    """The comments without effect, as far as only a check of the whole project can tell.

    Args:
        workspace: the files, unchanged.
        codemods: the rules that ran.
        mode: as of the run.
        counted: the files and folders that were checked; nothing is known unless the project root is one of them.
        names: the names of all installed rules.
        all_rules: whether all rules ran that are not opt-in; else nothing is known of comments that ignore all rules.
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
    written = {name for each in own.values() for _, directive in each.directives for name in directive.names}
    named = names.of_all(written) | (written & FOR_ALL)
    if not others and not named & ({each.name for each in rules} | FOR_ALL):
        return
    bare = workspace.with_changes(
        {path: disarmed_text(text) for path, text in others.items()}
        | {path: each.disarmed() for path, each in own.items()}
    ).with_known(workspace.known)  # no offset differs, so what was collected stays valid
    found, complete = _project_findings(bare, rules, mode)
    if all_rules and complete == {each.name for each in rules}:
        complete |= FOR_ALL
    for path, suppressions in own.items():
        places = found.get(path, [])
        if complete & FOR_ALL & named:
            alone, defects = findings(bare.target(bare.by_path[path]), codemods)
            places = [*places, *((each.rule, each.finding.at) for each in alone)]
            complete -= FOR_ALL if defects else set()
        policy, shown = bare.target(bare.by_path[path]).own_options.policy, bare.display(path)
        known = {name for name in complete if name in FOR_ALL or not policy.ignores(name, shown)}
        for number, name in sorted(suppressions.unused(_with_all(places), known, names)):
            line = suppressions.directives[number][0].line
            yield _unused(shown_path(path), line, name)
    # a rule that checks Dockerfiles one by one has no finding in another file
    complete |= {each.name for each in codemods if each.check is not None and not each.reports_comments}
    for path, text in others.items():
        lines = Lines(text)
        at_lines = [(rule, lines.line(at.start)) for rule, at in _with_all(found.get(path, []))]
        for line, name in unused_in_text(text, at_lines, complete, names):
            yield _unused(shown_path(path), line, name)


def _project_findings(
    workspace: Workspace, rules: Sequence[Codemod], mode: Mode
) -> tuple[dict[Path, list[_Place]], set[str]]:
    """The findings of project rules, by file, and the rules that have no defect."""
    found: dict[Path, list[_Place]] = {}
    complete = set()
    for rule in rules:
        try:
            for each in project_findings(rule, workspace, mode):
                found.setdefault(each.path, []).append((each.rule, each.finding.at))
        except Failed:
            continue
        complete.add(rule.name)
    return found, complete


def _with_all(places: Sequence[_Place]) -> list[_Place]:
    """The findings, each also as one of the words for all rules."""
    return [*places, *((word, at) for _, at in places for word in sorted(FOR_ALL))]


def _unused(path: str, line: int, name: str) -> InputProblem:
    who = "no rule has a finding" if name in FOR_ALL else f"{name} has no finding"
    return InputProblem(path, line, f"unused dockfix comment: {who} here")


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
