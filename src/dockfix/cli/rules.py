"""`dockfix rules`: the list of rules."""

from __future__ import annotations

import enum
from typing import Annotated

import typer
from msgspec.structs import replace

from dockfix.cli import options
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import registry_of


class CatalogueFormat(enum.StrEnum):
    """How the rules are written."""

    TEXT = "text"
    JSON = "json"
    SCHEMA = "schema"


def rules(
    context: typer.Context,
    form: Annotated[
        CatalogueFormat,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Output format: text, json, or schema, which is the JSON schema of the configuration with the options"
            " of all rules. Default: text.",
            show_default=False,
        ),
    ] = CatalogueFormat.TEXT,
    preset: Annotated[
        options.PresetName | None,
        typer.Option("--preset", metavar="PRESET", help="List only the rules of a preset: recommended, strict or all."),
    ] = None,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """List the rules, in the order in which they run."""
    from dockfix.output.json import dumps, rules_json  # noqa: PLC0415 - needed by few commands
    from dockfix.output.text import rules_table  # noqa: PLC0415

    terminal = console(color)
    registry = registry_of(context.obj, terminal)
    if preset is not None:
        from dockfix.rule.model import Preset  # noqa: PLC0415 - of this option only

        registry = replace(registry, codemods=registry.in_preset(Preset(preset)))
    if form is CatalogueFormat.SCHEMA:
        from dockfix.rule.reference import schema_text  # noqa: PLC0415 - of this format only

        terminal.out(schema_text(registry.codemods))
    elif form is CatalogueFormat.JSON:
        terminal.out(dumps(rules_json(registry)))
    else:
        terminal.prose(rules_table(registry, style=terminal.out_style))
