"""From the results of a run to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from dockfix import __version__
from dockfix.engine.causes import by_cause
from dockfix.engine.joining import joined
from dockfix.engine.results import FileResult, RunResult
from dockfix.output.located import in_root
from dockfix.output.measures import count
from dockfix.project.compose.model import ComposeFile
from dockfix.project.target import Target
from dockfix.report.comparison import compared
from dockfix.report.findings import Selection, apply_command, items_of
from dockfix.report.graphs import services_graph, stage_graph
from dockfix.report.layers import layers_of
from dockfix.report.model import Counts, FileReport, Graph, Item, Report, Unread
from dockfix.report.overview import overviews_of
from dockfix.report.priorities import matrix_of, order_of
from dockfix.report.scores import POINTS, score_of
from dockfix.report.strengths import strengths_of
from dockfix.rule.registry import Registry
from dockfix.verify.model import VerifyResult

__all__ = ["report_of"]

_ALL: Final = Selection()
_KEY: Final = ("error", "warning")
_WORDS: Final = {
    "safe fix": "fixed by one command, without a review",
    "unsafe fix": "fixed by one command, and then to be reviewed",
    "not fixed": "not fixed by dockfix, for a reason",
    "advice": "for a person to fix",
}


def report_of(
    found: Sequence[RunResult],
    fixed: Sequence[RunResult],
    registry: Registry,
    rules: Sequence[str],
    *,
    run: Selection = _ALL,
    measured: VerifyResult | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> Report:
    """The report on one or several projects.

    Args:
        found: the findings of each project: runs that only checked.
        fixed: the same with the fixes that `dockfix apply` would make.
        registry: the rules.
        rules: the names of the rules that ran.
        run: what the run was asked to do, for the commands of the report.
        measured: what builds of these fixes have shown, if they were made.
        earlier: the document of an earlier report, to compare with.
    """
    checked, changed = by_cause(joined(found)), joined(fixed)
    targets = {each.real: each for project in found for each in project.workspace.targets}
    items = items_of(checked, registry, run)
    diffs = {each.real: each.diff for each in changed.changed}
    apply = partial(apply_command, unsafe=changed.unsafe, run=run)
    files = [_file(each, targets.get(each.real), items.get(each.display, []), diffs, apply) for each in checked.files]
    shown = {each.real for each in checked.files}
    # a fix may change files in which nothing was found
    files += [_file(each, None, [], diffs, apply) for each in changed.changed if each.real not in shown]
    listed = [item for file in files for item in file.findings]
    compose = [(file, project) for project in found for file in project.workspace.project.compose_files]
    report = Report(
        dockfix=__version__,
        rules=tuple(rules),
        summary=tuple(_summary(files, listed)),
        key_findings=tuple(_key_findings(listed)),
        counts=tuple(_counts(listed)),
        files=tuple(files),
        overviews=overviews_of(
            tuple(targets.values()),
            [(file, project.workspace.project.secrets) for file, project in compose],
            checked.root,
        ),
        services=tuple(_services(compose)),
        matrix=matrix_of(listed),
        order=order_of(listed, run),
        problems=tuple(_unread(checked)),
        measured=measured,
    )
    return report if earlier is None else replace(report, comparison=compared(report, earlier))


def _file(
    file: FileResult,
    target: Target | None,
    items: Sequence[Item],
    diffs: Mapping[Path, str],
    apply: Callable[[str], str],
) -> FileReport:
    rules = frozenset(item.rule for item in items if item.counts)
    diff = diffs.get(file.real, "")
    path = file.display if file.is_dockerfile else ""
    read = target is not None and not file.problems
    return FileReport(
        path=file.display,
        is_dockerfile=file.is_dockerfile,
        builds=_builds(target) if target is not None else (),
        score=score_of(items) if read else None,
        strengths=strengths_of(target, rules) if target is not None and read else (),
        findings=tuple(items),
        stages=stage_graph(target) if target is not None and read else None,
        layers=layers_of(target) if target is not None and read else (),
        diff=diff,
        command=apply(path) if diff else "",
        problems=tuple(f"line {each.line}: {each.message}" if each.line else each.message for each in file.problems),
    )


def _builds(target: Target) -> tuple[str, ...]:
    root = target.project.root
    found: list[str] = []
    for each in target.builds:
        source = each.source.relative_to(root).as_posix() if each.source.is_relative_to(root) else each.source.name
        stage = each.raw.get("target") if each.kind == "compose" else each.target  # bake reads no `.env`
        kind = "service" if each.kind == "compose" else "target"
        found.append(f"{kind} {each.service} ({source}:{each.line}{f', stage {stage}' if stage else ''})")
    return tuple(found)


def _summary(files: Sequence[FileReport], items: Sequence[Item]) -> Iterator[str]:
    dockerfiles = [file for file in files if file.is_dockerfile]
    if not dockerfiles:
        yield "No Dockerfile was found"
        return
    scores = [file.score.points for file in dockerfiles if file.score is not None]
    counted = [item for item in items if item.counts]
    with_work = sum(any(item.counts for item in file.findings) for file in dockerfiles)
    if scores:
        yield f"{count(len(scores), 'Dockerfile was', 'Dockerfiles were')} checked; {with_work} with something to fix"
    if unread := len(dockerfiles) - len(scores):
        yield f"{count(unread, 'Dockerfile', 'Dockerfiles')} could not be read"
    if scores:
        lowest = min((file for file in dockerfiles if file.score), key=_points)
        average = 10 * sum(scores) // len(scores) / 10  # never rounded up: only files without a finding have 100
        yield f"The average score is {average:g} of 100; the lowest is {_points(lowest)} ({lowest.path})"
    if not counted:
        yield "There is nothing to do" if not unread else "Nothing was found in what could be read"
        return
    severities = Counter(item.severity for item in counted)
    parts = [f"{severities[name]} {name}{'' if severities[name] == 1 else 's'}" for name in POINTS if severities[name]]
    yield f"{count(len(counted), 'finding', 'findings')}: {', '.join(parts)}"
    kinds = Counter(item.kind for item in counted)
    yield "; ".join(f"{words}: {kinds[kind]}" for kind, words in _WORDS.items() if kinds[kind]).capitalize()


def _points(file: FileReport) -> int:
    return file.score.points if file.score is not None else 0


def _key_findings(items: Sequence[Item]) -> Iterator[str]:
    for severity in _KEY:
        yield from (item.id for item in items if item.severity == severity and item.counts)


def _counts(items: Sequence[Item]) -> Iterator[Counts]:
    for severity in POINTS:
        all_ = [item for item in items if item.severity == severity]
        own = [item for item in all_ if item.counts]
        kinds = Counter(item.kind for item in own)
        safe, unsafe, refused, advice = (kinds[kind] for kind in _WORDS)
        yield Counts(severity, len(own), safe, unsafe, refused, advice, left_alone=len(all_) - len(own))


def _services(compose: Sequence[tuple[ComposeFile, RunResult]]) -> Iterator[Graph]:
    for file, run in compose:
        graph = services_graph(file, run.workspace)
        if graph is not None:
            yield graph


def _unread(result: RunResult) -> Iterator[Unread]:
    for each in in_root((*result.problems, *result.warnings), result.root):
        yield Unread(each.path, each.line, each.message)
