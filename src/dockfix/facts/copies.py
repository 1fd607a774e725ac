"""Where COPY and ADD write."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.model import Known
from dockfix.facts.paths import is_below, normal_path
from dockfix.facts.tables.filesystem import FILE_ENDINGS, FILE_NAMES, STANDARD_FOLDERS
from dockfix.syntax.tree import Add, Copy, Word

if TYPE_CHECKING:
    from dockfix.facts.state import State


class Area(Struct, frozen=True):
    """Where a COPY writes: the file `path`, or, if `tree`, anything at or below it.

    `owner` is the user of its `--chown`, None without one; `mode`: it has a `--chmod`.
    """

    path: str
    tree: bool
    owner: str | None = None
    mode: bool = False

    def conflicts_with(self, other: Area, existing: str) -> bool:
        """Whether this and another COPY give a different result in another order.

        They do if they may write the same file, and if both may create a folder, which then gets the owner of the first
        one (`MkdirAll` in tonistiigi/fsutil `copy/copy.go`). `existing` is a folder that exists already.
        """
        if self.meets(other.path):
            return True
        if (self.owner, self.mode) == (other.owner, other.mode):
            return False
        common = posixpath.commonpath((posixpath.dirname(self.path), posixpath.dirname(other.path)))
        return common not in STANDARD_FOLDERS and not is_below(existing, common)

    @property
    def owned_by_root(self) -> bool:
        """Whether folders that the COPY creates belong to root."""
        return self.owner in (None, "root", "0", "root:root", "0:0")

    def meets(self, path: str) -> bool:
        """Whether something at or below `path`, or a folder above it, may be the same file."""
        return is_below(path, self.path) or is_below(self.path, path)


def copy_destination(copy: Copy | Add, source: Word, state: State, is_dir: Callable[[str], bool | None]) -> Area | None:
    """Where a source of a COPY or ADD is written; None if that is not known.

    Args:
        copy: the instruction.
        source: one of its sources.
        state: what is in effect at the instruction.
        is_dir: whether a path of the context is a folder; None where the context cannot tell.

    Source: BuildKit `solver/llbsolver/file/backend.go` (`docopy`) and `pathRelativeToWorkingDir` of
    `frontend/dockerfile/dockerfile2llb/convert.go`: the content of a folder goes directly into the destination.
    """
    if copy.destination is None:
        return None
    spelled = copy.destination.text
    folder = spelled.endswith("/") or posixpath.basename(spelled) in (".", "..")
    expanded = state.expand(spelled, copy.escape)
    workdir = state.workdir
    if not isinstance(expanded, Known):
        return None
    if not expanded.value.startswith("/") and not isinstance(workdir, Known):
        return None
    base = workdir.value if isinstance(workdir, Known) else "/"
    path = normal_path(posixpath.join(base, expanded.value))
    chown, chmod = copy.flag("chown"), copy.flag("chmod")
    whole = Area(path, True, (chown.value or "") if chown else None, chmod is not None)
    name = posixpath.basename(source.text.rstrip("/"))
    if isinstance(copy, Add) or copy.flag("from") or copy.heredocs or not name or re.search(r"[*?\[\\$]", name):
        return whole
    if source.text.endswith("/") or name in (".", "..") or not _is_file(source.text, name, is_dir):
        return whole
    if folder:
        return replace(whole, path=posixpath.join(path, name), tree=False)
    return replace(whole, tree=not (posixpath.basename(path) == name or _has_file_name(posixpath.basename(path))))


def _is_file(source: str, name: str, is_dir: Callable[[str], bool | None]) -> bool:
    told = is_dir(source)
    return _has_file_name(name) if told is None else not told


def _has_file_name(name: str) -> bool:
    if name.startswith(".") and name.endswith(("rc", "ignore", "-version", "-versions", ".env")):
        return True
    return name in FILE_NAMES or ("." in name[1:] and name.rpartition(".")[2].lower() in FILE_ENDINGS)
