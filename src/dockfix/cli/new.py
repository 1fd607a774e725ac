"""`dockfix new`: scaffold a codemod with a golden file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockfix.cli.console import console, shown


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The rule's name, in kebab case.")],
    pack: Annotated[
        str | None,
        typer.Option("--pack", metavar="DIR", help="The pack's folder. Default: codemods/*_codemods of the project."),
    ] = None,
) -> None:
    """Begin a codemod: its module and a golden file, working and ready to be rewritten."""
    from dockfix.project.target import find_project_root  # noqa: PLC0415
    from dockfix.rule.scaffold import ScaffoldError, find_pack, scaffold  # noqa: PLC0415 - needed by this one only

    terminal = console()
    root = find_project_root(Path.cwd())
    try:
        folder = Path(pack) if pack is not None else find_pack(root)
        written = scaffold(name, folder, root)
    except ScaffoldError as error:
        terminal.fail(shown(str(error)))
    for path in written:
        terminal.out(f"{shown(str(path))}\n")
    terminal.note(f"next: add {name!r} to the order of the pack in {shown(str(folder / '__init__.py'))}")
