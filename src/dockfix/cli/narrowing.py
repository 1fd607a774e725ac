"""The findings of a run that `dockfix check` shows: those that are not in a baseline, and those on changed lines."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.cli.console import Console, shown
from dockfix.cli.planning import Plan

if TYPE_CHECKING:
    from dockfix.engine.baseline import Baseline
    from dockfix.engine.results import RunResult
    from dockfix.git import Revision

__all__ = ["NAME", "Narrowing", "codemod_names", "configured_baseline"]

NAME: Final = ".dockfix-baseline.json"
"""The baseline in the root of a project whose configuration names none."""

_MAX_SHOWN: Final = 5


class _Accepted(Struct, frozen=True):
    """A baseline, the folder that its paths are relative to, and the command that writes it."""

    path: Path
    base: Path
    baseline: Baseline
    command: str


class Narrowing:
    """Leaves out findings of runs. What it needs is read before the first run, so that mistakes are found early.

    Args:
        todo: the plans of the runs.
        baseline: the value of `--baseline`, which overrides the configuration.
        changed_since: the value of `--changed-since`.
        terminal: where errors are reported, which end the command.
    """

    def __init__(
        self, todo: Sequence[Plan], baseline: str | None, changed_since: str | None, terminal: Console
    ) -> None:
        self._terminal = terminal
        self._changed_since = changed_since
        self._revisions = {} if changed_since is None else {each.root: self._revision(each.root) for each in todo}
        self._accepted = {each.root: self._accepted_in(each, baseline) for each in todo}
        self._suppressed = self._unchanged = 0
        self._notes: list[str] = []

    def __call__(self, result: RunResult, todo: Plan) -> RunResult:
        """The run of a plan without the findings that are left out."""
        accepted = self._accepted[todo.root]
        if accepted is not None:
            from dockfix.engine.baseline import covered, successors  # noqa: PLC0415 - few runs have a baseline

            before = _count(result)
            full = result
            result, left = accepted.baseline.filtered(result, accepted.base)
            self._suppressed += before - _count(result)
            paths = [todo.stdin_path] if todo.stdin and todo.stdin_path is not None else list(todo.paths)
            is_covered = covered(full, accepted.base, paths, codemod_names(todo, full))
            obsolete = left.only(is_covered)
            self._note_obsolete(obsolete, accepted)
            self._note_successors(successors(result, obsolete, accepted.base).total, accepted)
        revision = self._revisions.get(todo.root)
        if revision is not None:
            from dockfix.engine.changed_lines import on_changed_lines  # noqa: PLC0415 - as above
            from dockfix.git import GitError  # noqa: PLC0415 - few runs ask git

            before = _count(result)
            try:
                result = on_changed_lines(result, revision.text)
            except GitError as error:
                self._terminal.fail(f"--changed-since: {shown(str(error))}")
            self._unchanged += before - _count(result)
        return result

    def report(self) -> None:
        """Say how many findings were left out, and which entries of a baseline are obsolete."""
        if self._suppressed:
            self._terminal.note(f"{_findings(self._suppressed)} in the baseline not shown")
        if self._unchanged:
            since = shown(str(self._changed_since))
            self._terminal.note(f"{_findings(self._unchanged)} on lines that have not changed since {since} not shown")
        for line in self._notes:
            self._terminal.note(line)

    def _note_obsolete(self, left: Baseline, accepted: _Accepted) -> None:
        if not left.counts:
            return
        number = left.total
        name = shown(os.path.relpath(accepted.path))
        are, them = ("entry is", "it") if number == 1 else ("entries are", "them")
        self._notes.append(f"{name}: {number} {are} obsolete; `{accepted.command}` removes {them}")
        entries = sorted(left.counts)
        limit = len(entries) if self._terminal.verbose else _MAX_SHOWN
        self._notes += [shown(f"    {each.path}: {each.rule} {each.message}") for each in entries[:limit]]
        if len(entries) > limit:
            self._notes.append(f"    and {len(entries) - limit} more (-v shows all)")

    def _note_successors(self, number: int, accepted: _Accepted) -> None:
        if not number:
            return
        have, them = ("has", "it") if number == 1 else ("have", "them")
        self._notes.append(
            f"{number} new {'finding' if number == 1 else 'findings'} {have} an obsolete entry of the same rule in the"
            f" same file, so perhaps only the lines have changed: `{accepted.command} --update` accepts only {them}"
        )

    def _revision(self, root: Path) -> Revision:
        from dockfix.git import GitError, Revision  # noqa: PLC0415 - few runs ask git

        try:
            return Revision(root, str(self._changed_since))
        except GitError as error:
            self._terminal.fail(f"--changed-since: {shown(str(error))}")

    def _accepted_in(self, todo: Plan, given: str | None) -> _Accepted | None:
        path = configured_baseline(todo, self._terminal) if given is None else Path(given)
        if path is None:
            return None
        from dockfix.engine.baseline import read_baseline  # noqa: PLC0415 - few runs have a baseline
        from dockfix.project.problems import InputError  # noqa: PLC0415 - as above

        if given == "":
            self._terminal.fail("--baseline: '' is not a file")
        command = "dockfix baseline"
        if os.path.realpath(path) != os.path.realpath(todo.settings.baseline or todo.root / NAME):
            command += f" --output {shown(shlex.quote(str(path)))}"
        if not Path.cwd().is_relative_to(todo.root):  # without a path it is about the project of the current folder
            command += f" {shown(shlex.join(map(str, todo.paths)))}"
        try:
            return _Accepted(path, todo.root, read_baseline(path), command)
        except InputError as error:
            option = "baseline in the configuration" if given is None else "--baseline"
            hint = "" if os.path.lexists(path) else f"; `{command}` writes it"
            self._terminal.fail(f"{option}: {shown(str(error))}{hint}")


def configured_baseline(todo: Plan, terminal: Console) -> Path | None:
    """The baseline of the configuration, which must be inside the project: a project's file may not name any other."""
    path = todo.settings.baseline
    if path is not None and not Path(os.path.realpath(path)).is_relative_to(todo.root):
        terminal.fail(f"baseline in the configuration: {shown(str(path))} is outside the project root")
    return path


def codemod_names(todo: Plan, result: RunResult) -> Collection[str]:
    """The names of the rules that a plan has run on any of its Dockerfiles."""
    from dockfix.engine.nesting import rules_for  # noqa: PLC0415 - few runs have a baseline

    files = [each.real for each in result.dockerfiles]
    return {each.name for each in rules_for(todo.settings, todo.registry, files, result.root).codemods}


def _count(result: RunResult) -> int:
    """How many findings `check` counts: one for each cause."""
    from dockfix.engine.causes import by_cause  # noqa: PLC0415 - few runs have a baseline

    return sum(len(each.remaining) for each in by_cause(result).files)


def _findings(number: int) -> str:
    return f"{number} {'finding' if number == 1 else 'findings'}"
