"""`dockfix check`: findings, nothing written."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import checking, options
from dockfix.cli.checking import Format
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given


def check(
    context: typer.Context,
    paths: options.PathsArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Output format; by default `full` on a terminal, `text` elsewhere."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the findings to this file.")
    ] = None,
    build_root: options.ContextOption = None,
    build_context: options.BuildContextOption = None,
    compose: options.ComposeOption = None,
    no_project: options.NoProjectOption = False,
    config: options.ConfigOption = None,
    no_config: options.NoConfigOption = False,
    exclude: options.ExcludeOption = None,
    force_exclude: options.ForceExcludeOption = None,
    no_gitignore: options.NoGitignoreOption = False,
    root: options.RootOption = None,
    jobs: options.JobsOption = None,
    no_cache: options.NoCacheOption = False,  # noqa: ARG001 - accepted from the start, for scripts
    stdin_filename: options.StdinFilenameOption = None,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show findings. No file is changed."""
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
        force_exclude=force_exclude,
        no_gitignore=no_gitignore,
        root=root,
        jobs=jobs,
        stdin_filename=stdin_filename,
    )
    raise typer.Exit(checking.check(context.obj, given, terminal, form=form, output=output))
