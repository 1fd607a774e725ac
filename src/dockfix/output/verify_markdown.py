"""What real builds have shown, as Markdown for a comment on a pull request: a section for each build target.

Long parts (the diff, the evidence, the differences) are folded. `dockfix.output.markdown` escapes text from files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.engine.difftext import split_lines
from dockfix.output.markdown import code, fenced, prose, table
from dockfix.output.measures import (
    builds_text,
    change,
    count,
    difference_text,
    log_end,
    measured,
    rules_text,
    shown_first,
    total,
)
from dockfix.verify.model import Difference, State, TargetResult, Verdict, VerifyResult

__all__ = ["diff_block", "folded", "target_markdown", "verify_markdown"]

_MAX_ROWS: Final = 20
"""How many rows a list of differences or evidence has."""
_MAX_DIFF: Final = 300
"""How many lines of a diff are shown."""
_STATES: Final = {State.KEPT: "kept", State.BROKEN: "**broken**", State.NOT_SHOWN: "not shown"}


def verify_markdown(result: VerifyResult) -> str:
    """The build targets, a section each, with the total at the top."""
    lines = ["## dockfix verify", "", prose(total(result))]
    for target in result.targets:
        build = f": {prose(target.build)}" if target.build else ""
        lines += ["", f"### {code(target.display)}{build}", "", *target_markdown(target)]
        if target.diff:
            lines += ["", *folded("Diff", diff_block(target.diff))]
    for problem in result.problems:
        where = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        lines += ["", f"{code(where)}: {prose(problem.message)}"]
    for path, defect in result.defects:
        lines += ["", f"{code(path)}: defect in {code(defect.rule)} ({prose(defect.gate)}): {prose(defect.message)}"]
    return "\n".join(lines) + "\n"


def target_markdown(target: TargetResult) -> Iterator[str]:
    """The lines of a section, without heading and diff."""
    if target.skipped:
        yield f"Not built: {prose(target.skipped)}"
        return
    if target.fixes:
        yield f"- {rules_text(target.fixes, code)}"
    yield from (f"- {prose(line)}" for line in builds_text(target))
    rows = [
        (prose(each.what), measured(each.before, each.unit), measured(each.after, each.unit), change(each))
        for each in target.measurements
        if each.before or each.after
    ]
    if rows:
        yield ""
        yield from table(("", "before", "after", "change"), rows, right=1)
    if target.verdicts:
        verdicts = shown_first(target.verdicts)
        cells = ((code(each.rule), prose(each.promise), _STATES[each.state], _first(each)) for each in verdicts)
        yield ""
        yield from table(("rule", "promise", "verdict", "evidence"), cells)
    for culprit in target.culprits:
        because = f" ({prose('; '.join(culprit.evidence[:2]))})" if culprit.evidence else ""
        yield ""
        yield f"Culprit: line {culprit.line}, {code(culprit.rule)}: {prose(culprit.message)}{because}"
    yield from _more(target)


def _first(verdict: Verdict) -> str:
    return prose(verdict.evidence[0]) if verdict.evidence else ""


def _more(target: TargetResult) -> Iterator[str]:
    """The folded parts of a section."""
    unexplained = [each for each in target.differences if not each.reason]
    evidence = [
        f"- {code(verdict.rule)} {prose(verdict.promise)}: {prose(line)}"
        for verdict in shown_first(target.verdicts)
        for line in verdict.evidence[1:]
    ]
    if unexplained:
        yield ""
        yield from folded("Differences that no promise covers", _differences(unexplained))
    if evidence:
        yield ""
        yield from folded("More evidence", _limited(evidence))
    for name, build in (("before", target.before), ("after", target.after)):
        if lines := log_end(build):
            yield ""
            yield from folded(f"End of the log of the build {name}", fenced(lines))
    if explained := len(target.differences) - len(unexplained):
        number = count(explained, "other difference is", "other differences are")
        yield ""
        yield f"{number} promised, or no effect of the fixes."


def _differences(differences: list[Difference]) -> Iterator[str]:
    return _limited([f"- {code(difference_text(each))}" for each in differences])


def _limited(lines: list[str]) -> Iterator[str]:
    yield from lines[:_MAX_ROWS]
    if len(lines) > _MAX_ROWS:
        yield f"- and {len(lines) - _MAX_ROWS} more"


def folded(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Lines that a reader of the Markdown has to open."""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def diff_block(diff: str) -> Iterator[str]:
    """A unified diff as a block of code; the end of a long one is left out."""
    lines = [line.removesuffix("\n") for line in split_lines(diff)]
    left_out = len(lines) - _MAX_DIFF
    yield from fenced(lines[:_MAX_DIFF], "diff")
    if left_out > 0:
        yield ""
        yield f"{count(left_out, 'more line', 'more lines')} of the diff left out."
