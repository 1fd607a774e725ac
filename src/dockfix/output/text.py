"""Findings for people: `path:line:column: severity rule message [what can be done]`, and a summary.

The other parts of a finding follow with their labels: `help` and `review` of a fix with --verbose, the `note` of a
refusal in the brackets after "not fixed:", the `help` of advice after "advice:".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dockfix.engine.results import Defect, FileResult, RunResult, is_unsafe
from dockfix.output.located import message
from dockfix.output.places import Places
from dockfix.output.plain import PLAIN, Style, path_first, printable, without_commands
from dockfix.output.words import by_hand
from dockfix.project.problems import InputProblem
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety, Severity
from dockfix.rule.registry import BUILT_IN, Registry

NEWLINE: Final = "\n"


def problem_line(problem: InputProblem, *, style: Style = PLAIN, warning: bool = False) -> str:
    """`path:line: message` of a problem with the input, or of a warning."""
    where = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    note = f" {style('warning', 'warning')}:" if warning else ""
    return without_commands(f"{style('bold', path_first(where))}:{note} {printable(problem.message)}")


def finding_line(path: str, found: Diagnostic, *, style: Style = PLAIN, tag: str | None = None) -> str:
    """One finding on one line.

    Args:
        path: the file, as the user would write it.
        found: the finding.
        style: colours.
        tag: the text in brackets; by default what can be done about the finding.
    """
    where = style("bold", path_first(path)) + f":{found.line}:{found.column}:"
    severity = style(found.severity.value, found.severity.value)
    return without_commands(f"{where} {severity} {found.rule} {printable(message(found))} [{tag or _remedy(found)}]")


def _remedy(found: Diagnostic) -> str:
    match found.finding:
        case Fix(safety=Safety.SAFE):
            return "safe fix"
        case Fix():
            return "unsafe fix"
        case Refusal(note=note):
            return f"not fixed: {printable(note)}"
        case Advice(help=help_):
            return f"advice: {printable(help_)}" if help_ else "advice"


def finding_details(found: Diagnostic, *, style: Style = PLAIN) -> list[str]:
    """The other parts of a fix, a line each: what it does, which other files it changes, and what to review."""
    if not isinstance(found.finding, Fix):
        return []
    lines = [style("dim", f"    help: {printable(found.finding.help)}")]
    if found.finding.other_files:
        names = ", ".join(printable(change.path.name) for change in found.finding.other_files)
        lines.append(style("dim", f"    also changes: {names}"))
    if found.finding.review:
        lines.append(style("dim", f"    review: {printable(found.finding.review)}"))
    return list(map(without_commands, lines))


def findings_text(result: RunResult, *, style: Style = PLAIN, verbose: bool = False) -> str:
    """The findings of a check, a line each; with `verbose` all of their parts."""
    places = Places(result.root)
    return "".join(
        f"{line}\n"
        for outcome in result.files
        for found in map(places.found, outcome.remaining)
        for line in (
            finding_line(outcome.path, found, style=style),
            *(finding_details(found, style=style) if verbose else ()),
        )
    )


def defect_lines(
    defects: Iterable[tuple[str, Defect]], packs: Mapping[str, str], *, verbose: bool = False
) -> Iterator[str]:
    """The defects of codemods; with `verbose` the traceback of a crash.

    Args:
        defects: the defects, each with the path of its file.
        packs: the pack of each codemod.
        verbose: whether to show tracebacks.
    """
    for path, defect in defects:
        trace = f"\n{printable(defect.traceback.rstrip(), keep=NEWLINE)}" if verbose and defect.traceback else ""
        hint = " (-v shows the traceback)" if defect.traceback and not verbose else ""
        incomplete = defect.gate in ("crash", "finding", "limit")
        consequence = "its findings are incomplete" if incomplete else "its change was discarded"
        own = sorted({packs.get(rule, BUILT_IN) for rule in defect.rule.split(", ")} - {BUILT_IN})
        whom = f" to the authors of {' and '.join(f'the pack {each!r}' for each in own)}" if own else ""
        yield (
            f"{printable(path)}: defect in {printable(f'{defect.rule} ({defect.gate}): {defect.message}')};"
            f" {consequence}; please report this{printable(whom)}{hint}{trace}"
        )


def apply_lines(
    result: RunResult,
    *,
    would: bool,
    asked: bool = False,
    proven: bool = False,
    style: Style = PLAIN,
    verbose: bool = False,
) -> Iterator[str]:
    """The rules that fixed each file; with `verbose` each fix, and the findings that are left.

    Args:
        result: the run.
        would: whether nothing was written.
        asked: whether the user was asked about each fix.
        proven: whether unsafe fixes were applied only if builds have shown that their promises hold.
        style: colours.
        verbose: whether to show each finding.
    """
    places = Places(result.root)
    left = "declined" if asked else "not applied"
    unsafe = "not applied: not proven" if proven else left if result.unsafe else "not applied: needs review"
    for outcome in result.files:
        if verbose:
            yield from _verbose(outcome, places, would, proven, style, unsafe, left)
        elif outcome.applied:
            rules = Counter((found.rule, proven and is_unsafe(found)) for found in outcome.applied)
            listed = ", ".join(_counted(rule, count, shown) for (rule, shown), count in rules.items())
            verb = "would fix" if would else "fixed"
            yield without_commands(f"{style('bold', path_first(outcome.path))}: {verb} {listed}")


def _counted(rule: str, count: int, proven: bool) -> str:
    notes = [*([str(count)] if count > 1 else []), *(["proven"] if proven else [])]
    return f"{rule} ({', '.join(notes)})" if notes else rule


def _verbose(
    outcome: FileResult, places: Places, would: bool, proven: bool, style: Style, unsafe: str, safe: str
) -> Iterator[str]:
    """`unsafe` and `safe` say why fixes of that kind were not applied."""
    for found in map(places.found, outcome.applied):
        tag = ("would be fixed" if would else "fixed") + (": proven" if proven and is_unsafe(found) else "")
        yield finding_line(outcome.path, found, style=style, tag=tag)
        yield from finding_details(found, style=style)
    for found in map(places.found, outcome.remaining):
        yield finding_line(outcome.path, found, style=style, tag=_why_left(found, unsafe, safe))
        yield from finding_details(found, style=style)


def _why_left(found: Diagnostic, unsafe: str, safe: str) -> str | None:
    match found.finding:
        case Fix(safety=Safety.UNSAFE):
            return unsafe
        case Fix():
            return safe
        case _:
            return None


def apply_summary(result: RunResult, *, would: bool, asked: bool = False, verbose: bool = False) -> str:
    """One line with the number of fixes that were applied and of findings that are left.

    Args:
        result: the run.
        would: whether nothing was written.
        asked: whether the user was asked about each fix.
        verbose: whether the findings were shown.
    """
    verb, none = ("would apply", "nothing to apply") if would else ("applied", "applied no fix")
    done = f"{verb} {_count(result.applied, 'fix', 'fixes')}" if result.applied else none
    dockerfiles = sum(outcome.is_dockerfile for outcome in result.changed)
    total = len(result.dockerfiles)
    part = f"{dockerfiles} of " if result.applied and dockerfiles != total else ""
    parts = [f"{done} in {part}{_count(total, 'Dockerfile', 'Dockerfiles')}"]
    if related := len(result.changed) - dockerfiles:
        parts[0] += f" and {_count(related, 'related file', 'related files')}"
    held_back = 0 if result.unsafe else result.fixable_unsafe
    left = result.fixable + result.fixable_unsafe - held_back
    if held_back:
        if held_back == 1:
            parts.append("1 needs review (--unsafe applies it, --prove if a build proves it)")
        else:
            parts.append(f"{held_back} need review (--unsafe applies them, --prove those that builds prove)")
    if left:
        parts.append(f"{left} {'declined' if asked else 'not applied'}")
    if result.refused:
        parts.append(f"{result.refused} not fixed" + ("" if verbose else " (-v shows why)"))
    if result.advice:
        parts.append(by_hand(result.advice, shown=verbose))
    return "; ".join([*parts, *_trouble(result)])


def check_summary(result: RunResult) -> str:
    """One line with the number of findings of each severity, and what can be done about them."""
    severities = Counter(found.severity for file in result.files for found in file.remaining)
    files = _count(len(result.dockerfiles), "Dockerfile", "Dockerfiles")
    parts = [f"{_count(severities.total(), 'finding', 'findings')} in {files}"]
    if severities:
        parts[0] += f" ({', '.join(_severity(each, severities[each]) for each in Severity if severities[each])})"
    if result.fixable:
        parts.append(f"{result.fixable} fixable (dockfix apply)")
    if result.fixable_unsafe:
        parts.append(f"{result.fixable_unsafe} fixable after review (dockfix apply --unsafe)")
    if result.refused:
        parts.append(f"{result.refused} not fixed")
    if result.advice:
        parts.append(f"{result.advice} to fix by hand")
    return "; ".join([*parts, *_trouble(result)])


def _severity(severity: Severity, number: int) -> str:
    return f"{number} info" if severity is Severity.INFO else _count(number, severity.value, f"{severity.value}s")


def _trouble(result: RunResult) -> Iterator[str]:
    if result.problems:
        yield _count(len(result.problems), "input problem", "input problems")
    if result.defects:
        yield _count(len(result.defects), "defect", "defects")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def rules_table(registry: Registry, *, style: Style = PLAIN) -> str:
    """The rules, one per line, in running order: with the preset, and the codes of hadolint and BuildKit at the end."""
    rows: list[Sequence[str]] = [
        (codemod.name, codemod.severity.value, codemod.category.value, codemod.preset.value, codemod.title)
        for codemod in registry.codemods
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = []
    for codemod, row in zip(registry.codemods, rows, strict=True):
        codes = ", ".join([*sorted(codemod.hadolint), *sorted(codemod.checks)])
        name, severity, category, preset = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        cells = [style("bold", name), style(row[1], severity), category, preset, row[4]]
        lines.append("  ".join(cells) + (style("dim", f" ({codes})") if codes else ""))
    return "".join(f"{line}\n" for line in lines)
