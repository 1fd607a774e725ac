"""`dockfix baseline`: accept the findings of today."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import baselining, narrowing, options
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given


def baseline(
    context: typer.Context,
    paths: options.FilesArgument = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write. Default: the baseline of the configuration, else"
            f" {narrowing.NAME} in the project root.",
        ),
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Accept no new findings: remove obsolete entries, and replace those whose lines have changed.",
        ),
    ] = False,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    preset: options.PresetOption = None,
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
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Accept the findings of today.

    Writes them to a file, so that `dockfix check --baseline FILE` shows only new ones.
    """
    terminal = console(color, quiet=quiet, verbose=verbose)
    given = Given(
        paths=paths,
        rules=rule,
        skip=skip,
        preset=preset,
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
    )
    raise typer.Exit(baselining.baseline(context.obj, given, terminal, output=output, update=update))
