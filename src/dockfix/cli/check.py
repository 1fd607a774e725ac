"""`dockfix check`: findings, nothing written."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, console, shown
from dockfix.cli.options import Given, exit_code, plan


class Format(enum.StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"


def check(
    context: typer.Context,
    paths: options.PathsArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write the findings.")] = Format.TEXT,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the findings to a file.")
    ] = None,
    build_root: options.ContextOption = None,
    build_context: options.BuildContextOption = None,
    compose: options.ComposeOption = None,
    no_project: options.NoProjectOption = False,
    config: options.ConfigOption = None,
    no_config: options.NoConfigOption = False,
    exclude: options.ExcludeOption = None,
    no_gitignore: options.NoGitignoreOption = False,
    root: options.RootOption = None,
    jobs: options.JobsOption = None,
    no_cache: options.NoCacheOption = False,  # noqa: ARG001 - accepted from the start, for scripts
    stdin_filename: options.StdinFilenameOption = None,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show what dockfix finds, and change nothing."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.codemod.session import check_paths, check_text  # noqa: PLC0415
    from dockfix.output.json import dumps, result_json  # noqa: PLC0415
    from dockfix.output.plain import PLAIN  # noqa: PLC0415
    from dockfix.output.text import check_summary, findings_text  # noqa: PLC0415

    terminal = console(color, quiet=quiet, verbose=verbose)
    given = Given(
        paths=paths,
        rules=rule,
        skip=skip,
        context=build_root,
        build_contexts=build_context,
        compose=compose,
        no_project=no_project,
        config=config,
        no_config=no_config,
        exclude=exclude,
        no_gitignore=no_gitignore,
        root=root,
        jobs=jobs,
        stdin_filename=stdin_filename,
    )
    todo = plan(context, given, terminal)
    if todo.stdin:
        data = sys.stdin.buffer.read()
        result = check_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    else:
        result = check_paths(
            todo.paths,
            todo.settings,
            root=todo.root,
            registry=todo.registry,
            progress=reporting.progress(terminal),
        )
    if form is Format.JSON:
        text = dumps(result_json(result))
    else:
        text = findings_text(result, style=PLAIN if output else terminal.out_style, verbose=verbose)
    if output is None:
        terminal.out(text)
    else:
        try:
            Path(output).write_bytes(text.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            terminal.fail(f"--output: {shown(output)} cannot be written: {reason.lower()}")
    reporting.trouble(result, terminal)
    terminal.note(check_summary(result))
    raise typer.Exit(exit_code(result, differs=result.actionable))
