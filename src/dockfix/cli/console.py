"""Standard output and error, with colours and escaping."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Mapping
from typing import Final, NoReturn, TextIO

from msgspec import Struct

from dockfix.cli.streams import write_bytes
from dockfix.output.plain import Style, printable

CLEAR: Final = "\r\x1b[K"
"""Removes the line of a progress display."""


class Colour(enum.StrEnum):
    """When output is coloured."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def wants_colour(choice: Colour, *, terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether to colour a stream: as chosen; else by NO_COLOR, then FORCE_COLOR, then whether it is a terminal.

    Source: no-color.org (present and not empty), force-color.org.
    """
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def err_is_rewritable() -> bool:
    """Whether standard error is a terminal on which a line can be rewritten."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class Console(Struct, frozen=True):
    """The two streams of a command. `quiet` leaves notes out, `verbose` shows all parts of findings."""

    out_style: Style
    err_style: Style
    quiet: bool = False
    verbose: bool = False

    def out(self, text: str) -> None:
        """Write text to standard output."""
        _write(sys.stdout, text)

    def prose(self, text: str, *, page: bool = False) -> None:
        """Write text to standard output; a terminal gets long lines broken at spaces. `page`: see `wrapped`."""
        _write(sys.stdout, _fitted(sys.stdout, text, page=page))

    def raw(self, data: bytes) -> None:
        """Write bytes to standard output."""
        write_bytes(sys.stdout, data)

    def err(self, line: str) -> None:
        """Write a line to standard error."""
        _write(sys.stderr, _fitted(sys.stderr, line) + "\n")

    def note(self, line: str) -> None:
        """Write a line to standard error, unless quiet."""
        if not self.quiet:
            self.err(line)

    def error(self, line: str) -> None:
        """Write an error to standard error."""
        self.err(f"{self.err_style('error', 'error')}: {line}")

    def fail(self, line: str) -> NoReturn:
        """Write an error and end the command with exit code 2."""
        self.error(line)
        raise SystemExit(2)

    @property
    def shows_progress(self) -> bool:
        """Whether a line on standard error may be rewritten to show progress."""
        return not self.quiet and err_is_rewritable()

    def clear_line(self) -> None:
        """Remove the `^C` that a terminal shows for an interrupt."""
        if err_is_rewritable():
            _write(sys.stderr, CLEAR)

    @property
    def columns(self) -> int | None:
        """The width of the terminal that standard output is; None if it is none."""
        if not self.out_is_terminal:
            return None
        from dockfix.cli.wrapping import columns  # noqa: PLC0415 - only a terminal needs it

        return columns(sys.stdout) or None

    @property
    def out_is_terminal(self) -> bool:
        """Whether standard output is a terminal."""
        return sys.stdout.isatty()


def console(colour: Colour = Colour.AUTO, *, quiet: bool = False, verbose: bool = False) -> Console:
    """The console of this process."""

    def style(stream: TextIO) -> Style:
        return Style(wants_colour(colour, terminal=stream.isatty(), environment=os.environ))

    return Console(style(sys.stdout), style(sys.stderr), quiet, verbose)


def shown(text: str) -> str:
    """Text from the user, safe to show on a terminal."""
    return printable(text)


def _fitted(stream: TextIO, text: str, *, page: bool = False) -> str:
    if not stream.isatty():
        return text
    from dockfix.cli.wrapping import columns, wrapped  # noqa: PLC0415 - only a terminal needs it

    return wrapped(text, columns(stream), page=page)


def _write(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    write_bytes(stream, text.encode(encoding, "backslashreplace"))
