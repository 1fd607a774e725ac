"""The options that commands share, for typer."""

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
    typer.Option("--rule", "-r", metavar="RULE", help="Run only this rule (repeatable; or a list with commas)."),
]
SkipOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="RULE", help="Do not run this rule (repeatable; or a list with commas)."),
]
ContextOption: TypeAlias = Annotated[
    str | None, typer.Option("--context", metavar="DIR", help="The build context of the Dockerfiles.")
]
BuildContextOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--build-context", metavar="NAME=REF", help="A named context, as docker build takes it (repeatable)."),
]
ComposeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--compose", metavar="FILE", help="Read this compose file, no others (repeatable: merged in order)."),
]
NoProjectOption: TypeAlias = Annotated[
    bool, typer.Option("--no-project", help="Do not read compose and bake files for how the Dockerfiles are built.")
]
ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Use this configuration file, not the nearest one up the tree."),
]
NoConfigOption: TypeAlias = Annotated[bool, typer.Option("--no-config", help="Use no configuration file.")]
ExcludeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="PATTERN", help="Leave out of a search, as in .gitignore (repeatable)."),
]
ForceExcludeOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--force-exclude/--no-force-exclude",
        help="Leave out what is excluded even if it is named on the command line, as hooks do.",
        show_default=False,
    ),
]
NoGitignoreOption: TypeAlias = Annotated[bool, typer.Option("--no-gitignore", help="Search what git ignores, too.")]
RootOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--root", metavar="DIR", help="The project; nothing outside it is touched. Default: that of the current folder."
    ),
]
JobsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        parser=_jobs,
        metavar="N",
        help="Processes for many files, at most one a processor, which is the default.",
    ),
]
NoCacheOption: TypeAlias = Annotated[
    bool, typer.Option("--no-cache", help="Accepted for later; there is no cache yet, so it changes nothing.")
]
StdinFilenameOption: TypeAlias = Annotated[
    str | None, typer.Option("--stdin-filename", metavar="FILE", help="What standard input is the content of.")
]
QuietOption: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Write errors only to standard error.")]
VerboseOption: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="Show each finding with its reason.")]
ColourOption: TypeAlias = Annotated[
    Colour, typer.Option("--color", help="Colour; auto: on a terminal, unless NO_COLOR is set.")
]
