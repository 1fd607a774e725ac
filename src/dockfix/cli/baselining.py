"""What `dockfix baseline` does."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.cli.console import Console, shown
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.ending import cleaned_up
from dockfix.cli.narrowing import NAME, codemod_names, configured_baseline
from dockfix.cli.planning import Given, Plan, exit_code, one_plan, plans

if TYPE_CHECKING:
    from dockfix.engine.baseline import Baseline

__all__ = ["baseline"]


def baseline(state: object, given: Given, terminal: Console, *, output: str | None = None, update: bool = False) -> int:
    """Write the findings to the baseline of each project; returns the exit code.

    With `update` no new findings are accepted, except those that are perhaps accepted ones whose lines have changed.

    Findings in files that are not checked, and of rules that are not run, are kept as the file has them.
    """
    if output is None:
        todo = plans(state, given, terminal)
    else:
        command = f"baseline --output {shown(shlex.quote(output))}"
        todo = [one_plan(state, given, terminal, command)]
    if any(each.stdin for each in todo):
        terminal.fail("baseline reads files, not standard input")
    targets = [_target(each, output, terminal) for each in todo]  # mistakes are found before anything is written
    for path, old in targets:
        if update and old is None:
            terminal.fail(f"--update: there is no baseline {shown(os.path.relpath(path))}")
    return max(
        [_write(each, path, old, terminal, update=update) for each, (path, old) in zip(todo, targets, strict=True)]
    )


def _target(todo: Plan, output: str | None, terminal: Console) -> tuple[Path, Baseline | None]:
    """The file that the baseline of a project is written to, and the baseline that is there."""
    path = Path(output) if output is not None else configured_baseline(todo, terminal) or todo.root / NAME
    check_output(output if output is not None else str(path), terminal)
    return path, _old(path, terminal)


def _write(todo: Plan, path: Path, old: Baseline | None, terminal: Console, *, update: bool) -> int:
    """Write the baseline of a project; returns the exit code."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.baseline import Baseline, baseline_data, baseline_of, covered, successors  # noqa: PLC0415 - as above
    from dockfix.engine.causes import by_cause  # noqa: PLC0415 - as above
    from dockfix.engine.session import check_paths  # noqa: PLC0415 - as above
    from dockfix.output.json import dumps  # noqa: PLC0415 - as above

    with cleaned_up():
        result = check_paths(
            todo.paths,
            todo.settings,
            root=todo.root,
            registry=todo.registry,
            progress=reporting.progress(terminal),
        )
    reporting.trouble(result, terminal, todo.registry)
    if result.problems or result.defects:
        terminal.error(f"{shown(os.path.relpath(path))} was not written: not every file could be checked")
        return exit_code(result, differs=False)
    is_covered = covered(result, todo.root, todo.paths, codemod_names(todo, result))
    if update and old is not None:
        unknown, left = old.filtered(result, todo.root)
        obsolete = left.only(is_covered)
        new = old.with_successors(successors(unknown, obsolete, todo.root), obsolete)
    else:
        kept = old.only(lambda key: not is_covered(key)) if old is not None else Baseline()
        new = baseline_of(result, todo.root).with_more(kept)
    fewer = sum(len(found.also) for file in by_cause(result).files for found in file.remaining) if not update else 0
    if old is None or new.counts != old.counts:
        if _old(path, terminal) != old:
            terminal.fail(f"{shown(os.path.relpath(path))} changed while dockfix was working; it was not overwritten")
        with cleaned_up():
            write_document(dumps(baseline_data(new)), str(path), terminal)
    terminal.note(_summary(new, old, path, new.total - fewer))
    return 0


def _old(path: Path, terminal: Console) -> Baseline | None:
    """The baseline that is there; another file is not overwritten."""
    from dockfix.engine.baseline import read_baseline  # noqa: PLC0415 - not for completion
    from dockfix.project.problems import InputError  # noqa: PLC0415 - as above

    if not os.path.lexists(path):
        return None
    if path.is_symlink() and not path.exists():
        terminal.fail(f"{shown(str(path))} is a symlink to a file that does not exist")
    try:
        return read_baseline(path)
    except InputError as error:
        terminal.fail(f"{shown(str(error))}; it was not overwritten")


def _summary(new: Baseline, old: Baseline | None, path: Path, shown_as: int) -> str:
    """What was accepted; `shown_as` is the number of findings as `check` counts them, one for each cause."""
    places = "" if shown_as == new.total else f" ({new.total} places)"
    findings = "finding" if shown_as == 1 else "findings"
    accepted = f"{shown_as} {findings}{places} accepted in {shown(os.path.relpath(path))}"
    if old is None:
        return f"{accepted}; check reports only others with --baseline, or the key `baseline` of the configuration"
    added = sum(max(0, count - old.counts.get(key, 0)) for key, count in new.counts.items())
    removed = sum(max(0, count - new.counts.get(key, 0)) for key, count in old.counts.items())
    return f"{accepted}: {added} added, {removed} removed"
