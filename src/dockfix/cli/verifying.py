"""What `dockfix verify` does."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from dockfix.cli.building import BuildsGiven, building
from dockfix.cli.console import Console, shown
from dockfix.cli.documents import check_output, write_document
from dockfix.cli.planning import Given, Plan, exit_code, one_plan
from dockfix.output.plain import PLAIN

if TYPE_CHECKING:
    from dockfix.output.plain import Style
    from dockfix.verify.model import VerifyResult

__all__ = ["VerifyFormat", "verified", "verify"]


class VerifyFormat(enum.StrEnum):
    """The output formats of what builds have shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def verify(
    state: object,
    given: Given,
    terminal: Console,
    *,
    builds: BuildsGiven,
    form: VerifyFormat = VerifyFormat.TEXT,
    output: str | None = None,
) -> int:
    """Build before and after the fixes, and show what became of the promises; returns the exit code."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.output.measures import total  # noqa: PLC0415

    todo = one_plan(state, given, terminal, "verify")
    if todo.stdin:
        terminal.fail("verify cannot build standard input, which has no build context; name the file")
    check_output(output, terminal)
    result = verified(todo, terminal, builds)
    style = PLAIN if output else terminal.out_style
    document = _document(result, form, style, verbose=terminal.verbose)
    write_document(document, output, terminal, prose=form is VerifyFormat.TEXT)
    reporting.problems(result.problems, todo.root, terminal)
    reporting.defects(result.defects, terminal, todo.registry)
    terminal.note(shown(total(result)))
    if result.unbuilt:
        terminal.error(f"nothing is verified, because no build succeeded: {shown(result.unbuilt)}")
    code = exit_code(result, differs=result.broken)
    return 2 if code == 0 and result.unbuilt else code


def verified(todo: Plan, terminal: Console, builds: BuildsGiven) -> VerifyResult:
    """What the builds show; see `building` for how the command may end instead."""
    from dockfix.verify.session import verify_paths  # noqa: PLC0415 - needed by few commands

    with building(builds, terminal) as work:
        return verify_paths(
            todo.paths,
            todo.settings,
            root=todo.root,
            registry=todo.registry,
            options=builds.options,
            builder=work.builder,
            folder=work.folder,
            on_event=work.on_event,
        )


def _document(result: VerifyResult, form: VerifyFormat, style: Style, *, verbose: bool) -> str:
    match form:
        case VerifyFormat.TEXT:
            from dockfix.output.verify_text import verify_text  # noqa: PLC0415 - each format loads its own

            return verify_text(result, style=style, verbose=verbose)
        case VerifyFormat.JSON:
            from dockfix.output.json import dumps  # noqa: PLC0415 - as above
            from dockfix.output.verify_json import verify_json  # noqa: PLC0415 - as above

            return dumps(verify_json(result))
        case VerifyFormat.MARKDOWN:
            from dockfix.output.verify_markdown import verify_markdown  # noqa: PLC0415 - as above

            return verify_markdown(result)
