"""Whether a RUN is shown to run the same without what a COPY brings: the one argument for a safe move.

A program finds a file in three ways: it looks for it of its own accord, something that the build has given it names the
file, or its command line does. The last is told by `conflict_with`. Here the other two are shown not to be, or it
is said what is left to review:

- the file lies where nothing looks of its own accord: in a folder of the project's, outside PATH, PYTHONPATH and homes,
  and not under a name that is looked for in the directory in which an install runs, or above it;
- the base image is one of Docker's official ones, which were made without the project and know none of its folders;
- no ENV, ARG, SHELL or RUN above names it, or a folder that it is in, so that no variable and no configuration written
  so far leads to it;
- no file whose content is not known could be configuration: what else is copied lies in the project's folders too,
  under names that are no configuration's, no mount brings a file, nothing is fetched to where configuration lies, and
  what the RUNs above do is known;
- no folder is made by another instruction with another owner or mode than before.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dockfix.facts.copies import Area, copy_destination
from dockfix.facts.images import BUILDKIT_ARGS, PLATFORM_ARGS, PREDEFINED_ARGS
from dockfix.facts.model import Fact, Known
from dockfix.facts.paths import normal_path, upwards
from dockfix.facts.tables.filesystem import (
    DISCOVERED_FOLDERS,
    DOWNLOADERS,
    FHS_TOP,
    INERT_ENDINGS,
    INERT_NAMES,
    NO_RECORD,
    STANDING,
    TOOL_TOP,
    UNPACKERS,
)
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run, Shell, Word, Workdir
from dockfix_codemods.copy_order.file_use import FileUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

__all__ = ["Crossing", "caveat"]

_TOKEN: Final = re.compile(r"[^\s\"'`=:,;|&<>(){}\[\]!*?$\\]+")
_NAMES_HERE: Final = re.compile(
    r"\bPWD\b|\bpwd\b|realpath|readlink|(?:^|[\s\"'=:])\.{1,2}/?(?=[\s\"';&|]|$)", re.MULTILINE
)
"""How a script names the directory that it works in, or the one above."""

_HARMLESS_PLACE: Final = re.compile(
    r"/(?:tmp|dev)(?:/|\Z)|/(?:usr/(?:local/)?)?s?bin/|/(?:usr/share|etc/apt)/keyrings(?:/|\Z)"
)
"""Where a download is a program, a key or a passing file, and no configuration."""

_PACKAGED_SITE: Final = re.compile(r"/srv/(?:ftp|tftp|www|http|git|svn)(?:/|\Z)")
"""Folders of /srv that packages make all the same (vsftpd, tftpd-hpa, openSUSE's apache2)."""

_NO_PATH: Final = re.compile(
    r"(?:.*_)?(?:VERSION|REVISION|RELEASE|COMMIT|SHA|SHA256|TAG|REF|UID|GID|PORT|DATE)\Z|DEBIAN_FRONTEND\Z",
    re.IGNORECASE,
)
"""Names of ARGs whose values are no paths, whatever a build passes."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A source of a COPY, where it lands, and what it would cross: instructions, RUNs with what they use.

    `above` is all that has run before the COPY and what it crosses, with the stages that its own is FROM;
    `use_of` tells what a RUN uses.
    """

    word: Word
    area: Area
    crossed: Sequence[tuple[Instruction, FileUse | None]]
    stage: Stage
    above: Sequence[Instruction]
    use_of: Callable[[Run], FileUse]

    @property
    def uses(self) -> Iterator[FileUse]:
        """What the crossed RUNs use."""
        return (use for _, use in self.crossed if use is not None)

    @property
    def discovered_in(self) -> frozenset[str]:
        """The folders in which crossed RUNs look for files by their names."""
        return frozenset(folder for use in self.uses for start in use.looks_in for folder in upwards(start))


def caveat(facts: BuildFacts, crossing: Crossing, is_dir: Callable[[str], bool | None]) -> str:
    """What keeps it from being shown that the crossed RUNs run the same without the files; empty if nothing does."""
    path = crossing.area.path
    if not _own_place(path):
        return f"whether anything uses {path}, which lies where programs look of their own accord"
    if crossing.stage.base is None and crossing.stage.base_ref != Known("scratch"):
        return f"whether the base image, which is not one that dockfix knows, has anything that names {path}"
    return (
        _searched(crossing)
        or _named(facts, crossing)
        or _unread_configuration(facts, crossing, is_dir)
        or _folders(facts, crossing)
    )


def _own_place(path: str) -> bool:
    """Whether a path lies in a folder that no package, no program and no image but the project's uses."""
    top = path.split("/")[1]
    if _PACKAGED_SITE.match(path):
        return False
    if path == "/usr/src/app" or path.startswith("/usr/src/app/"):
        return True
    return bool(top) and not top.startswith(".") and top not in FHS_TOP and not TOOL_TOP.fullmatch(top)


# --- what is looked for ---------------------------------------------------------------------------------------------


def _searched(crossing: Crossing) -> str:
    area = crossing.area
    for use in crossing.uses:
        for what, folders in (("programs", use.path), ("Python modules", (*use.python_path, *use.modules_in))):
            for folder in folders:
                calm_file = (
                    what == "Python modules" and not area.tree and not area.path.endswith((".py", ".pth", ".so"))
                )
                if area.meets(folder) and not calm_file:
                    return f"whether line {use.line} uses {area.path}: {what} are looked for in {folder}"
        if use.home is None:
            return f"whether line {use.line} uses {area.path}: its home is not known"
        if use.home != "/" and area.meets(use.home):
            return f"whether line {use.line} uses {area.path}, in its home {use.home}"
        managers = {command.manager for command, _ in use.projects} - {"pip", "go"}
        if any(command.verb[:1] != ("pip",) for command, _ in use.projects if command.manager in managers):
            return f"whether a manifest that line {use.line} installs from names {area.path}"
    if _is_discovered(area, crossing.discovered_in):
        return f"whether a tool looks for {posixpath.basename(area.path)} in {posixpath.dirname(area.path)}"
    return ""


def _is_discovered(area: Area, folders: frozenset[str]) -> bool:
    """Whether files of an area may be looked for by name in one of the folders."""
    if area.tree and any(folder == area.path or folder.startswith(area.path + "/") for folder in folders):
        return True
    name = posixpath.basename(area.path)
    if posixpath.dirname(area.path) not in folders:
        return False
    if name.startswith(".") or ".config." in name:
        return True
    if area.tree:
        return name in DISCOVERED_FOLDERS
    return name.lower() not in INERT_NAMES and name.rpartition(".")[2].lower() not in INERT_ENDINGS


# --- what names it --------------------------------------------------------------------------------------------------


def _named(facts: BuildFacts, crossing: Crossing) -> str:
    area = crossing.area
    base = crossing.stage.base
    for name, value in (base.env if base is not None else {}).items():
        if _names(value, area, variable=True):
            return f"whether anything uses {area.path}, which {name} of the base image names"
    for node in crossing.above:
        match node:
            case Env() | Arg():
                found = _variable(facts, node, area)
            case Shell():
                found = "SHELL" if _names(node.text.text, area, variable=True) else ""
            case Run():
                found = "RUN" if _written(facts, node, area) else ""
            case _:
                continue
        if found:
            return f"whether anything uses {area.path}, which {found} on line {node.start_line} may name"
    return ""


def _variable(facts: BuildFacts, node: Env | Arg, area: Area) -> str:
    """The variable of an ENV or ARG that may name something of the area."""
    for pair in node.pairs:
        value = facts.state(node).expand(pair.value or "", node.escape)
        text = value.value if isinstance(value, Known) else pair.value or ""
        # What PATH was before is the base image's.
        told = isinstance(value, Known) or "$" not in re.sub(r"\$\{?PATH\b", "", text)
        if isinstance(node, Arg):
            # A build may pass any value to an ARG: one that has a path by default, or none, may get a path.
            told = told and text != "" and not text.startswith(("/", "."))
            told = told or pair.key in PREDEFINED_ARGS | PLATFORM_ARGS | BUILDKIT_ARGS
        # a pattern may name anything; in an address it is none
        told = told and ("://" in text or re.search(r"[*?\[]", text) is None)
        if not (told or _NO_PATH.match(pair.key)) or _names(text, area, variable=True):
            return pair.key
    return ""


def _written(facts: BuildFacts, run: Run, area: Area) -> bool:
    """Whether a RUN names something of the area, so that it may stand in configuration that it writes."""
    commands = facts.commands(run)
    text = commands.text.text or run.text.text
    for step in commands.steps:
        if step.command.basename in NO_RECORD and step.command.words:
            start, end = step.command.words[0].start, step.command.words[-1].end
            text = text[:start] + " " * (end - start) + text[end:]
    if any(_names(each, area, variable=False) for each in (text, *(heredoc.content for heredoc in run.heredocs))):
        return True
    workdir = facts.state(run).workdir
    here = not isinstance(workdir, Known) or (workdir.value != "/" and area.meets(workdir.value))
    return here and _NAMES_HERE.search(text) is not None


def _names(text: str, area: Area, *, variable: bool) -> bool:
    """Whether a text holds a path at, above or below an area; relative ones may start anywhere."""
    own = area.path.split("/")[1:]
    for token in _TOKEN.findall(text):
        path = token.lstrip("@")
        if path.startswith("-"):
            path = path[path.index("/") :] if "/" in path else ""
        if path.startswith("/"):
            normal = normal_path(path)
            if (normal != "/" or variable) and area.meets(normal):
                return True
            continue
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts and path and variable:
            return True
        if parts and any(own[at : at + len(parts)] == parts for at in range(len(own))):
            return True
    return False


# --- what may be configuration --------------------------------------------------------------------------------------


def _unread_configuration(facts: BuildFacts, crossing: Crossing, is_dir: Callable[[str], bool | None]) -> str:
    area, folders = crossing.area, crossing.discovered_in
    for node in crossing.above:
        if isinstance(node, Copy | Add):
            for word in (*node.paths, *node.args[-1:]) if node.heredocs else node.paths:
                if word is crossing.word or _is_foreign_program(node):
                    continue
                other = copy_destination(node, word, facts.state(node), is_dir)
                if other is None or not _own_place(other.path) or _is_discovered(other, folders):
                    return f"whether {word.text}, copied on line {node.start_line}, names {area.path}"
        elif isinstance(node, Run):
            use = crossing.use_of(node)
            if any(mount.kind in ("secret", "bind") for mount in node.mounts):
                return f"whether what line {node.start_line} mounts names {area.path}"
            if use.unbounded:
                return f"whether line {node.start_line} leaves configuration that names {area.path}: {use.unbounded}"
            brought = (tree for tree in use.trees if not _own_place(tree) and not _HARMLESS_PLACE.match(tree))
            if use.programs & (DOWNLOADERS | UNPACKERS) and (place := next(brought, "")):
                return f"whether what line {node.start_line} fetches to {place} names {area.path}"
    return ""


def _is_foreign_program(node: Copy | Add) -> bool:
    """Whether it copies from an image, by the spelling of its name, into a folder of programs (uv's own advice)."""
    source = node.flag("from")
    place = node.destination.text.rstrip("/") if node.destination is not None else ""
    image = source is not None and re.search(r"[/:]", source.value or "") is not None
    return image and re.fullmatch(r"(?:/usr(?:/local)?)?/s?bin(?:/\w+)?", place) is not None


# --- folders --------------------------------------------------------------------------------------------------------


def _folders(facts: BuildFacts, crossing: Crossing) -> str:
    """A folder that a COPY or, in the new order, a crossed instruction makes first, with another owner.

    Both make it with mode 755 (BuildKit, seen: `COPY d /m` of a folder with mode 700).
    """
    area = crossing.area
    for node, use in crossing.crossed:
        made, used = (use.made, use.trees) if use is not None else ((), ())
        if isinstance(node, Workdir):
            state = facts.state(node)
            place = state.expand(node.args[0].text, node.escape) if node.args else state.workdir
            made = (normal_path(posixpath.join(_known(state.workdir), _known(place))),)
        for folder in made:
            # A COPY gives a folder that is there the mode of its source, and its destination none; a link it cannot be.
            if area.tree and folder.startswith(area.path.rstrip("/") + "/"):
                return f"whether {folder}, which line {node.start_line} then makes, is a link among what is copied"
        for path in (*used, *(made if not area.by_root else ())):
            shared = posixpath.commonpath((posixpath.dirname(path), posixpath.dirname(area.path)))
            if shared not in STANDING and not _stands(facts, crossing, shared):
                return f"whether {shared}, which line {node.start_line} may then make, needs the COPY's owner"
    return ""


def _known(fact: Fact[str]) -> str:
    return fact.value if isinstance(fact, Known) else "/"


def _stands(facts: BuildFacts, crossing: Crossing, folder: str) -> bool:
    """Whether a folder is there before the COPY, because a WORKDIR above it has made it."""
    moved = crossing.word.span.start
    states = (facts.state(node).workdir for node in crossing.above if node.span.start < moved)
    return any(isinstance(each, Known) and (each.value + "/").startswith(folder + "/") for each in states)
