"""What `dockfix report` does."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.cli.building import BuildsGiven
from dockfix.cli.console import Console, shown
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, exit_code, one_plan, plans
from dockfix.cli.verifying import verified

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult
    from dockfix.verify.model import VerifyResult

__all__ = ["ReportFormat", "report"]


class ReportFormat(enum.StrEnum):
    """The output formats of a report."""

    MARKDOWN = "markdown"
    JSON = "json"


def report(
    state: object,
    given: Given,
    terminal: Console,
    *,
    verify: bool = False,
    saved: str | None = None,
    builds: BuildsGiven,
    form: ReportFormat = ReportFormat.MARKDOWN,
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
        form: the output format.
        output: the file to write; None for standard output.
    """
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as above
    from dockfix.engine.session import check_paths, run_paths  # noqa: PLC0415 - as above

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
    with cleaned_up():
        found = joined(
            [check_paths(each.paths, each.settings, root=each.root, registry=each.registry) for each in todo]
        )
        fixed = joined(
            [run_paths(each.paths, each.settings, root=each.root, registry=each.registry, write=False) for each in todo]
        )
    if verify:
        built = verified(todo[0], terminal, builds)
    elif built is not None and (other := _other_file(built, fixed)) is not None:
        terminal.fail(
            f"--verify-result: it does not fit {shown(other)} as it is now, or other fixes were verified;"
            " run dockfix verify again"
        )
    write_document(_document(form, found, fixed, built), output, terminal)
    reporting.trouble(found, terminal, todo[0].registry)
    if built is not None:
        reporting.defects(built.defects, terminal, todo[0].registry)
    return exit_code(found, differs=built is not None and built.broken)


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


def _document(form: ReportFormat, found: RunResult, fixed: RunResult, built: VerifyResult | None) -> str:
    if form is ReportFormat.JSON:
        from dockfix.output.json import dumps  # noqa: PLC0415 - each format loads its own
        from dockfix.output.report_json import report_json  # noqa: PLC0415 - as above

        return dumps(report_json(found, fixed, built))
    from dockfix.output.report_markdown import report_markdown  # noqa: PLC0415 - as above

    return report_markdown(found, fixed, built)
