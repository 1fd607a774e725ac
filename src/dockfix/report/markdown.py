"""A report as Markdown. Text from files cannot become markup; see `dockfix.output.markdown`.

Pictures are Mermaid and squares in colour, since few readers of Markdown show SVG that is in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockfix.output.markdown import code, fenced, prose, table
from dockfix.output.measures import count, total
from dockfix.output.verify_markdown import diff_block, folded, target_markdown
from dockfix.output.words import lines_text
from dockfix.report.findings import also_made
from dockfix.report.mermaid import graph_mermaid
from dockfix.report.model import Effort, FileReport, Graph, Impact, Item, Overview, Report, Trigger
from dockfix.report.pictures import rerun_text
from dockfix.report.scores import POINTS
from dockfix.verify.model import TargetResult, VerifyResult

__all__ = ["report_markdown"]

_KEY_FINDINGS = 12
_SQUARES = dict(zip(Trigger, "⬜🟦🟪🟫🟩🟨🟥", strict=True))
_EFFORTS = {Effort.COMMAND: "one command", Effort.REVIEW: "command and review", Effort.HAND: "by hand"}


def report_markdown(report: Report) -> str:
    """The report."""
    built = _builds_by_path(report.measured)
    lines = ["# Dockerfile audit", "", *(f"- {prose(each)}." for each in report.summary)]
    if report.measured is not None:
        lines.append(f"- Real builds: {prose(total(report.measured))}.")
    lines += _severities(report)
    lines += _key_findings(report)
    lines += _comparison(report)
    lines += _order(report)
    lines += ["", "## Findings"]
    for file in report.files:
        lines += _file(file, built.pop(file.path, []))
    for path, targets in built.items():
        lines += ["", f"### {code(path)}", *_builds(targets, "")]
    lines += _across_files(report)
    for each in report.problems:
        where = each.path if each.line is None else f"{each.path}:{each.line}"
        lines += ["", f"Not used: {code(where)}: {prose(each.message)}"]
    lines += _method(report)
    return "\n".join(lines) + "\n"


def _severities(report: Report) -> Iterator[str]:
    yield ""
    heading = ("severity", "findings", "safe fix", "unsafe fix", "not fixed", "advice", "left alone")
    rows = [
        (each.severity, *map(str, (each.findings, each.safe, each.unsafe, each.refused, each.advice, each.left_alone)))
        for each in report.counts
    ]
    yield from table(heading, rows, right=1)
    scored = [file for file in report.files if file.score is not None]
    if scored:
        yield ""
        cells = ((code(file.path), _points(file), str(_counted(file)), _strength_names(file)) for file in scored)
        yield from table(("file", "score", "findings", "strengths"), cells)


def _points(file: FileReport) -> str:
    return str(file.score.points) if file.score is not None else ""


def _counted(file: FileReport) -> int:
    return sum(item.counts for item in file.findings)


def _strength_names(file: FileReport) -> str:
    return ", ".join(each.name for each in file.strengths)


def _key_findings(report: Report) -> Iterator[str]:
    if not report.key_findings:
        return
    items = {item.id: item for item in report.findings}
    yield from ("", "## Key findings", "")
    for number, name in enumerate(report.key_findings[:_KEY_FINDINGS], 1):
        item = items[name]
        yield f"{number}. {item.severity}, {code(f'{item.path}:{item.line}')}: {prose(item.message)}"
    more = len(report.key_findings) - _KEY_FINDINGS
    if more > 0:
        yield f"\nAnd {more} more errors and warnings below."


def _comparison(report: Report) -> Iterator[str]:
    found = report.comparison
    if found is None:
        return
    items = {item.id: item for item in report.findings}
    yield from ("", "## Since the last report", "")
    yield f"{len(found.new)} new, {len(found.fixed)} fixed, {len(found.worse)} worse."
    if found.added_rules:
        rules = ", ".join(map(code, found.added_rules))
        yield f"\nRules that did not run then, so that their findings may be old: {rules}."
    if found.removed_rules:
        yield f"\nRules that no longer run: {', '.join(map(code, found.removed_rules))}."
    if found.gone:
        yield f"\nNot in this report: {', '.join(map(code, found.gone))}."
    for title, names in (("New", found.new), ("Worse", found.worse)):
        if names:
            yield from ("", f"### {title}", "")
            yield from (
                f"- {_place(items[name])} {code(items[name].rule)}: {prose(items[name].message)}" for name in names
            )
    if found.fixed:
        yield from ("", "### Fixed", "")
        yield from (f"- {code(path)} {code(rule)}: {prose(message)}" for rule, path, message in found.fixed)
    if found.scores:
        yield from ("", "### Scores", "")
        for each in found.scores:
            before = "none" if each.before is None else str(each.before)
            yield f"- {code(each.path)}: {before} → {'none' if each.now is None else each.now}"


def _place(item: Item) -> str:
    return code(f"{item.path}:{item.line}")


def _order(report: Report) -> Iterator[str]:
    if not report.order:
        return
    yield from ("", "## What to do first", "")
    for number, step in enumerate(report.order, 1):
        what = f"{count(step.findings, 'finding', 'findings')}; {prose(step.reason)}"
        yield f"{number}. {prose(step.text)} ({what}){f': {code(step.command)}' if step.command else ''}"
    yield from ("", "Rules by impact (the severity) and effort, with their numbers of findings:", "")
    cells = {(cell.impact, cell.effort): cell for cell in report.matrix}
    rows = []
    for impact in Impact:
        row = [impact.value]
        for effort in Effort:
            rules = cells[impact, effort].rules
            row.append(
                ", ".join(f"{code(rule)}{f' × {number}' if number > 1 else ''}" for rule, number in rules) or "none"
            )
        rows.append(row)
    yield from table(("impact", *_EFFORTS.values()), rows)


def _file(file: FileReport, targets: Sequence[TargetResult]) -> Iterator[str]:
    score = f": {file.score.points} of 100" if file.score is not None else ""
    yield from ("", f"### {code(file.path)}{score}", "")
    if file.builds:
        yield f"Built by {prose(', '.join(file.builds))}.\n"
    for problem in file.problems:
        yield f"Not checked: {prose(problem)}"
    if file.score is not None and file.score.deductions:
        parts = "".join(f" − {each.points} ({code(each.rule)}, {each.severity})" for each in file.score.deductions)
        least = ", as it is never below 0" if not file.score.points else ""
        yield f"Score: 100{parts} = {file.score.points}{least}.\n"
    if file.strengths:
        yield from (
            f"- {each.name}: {prose(each.text)}{f' ({lines_text(each.lines)})' if each.lines else ''}"
            for each in file.strengths
        )
        yield ""
    if file.findings:
        heading = ("line", "severity", "rule", "finding", "what can be done")
        yield from table(heading, map(_row, file.findings))
        yield ""
        yield from folded("The lines, diffs and commands of these findings", _details(file.findings))
    elif not file.problems:
        yield "Nothing was found."
    if file.stages is not None:
        yield from ("", *_drawn(file.stages), "")
        yield from folded("Stages and layers", _stages(file))
    if file.diff:
        yield from ("", f"{code(file.command)} makes these changes:", "")
        yield from diff_block(file.diff)
    yield from _builds(targets, file.diff)


def _row(item: Item) -> tuple[str, ...]:
    also = f" (also in {lines_text(item.also)})" if item.also else ""
    return (str(item.line), item.severity, code(item.rule), prose(item.message) + also, _remedy(item))


def _remedy(item: Item) -> str:
    if item.kind == "safe fix":
        return f"safe fix: {prose(item.help)}"
    if item.kind == "unsafe fix":
        return f"unsafe fix: {prose(item.help)}; review: {prose(item.review)}"
    if item.note:
        return f"not fixed: {prose(item.note)}"
    return f"to fix by hand: {prose(item.help)}" if item.help else "to fix by hand"


def _details(items: Sequence[Item]) -> Iterator[str]:
    for number, item in enumerate(items):
        if number:
            yield ""
        yield from (f"**Line {item.line}**, {code(item.rule)}: {prose(item.message)}", "")
        yield from fenced(
            (f"{'>' if line.marked else ' '} {line.number:4}  {line.text}" for line in item.evidence), "text"
        )
        if item.diff:
            others = also_made(item, items)
            does = f" makes this change, and {others}" if others else ""
            yield from ("", f"{code(item.command)}{does}:", "")
            yield from diff_block(item.diff)


def _drawn(graph: Graph) -> Iterator[str]:
    lines = list(graph_mermaid(graph))
    if lines:
        yield from ("```mermaid", *lines, "```")
    else:
        yield "There are too many boxes for a picture."


def _stages(file: FileReport) -> Iterator[str]:
    yield from (f"- {prose(each)}" for each in (file.stages.sentences if file.stages is not None else ()))
    for stage in file.layers:
        yield from ("", f"{code(stage.name)}{' (part of the image)' if stage.final else ''}:", "")
        rows = (
            (
                str(layer.line),
                code(layer.text),
                f"{_SQUARES[layer.reruns]} {rerun_text(layer)}",
                "; ".join(map(prose, layer.why)) or "only a change of its text",
            )
            for layer in stage.layers
        )
        yield from table(("line", "step", "most often runs again for", "its own reasons"), rows)


def _builds_by_path(measured: VerifyResult | None) -> dict[str, list[TargetResult]]:
    found: dict[str, list[TargetResult]] = {}
    for target in measured.targets if measured is not None else ():
        found.setdefault(target.display, []).append(target)
    return found


def _builds(targets: Sequence[TargetResult], diff: str) -> Iterator[str]:
    """The builds of a file; `diff` is the one that the report has shown already."""
    for target in targets:
        yield from ("", f"#### Build: {prose(target.build or target.display)}", "")
        yield from target_markdown(target)
        if target.diff and target.diff != diff:
            yield ""
            yield from folded("The fixes that were built", diff_block(target.diff))


def _across_files(report: Report) -> Iterator[str]:
    if report.services or report.overviews:
        yield from ("", "## Across files")
    for graph in report.services:
        yield from _services(graph)
    for overview in report.overviews:
        yield from _overview(overview)


def _services(graph: Graph) -> Iterator[str]:
    yield from ("", f"### Services of {code(graph.title)}", "", *_drawn(graph), "")
    yield from (f"- {prose(each)}" for each in graph.sentences)


def _overview(overview: Overview) -> Iterator[str]:
    yield from ("", f"### {overview.title}", "")
    if overview.observations:
        yield from (*(f"- {prose(each)}" for each in overview.observations), "")
    yield from table(overview.headings, ([code(cell) for cell in row] for row in overview.rows))


def _method(report: Report) -> Iterator[str]:
    yield from ("", "## How it was made", "")
    builds = " and from builds of it" if report.measured is not None else ""
    yield f"By dockfix {report.dockfix} with {len(report.rules)} rules, from the files of the project{builds}."
    yield (
        f"A score is 100, less {POINTS['error']} points for each rule whose worst finding in the file is an error,"
        f" {POINTS['warning']} for a warning and {POINTS['info']} for an info; what is left"
        " alone, with severity info and a reason, costs nothing."
    )
    yield (
        "Commands are for a shell in the root of the project. That of a finding applies its rule until there is nothing"
        " more to fix, so it may change more than the finding's diff."
    )
