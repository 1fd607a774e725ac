"""What `dockfix check` does."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.cli.console import Console
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, Plan, exit_code, plans
from dockfix.cli.replaying import may_be_kept

if TYPE_CHECKING:
    from dockfix.cli.narrowing import Narrowing
    from dockfix.engine.results import RunResult
    from dockfix.output.plain import Style
    from dockfix.rule.registry import Registry


class Format(enum.StrEnum):
    """The output formats of findings."""

    TEXT = "text"
    FULL = "full"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    GITHUB = "github"
    GITHUB_SUGGESTIONS = "github-suggestions"
    GITLAB = "gitlab"
    JUNIT = "junit"
    CHECKSTYLE = "checkstyle"
    RDJSON = "rdjson"
    MARKDOWN = "markdown"


class FailLevel(enum.StrEnum):
    """The lowest severity of a finding for which the command fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"


class CheckGiven(Struct, frozen=True):
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
    form: Format | None = None,
    output: str | None = None,
    more: CheckGiven = _NOTHING_MORE,
) -> int:
    """Show findings, or write them to the file `output`; returns the exit code."""
    _refuse_combinations(given, terminal, output, more)
    if more.statistics and form not in (None, Format.TEXT, Format.JSON):
        terminal.fail(f"--statistics has the formats text and json, not {form}")
    if more.watch:
        from dockfix.cli.watching import watch  # noqa: PLC0415 - of this option only

        return watch(lambda: _check_once(state, given, terminal, form=form, output=output, more=more), terminal)
    return _check_once(state, given, terminal, form=form, output=output, more=more)[0]


def _check_once(
    state: object, given: Given, terminal: Console, *, form: Format | None, output: str | None, more: CheckGiven
) -> tuple[int, RunResult]:
    """Check once; returns the exit code and the run."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.causes import by_cause  # noqa: PLC0415 - as above
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as above
    from dockfix.output.places import in_one_root  # noqa: PLC0415 - as above
    from dockfix.output.plain import PLAIN  # noqa: PLC0415 - as above
    from dockfix.output.text import check_summary  # noqa: PLC0415 - as above

    todo = plans(state, given, terminal)
    check_output(output, terminal)
    narrowed = _narrowing(todo, terminal, more)
    if more.add_ignore:
        from dockfix.cli.ignoring import add_ignores  # noqa: PLC0415 - of this option only

        return add_ignores(todo, lambda each: _run(each, terminal), narrowed, more.reason or "", terminal)
    result = joined(in_one_root([narrowed(_run(each, terminal), each) for each in todo]))
    if form is None:
        form = Format.FULL if output is None and terminal.out_is_terminal else Format.TEXT
    if form not in _PLACE_BY_PLACE:
        result = by_cause(result)
    if more.statistics:
        from dockfix.output.statistics import statistics_json, statistics_text  # noqa: PLC0415 - of this option only

        document = statistics_json(result) if form is Format.JSON else statistics_text(result)
    else:
        style = PLAIN if output else terminal.out_style
        columns = terminal.columns if output is None else None
        document = _document(form, result, todo[0].registry, style, verbose=terminal.verbose, columns=columns)
    if output is None and form not in (Format.TEXT, Format.FULL):
        terminal.raw(document.encode("utf-8", "backslashreplace"))  # whatever the encoding of the terminal is
    else:
        write_document(document, output, terminal, prose=form is Format.FULL and not more.statistics)
    reporting.trouble(result, terminal, todo[0].registry)
    terminal.note(check_summary(result))
    narrowed.report()
    if output is None and not more.watch and more.changed_since is None and not any(each.stdin for each in todo):
        may_be_kept()
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
        own = todo[0].settings
        return result.fails(own.fail_level, info_advice=own.fail_on_info_advice)
    level = None if more.fail_level is FailLevel.NONE else Severity(more.fail_level.value)
    return result.fails(level, info_advice=level is Severity.INFO)


_OF_FINDINGS: Final = {
    Format.JSON: ("json", "findings_json"),
    Format.JSONL: ("jsonl", "findings_jsonl"),
    Format.GITHUB: ("github", "findings_github"),
    Format.JUNIT: ("junit", "findings_junit"),
    Format.CHECKSTYLE: ("checkstyle", "findings_checkstyle"),
}
"""The formats that need the findings only: each the module in `dockfix.output` and the function in it."""

_WITH_RULES: Final = {
    Format.SARIF: ("sarif", "findings_sarif"),
    Format.GITHUB_SUGGESTIONS: ("suggestions", "suggestions_json"),
    Format.GITLAB: ("gitlab", "findings_gitlab"),
    Format.RDJSON: ("rdjson", "findings_rdjson"),
    Format.MARKDOWN: ("check_markdown", "findings_markdown"),
}
"""The formats that also say something about the rules."""


_PLACE_BY_PLACE: Final = frozenset({Format.GITHUB_SUGGESTIONS, Format.RDJSON})
"""The formats whose findings are suggestions, each next to the lines that it replaces."""


def _document(
    form: Format, result: RunResult, registry: Registry, style: Style, *, verbose: bool, columns: int | None
) -> str:
    """The findings in a format; each format loads its own module."""
    if form in _OF_FINDINGS:
        return _function(*_OF_FINDINGS[form])(result)
    if form in _WITH_RULES:
        return _function(*_WITH_RULES[form])(result, registry)
    if form is Format.FULL:
        return _function("full", "findings_full")(result, registry, style=style, columns=columns)
    return _function("text", "findings_text")(result, style=style, verbose=verbose)


def _function(module: str, name: str) -> Callable[..., str]:
    function: Callable[..., str] = getattr(import_module(f"dockfix.output.{module}"), name)
    return function
