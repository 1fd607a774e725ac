"""The shared options of commands, for typer."""

from __future__ import annotations

import enum
import math
import re
from typing import Annotated, Final, TypeAlias

import typer

from dockfix.cli import completing
from dockfix.cli.console import Colour
from dockfix.cli.helping import BUILDS, OTHER

PROJECT: Final = "Project and configuration"
FILES: Final = "File selection"
"""Sections of `--help`; other options are in the first or the last one."""


class PresetName(enum.StrEnum):
    """The presets, as `dockfix.rule.model` has them, which completion need not load."""

    RECOMMENDED = "recommended"
    STRICT = "strict"
    ALL = "all"


def listed(choices: type[enum.Enum]) -> str:
    """All values of an option, as its help says them."""
    *first, last = (str(each.value) for each in choices)
    return f"{', '.join(first)} or {last}"


def whole_number(text: str) -> int:
    """The value of an option that takes a whole number."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def _from_one(text: str) -> int:
    number = whole_number(text)
    if number < 1:
        raise typer.BadParameter(f"{number} is not a whole number from 1 on")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise typer.BadParameter(f"{text!r} is not a number of seconds")
    return seconds


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]?)(?:I?B)?", text.strip().upper())
    size = int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " ")) if found else 0
    if size < 1:
        raise typer.BadParameter(f"{text!r} is not a size; examples: 500M, 2G")
    return size


PathsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Files, folders to search, or - for standard input. Default: the current folder.",
        show_default=False,
    ),
]
FilesArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Files, or folders to search. Default: the current folder.",
        show_default=False,
    ),
]
RuleOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        "-r",
        metavar="RULE",
        autocompletion=completing.rules,
        help="Run only this rule, also by a code of hadolint or BuildKit (repeatable, or separated by commas).",
    ),
]
SkipOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--skip",
        metavar="RULE",
        autocompletion=completing.rules,
        help="Do not run this rule (repeatable, or separated by commas).",
    ),
]
PresetOption: TypeAlias = Annotated[
    PresetName | None,
    typer.Option(
        "--preset",
        metavar="PRESET",
        help="Run the rules of a preset: recommended, strict or all. Default: that of the configuration, else"
        " recommended.",
    ),
]
ContextOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="DIR",
        help="The build context of the Dockerfiles. Default: that of the configuration, compose and bake files.",
        rich_help_panel=PROJECT,
    ),
]
BuildContextOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--build-context",
        metavar="NAME=REF",
        help="A named context, as for docker build (repeatable).",
        rich_help_panel=PROJECT,
    ),
]
ComposeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--compose",
        metavar="FILE",
        help="Read only this compose file (repeatable: merged in order).",
        rich_help_panel=PROJECT,
    ),
]
NoProjectOption: TypeAlias = Annotated[
    bool, typer.Option("--no-project", help="Do not read compose and bake files.", rich_help_panel=PROJECT)
]
ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Use this configuration file instead of the nearest one up the tree.",
        rich_help_panel=PROJECT,
    ),
]
NoConfigOption: TypeAlias = Annotated[
    bool, typer.Option("--no-config", help="Use no configuration file.", rich_help_panel=PROJECT)
]
ExcludeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Do not search files and folders of this pattern, as in .gitignore (repeatable).",
        rich_help_panel=FILES,
    ),
]
ForceExcludeOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--force-exclude/--no-force-exclude",
        help="Apply exclude patterns also to paths that are named on the command line, as hooks do.",
        show_default=False,
        rich_help_panel=FILES,
    ),
]
NoGitignoreOption: TypeAlias = Annotated[
    bool, typer.Option("--no-gitignore", help="Also search files and folders that git ignores.", rich_help_panel=FILES)
]
RootOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="The root of the project. Default: the project of the current folder.",
        rich_help_panel=PROJECT,
    ),
]
JobsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        parser=_from_one,
        metavar="N",
        help="Number of processes for many files. Default and maximum: one per processor.",
        rich_help_panel=OTHER,
    ),
]
NoCacheOption: TypeAlias = Annotated[
    bool,
    typer.Option("--no-cache", help="Do not use what earlier runs have kept, and keep nothing.", rich_help_panel=OTHER),
]
StdinFilenameOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--stdin-filename", metavar="FILE", help="File name to use for standard input.", rich_help_panel=FILES
    ),
]
QuietOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Show only results and errors: no summary, no warnings, no progress.",
        rich_help_panel=OTHER,
    ),
]
VerboseOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Show every finding with all of its parts, and tracebacks of defects.",
        rich_help_panel=OTHER,
    ),
]
ColourOption: TypeAlias = Annotated[
    Colour,
    typer.Option(
        "--color",
        metavar="WHEN",
        show_default=False,
        help="When to use colours: always, never or auto, which is on a terminal unless NO_COLOR is set. Default:"
        " auto.",
        rich_help_panel=OTHER,
    ),
]
OutputOption: TypeAlias = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the result to this file.")
]
BuilderOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--builder",
        metavar="NAME",
        autocompletion=completing.builders,
        help="The program that builds: buildx, buildctl, podman or buildah. Default: the first of these that works.",
        rich_help_panel=BUILDS,
    ),
]
RunsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--runs", parser=_from_one, metavar="N", help="Measure each build N times. Default: 1.", rich_help_panel=BUILDS
    ),
]
TimeoutOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        parser=_seconds,
        metavar="SECONDS",
        help="Time limit of each build. Default: 1800.",
        rich_help_panel=BUILDS,
    ),
]
MaxContextOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-context",
        parser=_size,
        metavar="SIZE",
        help="Do not build a target whose build context is larger than this, since it is copied. Default: 2G.",
        rich_help_panel=BUILDS,
    ),
]
QuickOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quick", help="Compare the images only: measure no times and no use of caches.", rich_help_panel=BUILDS
    ),
]
