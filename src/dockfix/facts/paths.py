"""Paths in an image, which are POSIX paths on every host."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=4096)
def normal_path(path: str) -> str:
    """A path without `.`, `..` and doubled slashes.

    `posixpath.normpath` keeps two leading slashes, whose meaning POSIX leaves to the system; on Linux they are one.
    """
    normal = posixpath.normpath(path)
    return normal[1:] if normal.startswith("//") else normal


def is_below(path: str, folder: str) -> bool:
    """Whether a normal path is a folder or inside it."""
    return folder in (path, "/") or path.startswith(folder + "/")


def upwards(folder: str) -> Iterator[str]:
    """A folder and all folders above it."""
    yield folder
    while folder != (above := posixpath.dirname(folder)):
        folder = above
        yield folder
