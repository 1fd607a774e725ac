"""`dockfix verify`: real builds, before against after."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import options, verifying
from dockfix.cli.building import BuildsGiven
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given
from dockfix.cli.verifying import VerifyFormat


def verify(
    context: typer.Context,
    paths: options.FilesArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    preset: options.PresetOption = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Also verify fixes that need review.")] = False,
    form: Annotated[
        VerifyFormat,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Output format: text, json, or markdown, which fits a comment on a pull request. Default: text.",
            show_default=False,
        ),
    ] = VerifyFormat.TEXT,
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
        bool,
        typer.Option("--quiet", "-q", help="Show no progress, no summary and no notes.", rich_help_panel=options.OTHER),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Show all evidence, all differences, and the end of the log of failed builds.",
            rich_help_panel=options.OTHER,
        ),
    ] = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Build each target before and after the fixes, and compare.

    Says for each promise of the rules whether it is kept, broken or not shown, with the evidence. No file of the
    project is changed.

    A build runs what the Dockerfile runs: verify only Dockerfiles that you trust.
    """
    terminal = console(color, quiet=quiet, verbose=verbose)
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
    raise typer.Exit(verifying.verify(context.obj, given, terminal, builds=builds, form=form, output=output))
