"""Mistakes in dockfix's comments as findings of the rule that reports them, if it runs; else they stay warnings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.findings import in_order, severity_of
from dockfix.engine.results import FileResult
from dockfix.engine.settings import Settings
from dockfix.project.problems import InputProblem
from dockfix.project.target import display
from dockfix.rule.model import Advice, Codemod, Diagnostic
from dockfix.rule.registry import Registry
from dockfix.rule.suppression import Suppressions, suppresses_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.parser import parse
from dockfix.syntax.source import Lines, Span

__all__ = ["are_silenced", "with_comment_findings", "without_warnings"]


def are_silenced(settings: Settings, registry: Registry) -> bool:
    """Whether the settings say not to run the rule that reports the comments: then there are no warnings either."""
    ignored = set(registry.resolved(settings.ignore))
    return any(each.reports_comments and each.name in ignored for each in registry.codemods)


def without_warnings(results: Iterable[FileResult]) -> list[FileResult]:
    """The results without warnings about comments."""
    return [replace(each, warnings=()) if each.warnings else each for each in results]


def with_comment_findings(
    results: Sequence[FileResult], warnings: Iterable[InputProblem], codemods: Sequence[Codemod], workspace: Workspace
) -> tuple[list[FileResult], list[InputProblem]]:
    """The results of a check with such findings, and the warnings that are left.

    Args:
        results: the results of all files, with their own warnings.
        warnings: further warnings about comments, in any file of the project.
        codemods: the rules of the run.
        workspace: the files, unchanged.
    """
    rule = next((each for each in codemods if each.reports_comments), None)
    if rule is None:
        return list(results), list(warnings)
    work = _Work(rule, workspace)
    left: list[InputProblem] = []
    by_path = {each.real: each for each in results}
    more: dict[Path, list[InputProblem]] = {}
    for warning in warnings:
        real = Path(os.path.realpath(warning.path))
        if real not in by_path:
            text = workspace.text_if_any(real)
            if text is None:
                left.append(warning)
                continue
            shown = display(real, workspace.project.root)
            by_path[real] = FileResult(real, warning.path, shown, text, text, is_dockerfile=False)
        more.setdefault(real, []).append(warning)
    done = [work.result(each, [*each.warnings, *more.get(each.real, ())]) for each in by_path.values()]
    kept = {each.real for each in results}
    return [each for each in done if each.real in kept or each.remaining or each.warnings], left


class _Work(Struct, frozen=True):
    rule: Codemod
    workspace: Workspace

    def result(self, result: FileResult, warnings: Sequence[InputProblem]) -> FileResult:
        """A result whose warnings are findings, except where the configuration ignores the rule."""
        if not warnings:
            return result
        root = self.workspace.project.root
        policy = self.workspace.build_options.of_file(result.real, root).policy
        if policy.ignores(self.rule.name, result.display):
            own = policy.selected is None or self.rule.name in policy.selected
            return replace(result, warnings=() if own else tuple(warnings))
        lines = Lines(result.text)
        suppressions = Suppressions(parse(result.text)) if result.is_dockerfile else None
        found: list[Diagnostic] = []
        for warning in warnings:
            number = warning.line or 1
            finding = Advice(_comment(lines, number), warning.message)
            if suppressions is not None:
                ignored = suppressions.suppresses(self.rule, finding.at)
            else:
                ignored = suppresses_in_text(result.text, self.rule.name, number, self.rule.aliases)
            if not ignored:
                severity, column = severity_of(self.rule, finding, policy), lines.column(finding.at.start)
                found.append(Diagnostic(self.rule.name, finding, severity, number, column, number, result.real))
        return replace(result, remaining=in_order([*result.remaining, *found]), warnings=())


def _comment(lines: Lines, number: int) -> Span:
    """The place of the comment in a line; the line without white space at its ends if it has none."""
    start, line = lines.start(number), lines.content(number)
    at = line.find("#")
    first = at if at >= 0 else len(line) - len(line.lstrip())
    return Span(start + first, start + max(first, len(line.rstrip())))
