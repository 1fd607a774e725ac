"""`dockfix apply`: apply fixes in place, or show them."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import applying, options
from dockfix.cli.building import BuildsGiven
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given


def apply(
    context: typer.Context,
    paths: options.PathsArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    preset: options.PresetOption = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Also apply fixes that need review.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", "--dry-run", help="Print the changes as a unified diff and write nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with code 1 if files would change.")
    ] = False,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", metavar="DIR", help="Write a patch for each fix into this new folder, and nothing else."
        ),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Ask before each fix whether to apply it.")
    ] = False,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove",
            help="Also apply each fix that needs review if a real build shows that its promises hold. A build runs what"
            " the Dockerfile runs.",
        ),
    ] = False,
    exit_non_zero_on_fix: Annotated[
        bool, typer.Option("--exit-non-zero-on-fix", help="Exit with code 1 if files were changed.")
    ] = False,
    builder: options.BuilderOption = None,
    runs: options.RunsOption = None,
    timeout: options.TimeoutOption = None,
    max_context: options.MaxContextOption = None,
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
    """Fix Dockerfiles in place. Only safe fixes are applied, unless --unsafe or --prove is given."""
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
        force_exclude=force_exclude,
        no_gitignore=no_gitignore,
        root=root,
        jobs=jobs,
        no_cache=no_cache,
        stdin_filename=stdin_filename,
    )
    code = applying.apply(
        context.obj,
        given,
        terminal,
        diff=diff,
        check=check,
        split=split,
        interactive=interactive,
        fail_on_fix=exit_non_zero_on_fix,
        prove=prove,
        builds=BuildsGiven(builder, runs, timeout, max_context),
    )
    raise typer.Exit(code)
