"""Run all codemods on every Dockerfile below a folder, in memory, and print defects and counts of findings.

    python tests/corpus.py FOLDER [--unsafe] [--rule R] [--show N]

Exit code 1 if anything went wrong: a crash, a defect, a second run that changes something, or a result that the PyPI
project `dockerfile` (a binding of moby's parser) does not parse although it parsed the original.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import dockerfile as moby

from dockfix.engine.difftext import unified_diff
from dockfix.engine.project import run
from dockfix.engine.results import FileResult
from dockfix.project.discovery import discover
from dockfix.project.files import read_file
from dockfix.project.problems import InputError
from dockfix.project.target import Target, load_project, target_for
from dockfix.rule.model import Advice, Codemod, Diagnostic, Fix, Refusal
from dockfix.rule.registry import load_registry
from dockfix.syntax.source import BOM
from dockfix_codemods import ORDER


@dataclass
class Tally:
    """Counts over all files."""

    files: int = 0
    unreadable: int = 0
    unparsed: int = 0
    changed: int = 0
    wrong: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: list[tuple[float, str]] = field(default_factory=list)


def moby_takes(text: str) -> bool:
    """Whether moby's parser accepts a text."""
    try:
        moby.parse_string(text.removeprefix(BOM))
    except (moby.GoParseError, UnicodeEncodeError):
        return False
    return True


def kind(found: Diagnostic) -> str:
    """The column that counts a finding."""
    match found.finding:
        case Fix() as fix:
            return fix.safety.value
        case Refusal():
            return "refused"
        case Advice():
            return "advice"


def examine(target: Target, codemods: Sequence[Codemod], unsafe: bool, tally: Tally) -> FileResult | None:
    """Run the codemods on one file and record what is wrong with the result; None if they crashed."""
    wrong = tally.wrong.append
    try:
        start = time.perf_counter()
        outcome = run(target, codemods, unsafe=unsafe)
        tally.seconds.append((time.perf_counter() - start, target.display))
        again = run(target.with_text(outcome.text), codemods, unsafe=unsafe)
    except Exception:  # any exception is a finding of this script
        wrong(f"{target.display}: crash\n{traceback.format_exc()}")
        return None
    for defect in (*outcome.defects, *again.defects):
        wrong(f"{target.display}: defect of {defect.rule} ({defect.gate}): {defect.message}")
    if again.changed:
        wrong(f"{target.display}: a second run changes\n{unified_diff(outcome.text, again.text, target.display)}")
    if outcome.changed and moby_takes(target.text) and not moby_takes(outcome.text):
        wrong(f"{target.display}: moby no longer parses\n{unified_diff(target.text, outcome.text, target.display)}")
    tally.changed += outcome.changed
    tally.counts.update((found.rule, kind(found)) for found in (*outcome.applied, *outcome.remaining))
    return outcome


def report(tally: Tally, codemods: Sequence[Codemod]) -> None:
    """Print the counts and the defects."""
    print(f"{tally.files} files; {tally.unreadable} unreadable, {tally.unparsed} that BuildKit rejects, ", end="")
    print(f"{tally.changed} changed, {len(tally.wrong)} faults")
    kinds = ("safe", "unsafe", "refused", "advice")
    print(f"{'rule':32}" + "".join(f"{each:>9}" for each in kinds))
    for codemod in codemods:
        print(f"{codemod.name:32}" + "".join(f"{tally.counts[codemod.name, each]:9}" for each in kinds))
    if tally.seconds:
        total, (most, where) = sum(seconds for seconds, _ in tally.seconds), max(tally.seconds)
        print(f"{total:.2f} s in codemods, {1000 * total / len(tally.seconds):.2f} ms a file; {most:.2f} s for {where}")
    for fault in tally.wrong:
        print(fault)


def main(arguments: Sequence[str]) -> int:
    """Run as a script; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsafe", action="store_true", help="also apply unsafe fixes")
    parser.add_argument("--rule", action="append", default=[], help="run only this rule; repeatable")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the diffs of the first N changed files")
    options = parser.parse_args(arguments)
    if options.rule and set(options.rule) <= set(ORDER):
        # one rule can be tried while others of the pack are still being written
        modules = (import_module(f"dockfix_codemods.{name.replace('-', '_')}") for name in options.rule)
        codemods: tuple[Codemod, ...] = tuple(module.CODEMOD for module in modules)
    else:
        codemods = load_registry().select(options.rule)
    project = load_project(options.folder)
    found, _ = discover([options.folder], root=options.folder, respect_gitignore=False)
    tally, shown = Tally(), 0
    for each in found:
        tally.files += 1
        try:
            target = target_for(project, read_file(each.path, root=options.folder))
        except InputError:
            tally.unreadable += 1
            continue
        if not target.dockerfile.ok:
            tally.unparsed += 1
            continue
        outcome = examine(target, codemods, options.unsafe, tally)
        if outcome and outcome.changed and shown < options.show:
            shown += 1
            print(unified_diff(target.text, outcome.text, target.display))
    report(tally, codemods)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
