"""`dockfix ast`: the tree, for codemod authors."""

from __future__ import annotations

import enum
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, console
from dockfix.cli.planning import STDIN


class TreeFormat(enum.StrEnum):
    """The output formats of a tree."""

    JSON = "json"
    TREE = "tree"


def ast(
    paths: options.PathsArgument = None,
    form: Annotated[
        TreeFormat,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Output format: json, one line for each file, or tree. Default: json.",
            show_default=False,
        ),
    ] = TreeFormat.JSON,
    trivia: Annotated[bool, typer.Option("--trivia", help="Also show comments and blank lines.")] = False,
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show how dockfix parses Dockerfiles.

    The problems of a file with errors are part of the output.
    """
    from dockfix.output.text import problem_line  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.output.tree import tree_text  # noqa: PLC0415
    from dockfix.project.listing import text_tree, trees  # noqa: PLC0415

    terminal = console(color)
    code = 0
    if paths and STDIN in paths:
        if len(paths) > 1:
            terminal.fail("- (standard input) cannot be combined with other paths")
        found = iter([text_tree("<stdin>", sys.stdin.buffer.read(), trivia=trivia)])
    else:
        found = trees([Path(path) for path in paths or (".",)], trivia=trivia)
    for tree in found:
        if tree.problem is not None:
            terminal.err(problem_line(tree.problem, style=terminal.err_style))
            code = 2
        elif form is TreeFormat.JSON:
            terminal.raw((json.dumps(tree.data) + "\n").encode("ascii"))
        else:
            terminal.out(tree_text(tree.data, style=terminal.out_style))
    raise typer.Exit(code)
