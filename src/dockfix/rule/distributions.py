"""Entry points and installed distributions, without the import of `importlib.metadata` where possible.

That import takes longer than the check of a file. It is needed where a distribution may be in anything but a folder of
`sys.path`, and where several distributions have entry points of the group: it then knows which of them count.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from operator import attrgetter
from typing import Any, Final, Protocol

from msgspec import Struct

__all__ = ["EntryPoint", "entry_points", "is_installed"]

_INFO: Final = (".dist-info", ".egg-info")
_LINE: Final = re.compile(r"([^\s=\[#;][^=\[]*?)\s*=\s*([\w.]+):([\w.]+)", re.ASCII)


class EntryPoint(Protocol):
    """An entry point, as `importlib.metadata` has it."""

    @property
    def name(self) -> str:
        """Its name in the group."""

    @property
    def value(self) -> str:
        """The object that it names, `package.module:attribute`."""

    def load(self) -> Callable[[], Any]:
        """Import the object."""


class _EntryPoint(Struct, frozen=True):
    name: str
    value: str

    def load(self) -> Callable[[], Any]:
        module, _, attribute = self.value.partition(":")
        found: Callable[[], Any] = attrgetter(attribute)(import_module(module))
        return found


def entry_points(*, group: str) -> Sequence[EntryPoint]:
    """The entry points of a group, of all installed distributions."""
    folders = _folders(tuple(sys.path))
    texts = [text for text in map(_entry_points_in, folders or ()) if group in text]
    if folders is not None and len(texts) == 1 and (points := _parsed(texts[0], group)):
        return points
    from importlib import metadata  # noqa: PLC0415 - takes longer than a check

    return tuple(metadata.entry_points(group=group))


def is_installed(name: str) -> bool:
    """Whether a distribution is installed."""
    folders = _folders(tuple(sys.path))
    normal = _normal(name)
    if folders is not None and any(_normal(_stem(each.rpartition(os.sep)[2])) == normal for each in folders):
        return True
    from importlib import metadata  # noqa: PLC0415 - as above

    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def _folders(path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The metadata of the distributions on a search path; None if some may be elsewhere."""
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return None
    found: list[str] = []
    for folder in path:
        try:
            names = os.listdir(folder or os.curdir)  # noqa: PTH208 - the names are enough
        except NotADirectoryError:
            return None
        except OSError:
            continue
        if folder.endswith(".egg"):
            return None
        found += [os.path.join(folder, name) for name in names if name.lower().endswith(_INFO)]  # noqa: PTH118 - as above
    return tuple(found)


def _entry_points_in(folder: str) -> str:
    try:
        with open(os.path.join(folder, "entry_points.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - as above
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _parsed(text: str, group: str) -> tuple[_EntryPoint, ...]:
    """The entry points of a group in a file; none if a line of it is not of the plain form."""
    lines = list(_lines_of(text, group))
    matches = [_LINE.fullmatch(line) for line in lines]
    return tuple(_EntryPoint(found[1], f"{found[2]}:{found[3]}") for found in matches if found) if all(matches) else ()


def _lines_of(text: str, group: str) -> Iterator[str]:
    section = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            section = line
        elif section == f"[{group}]" and not line.startswith("#"):
            yield line


def _stem(name: str) -> str:
    """The name in the name of a folder of metadata, `name-1.0.dist-info`."""
    return name.rpartition(".")[0].partition("-")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
