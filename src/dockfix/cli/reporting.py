"""Messages about a run."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockfix.cli.console import CLEAR, Console
from dockfix.engine.results import Defect, RunResult
from dockfix.engine.session import Progress
from dockfix.output.places import Places
from dockfix.output.text import apply_lines, apply_summary, defect_lines, problem_line
from dockfix.project.problems import InputProblem
from dockfix.rule.registry import Registry
from dockfix.syntax.source import encode

if TYPE_CHECKING:
    from dockfix.verify.session import Proof

_PROGRESS_FROM = 100
_BAR = 20


def progress(terminal: Console) -> Progress | None:
    """A bar for runs over many files if standard error is a terminal; else None."""
    if not terminal.shows_progress:
        return None

    def show(done: int, total: int) -> None:
        if total >= _PROGRESS_FROM:
            filled = _BAR * done // total
            bar = f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total} files"
            sys.stderr.write(bar if done < total else CLEAR)
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
    problems(result.problems, result.root, terminal)
    defects(((outcome.path, defect) for outcome, defect in result.defects), terminal, registry)
    if not result.files and not result.problems:
        terminal.note("no Dockerfile found")


def problems(found: Iterable[InputProblem], root: Path, terminal: Console) -> None:
    """Report input that could not be used."""
    places = Places(root)
    for problem in map(places.problem, found):
        terminal.err(problem_line(problem, style=terminal.err_style))


def defects(found: Iterable[tuple[str, Defect]], terminal: Console, registry: Registry) -> None:
    """Report defects of rules, each with the path of its file."""
    for line in defect_lines(found, registry.packs, verbose=terminal.verbose):
        terminal.error(line)


def applied(result: RunResult, terminal: Console, *, would: bool, asked: bool = False) -> None:
    """Report the fixes that were applied, or would be; `asked`: the user was asked about each fix."""
    for line in apply_lines(result, would=would, asked=asked, style=terminal.err_style, verbose=terminal.verbose):
        terminal.note(line)
    if result.files:
        terminal.note(apply_summary(result, would=would, asked=asked, verbose=terminal.verbose))


def proven(proof: Proof, run: RunResult, terminal: Console, *, would: bool) -> bool:
    """Report what `apply --prove` did; returns whether a build contradicts a fix that was applied.

    Args:
        proof: what the builds have shown.
        run: the run of the proof, after it was written.
        terminal: the terminal.
        would: whether nothing was written.
    """
    from dockfix.output.proof import contradictions, left_out_lines, proof_summary  # noqa: PLC0415 - of few runs
    from dockfix.output.verify_text import verify_text  # noqa: PLC0415 - as above

    style, verbose = terminal.err_style, terminal.verbose
    problems((each for each in proof.result.problems if each not in run.problems), run.root, terminal)
    if verbose and proof.result.targets:
        targets = tuple(replace(each, culprits=()) for each in proof.result.targets)  # they are listed as left out
        terminal.note(verify_text(replace(proof.result, targets=targets), style=style, verbose=True))
    for line in apply_lines(run, would=would, proven=True, style=style, verbose=verbose):
        terminal.note(line)
    contradicted = list(contradictions(proof, run, verbose=verbose))
    for line, *evidence in contradicted:
        terminal.error(line)
        for each in evidence:
            terminal.err(each)
    if run.files:
        terminal.note(proof_summary(proof, run, would=would, verbose=verbose))
        for line in left_out_lines(proof, run, style=style, verbose=verbose):
            terminal.note(line)
    return bool(contradicted)
