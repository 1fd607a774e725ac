"""The output of ShellCheck as values, and a folder that keeps it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["Comment", "Correction", "Replacement", "Store", "read_answer"]

_MOST_FILES: Final = 4096


class Replacement(msgspec.Struct, frozen=True, rename="camel"):
    """The text of a range, replaced; an empty range is a place.

    `insertion_point` is `afterEnd` for text that belongs to what follows it, and `beforeStart` for text that belongs to
    what is before it.
    """

    line: int
    end_line: int
    column: int
    end_column: int
    insertion_point: str
    replacement: str


class Correction(msgspec.Struct, frozen=True):
    """ShellCheck's own fix of what it finds."""

    replacements: tuple[Replacement, ...]


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """What ShellCheck says of a place in a script; lines and columns count characters, from 1."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    level: Literal["error", "warning", "info", "style"]
    code: int
    message: str
    fix: Correction | None = None

    def saying(self, message: str) -> Comment:
        """The comment with another message."""
        return msgspec.structs.replace(self, message=message)


class _Answer(msgspec.Struct, frozen=True):
    comments: tuple[Comment, ...]


_Comments: TypeAlias = tuple[Comment, ...]


def read_answer(output: bytes, count: int) -> list[_Comments] | None:
    """The comments on each of the files `0`, `1`, ... up to a count; None if the output is of another kind."""
    try:
        answer = msgspec.json.decode(output, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found: dict[str, list[Comment]] = {str(number): [] for number in range(count)}
    for each in answer.comments:
        if each.file not in found:
            return None
        found[each.file].append(each)
    return [tuple(each) for each in found.values()]


class Store:
    """The comments on the scripts of earlier runs, in a folder: a file for each list of scripts.

    A file that cannot be read counts as missing, and one that cannot be written is left out. Runs at the same time may
    write the same file: each writes the whole of it under another name, and renames it.
    """

    def __init__(self, folder: Path, identity: Sequence[str]) -> None:
        self._folder = folder
        self._identity = identity

    def get(self, scripts: Sequence[str]) -> list[_Comments] | None:
        """The comments on each of some scripts; None if they are not known."""
        try:
            kept = msgspec.json.decode(self._path(scripts).read_bytes(), type=list[_Comments])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return kept if len(kept) == len(scripts) else None

    def put(self, scripts: Sequence[str], comments: Sequence[object]) -> None:
        """Keep the comments on some scripts."""
        import tempfile  # noqa: PLC0415 - only what is new is written

        path = self._path(scripts)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix="new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(comments))
                os.replace(name, path)  # noqa: PTH105 - both are names
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(name)  # noqa: PTH108 - as above
                raise
            self._prune()

    def _path(self, scripts: Sequence[str]) -> Path:
        digest = hashlib.blake2b(digest_size=20)
        for each in (*self._identity, *scripts):
            data = each.encode("utf-8", "surrogatepass")
            digest.update(b"%d:%b" % (len(data), data))
        return self._folder / f"{digest.hexdigest()}.json"

    def _prune(self) -> None:
        """Remove the oldest files if there are too many."""
        with os.scandir(self._folder) as entries:
            names = [entry.path for entry in entries]
        if len(names) <= _MOST_FILES:
            return
        ages: list[tuple[float, str]] = []
        for name in names:
            with contextlib.suppress(OSError):
                ages.append((os.stat(name).st_mtime, name))  # noqa: PTH116 - as above
        for _, name in sorted(ages)[: _MOST_FILES // 4]:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - as above
