"""`dockfix rules`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import options
from dockfix.cli.checking import Format
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import registry_of


def rules(
    context: typer.Context,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write the catalogue.")] = Format.TEXT,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """List the rules, in the order in which they run."""
    from dockfix.output.json import dumps, rules_json  # noqa: PLC0415 - needed by few commands
    from dockfix.output.text import rules_table  # noqa: PLC0415

    terminal = console(color)
    registry = registry_of(context.obj, terminal)
    if form is Format.JSON:
        terminal.out(dumps(rules_json(registry)))
    else:
        terminal.out(rules_table(registry, style=terminal.out_style))
