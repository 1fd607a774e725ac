"""The typer application."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from dockfix import __version__
from dockfix.cli.apply import apply
from dockfix.cli.ast import ast
from dockfix.cli.baseline import baseline
from dockfix.cli.check import check
from dockfix.cli.explain import explain
from dockfix.cli.init import init
from dockfix.cli.new import new
from dockfix.cli.report import report
from dockfix.cli.rules import rules
from dockfix.cli.targets import targets
from dockfix.cli.verify import verify

_EXIT_CODES: Final = (
    "Exit codes: 0 nothing to do, or all done; 1 findings at or above --fail-level (refusals of severity info do not"
    " count), would-be changes or a broken promise; 2 bad usage, configuration or input, or no builder; 3 a defect in a"
    " rule; 130 interrupted."
)

app: Final = typer.Typer(
    name="dockfix",
    help="Fixes Dockerfiles with small, lossless, checked edits.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to load than most runs take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dockfix {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Fixes Dockerfiles with small, lossless, checked edits."""


for _command in (apply, check, baseline, verify, report, targets, rules, explain, ast, init, new):
    app.command(epilog=_EXIT_CODES)(_command)
