"""`dockfix check`: findings, nothing written."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import checking, options
from dockfix.cli.checking import CheckGiven, FailLevel, Format
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given


def check(
    context: typer.Context,
    paths: options.PathsArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    preset: options.PresetOption = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help=f"Output format: {options.listed(Format)}. Default: full on a terminal, else text.",
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the findings to this file.")
    ] = None,
    fail_level: Annotated[
        FailLevel | None,
        typer.Option(
            "--fail-level",
            metavar="SEVERITY",
            help="Exit with code 1 only if a finding has at least this severity (error, warning or info), or never"
            " (none). Default: that of the configuration, else info without advice of severity info.",
        ),
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with code 0 even if there are findings.")
    ] = False,
    changed_since: Annotated[
        str | None,
        typer.Option(
            "--changed-since",
            metavar="REV",
            help="Show only findings on lines that were changed since HEAD branched off from this git revision.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="Show only findings that are not in this file, which `dockfix baseline` has written."
            " Default: the baseline of the configuration.",
        ),
    ] = None,
    add_ignore: Annotated[
        bool, typer.Option("--add-ignore", help="Write a comment above each finding that ignores it; show no findings.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="The reason that the comments of --add-ignore give.")
    ] = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Show how many findings each rule has, instead of the findings.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Check again whenever a file changes.")] = False,
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
    no_cache: options.NoCacheOption = False,
    stdin_filename: options.StdinFilenameOption = None,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show findings. No file is changed, except by --add-ignore."""
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
        no_cache=no_cache,
        stdin_filename=stdin_filename,
    )
    more = CheckGiven(fail_level, exit_zero, changed_since, baseline, add_ignore, reason, statistics, watch)
    raise typer.Exit(checking.check(context.obj, given, terminal, form=form, output=output, more=more))
