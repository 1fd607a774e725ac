"""`dockfix report`: the audit of a project as a document."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import auditing, options
from dockfix.cli.auditing import ReportFormat
from dockfix.cli.building import BuildsGiven
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given


def report(
    context: typer.Context,
    paths: options.FilesArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    preset: options.PresetOption = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Also show the diff of fixes that need review, and verify them.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Build each target before and after the fixes, as `dockfix verify` does. A build runs what the"
            " Dockerfile runs.",
        ),
    ] = False,
    verify_result: Annotated[
        str | None,
        typer.Option(
            "--verify-result", metavar="FILE", help="Use this result of `dockfix verify --format json`; build nothing."
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="FILE",
            help="Also show what is new, fixed and worse since this earlier report, which is in JSON.",
        ),
    ] = None,
    form: Annotated[
        ReportFormat | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Output format: markdown, json or html. Default: that of the name of --output, else markdown.",
        ),
    ] = None,
    output: options.OutputOption = None,
    builder: options.BuilderOption = None,
    runs: options.RunsOption = None,
    timeout: options.TimeoutOption = None,
    max_context: options.MaxContextOption = None,
    quick: options.QuickOption = False,
    build_root: options.ContextOption = None,
    build_context: options.BuildContextOption = None,
    compose: options.ComposeOption = None,
    no_project: options.NoProjectOption = False,
    config: options.ConfigOption = None,
    no_config: options.NoConfigOption = False,
    exclude: options.ExcludeOption = None,
    no_gitignore: options.NoGitignoreOption = False,
    root: options.RootOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress and no warnings.", rich_help_panel=options.OTHER)
    ] = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Write an audit of the project: scores, strengths, findings with evidence and diffs, and what to do first.

    No file of the project is changed.
    """
    terminal = console(color, quiet=quiet)
    given = Given(
        paths=paths,
        rules=rule,
        skip=skip,
        preset=preset,
        unsafe=unsafe,
        context=build_root,
        build_contexts=build_context,
        compose=compose,
        no_project=no_project,
        config=config,
        no_config=no_config,
        exclude=exclude,
        no_gitignore=no_gitignore,
        root=root,
    )
    builds = BuildsGiven(builder, runs, timeout, max_context, quick)
    code = auditing.report(
        context.obj,
        given,
        terminal,
        verify=verify,
        saved=verify_result,
        builds=builds,
        compare=compare,
        form=form,
        output=output,
    )
    raise typer.Exit(code)
