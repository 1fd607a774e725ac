"""What real builds have shown, as text: a section for each build target.

A section has the fixes, the builds, what was measured, the verdicts, and what differs. Without `verbose` it has only
the most important line of each verdict's evidence, and ten of the differences that no promise covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dockfix.output.measures import (
    builds_text,
    change,
    count,
    difference_text,
    log_end,
    measured,
    rules_text,
    shown_first,
)
from dockfix.output.plain import PLAIN, Style, printable
from dockfix.verify.model import Difference, State, TargetResult, Verdict, VerifyResult

__all__ = ["MAX_DIFFERENCES", "STATE_STYLES", "verify_text"]

MAX_DIFFERENCES: Final = 10
"""How many differences are shown without `verbose`."""

STATE_STYLES: Final = {State.KEPT: "good", State.BROKEN: "error", State.NOT_SHOWN: "warning"}
_STATE_WIDTH: Final = max(len(state.value) for state in State)
_PROMISES_OF_ALL: Final = ("builds", "image", "starts")


def verify_text(result: VerifyResult, *, style: Style = PLAIN, verbose: bool = False) -> str:
    """The build targets, a section each.

    Args:
        result: what the builds have shown.
        style: colours.
        verbose: whether to show all evidence, all differences, and the end of the log of each build that failed.
    """
    sections = ("\n".join(_section(target, style, verbose)) for target in result.targets)
    return "\n".join(f"{section}\n" for section in sections)


def _section(target: TargetResult, style: Style, verbose: bool) -> Iterator[str]:
    build = f": {printable(target.build)}" if target.build else ""
    yield style("bold", printable(target.display)) + build
    if target.fixes:
        yield f"  {printable(rules_text(target.fixes))}"
    if target.skipped:
        yield f"  {style('warning', 'not built')}: {printable(target.skipped)}"
        return
    for line in builds_text(target):
        yield f"  {printable(line)}"
    yield from _logs(target, style, verbose)
    yield from _table(target, style, verbose)
    yield from _verdicts(target, style, verbose)
    yield from _differences(target.differences, style, verbose)
    for culprit in target.culprits:
        where = f"{printable(target.display)}:{culprit.line}"
        yield f"  {style('error', 'culprit')}: {where}: {printable(culprit.rule)} {printable(culprit.message)}"
        yield from (f"    {printable(line)}" for line in culprit.evidence[: None if verbose else 2])


def _logs(target: TargetResult, style: Style, verbose: bool) -> Iterator[str]:
    """The end of the log of a build that failed; without `verbose` only where the fixes made it fail."""
    was_built = target.before is not None and target.before.ok
    for name, build, wanted in (("before", target.before, verbose), ("after", target.after, verbose or was_built)):
        lines = log_end(build)
        if lines and wanted:
            yield f"  end of the log of the build {name}:"
            yield from (f"    {style('dim', printable(line, keep=chr(9)))}" for line in lines)
        elif lines:
            yield f"  -v shows the end of the log of the build {name}"


def _table(target: TargetResult, style: Style, verbose: bool) -> Iterator[str]:
    rows = [
        (
            printable(each.what),
            measured(each.before, each.unit, spread=verbose),
            measured(each.after, each.unit, spread=verbose),
            change(each),
        )
        for each in target.measurements
        if each.before or each.after
    ]
    if not rows:
        return
    heading = ("", "before", "after", "change")
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        line = "  ".join(cells).rstrip()
        yield f"  {style('dim', line) if row is heading else line}"


def _verdicts(target: TargetResult, style: Style, verbose: bool) -> Iterator[str]:
    verdicts = shown_first(target.verdicts)
    if _fails_anyway(target) and not verbose:
        style_ = STATE_STYLES[State.NOT_SHOWN]
        yield f"  {style(style_, State.NOT_SHOWN.value)}  all promises: the build fails before and after the fixes"
        return
    width = max((len(each.rule) for each in verdicts), default=0)
    joined: dict[str, list[Verdict]] = {}
    for each in verdicts:
        # what every rule promises, and keeps, needs no words of its own
        if each.state is State.KEPT and each.promise in _PROMISES_OF_ALL and not verbose:
            joined.setdefault(each.rule, []).append(each)
        else:
            yield from _verdict(each, width, style, verbose)
    for some in joined.values():
        promises = ", ".join(each.promise for each in some)
        yield from _verdict(replace(some[0], promise=promises, evidence=()), width, style, verbose)


def _fails_anyway(target: TargetResult) -> bool:
    """Whether the builds before and after fail, so that nothing is shown of any promise."""
    failed = [each for each in (target.before, target.after) if each is not None and not each.ok]
    return len(failed) == 2 and all(each.state is State.NOT_SHOWN for each in target.verdicts)


def _verdict(verdict: Verdict, width: int, style: Style, verbose: bool) -> Iterator[str]:
    state = style(STATE_STYLES[verdict.state], verdict.state.value.ljust(_STATE_WIDTH))
    yield f"  {state}  {printable(verdict.rule).ljust(width)}  {printable(verdict.promise)}"
    yield from (f"    {printable(line)}" for line in verdict.evidence[: None if verbose else 1])


def _differences(differences: tuple[Difference, ...], style: Style, verbose: bool) -> Iterator[str]:
    open_, explained = [d for d in differences if not d.reason], [d for d in differences if d.reason]
    if open_:
        yield "  differences that no promise covers:"
        shown = open_ if verbose else open_[:MAX_DIFFERENCES]
        yield from (f"    {printable(difference_text(each))}" for each in shown)
        if len(open_) > len(shown):
            yield f"    and {len(open_) - len(shown)} more (-v shows them)"
    if explained and verbose:
        yield "  other differences:"
        for each in explained:
            yield f"    {printable(difference_text(each))} {style('dim', f'[{printable(each.reason)}]')}"
    elif explained:
        number = count(len(explained), "other difference is", "other differences are")
        yield style("dim", f"  {number} promised, or no effect of the fixes (-v shows them)")
