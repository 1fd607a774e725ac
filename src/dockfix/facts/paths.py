"""Paths in an image, which are POSIX paths on every host."""

from __future__ import annotations

import posixpath

__all__ = ["normal_path"]


def normal_path(path: str) -> str:
    """A path without `.`, `..` and doubled slashes.

    `posixpath.normpath` keeps two leading slashes, which POSIX leaves to the system; on Linux they are one.
    """
    normal = posixpath.normpath(path)
    return normal[1:] if normal.startswith("//") else normal
