"""What `dockfix check --add-ignore` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from dockfix.cli import reporting
from dockfix.cli.console import Console
from dockfix.cli.ending import cleaned_up
from dockfix.cli.narrowing import Narrowing
from dockfix.cli.planning import Plan, exit_code
from dockfix.engine.ignoring import ignored
from dockfix.engine.joining import joined
from dockfix.engine.nesting import rules_for
from dockfix.engine.results import RunResult
from dockfix.engine.writing import write_results
from dockfix.output.places import Places
from dockfix.output.text import finding_line

__all__ = ["add_ignores"]


def add_ignores(
    todo: Sequence[Plan], run: Callable[[Plan], RunResult], narrowed: Narrowing, reason: str, terminal: Console
) -> tuple[int, RunResult]:
    """Write ignore comments for the findings of some plans; returns the exit code and the run.

    Args:
        todo: the plans.
        run: runs a plan.
        narrowed: leaves out the findings that are not to be ignored.
        reason: why the findings are ignored.
        terminal: the terminal.
    """
    results: list[RunResult] = []
    count = 0
    left: list[str] = []
    for plan in todo:
        result = run(plan)
        files = [each.real for each in result.dockerfiles]
        codemods = rules_for(plan.settings, plan.registry, files, result.root).codemods
        done = ignored(result, narrowed(result, plan), codemods, reason)
        with cleaned_up():
            written = write_results(done.files, result.workspace, ())
        known = {id(problem) for each in result.files for problem in each.problems}
        problems = [problem for each in written for problem in each.problems if id(problem) not in known]
        results.append(replace(result, files=tuple(written), problems=(*result.problems, *problems)))
        places = Places(result.root)
        left += [
            finding_line(outcome.path, places.found(found), style=terminal.out_style, tag="no comment can ignore it")
            for outcome, found in done.left
        ]
        count += done.count if not problems else 0
    result = joined(results)
    terminal.out("".join(f"{line}\n" for line in left))
    reporting.trouble(result, terminal, todo[0].registry)
    files_written = sum(each.written for each in result.files)
    noun, files_noun = "finding" if count == 1 else "findings", "file" if files_written == 1 else "files"
    terminal.note(f"{count} {noun} ignored by comments in {files_written} {files_noun}")
    narrowed.report()
    return exit_code(result, differs=bool(left)), result
