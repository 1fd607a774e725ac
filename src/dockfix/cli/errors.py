"""Why a command ends early."""

from __future__ import annotations

__all__ = ["INTERRUPTED", "Ended", "OutputClosed"]

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


class OutputClosed(Exception):  # noqa: N818 - not an error of anybody's
    """Whoever read our output is gone. No OSError, which typer would take for its own to handle."""


class Ended(BaseException):
    """A signal other than an interrupt ends the command; `number` is its number. No Exception, so that nobody's codemod
    and no parser takes it for one of its errors.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
