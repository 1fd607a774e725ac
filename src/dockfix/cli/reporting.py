"""Messages about a run."""

from __future__ import annotations

import sys

from dockfix.cli.console import Console
from dockfix.engine.results import RunResult
from dockfix.engine.session import Progress
from dockfix.output.places import Places
from dockfix.output.text import apply_lines, apply_summary, defect_lines, problem_line
from dockfix.rule.registry import Registry
from dockfix.syntax.source import encode

_PROGRESS_FROM = 100


def progress(terminal: Console) -> Progress | None:
    """A counter of files for long runs if standard error is a terminal; else None."""
    if terminal.quiet or not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if total >= _PROGRESS_FROM:
            sys.stderr.write(f"\r{done}/{total} files" if done < total else "\r\x1b[K")
            sys.stderr.flush()

    return show


def diffs(result: RunResult, terminal: Console) -> None:
    """Print the changes: the exact bytes for programs, coloured and escaped on a terminal."""
    from dockfix.output.diff import colour_diff  # noqa: PLC0415 - few runs print one

    for_terminal = terminal.out_is_terminal or terminal.out_style.colour
    for outcome in result.changed:
        diff = outcome.diff
        if for_terminal:
            terminal.out(colour_diff(diff, terminal.out_style))
        else:
            terminal.raw(encode(diff))


def trouble(result: RunResult, terminal: Console, registry: Registry) -> None:
    """Report problems, warnings and defects."""
    places = Places(result.root)
    for warning in map(places.problem, result.warnings):
        terminal.note(problem_line(warning, style=terminal.err_style, warning=True))
    for problem in map(places.problem, result.problems):
        terminal.err(problem_line(problem, style=terminal.err_style))
    for line in defect_lines(result, registry.packs, verbose=terminal.verbose):
        terminal.error(line)
    if not result.files and not result.problems:
        terminal.note("no Dockerfile found")


def applied(result: RunResult, terminal: Console, *, would: bool, asked: bool = False) -> None:
    """Report the fixes that were applied, or would be; `asked`: the user was asked about each fix."""
    for line in apply_lines(result, would=would, asked=asked, style=terminal.err_style, verbose=terminal.verbose):
        terminal.note(line)
    if result.files:
        terminal.note(apply_summary(result, would=would, asked=asked, verbose=terminal.verbose))
