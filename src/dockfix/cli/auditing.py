"""What `dockfix report` does."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockfix.cli.building import BuildsGiven
from dockfix.cli.console import Console, shown
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, Plan, exit_code, one_plan, plans
from dockfix.cli.verifying import verified

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult
    from dockfix.report.findings import Selection
    from dockfix.report.model import Report
    from dockfix.verify.model import VerifyResult

__all__ = ["ReportFormat", "report"]


class ReportFormat(enum.StrEnum):
    """The output formats of a report."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def report(
    state: object,
    given: Given,
    terminal: Console,
    *,
    verify: bool = False,
    saved: str | None = None,
    builds: BuildsGiven,
    compare: str | None = None,
    form: ReportFormat | None = None,
    output: str | None = None,
) -> int:
    """Write the report; returns the exit code.

    Args:
        state: a registry, or None; see `registry_of`.
        given: the shared options.
        terminal: the terminal.
        verify: whether to build before and after the fixes.
        saved: a file with what builds have shown, instead.
        builds: the options about builds.
        compare: the JSON document of an earlier report.
        form: the output format; by default that of the name of `output`.
        output: the file to write; None for standard output.
    """
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.causes import by_cause  # noqa: PLC0415 - as above
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as above
    from dockfix.engine.nesting import selected_rules  # noqa: PLC0415 - as above
    from dockfix.engine.session import check_paths, run_paths  # noqa: PLC0415 - as above
    from dockfix.output.text import check_summary  # noqa: PLC0415 - as above
    from dockfix.report.collect import report_of  # noqa: PLC0415 - as above

    if verify and saved is not None:
        terminal.fail("--verify and --verify-result cannot be combined")
    if builds.names and not verify:
        terminal.fail(f"{' and '.join(builds.names)} can only be used with --verify")
    if verify or saved is not None:  # the paths in what builds have shown are relative to one root
        todo = [one_plan(state, given, terminal, "report --verify" if verify else "report --verify-result FILE")]
    else:
        todo = plans(state, given, terminal)
    if any(each.stdin for each in todo):
        terminal.fail("report reads files, not standard input")
    check_output(output, terminal)
    built = _saved(saved, terminal) if saved is not None else None
    earlier = _earlier(compare, terminal) if compare is not None else None
    progress = reporting.progress(terminal)
    with cleaned_up():
        found = [
            check_paths(each.paths, each.settings, root=each.root, registry=each.registry, progress=progress)
            for each in todo
        ]
        fixed = [
            run_paths(each.paths, each.settings, root=each.root, registry=each.registry, write=False, progress=progress)
            for each in todo
        ]
    if verify:
        built = verified(todo[0], terminal, builds)
    elif built is not None and (other := _other_file(built, joined(fixed))) is not None:
        terminal.fail(
            f"--verify-result: it does not fit {shown(other)} as it is now, or other fixes were verified;"
            " run dockfix verify again"
        )
    registry = todo[0].registry
    rules = [rule.name for rule in selected_rules(todo[0].settings, registry)]
    document = report_of(found, fixed, registry, rules, run=_selection(given, todo), measured=built, earlier=earlier)
    write_document(_document(form or _form_of(output), document), output, terminal)
    checked = joined(found)
    reporting.trouble(checked, terminal, registry)
    if output is not None:
        terminal.note(check_summary(by_cause(checked)))
    if built is not None:
        reporting.defects(built.defects, terminal, registry)
    return exit_code(checked, differs=built is not None and built.broken)


def _selection(given: Given, todo: Sequence[Plan]) -> Selection:
    """What the run was asked to do, for the commands of the report."""
    from dockfix.report.findings import Selection  # noqa: PLC0415 - of this command only

    preset = ("--preset", given.preset) if given.preset is not None else ()
    rules = (word for rule in given.rules or () for word in ("--rule", rule))
    options = (*preset, *rules, *(word for rule in given.skip or () for word in ("--skip", rule)))
    root = os.path.commonpath([each.root for each in todo])
    paths = dict.fromkeys(os.path.relpath(path, root) for each in todo for path in each.paths)
    return Selection(options, () if "." in paths else tuple(Path(path).as_posix() for path in paths))


def _form_of(output: str | None) -> ReportFormat:
    """The format that the name of a file says."""
    ending = Path(output).suffix.lower() if output is not None else ""
    return {".html": ReportFormat.HTML, ".htm": ReportFormat.HTML, ".json": ReportFormat.JSON}.get(
        ending, ReportFormat.MARKDOWN
    )


def _earlier(name: str, terminal: Console) -> Mapping[str, Any]:
    from dockfix.report.documents import read_report  # noqa: PLC0415 - of this option only

    try:
        return read_report(Path(name))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        terminal.fail(f"--compare: {shown(name) or 'the empty name'}: {shown(reason)}")


def _saved(name: str, terminal: Console) -> VerifyResult:
    from dockfix.output.verify_json import read_verify_json  # noqa: PLC0415 - of this option only

    try:
        return read_verify_json(Path(name).read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        terminal.fail(f"--verify-result: {shown(name) or 'the empty name'}: {shown(reason)}")


def _other_file(built: VerifyResult, fixed: RunResult) -> str | None:
    """A file of a saved result whose fixes are not those of this run; None if all are."""
    diffs = {each.display: each.diff for each in fixed.files}
    for target in built.targets:
        own = diffs.get(target.display)
        if own is None or own not in target.diff or (not own and f"+++ b/{target.display}\n" in target.diff):
            return target.display
    return None


def _document(form: ReportFormat, report: Report) -> str:
    """The report in a format; each format loads its own module."""
    if form is ReportFormat.JSON:
        from dockfix.report.documents import report_json  # noqa: PLC0415 - as above

        return report_json(report)
    if form is ReportFormat.HTML:
        from dockfix.report.html import report_html  # noqa: PLC0415 - as above

        return report_html(report)
    from dockfix.report.markdown import report_markdown  # noqa: PLC0415 - as above

    return report_markdown(report)
