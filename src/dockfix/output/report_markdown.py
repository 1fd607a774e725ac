"""The audit of a project as Markdown: for each file its findings, the diff of its fixes, and what builds have shown."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.engine.results import FileResult, RunResult
from dockfix.output.markdown import code, prose, table
from dockfix.output.measures import total
from dockfix.output.text import check_summary
from dockfix.output.verify_markdown import diff_block, folded, target_markdown
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety
from dockfix.verify.model import TargetResult, VerifyResult

__all__ = ["report_markdown"]


def report_markdown(found: RunResult, fixed: RunResult, verified: VerifyResult | None = None) -> str:
    """The report.

    Args:
        found: the findings: a run that only checked.
        fixed: the same files with the fixes that `dockfix apply` would make.
        verified: what builds of these fixes have shown, if they were made.
    """
    lines = ["# dockfix report", "", prose(check_summary(found)) + "."]
    if verified is not None:
        lines += ["", f"Real builds: {prose(total(verified))}."]
    targets = {} if verified is None else _by_path(verified)
    diffs = {each.real: each.diff for each in fixed.changed}
    displays = {each.display for each in found.files}
    for each in found.files:
        lines += _file(each, diffs.get(each.real, ""), targets.pop(each.display, []))
    # a fix may change files in which nothing was found, and a result that was read may name others
    lines += [line for each in fixed.changed if each.display not in displays for line in _file(each, each.diff, [])]
    for path, builds in targets.items():
        lines += ["", f"## {code(path)}", *_builds(builds, "")]
    for problem in found.problems:
        where = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        lines += ["", f"Not used: {code(where)}: {prose(problem.message)}"]
    return "\n".join(lines) + "\n"


def _by_path(verified: VerifyResult) -> dict[str, list[TargetResult]]:
    found: dict[str, list[TargetResult]] = {}
    for target in verified.targets:
        found.setdefault(target.display, []).append(target)
    return found


def _file(file: FileResult, diff: str, targets: list[TargetResult]) -> Iterator[str]:
    yield from ("", f"## {code(file.display)}", "")
    if file.remaining:
        heading = ("line", "severity", "rule", "finding", "what can be done")
        yield from table(heading, map(_row, file.remaining))
    elif file.problems:
        yield "Not checked."
    else:
        yield "Nothing was found."
    if diff:
        yield from ("", "### Fixes", "")
        yield from diff_block(diff)
    yield from _builds(targets, diff)


def _row(found: Diagnostic) -> tuple[str, ...]:
    return (
        str(found.line),
        found.severity.value,
        code(found.rule),
        prose(found.finding.message),
        _remedy(found),
    )


def _remedy(found: Diagnostic) -> str:
    match found.finding:
        case Fix(safety=Safety.SAFE, help=help_):
            return f"safe fix: {prose(help_)}"
        case Fix(help=help_, review=review):
            return f"unsafe fix: {prose(help_)}; review: {prose(review)}"
        case Refusal(note=note):
            return f"not fixed: {prose(note)}"
        case Advice():
            return "to fix by hand"


def _builds(targets: list[TargetResult], diff: str) -> Iterator[str]:
    """The builds of a file; `diff` is the one that the report has shown already."""
    for target in targets:
        yield from ("", f"### Build: {prose(target.build or target.display)}", "")
        yield from target_markdown(target)
        if target.diff and target.diff != diff:
            yield ""
            yield from folded("The fixes that were built", diff_block(target.diff))
