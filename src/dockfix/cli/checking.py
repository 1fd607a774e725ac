"""What `dockfix check` does."""

from __future__ import annotations

import enum
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.cli.console import Console, shown
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, Plan, exit_code, plans

if TYPE_CHECKING:
    from dockfix.cli.narrowing import Narrowing
    from dockfix.engine.results import RunResult


class Format(enum.StrEnum):
    """The output formats of findings."""

    TEXT = "text"
    JSON = "json"


class FailLevel(enum.StrEnum):
    """The lowest severity of a finding for which the command fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"


@dataclass(frozen=True)
class CheckGiven:
    """The values of the options of `check` on the command line that are about adoption."""

    fail_level: FailLevel | None = None
    exit_zero: bool = False
    changed_since: str | None = None
    baseline: str | None = None
    add_ignore: bool = False
    reason: str | None = None
    statistics: bool = False
    watch: bool = False


_NOTHING_MORE = CheckGiven()


def check(
    state: object,
    given: Given,
    terminal: Console,
    *,
    form: Format = Format.TEXT,
    output: str | None = None,
    more: CheckGiven = _NOTHING_MORE,
) -> int:
    """Show findings, or write them to the file `output`; returns the exit code."""
    _refuse_combinations(given, terminal, output, more)
    if more.watch:
        from dockfix.cli.watching import watch  # noqa: PLC0415 - of this option only

        return watch(lambda: _check_once(state, given, terminal, form=form, output=output, more=more), terminal)
    return _check_once(state, given, terminal, form=form, output=output, more=more)[0]


def _check_once(
    state: object, given: Given, terminal: Console, *, form: Format, output: str | None, more: CheckGiven
) -> tuple[int, RunResult]:
    """Check once; returns the exit code and the run."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as above
    from dockfix.output.plain import PLAIN  # noqa: PLC0415 - as above
    from dockfix.output.text import check_summary, findings_text  # noqa: PLC0415 - as above

    todo = plans(state, given, terminal)
    narrowed = _narrowing(todo, terminal, more)
    if more.add_ignore:
        from dockfix.cli.ignoring import add_ignores  # noqa: PLC0415 - of this option only

        return add_ignores(todo, lambda each: _run(each, terminal), narrowed, more.reason or "", terminal)
    result = joined([narrowed(_run(each, terminal), each) for each in todo])
    if more.statistics:
        from dockfix.output.statistics import statistics_json, statistics_text  # noqa: PLC0415 - of this option only

        text = statistics_json(result) if form is Format.JSON else statistics_text(result)
    elif form is Format.JSON:
        from dockfix.output.json import dumps, result_json  # noqa: PLC0415 - as above

        text = dumps(result_json(result))
    else:
        text = findings_text(result, style=PLAIN if output else terminal.out_style, verbose=terminal.verbose)
    if output is None:
        terminal.out(text)
    else:
        try:
            Path(output).write_bytes(text.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            terminal.fail(f"--output: {shown(output) or 'the empty name'} cannot be written: {reason.lower()}")
    reporting.trouble(result, terminal, todo[0].registry)
    terminal.note(check_summary(result))
    narrowed.report()
    return exit_code(result, differs=_fails(result, todo, more)), result


def _refuse_combinations(given: Given, terminal: Console, output: str | None, more: CheckGiven) -> None:
    stdin = "-" in (given.paths or ())
    if more.changed_since is not None and stdin and given.stdin_filename is None:
        terminal.fail("--changed-since needs --stdin-filename for standard input")
    if more.reason is not None and not more.add_ignore:
        terminal.fail("--reason can only be used with --add-ignore")
    if more.reason is not None and (not more.reason.strip() or not more.reason.isprintable()):
        terminal.fail("--reason must be one line of text")
    if more.watch and stdin:
        terminal.fail("--watch cannot be combined with standard input")
    if more.add_ignore and (stdin or more.watch or more.statistics or output is not None):
        terminal.fail("--add-ignore cannot be combined with --output, --statistics, --watch or standard input")


def _narrowing(todo: Sequence[Plan], terminal: Console, more: CheckGiven) -> Narrowing:
    from dockfix.cli.narrowing import Narrowing  # noqa: PLC0415 - needed by few commands

    return Narrowing(todo, more.baseline, more.changed_since, terminal)


def _run(todo: Plan, terminal: Console) -> RunResult:
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.session import check_paths, check_text  # noqa: PLC0415 - as above

    if todo.stdin:
        data = sys.stdin.buffer.read()
        return check_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    with cleaned_up():
        return check_paths(
            todo.paths, todo.settings, root=todo.root, registry=todo.registry, progress=reporting.progress(terminal)
        )


def _fails(result: RunResult, todo: Sequence[Plan], more: CheckGiven) -> bool:
    """Whether there is a finding at or above the level: of the command line, else of the first project."""
    from dockfix.rule.model import Severity  # noqa: PLC0415 - not for completion

    if more.exit_zero:
        return False
    if more.fail_level is None:
        return result.fails(todo[0].settings.fail_level)
    return result.fails(None if more.fail_level is FailLevel.NONE else Severity(more.fail_level.value))
