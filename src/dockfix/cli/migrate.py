"""`dockfix migrate`: the configuration of another tool as one of dockfix."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, console


class Tool(enum.StrEnum):
    """The tools whose configuration can be read."""

    HADOLINT = "hadolint"


def migrate(
    context: typer.Context,
    tool: Annotated[Tool, typer.Argument(metavar="TOOL", help="The tool that the configuration is from: hadolint.")],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="Its configuration file. Default: .hadolint.yaml or .hadolint.yml in the current folder.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write the configuration next to the file: to pyproject.toml if there is one, else to dockfix.toml."
            " A configuration that is there already is not changed.",
        ),
    ] = False,
    quiet: options.QuietOption = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Turn the configuration of hadolint into one of dockfix.

    Prints it, and says on standard error what has no counterpart, and why.
    """
    from dockfix.cli.migrating import migrate_hadolint  # noqa: PLC0415 - of this command only

    assert tool is Tool.HADOLINT  # noqa: S101 - there is no other
    migrate_hadolint(context.obj, file, console(color, quiet=quiet), write=write)
