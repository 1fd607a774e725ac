"""The shared options of commands, for typer."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from dockfix.cli.console import Colour


def whole_number(text: str) -> int:
    """The value of an option that takes a whole number."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def _jobs(text: str) -> int:
    number = whole_number(text)
    if number < 1:
        raise typer.BadParameter(f"{number} is not a whole number from 1 on")
    return number


PathsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Files, folders to search, or - for standard input. Default: the current folder.",
        show_default=False,
    ),
]
RuleOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--rule", "-r", metavar="RULE", help="Run only this rule (repeatable, or separated by commas)."),
]
SkipOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="RULE", help="Do not run this rule (repeatable, or separated by commas)."),
]
ContextOption: TypeAlias = Annotated[
    str | None, typer.Option("--context", metavar="DIR", help="The build context of the Dockerfiles.")
]
BuildContextOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--build-context", metavar="NAME=REF", help="A named context, as for docker build (repeatable)."),
]
ComposeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--compose", metavar="FILE", help="Read only this compose file (repeatable: merged in order)."),
]
NoProjectOption: TypeAlias = Annotated[bool, typer.Option("--no-project", help="Do not read compose and bake files.")]
ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="Use this configuration file instead of the nearest one up the tree."
    ),
]
NoConfigOption: TypeAlias = Annotated[bool, typer.Option("--no-config", help="Use no configuration file.")]
ExcludeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Do not search files and folders of this pattern, as in .gitignore (repeatable).",
    ),
]
ForceExcludeOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--force-exclude/--no-force-exclude",
        help="Apply exclude patterns also to paths that are named on the command line, as hooks do.",
        show_default=False,
    ),
]
NoGitignoreOption: TypeAlias = Annotated[
    bool, typer.Option("--no-gitignore", help="Also search files and folders that git ignores.")
]
RootOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--root", metavar="DIR", help="The root of the project. Default: the project of the current folder."),
]
JobsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        parser=_jobs,
        metavar="N",
        help="Number of processes for many files. Default and maximum: one per processor.",
    ),
]
NoCacheOption: TypeAlias = Annotated[
    bool, typer.Option("--no-cache", help="Reserved: there is no cache yet, so it changes nothing.")
]
StdinFilenameOption: TypeAlias = Annotated[
    str | None, typer.Option("--stdin-filename", metavar="FILE", help="File name to use for standard input.")
]
QuietOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Show only the findings of check, the diff of apply, and errors: no summary, no warnings."
    ),
]
VerboseOption: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every finding with all of its parts, and tracebacks of defects.")
]
ColourOption: TypeAlias = Annotated[
    Colour, typer.Option("--color", help="When to use colours; auto: on a terminal, unless NO_COLOR is set.")
]
