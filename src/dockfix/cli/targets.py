"""`dockfix targets`: every Dockerfile, and how it is built."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import Given, Plan, plans

if TYPE_CHECKING:
    from dockfix.project.listing import Table
    from dockfix.project.problems import InputProblem


class TableFormat(enum.StrEnum):
    """The output formats of the table."""

    TEXT = "text"
    JSON = "json"


def targets(
    context: typer.Context,
    paths: options.FilesArgument = None,
    form: Annotated[
        TableFormat,
        typer.Option(
            "--format", "-f", metavar="FORMAT", help="Output format: text or json. Default: text.", show_default=False
        ),
    ] = TableFormat.TEXT,
    build_root: options.ContextOption = None,
    build_context: options.BuildContextOption = None,
    compose: options.ComposeOption = None,
    no_project: options.NoProjectOption = False,
    config: options.ConfigOption = None,
    no_config: options.NoConfigOption = False,
    exclude: options.ExcludeOption = None,
    no_gitignore: options.NoGitignoreOption = False,
    root: options.RootOption = None,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show how each Dockerfile is built.

    Lists every Dockerfile with the compose and bake builds that use it, and their contexts.
    """
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.output.json import dumps  # noqa: PLC0415
    from dockfix.output.targets import targets_json, targets_text  # noqa: PLC0415
    from dockfix.project.listing import joined_tables  # noqa: PLC0415

    terminal = console(color)
    given = Given(
        paths=paths,
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
    todo = plans(context.obj, given, terminal)
    if any(each.stdin for each in todo):
        terminal.fail("targets reads files, not standard input")
    tables = [_table(each) for each in todo]
    table = joined_tables([each for each, _ in tables])
    if form is TableFormat.JSON:
        terminal.out(dumps(targets_json(table)))
    else:
        terminal.out(targets_text(table, style=terminal.out_style))
        if not table.rows:
            terminal.note("no Dockerfile found")
    found = [(each.root, problem) for each, more in tables for problem in (*more, *each.problems)]
    for project_root, problem in found:
        reporting.problems([problem], project_root, terminal)
    raise typer.Exit(2 if found else 0)


def _table(todo: Plan) -> tuple[Table, Sequence[InputProblem]]:
    """The table of one project, and the problems of its configuration files."""
    from dockfix.engine.nesting import rules_for  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.project.discovery import discover  # noqa: PLC0415
    from dockfix.project.listing import target_table  # noqa: PLC0415
    from dockfix.project.target import load_project  # noqa: PLC0415

    settings = todo.settings
    project = load_project(todo.root, use_project=settings.use_project, compose=settings.compose)
    excluded, respect = settings.exclude, settings.respect_gitignore
    found, _ = discover(todo.paths, root=project.root, exclude=excluded, respect_gitignore=respect, built=project.built)
    rules = rules_for(settings, todo.registry, [each.path for each in found], project.root)
    table = target_table(project, todo.paths, exclude=excluded, respect_gitignore=respect, options=rules.options)
    return table, rules.problems
