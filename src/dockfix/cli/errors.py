"""Exceptions that end a command early."""

from __future__ import annotations

from dockfix.engine.ended import Ended

__all__ = ["DEFECT", "INTERRUPTED", "Ended", "OutputClosed"]

DEFECT = 3
"""The exit code if a rule has a defect."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as in shells."""


class OutputClosed(Exception):  # noqa: N818 - not an error of anybody's
    """The reader of the output has closed it. Not an OSError, which typer would handle."""
