"""What `dockfix check` does."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from dockfix.cli.console import Console
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, exit_code, plan

if TYPE_CHECKING:
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


def check(
    state: object, given: Given, terminal: Console, *, form: Format | None = None, output: str | None = None
) -> int:
    """Show findings, or write them to the file `output`; returns the exit code.

    Args:
        state: a registry, or None; see `plan`.
        given: the shared options.
        terminal: the terminal.
        form: the output format; by default `full` on a terminal, `text` elsewhere.
        output: the file to write; None for standard output.
    """
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.session import check_paths, check_text  # noqa: PLC0415 - as above
    from dockfix.output.plain import PLAIN  # noqa: PLC0415 - as above
    from dockfix.output.text import check_summary  # noqa: PLC0415 - as above

    todo = plan(state, given, terminal)
    check_output(output, terminal)
    if todo.stdin:
        data = sys.stdin.buffer.read()
        result = check_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    else:
        with cleaned_up():
            result = check_paths(
                todo.paths,
                todo.settings,
                root=todo.root,
                registry=todo.registry,
                progress=reporting.progress(terminal),
            )
    if form is None:
        form = Format.FULL if output is None and terminal.out_is_terminal else Format.TEXT
    style = PLAIN if output else terminal.out_style
    document = _document(form, result, todo.registry, style, verbose=terminal.verbose)
    if output is None and form not in (Format.TEXT, Format.FULL):
        terminal.raw(document.encode("utf-8", "backslashreplace"))  # whatever the encoding of the terminal is
    else:
        write_document(document, output, terminal)
    reporting.trouble(result, terminal, todo.registry)
    terminal.note(check_summary(result))
    return exit_code(result, differs=result.actionable)


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


def _document(form: Format, result: RunResult, registry: Registry, style: Style, *, verbose: bool) -> str:
    """The findings in a format; each format loads its own module."""
    if form in _OF_FINDINGS:
        return _function(*_OF_FINDINGS[form])(result)
    if form in _WITH_RULES:
        return _function(*_WITH_RULES[form])(result, registry)
    if form is Format.FULL:
        return _function("full", "findings_full")(result, registry, style=style)
    return _function("text", "findings_text")(result, style=style, verbose=verbose)


def _function(module: str, name: str) -> Callable[..., str]:
    function: Callable[..., str] = getattr(import_module(f"dockfix.output.{module}"), name)
    return function
