"""The typer application."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from dockfix import __version__
from dockfix.cli.apply import apply
from dockfix.cli.ast import ast
from dockfix.cli.baseline import baseline
from dockfix.cli.check import check
from dockfix.cli.clean import clean
from dockfix.cli.explain import explain
from dockfix.cli.helping import Command, Group
from dockfix.cli.init import init
from dockfix.cli.migrate import migrate
from dockfix.cli.new import new
from dockfix.cli.report import report
from dockfix.cli.rules import rules
from dockfix.cli.targets import targets
from dockfix.cli.verify import verify

_USAGE: Final = "2 wrong usage, configuration or input"
_DEFECT: Final = "3 a defect in a rule"
_INTERRUPTED: Final = "130 interrupted"
_EXIT_CODES: Final = {
    "dockfix": (
        "0 nothing to do, or all done",
        "1 findings at or above --fail-level, would-be changes, or a broken promise",
        f"{_USAGE}, or no builder",
        _DEFECT,
        _INTERRUPTED,
    ),
    "apply": (
        "0 done, or nothing to do",
        "1 with --diff or --check: files would change; with --exit-non-zero-on-fix: files were changed",
        f"{_USAGE}; with --prove: no builder",
        f"{_DEFECT}; with --prove: a build contradicts an applied fix",
        _INTERRUPTED,
    ),
    "check": (
        "0 no findings at or above --fail-level",
        "1 findings at or above --fail-level. Of severity info, refusals do not count, and advice only with"
        " --fail-level info",
        _USAGE,
        _DEFECT,
        _INTERRUPTED,
    ),
    "verify": (
        "0 no promise is broken, or there is nothing to verify",
        "1 a promise is broken",
        f"{_USAGE}, or no builder",
        _DEFECT,
        _INTERRUPTED,
    ),
    "report": (
        "0 the report is complete, whatever the findings are",
        "1 a promise is broken, with --verify or --verify-result",
        f"{_USAGE}; with --verify: no builder",
        _DEFECT,
        _INTERRUPTED,
    ),
    "baseline": ("0 the file holds the findings", f"{_USAGE}; the file was not written", _DEFECT, _INTERRUPTED),
    "targets": ("0 every Dockerfile is listed", _USAGE, _INTERRUPTED),
    "rules": ("0 the rules are listed", "2 wrong usage, or a pack that cannot be loaded", _INTERRUPTED),
    "explain": ("0 the page is shown", "2 wrong usage, an unknown rule, or a pack that cannot be loaded", _INTERRUPTED),
    "init": ("0 the Dockerfile is written", "2 wrong usage, or a file that exists already", _INTERRUPTED),
    "migrate": (
        "0 the configuration is printed or written",
        "2 wrong usage, a file that cannot be used, or a configuration that exists already",
        _INTERRUPTED,
    ),
    "new": ("0 the files are written", "2 wrong usage, or a rule that exists already", _INTERRUPTED),
    "clean": ("0 the cache is empty", "2 wrong usage, or a file that cannot be removed", _INTERRUPTED),
    "ast": ("0 every file was read", "2 wrong usage, or a file that cannot be read", _INTERRUPTED),
}
"""What each command returns, and the program in general."""

app: Final = typer.Typer(
    name="dockfix",
    cls=Group,
    help="Fixes Dockerfiles with small, lossless, checked edits.",
    epilog="\n".join(_EXIT_CODES["dockfix"]),
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


for _command in (check, apply, verify, report, baseline, targets, rules, explain, init, migrate, new, ast, clean):
    app.command(cls=Command, epilog="\n".join(_EXIT_CODES[_command.__name__]))(_command)
