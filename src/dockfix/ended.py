"""The end of a run by a signal, as an exception. A module of its own, since the command line needs it at once."""

from __future__ import annotations

__all__ = ["Ended"]


class Ended(BaseException):
    """A signal other than an interrupt ends the command; `number` is its number.

    Not an Exception, so that no codemod or parser catches it.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
