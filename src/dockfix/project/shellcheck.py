"""ShellCheck as a service: what it says of snippets of shell text, which are read and never run.

The snippets are files in a private temporary folder, and one process reads all of one dialect. No configuration file
is read (`--norc`) and no `source` is followed. Results are kept by content for the run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["Comment", "Snippet", "check_snippets", "find_program"]

_TIMEOUT: Final = 60
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}  # without SHELLCHECK_OPTS, and with an encoding that can show any message


@dataclass(frozen=True, slots=True)
class Snippet:
    """Shell text and its dialect, as `shellcheck --shell` takes it."""

    dialect: str
    text: str


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """What ShellCheck says of a place in a snippet; lines and columns count from 1."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    level: str
    code: int
    message: str


class _Answer(msgspec.Struct, frozen=True):
    comments: tuple[Comment, ...]


def check_snippets(
    memo: MutableMapping[object, object], snippets: Iterable[Snippet]
) -> dict[Snippet, tuple[Comment, ...]]:
    """The comments of ShellCheck on each snippet; none if the program is missing, fails or takes too long.

    `memo` keeps them for the run.
    """
    wanted = tuple(dict.fromkeys(snippets))
    program = find_program()
    if program is None:
        return {}
    new = [each for each in wanted if ("shellcheck", each) not in memo and _is_readable(each.text)]
    for dialect in dict.fromkeys(each.dialect for each in new):
        of_dialect = [each for each in new if each.dialect == dialect]
        for snippet, comments in zip(of_dialect, _run(program, dialect, of_dialect), strict=True):
            memo["shellcheck", snippet] = comments
    found: dict[Snippet, tuple[Comment, ...]] = {}
    for each in wanted:
        kept = memo.get(("shellcheck", each))
        if isinstance(kept, tuple):
            found[each] = kept
    return found


@cache
def find_program() -> str | None:
    """The program beside this Python, where the extra installs it, or on the PATH."""
    return shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")


def _is_readable(text: str) -> bool:
    """Whether the columns of ShellCheck are those of the text: valid UTF-8, with plain line ends."""
    return "\r" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _run(program: str, dialect: str, snippets: Sequence[Snippet]) -> list[tuple[Comment, ...]]:
    with tempfile.TemporaryDirectory(prefix="dockfix-") as folder:
        names = [f"{index}.txt" for index in range(len(snippets))]
        for name, snippet in zip(names, snippets, strict=True):
            Path(folder, name).write_bytes(snippet.text.encode())
        command = [program, "--norc", "--format=json1", f"--shell={dialect}", *names]
        try:
            done = subprocess.run(
                command, cwd=folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=_TIMEOUT,
            )  # fmt: skip
            answer = msgspec.json.decode(done.stdout, type=_Answer)
        except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError):
            return [()] * len(snippets)
    return [tuple(each for each in answer.comments if each.file == name) for name in names]
