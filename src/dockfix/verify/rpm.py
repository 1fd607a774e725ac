"""Reads rpm's SQLite database.

Source: https://rpm.org/docs/4.20.x/manual/format_header.html, and `lib/backend/sqlite.c` of rpm for the table. The
older formats (Berkeley DB, ndb) are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

__all__ = ["rpm_packages"]

_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_DIRINDEXES, _BASENAMES, _DIRNAMES = 1116, 1117, 1118
_INT32, _STRING, _STRING_ARRAY, _I18N_STRING = 4, 6, 8, 9
_MAX_TAGS: Final = 10_000
_MAX_ITEMS: Final = 2_000_000
_MAX_STEPS: Final = 2_000
"""Calls of the progress handler, each after 10,000 steps of SQLite's machine."""


def rpm_packages(database: bytes) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, version and files of each package; nothing if the database cannot be read."""
    for blob in _blobs(database):
        try:
            tags = _tags(blob)
        except (struct.error, IndexError):
            continue
        name, version, release = (_first_text(tags.get(tag)) for tag in (_NAME, _VERSION, _RELEASE))
        epoch = tags.get(_EPOCH) or [0]
        if name and version:
            full = f"{version}-{release}" if release else version
            yield name, f"{epoch[0]}:{full}" if epoch[0] else full, _files(tags)


def _blobs(database: bytes) -> list[bytes]:
    """The headers in the table `Packages`."""
    import sqlite3  # noqa: PLC0415 - only an image with rpm needs it

    if len(database) < 100:
        return []
    # a database in WAL mode cannot be opened in memory: bytes 18 and 19 say the mode (sqlite.org/fileformat2.html)
    plain = database[:18] + b"\x01\x01" + database[20:]
    connection = sqlite3.connect(":memory:")
    steps = iter(range(_MAX_STEPS))
    try:
        connection.deserialize(plain)
        connection.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        connection.execute("PRAGMA trusted_schema = OFF")
        kind = connection.execute("SELECT type FROM sqlite_master WHERE name = 'Packages'").fetchone()
        if kind != ("table",):
            return []
        rows = connection.execute("SELECT blob FROM Packages ORDER BY hnum").fetchall()
    except (sqlite3.Error, MemoryError, ValueError, OverflowError):
        return []
    finally:
        connection.close()
    return [row[0] for row in rows if isinstance(row[0], bytes)]


def _tags(blob: bytes) -> dict[int, list[str] | list[int]]:
    """The tags of a header that are needed here."""
    count, size = struct.unpack_from(">II", blob)
    if count > _MAX_TAGS:
        return {}
    start = 8 + 16 * count
    store = blob[start : start + size]
    tags: dict[int, list[str] | list[int]] = {}
    for at in range(8, start, 16):
        tag, kind, offset, items = struct.unpack_from(">IIII", blob, at)
        if items > _MAX_ITEMS or tag not in {
            _NAME, _VERSION, _RELEASE, _EPOCH, _DIRINDEXES, _BASENAMES, _DIRNAMES,
        }:  # fmt: skip
            continue
        if kind == _INT32:
            tags[tag] = list(struct.unpack_from(f">{items}i", store, offset))
        elif kind in {_STRING, _STRING_ARRAY, _I18N_STRING}:
            tags[tag] = _strings(store, offset, items)
    return tags


def _strings(store: bytes, offset: int, items: int) -> list[str]:
    texts: list[str] = []
    for _ in range(items):
        end = store.find(b"\0", offset)
        if end < 0:
            break
        texts.append(store[offset:end].decode("utf-8", "surrogateescape"))
        offset = end + 1
    return texts


def _first_text(values: list[str] | list[int] | None) -> str:
    return values[0] if values and isinstance(values[0], str) else ""


def _files(tags: dict[int, list[str] | list[int]]) -> tuple[str, ...]:
    folders, names, indexes = (tags.get(tag, []) for tag in (_DIRNAMES, _BASENAMES, _DIRINDEXES))
    return tuple(
        f"{folders[index]}{name}"
        for index, name in zip(indexes, names, strict=False)
        if isinstance(index, int) and 0 <= index < len(folders)
    )
