"""Whether a RUN uses what a COPY writes, so that the two must keep their order."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import sys
from typing import Final

from msgspec import Struct

from dockfix.facts.copies import Area
from dockfix.facts.packages import manifests_for
from dockfix.facts.paths import is_below
from dockfix.facts.tables.filesystem import FHS_TOP, LOCAL_FOLDERS, SCRIPT_ENDINGS, VAR_FOLDERS
from dockfix_codemods.copy_order.file_use import FileUse

_NAMES_NEVER_IMPORTED: Final = sys.stdlib_module_names | {"pip", "setuptools", "wheel", "pkg_resources"}


class Conflict(Struct, frozen=True):
    """Why a COPY and a RUN may not be reordered. If not `certain`, it is only possible, and `why` is what to review."""

    why: str
    certain: bool = True


def named_conflict(use: FileUse, area: Area) -> Conflict | None:
    """Why a RUN uses the files copied to `area`, according to its own words; None if it does not."""
    if use.unbounded:
        return Conflict(use.unbounded)
    for tree in use.trees:
        if area.meets(tree):
            return Conflict(f"line {use.line} uses {tree}")
    for folder in use.made:
        # A COPY creates missing folders like `mkdir` as root, and sets the modes of those below its destination.
        if area.meets(folder) and (
            area.mode or not area.owned_by_root or (not area.tree and is_below(folder, area.path))
        ):
            return Conflict(f"line {use.line} makes {folder}")
    for folder, name in use.names:
        if _could_be(area, folder, name):
            return Conflict(f"line {use.line} looks for {name} in {folder}")
    if _mentioned(use, area):
        return Conflict(f"line {use.line} names {area.path}")
    return None


def _mentioned(use: FileUse, area: Area) -> bool:
    """Whether the words of a RUN contain the path or the file name, in any position (`echo "deb file:/repo"`)."""
    names = [area.path] if area.path not in ("/", *use.made) else []
    names += [posixpath.basename(area.path)] if not area.tree else []
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", use.text) for name in names)


def conflict_with(use: FileUse, area: Area) -> Conflict | None:
    """Why a COPY that writes to `area` and a RUN may not be reordered; None if the order makes no difference."""
    if named := named_conflict(use, area):
        return named
    if _reserved(area, use):
        return Conflict(f"{area.path} is where programs and packages keep files")
    if not area.tree and any(fnmatch.fnmatchcase(posixpath.basename(area.path), name) for name in use.configs):
        return Conflict(f"line {use.line} may read {posixpath.basename(area.path)} as its configuration")
    if use.home not in (None, "/") and area.tree and is_below(use.home or "/", area.path):
        return Conflict(f"line {use.line} may read its configuration from {use.home}")
    if use.accounts and not area.owned_by_root and not re.fullmatch(r"\d+(:\d+)?", area.owner or ""):
        user = (area.owner or "").partition(":")[0]
        return Conflict(
            f"check that line {use.line} does not create the user `{user}`, who owns the files", certain=False
        )
    name = posixpath.basename(area.path)
    for command, folder in use.projects:
        manifests = (posixpath.basename(each) for each in manifests_for(command) if not each.endswith("/**"))
        if not area.tree and is_below(area.path, folder) and any(fnmatch.fnmatchcase(name, each) for each in manifests):
            return Conflict(f"line {use.line} may install from {name}, a manifest in {folder}")
    for folder in use.manifests_in:
        if is_below(area.path, folder) or is_below(folder, area.path):
            return Conflict(
                f"check that no manifest in `{folder}` names `{posixpath.basename(area.path)}`", certain=False
            )
    return _python_path(use, area) or _on_path(use, area)


def _could_be(area: Area, folder: str, pattern: str) -> bool:
    """Whether a file of the area may match a glob in a folder."""
    if area.tree and is_below(folder, area.path):
        return True
    if not is_below(area.path, folder):
        return False
    inside = area.path[len(folder.rstrip("/")) + 1 :].split("/")
    wanted = pattern.split("/")
    if wanted[0] == "**":
        return area.tree or fnmatch.fnmatchcase(inside[-1], wanted[-1])
    if len(wanted) == 1:
        return len(inside) == 1 and fnmatch.fnmatchcase(inside[0], wanted[0]) and not (area.tree and "." in pattern[1:])
    return fnmatch.fnmatchcase(inside[0], wanted[0])


def _python_path(use: FileUse, area: Area) -> Conflict | None:
    """The conflict if Python imports from what is copied."""
    for folder in use.python_path:
        if (area.tree and is_below(folder, area.path)) or posixpath.dirname(area.path) == folder:
            name = posixpath.basename(area.path).partition(".")[0]
            module = area.tree or area.path.endswith(".py")
            if (area.tree and is_below(folder, area.path)) or (module and name in _NAMES_NEVER_IMPORTED):
                return Conflict(f"Python looks for modules in {folder}")
    return None


def _on_path(use: FileUse, area: Area) -> Conflict | None:
    """The conflict if what is copied is on PATH."""
    for folder in use.path:
        if not area.tree and posixpath.dirname(area.path) == folder:
            name = posixpath.basename(area.path)
            if name in use.programs:
                return Conflict(f"line {use.line} runs {name}")
            if not name.endswith(SCRIPT_ENDINGS) and "entrypoint" not in name:
                return Conflict(f"check that installing the packages runs no program called `{name}`", certain=False)
        elif area.tree and posixpath.dirname(area.path) == folder and posixpath.basename(area.path) in use.programs:
            return Conflict(f"line {use.line} runs {posixpath.basename(area.path)}")
        elif area.tree and (is_below(folder, area.path) or is_below(area.path, folder)):
            return Conflict(
                f"check that installing the packages runs no program in `{area.path}`, which is on PATH", certain=False
            )
    return None


def _reserved(area: Area, use: FileUse) -> bool:
    """Whether programs and packages use this part of the file system by default."""
    parts = area.path.strip("/").split("/")
    below = parts[1:]
    if parts == [""]:
        return True
    match parts[0]:
        case "home" | "root":
            # Dotted names in a home are configuration; the content of a folder is not known.
            inside = below[1:] if parts[0] == "home" else below
            return not inside or inside[0].startswith(".")
        case "tmp":
            return False
        case "opt":
            packages = " ".join(use.packages).lower()
            return not below or use.conda or (len(below[0]) > 2 and below[0].lower() in packages)
        case "var":
            return not below or (below[0] != "tmp" and below[0] in VAR_FOLDERS)
        case "usr":
            if below[:1] == ["local"]:
                return len(below) < 2 or below[1] in LOCAL_FOLDERS
            return below[:1] != ["src"] or len(below) < 2 or re.fullmatch(r"[a-z_]+", below[1]) is None
        case top:
            return top in FHS_TOP
