"""How `--help` is laid out: sections of options, whole sentences, exit codes; the same for all versions of typer."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

__all__ = ["BUILDS", "OTHER", "Command", "Group"]

BUILDS: Final = "Builds"
OTHER: Final = "Other options"
"""Sections of options: their `rich_help_panel`, which needs no rich."""

_FIRST: Final = "Options"
_FEW: Final = 12
"""So many options need no sections."""
_NEEDED: Final = {"apply": "--prove", "report": "--verify"}
"""The option without which a command takes no option about builds."""
_WIDEST: Final = 40
"""A longer list of names is shown in the text of the option."""
_SENTENCE: Final = re.compile(r".*?[.](?=\s|$)", re.DOTALL)
_HYPHEN: Final = "\ue000"
"""A hyphen at which no line is broken: a name such as `--fail-level` stays whole."""


class _Layout:
    """The layout of commands and of the program; the contexts and formatters are those of the click in use."""

    name: Any
    params: Any
    epilog: Any
    help: Any
    options_metavar: Any

    def get_help(self, ctx: Any) -> str:
        """The whole text."""
        return str(super().get_help(ctx)).replace(_HYPHEN, "-")  # type: ignore[misc] # of the command

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002 - an override
        """The words of the usage line after the command: typer's versions decorate arguments in different ways."""
        return [self.options_metavar, *(each.metavar for each in self.params if _is_argument(each))]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - an override
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_whole(inspect.cleandoc(self.help or "")))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options by section."""
        arguments = [(each.metavar, each.help) for each in self.params if _is_argument(each)]
        options = [each for each in self.get_params(ctx) if not _is_argument(each)]  # type: ignore[attr-defined] # as above
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": arguments, _FIRST: []}
        for each in options:
            if (record := each.get_help_record(ctx)) is not None:
                title = _FIRST if len(options) <= _FEW else self._section(each)
                sections.setdefault(title, []).append(_fitting(each, *record))
        last = sections.pop(OTHER, [])
        for title, rows in (*sections.items(), (OTHER, last)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl([(name, _whole(text)) for name, text in rows])

    def _section(self, option: Any) -> str:
        title = str(getattr(option, "rich_help_panel", None) or (OTHER if option.name == "help" else _FIRST))
        return f"{title} (with {_NEEDED[self.name]})" if title == BUILDS and self.name in _NEEDED else title

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - an override
        """The first sentence, never cut."""
        paragraph = " ".join((self.help or "").split("\n\n")[0].split())
        found = _SENTENCE.match(paragraph)
        return found[0] if found else paragraph

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - an override
        """Write the exit codes: an epilog has one a line, as `code meaning`."""
        rows = [each.split(" ", 1) for each in (self.epilog or "").splitlines()]
        if rows:
            with formatter.section("Exit codes"):
                formatter.write_dl([(code, _whole(meaning)) for code, meaning in rows])


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _fitting(option: Any, name: str, text: str) -> tuple[str, str]:
    """The names and the text of an option, where the first name alone may stay on the left."""
    if len(name) <= _WIDEST:
        return name, text
    first, *others = option.opts
    return f"{first} {option.metavar}", f"{text} Also called {', '.join(others)}."


def _whole(text: str) -> str:
    return text.replace("-", _HYPHEN)


class Command(_Layout, TyperCommand):
    """A command of dockfix."""


class Group(_Layout, TyperGroup):
    """The program with its commands."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`[OPTIONS] COMMAND [ARGS]...`."""
        return TyperGroup.collect_usage_pieces(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands first: they are what a reader looks for."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)
