"""What `dockfix check` does."""

from __future__ import annotations

import enum
import sys
from pathlib import Path

from dockfix.cli.console import Console, shown
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Given, exit_code, plan


class Format(enum.StrEnum):
    """The output formats of findings."""

    TEXT = "text"
    JSON = "json"


def check(
    state: object, given: Given, terminal: Console, *, form: Format = Format.TEXT, output: str | None = None
) -> int:
    """Show findings, or write them to the file `output`; returns the exit code."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.session import check_paths, check_text  # noqa: PLC0415 - as above
    from dockfix.output.plain import PLAIN  # noqa: PLC0415 - as above
    from dockfix.output.text import check_summary, findings_text  # noqa: PLC0415 - as above

    todo = plan(state, given, terminal)
    if todo.stdin:
        data = sys.stdin.buffer.read()
        result = check_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    else:
        with cleaned_up():
            result = check_paths(
                todo.paths,
                todo.settings,
                root=todo.root,
                registry=todo.registry,
                progress=reporting.progress(terminal),
            )
    if form is Format.JSON:
        from dockfix.output.json import dumps, result_json  # noqa: PLC0415 - as above

        text = dumps(result_json(result))
    else:
        text = findings_text(result, style=PLAIN if output else terminal.out_style, verbose=terminal.verbose)
    if output is None:
        terminal.out(text)
    else:
        try:
            Path(output).write_bytes(text.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            terminal.fail(f"--output: {shown(output) or 'the empty name'} cannot be written: {reason.lower()}")
    reporting.trouble(result, terminal, todo.registry)
    terminal.note(check_summary(result))
    return exit_code(result, differs=result.actionable)
