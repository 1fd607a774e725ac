"""`dockfix apply`: write fixes in place, or show them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, Console, console
from dockfix.cli.options import Given, Plan, exit_code, plan


def apply(
    context: typer.Context,
    paths: options.PathsArgument = None,
    rule: options.RuleOption = None,
    skip: options.SkipOption = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Make the fixes, too, that a person must look at.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", "--dry-run", help="Write nothing; print the changes as a unified diff.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if files would change.")] = False,
    interactive: Annotated[bool, typer.Option("--interactive", "-i", help="Ask before each fix.")] = False,
    exit_non_zero_on_fix: Annotated[
        bool, typer.Option("--exit-non-zero-on-fix", help="Exit with 1 if files were changed.")
    ] = False,
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
    """Fix Dockerfiles in place. Safe fixes only, unless told otherwise."""
    terminal = console(color, quiet=quiet, verbose=verbose)
    given = Given(
        paths=paths,
        rules=rule,
        skip=skip,
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
        jobs=jobs,
        stdin_filename=stdin_filename,
    )
    todo = plan(context, given, terminal)
    if interactive and (diff or check or todo.stdin):
        terminal.fail("--interactive writes files as you answer; it takes no --diff, --check or standard input")
    if todo.stdin:
        code = _filter(todo, terminal, diff=diff, check=check, fail_on_fix=exit_non_zero_on_fix)
    else:
        code = _files(todo, terminal, diff=diff, check=check, interactive=interactive, fail_on_fix=exit_non_zero_on_fix)
    raise typer.Exit(code)


def _files(todo: Plan, terminal: Console, *, diff: bool, check: bool, interactive: bool, fail_on_fix: bool) -> int:
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by none of the other commands
    from dockfix.cli.interactive import Reviewer  # noqa: PLC0415
    from dockfix.codemod.session import run_paths  # noqa: PLC0415

    would = diff or check
    result = run_paths(
        todo.paths,
        todo.settings,
        root=todo.root,
        registry=todo.registry,
        write=not would,
        accept=Reviewer(terminal) if interactive else None,
        progress=None if interactive else reporting.progress(terminal),
    )
    if diff:
        reporting.diffs(result, terminal)
    reporting.trouble(result, terminal)
    reporting.applied(result, terminal, would=would)
    return exit_code(result, differs=bool(result.changed) and (would or fail_on_fix))


def _filter(todo: Plan, terminal: Console, *, diff: bool, check: bool, fail_on_fix: bool) -> int:
    from dockfix.cli import reporting  # noqa: PLC0415
    from dockfix.codemod.session import run_text  # noqa: PLC0415
    from dockfix.syntax.source import encode  # noqa: PLC0415

    data = sys.stdin.buffer.read()
    result = run_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    outcome = result.files[0]
    if diff:
        reporting.diffs(result, terminal)
    elif not check:
        # What cannot be used goes through as it is, so that a filter loses nothing.
        terminal.raw(encode(outcome.after) if outcome.changed else data)
    reporting.trouble(result, terminal)
    reporting.applied(result, terminal, would=diff or check)
    return exit_code(result, differs=outcome.changed and (diff or check or fail_on_fix))
