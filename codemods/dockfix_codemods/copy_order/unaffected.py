"""Whether a RUN does the same without the files of a COPY, so that the COPY can safely move after it.

A program finds a file in three ways: it searches for it, something in the build names the file, or its command line
does. `conflict_with` checks the command line. This module checks the other two; it shows the following, or names what a
reader must check:

- nothing searches for the file: it is in a folder of the project, outside PATH, PYTHONPATH and home directories, and
  its name is not one that tools look for in the working directory of an install or above it;
- the base image is a Docker Official Image, which was built without the project and knows none of its folders;
- no earlier ENV, ARG, SHELL or RUN names the file or a folder that contains it, so no variable and no configuration
  leads to it;
- no file with unknown content can be configuration: other copied files are in folders of the project too and are not
  named like configuration, no mount provides a file, nothing is downloaded to a folder of configuration, and all
  earlier RUNs are understood;
- no other instruction creates a folder with another owner or mode than before.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

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
    STANDARD_FOLDERS,
    TOOL_TOP,
    TOOLS_WITHOUT_RECORD,
    UNPACKERS,
)
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run, Shell, Word, Workdir
from dockfix_codemods.copy_order.file_use import FileUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

_TOKEN: Final = re.compile(r"[^\s\"'`=:,;|&<>(){}\[\]!*?$\\]+")
_NAMES_HERE: Final = re.compile(
    r"\bPWD\b|\bpwd\b|realpath|readlink|(?:^|[\s\"'=:])\.{1,2}/?(?=[\s\"';&|]|$)", re.MULTILINE
)
"""How a script names its working directory, or the one above."""

_NO_CONFIGURATION: Final = re.compile(
    r"/(?:tmp|dev)(?:/|\Z)|/(?:usr/(?:local/)?)?s?bin/|/(?:usr/share|etc/apt)/keyrings(?:/|\Z)"
)
"""Folders in which a download is a program, a key or a temporary file, but not configuration."""

_PACKAGED_SITE: Final = re.compile(r"/srv/(?:ftp|tftp|www|http|git|svn)(?:/|\Z)")
"""Folders of /srv that packages create (vsftpd, tftpd-hpa, apache2 of openSUSE)."""

_NO_PATH: Final = re.compile(
    r"(?:.*_)?(?:VERSION|REVISION|RELEASE|COMMIT|SHA|SHA256|TAG|REF|UID|GID|PORT|DATE)\Z|DEBIAN_FRONTEND\Z",
    re.IGNORECASE,
)
"""Names of ARGs whose values are never paths."""


class Reordering(Struct, frozen=True):
    """A source of a COPY, where it is copied to, and the instructions that it would move past, with what RUNs use.

    `above` are all instructions before the new place, including those of the stages on which the stage is based.
    `use_of` returns what a RUN uses.
    """

    word: Word
    area: Area
    skipped: Sequence[tuple[Instruction, FileUse | None]]
    stage: Stage
    above: Sequence[Instruction]
    use_of: Callable[[Run], FileUse]

    @property
    def uses(self) -> Iterator[FileUse]:
        """What the skipped RUNs use."""
        return (use for _, use in self.skipped if use is not None)

    @property
    def discovered_in(self) -> frozenset[str]:
        """The folders in which skipped RUNs look for files by name."""
        return frozenset(folder for use in self.uses for start in use.looks_in for folder in upwards(start))


def caveat(facts: BuildFacts, reordering: Reordering, is_dir: Callable[[str], bool | None]) -> str | None:
    """What a reader must check because the skipped RUNs may do something else without the files; None if nothing."""
    path = reordering.area.path
    if not _own_place(path):
        return f"check that nothing uses `{path}`, which is in a folder that programs search"
    if reordering.stage.base is None and reordering.stage.base_ref != Known("scratch"):
        return f"check that nothing in the base image, which dockfix does not know, names `{path}`"
    return (
        _search_caveat(reordering)
        or _reference_caveat(facts, reordering)
        or _configuration_caveat(facts, reordering, is_dir)
        or _folder_caveat(facts, reordering)
    )


def _own_place(path: str) -> bool:
    """Whether a path is in a folder that only the project uses, and no package, program or other image."""
    top = path.split("/")[1]
    if _PACKAGED_SITE.match(path):
        return False
    if path == "/usr/src/app" or path.startswith("/usr/src/app/"):
        return True
    return bool(top) and not top.startswith(".") and top not in FHS_TOP and not TOOL_TOP.fullmatch(top)


# --- files that programs search for -----------------------------------------------------------------------------------


def _search_caveat(reordering: Reordering) -> str | None:
    area = reordering.area
    for use in reordering.uses:
        unused = f"check that line {use.line} does not use `{area.path}`"
        for what, folders in (("programs", use.path), ("Python modules", (*use.python_path, *use.modules_in))):
            for folder in folders:
                is_other_file = (
                    what == "Python modules" and not area.tree and not area.path.endswith((".py", ".pth", ".so"))
                )
                if area.meets(folder) and not is_other_file:
                    return f"{unused}, since {what} are searched for in `{folder}`"
        if use.home is None:
            return f"{unused}, since its home directory is unknown"
        if use.home != "/" and area.meets(use.home):
            return f"{unused}, which is in its home directory `{use.home}`"
        managers = {command.manager for command, _ in use.projects} - {"pip", "go"}
        if any(command.verb[:1] != ("pip",) for command, _ in use.projects if command.manager in managers):
            return f"check that no manifest that line {use.line} installs from names `{area.path}`"
    if _is_discovered(area, reordering.discovered_in):
        return f"check that no tool looks for `{posixpath.basename(area.path)}` in `{posixpath.dirname(area.path)}`"
    return None


def _is_discovered(area: Area, folders: frozenset[str]) -> bool:
    """Whether a tool may look for a file of an area by name in one of the folders."""
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


# --- what names the file ----------------------------------------------------------------------------------------------


def _reference_caveat(facts: BuildFacts, reordering: Reordering) -> str | None:
    area = reordering.area
    base = reordering.stage.base
    for name, value in (base.env if base is not None else {}).items():
        if _names(value, area, variable=True):
            return f"check that nothing uses `{area.path}`, which `{name}` of the base image names"
    for node in reordering.above:
        match node:
            case Env() | Arg():
                variable = _naming_variable(facts, node, area)
                found = f"`{variable}`" if variable is not None else None
            case Shell():
                found = "the SHELL" if _names(node.text.text, area, variable=True) else None
            case Run():
                found = "the RUN" if _run_names(facts, node, area) else None
            case _:
                continue
        if found is not None:
            return f"check that nothing uses `{area.path}`, which {found} on line {node.start_line} may name"
    return None


def _naming_variable(facts: BuildFacts, node: Env | Arg, area: Area) -> str | None:
    """The variable of an ENV or ARG that may name something in the area."""
    for pair in node.pairs:
        value = facts.state(node).expand(pair.value or "", node.escape)
        text = value.value if isinstance(value, Known) else pair.value or ""
        # the previous value of PATH is that of the base image
        harmless = isinstance(value, Known) or "$" not in re.sub(r"\$\{?PATH\b", "", text)
        if isinstance(node, Arg):
            # a build may pass any value: an ARG whose default is empty or a path may receive a path
            harmless = harmless and text != "" and not text.startswith(("/", "."))
            harmless = harmless or pair.key in PREDEFINED_ARGS | PLATFORM_ARGS | BUILDKIT_ARGS
        # a glob may name anything, but a URL contains none
        harmless = harmless and ("://" in text or re.search(r"[*?\[]", text) is None)
        if not (harmless or _NO_PATH.match(pair.key)) or _names(text, area, variable=True):
            return pair.key
    return None


def _run_names(facts: BuildFacts, run: Run, area: Area) -> bool:
    """Whether a RUN names something in the area, so that configuration that it writes may contain the name."""
    commands = facts.commands(run)
    text = commands.text.text or run.text.text
    for step in commands.steps:
        if step.command.basename in TOOLS_WITHOUT_RECORD and step.command.words:
            start, end = step.command.words[0].start, step.command.words[-1].end
            text = text[:start] + " " * (end - start) + text[end:]
    if any(_names(each, area, variable=False) for each in (text, *(heredoc.content for heredoc in run.heredocs))):
        return True
    workdir = facts.state(run).workdir
    here = not isinstance(workdir, Known) or (workdir.value != "/" and area.meets(workdir.value))
    return here and _NAMES_HERE.search(text) is not None


def _names(text: str, area: Area, *, variable: bool) -> bool:
    """Whether a text contains a path at, above or below an area; a relative path may start in any folder."""
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


# --- files that may be configuration ----------------------------------------------------------------------------------


def _configuration_caveat(
    facts: BuildFacts, reordering: Reordering, is_dir: Callable[[str], bool | None]
) -> str | None:
    area, folders = reordering.area, reordering.discovered_in
    for node in reordering.above:
        line = node.start_line
        if isinstance(node, Copy | Add):
            for word in (*node.paths, *node.args[-1:]) if node.heredocs else node.paths:
                if word is reordering.word or _is_foreign_program(node):
                    continue
                other = copy_destination(node, word, facts.state(node), is_dir)
                if other is None or not _own_place(other.path) or _is_discovered(other, folders):
                    return f"check that `{word.text}`, copied on line {line}, does not name `{area.path}`"
        elif isinstance(node, Run):
            use = reordering.use_of(node)
            if any(mount.kind in ("secret", "bind") for mount in node.mounts):
                return f"check that nothing that line {line} mounts names `{area.path}`"
            if use.unbounded:
                return f"check that line {line} writes no configuration that names `{area.path}`: {use.unbounded}"
            places = (tree for tree in use.trees if not _own_place(tree) and not _NO_CONFIGURATION.match(tree))
            if use.programs & (DOWNLOADERS | UNPACKERS) and (place := next(places, "")):
                return f"check that nothing that line {line} fetches to `{place}` names `{area.path}`"
    return None


def _is_foreign_program(node: Copy | Add) -> bool:
    """Whether a COPY copies from an image into a folder of programs, as the documentation of uv recommends."""
    source = node.flag("from")
    place = node.destination.text.rstrip("/") if node.destination is not None else ""
    image = source is not None and re.search(r"[/:]", source.value or "") is not None
    return image and re.fullmatch(r"(?:/usr(?:/local)?)?/s?bin(?:/\w+)?", place) is not None


# --- folders ----------------------------------------------------------------------------------------------------------


def _folder_caveat(facts: BuildFacts, reordering: Reordering) -> str | None:
    """A folder that the COPY created first and, in the new order, a skipped instruction creates with another owner.

    Both create it with mode 755 (tested with BuildKit: `COPY d /m` of a folder with mode 700).
    """
    area = reordering.area
    for node, use in reordering.skipped:
        line = node.start_line
        made, used = (use.made, use.trees) if use is not None else ((), ())
        if isinstance(node, Workdir):
            state = facts.state(node)
            place = state.expand(node.args[0].text, node.escape) if node.args else state.workdir
            made = (normal_path(posixpath.join(_known(state.workdir), _known(place))),)
        for folder in made:
            # A COPY sets the mode of an existing folder, except of its destination; a link cannot replace a folder.
            if area.tree and folder.startswith(area.path.rstrip("/") + "/"):
                return f"check that `{folder}`, which line {line} then creates, is not a link among the copied files"
        for path in (*used, *(made if not area.owned_by_root else ())):
            shared = posixpath.commonpath((posixpath.dirname(path), posixpath.dirname(area.path)))
            if shared not in STANDARD_FOLDERS and not _exists_before(facts, reordering, shared):
                return f"check that `{shared}`, which line {line} may then create, does not need the owner of the COPY"
    return None


def _known(fact: Fact[str]) -> str:
    return fact.value if isinstance(fact, Known) else "/"


def _exists_before(facts: BuildFacts, reordering: Reordering, folder: str) -> bool:
    """Whether an earlier WORKDIR creates a folder before the COPY."""
    moved = reordering.word.span.start
    states = (facts.state(node).workdir for node in reordering.above if node.span.start < moved)
    return any(isinstance(each, Known) and (each.value + "/").startswith(folder + "/") for each in states)
