"""Exceptions that end a command early."""

from __future__ import annotations

from dockfix.ended import Ended

__all__ = ["DEFECT", "INTERRUPTED", "Ended", "OutputClosed"]

DEFECT = 3
"""The exit code if a rule has a defect."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as in shells."""


class OutputClosed(Exception):  # noqa: N818 - not an error of anybody's
    """The output cannot be written: its reader has closed it, or for `reason`.

    Not an OSError, which typer would handle.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
