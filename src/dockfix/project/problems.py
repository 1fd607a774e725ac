"""A problem with the input, as a value and as an exception: one sentence with its place."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class InputProblem(Struct, frozen=True):
    """A file or folder that could not be used; one of them does not stop the others.

    `path` is the path as the user would write it, `line` counts from 1 (`None`: the whole file), and
    `message` is one clear sentence without the path in it.
    """

    path: str
    line: int | None
    message: str


class InputError(Exception):
    """An `InputProblem` that stops the one operation that met it (reading or writing a file)."""

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(path, line, message)
        self.path = path
        self.line = line
        self.message = message

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.message}"

    @property
    def problem(self) -> InputProblem:
        """The problem as a value, for callers that collect problems."""
        return InputProblem(self.path, self.line, self.message)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name of which `name` is probably a misspelling, or the only one that begins with this word."""
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    # a name that shares half its letters by chance is worse than no suggestion
    wanted, names = name.lower().replace("_", "-"), list(known)
    close = get_close_matches(wanted, names, n=1, cutoff=0.75)
    if close:
        return close[0]
    longer = [each for each in names if wanted and each.startswith(f"{wanted}-")]
    return longer[0] if len(longer) == 1 else None
