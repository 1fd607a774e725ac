"""Which COPYs before a RUN can move after it without changing what is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.copies import Area, copy_destination
from dockfix.facts.model import Known, known
from dockfix.facts.packages import requirement_files
from dockfix.facts.paths import normal_path
from dockfix.facts.variables import uses
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run, Volume, Word, Workdir
from dockfix_codemods.copy_order.conflicts import Conflict, conflict_with, named_conflict
from dockfix_codemods.copy_order.file_use import FileUse, file_use
from dockfix_codemods.copy_order.unaffected import Reordering, caveat

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage
    from dockfix.project.context import Context
    from dockfix.project.target import Target

_MAX_REQUIREMENTS: Final = 20
_PLAIN_FLAGS: Final = frozenset(("chown", "chmod", "link"))


class ContextFiles(Struct, frozen=True):
    """The known part of the build context.

    `is_dir` tells whether a path is a folder, and `text` returns the text of a file; both return None if unknown.
    """

    is_dir: Callable[[str], bool | None]
    text: Callable[[str], str | None]


_FAR: Final = 60
"""How many instructions above a RUN are searched for COPYs that can move below it."""


class ReorderableCopy(Struct, frozen=True):
    """A COPY that can move, or some of its sources (`words`; all of them if empty).

    `caveats` are what a reader must check; empty if the move is shown to change nothing.
    """

    copy: Copy
    words: tuple[Word, ...]
    caveats: tuple[str, ...]


def is_plain(copy: Instruction) -> bool:
    """Whether an instruction is a COPY from the build context whose flags mean the same at any place of the stage."""
    return (
        isinstance(copy, Copy)
        and not copy.heredocs
        and copy.destination is not None
        and all(flag.name in _PLAIN_FLAGS for flag in copy.flags)
    )


def reorderable(
    facts: BuildFacts,
    instructions: Sequence[Instruction],
    index: int,
    files: ContextFiles,
    *,
    with_caveats: bool = False,
    claimed: frozenset[int] = frozenset(),
) -> tuple[ReorderableCopy, ...]:
    """The COPYs among `instructions[:index]` that can move directly below `instructions[index]`, in order.

    Checks all instructions between a COPY and its new place: whether a RUN uses the copied files, another COPY may
    write the same files, or a WORKDIR or ENV changes what the COPY means. The search goes up from the RUN and ends at
    the first RUN that may use any file, at the latest after `_FAR` instructions.

    Args:
        facts: the build.
        instructions: those of one stage.
        index: that of the RUN.
        files: the build context.
        with_caveats: whether to include moves that a reader must check.
        claimed: starts of source words that keep their place.
    """
    search = _Search(facts, instructions, index, files)
    found: list[ReorderableCopy] = []
    for node in reversed(instructions[max(0, index - _FAR) : index + 1]):
        if isinstance(node, Run):
            use = search.use_of(node)
            if use.unbounded:
                break
            search.skipped.append((node, use))
        elif isinstance(node, Copy | Add):
            movable = search.movable(node, with_caveats, claimed)
            if movable is not None:
                found.append(movable)
        else:
            search.skipped.append((node, None))
    return tuple(reversed(found))


class _Search:
    """The search up from a RUN, with the instructions that a COPY further up would move past."""

    def __init__(self, facts: BuildFacts, instructions: Sequence[Instruction], index: int, files: ContextFiles) -> None:
        self.facts = facts
        self.instructions = instructions
        self.anchor = instructions[index]
        self.files = files
        self.skipped: list[tuple[Instruction, FileUse | None]] = []
        self.staying: list[Area | None] = []
        self.stage = facts.stage_of(self.anchor)
        inherited = facts.graph.chain(self.stage)[1:] if self.stage is not None else ()
        first = [node for stage in reversed(inherited) for node in stage.program]
        triggers = self.stage.triggers if self.stage is not None else ()
        self.before = [*first, *triggers, *instructions[: index + 1]]
        naming = (node for node in _naming_files(facts, self.stage) if node.span.start < self.anchor.span.start)
        self.above = " ".join(node.text.text for node in naming)

    def use_of(self, run: Run) -> FileUse:
        """The files that a RUN uses, computed once."""
        return self.facts.once(("copy-order use", run.span.start), lambda: file_use(self.facts, run))

    def movable(self, copy: Copy | Add, with_caveats: bool, claimed: frozenset[int]) -> ReorderableCopy | None:
        """The sources of a COPY that can move past the skipped instructions; the others stay."""
        state = self.facts.state(copy)
        workdir = known(state.workdir, "/") or "/"
        areas = [(word, copy_destination(copy, word, state, self.files.is_dir)) for word in copy.sources]
        moving: list[tuple[Word, Area, tuple[str, ...]]] = []
        staying: list[Area | None] = []
        for word, area in areas:
            caveats = None
            if isinstance(copy, Copy) and is_plain(copy) and area is not None and word.span.start not in claimed:
                caveats = self.caveats(copy, word, area)
            if area is None or caveats is None or (caveats and not with_caveats):
                staying.append(area)
            else:
                moving.append((word, area, caveats))
        if staying and (copy.json or copy.comments or not _into_folder(copy)):
            moving, staying = [], [area for _, area in areas]
        while True:
            # Sources that stay in this COPY were written together with those that move, and must not overlap them.
            kept = [each for each in moving if not _conflicts_with(each[1], staying, workdir)]
            if len(kept) == len(moving):
                break
            staying += [area for _, area, _ in moving if _conflicts_with(area, staying, workdir)]
            moving = kept
        self.staying += staying
        if not moving or not isinstance(copy, Copy):
            return None
        found = tuple(dict.fromkeys(each for _, _, caveats in moving for each in caveats))
        return ReorderableCopy(copy, tuple(word for word, _, _ in moving) if staying else (), found)

    def caveats(self, copy: Copy, word: Word, area: Area) -> tuple[str, ...] | None:
        """What a reader must check if a COPY to `area` moves past the skipped instructions; None if it cannot."""
        workdir = known(self.facts.state(copy).workdir, "/") or "/"
        if (
            _conflicts_with(area, self.staying, workdir)
            or f"file:{area.path}" in self.above
            or f"file://{area.path}" in self.above
        ):
            return None
        found: list[str] = []
        for node, use in self.skipped:
            problems = (
                [self.problem(copy, area, node)]
                if use is None
                else [conflict_with(use, area), self._includes(use, area)]
            )
            for problem in problems:
                if problem is not None and problem.certain:
                    return None
                found += [problem.why] if problem is not None else []
        if not found:
            if self.stage is None:
                return None
            reordering = Reordering(word, area, self.skipped, self.stage, self.before, self.use_of)
            found += [why] if (why := caveat(self.facts, reordering, self.files.is_dir)) else []
        return tuple(found)

    def problem(self, copy: Copy, area: Area, node: Instruction) -> Conflict | None:
        """Why a COPY to `area` cannot move past an instruction other than RUN."""
        match node:
            case Env() | Arg() if {pair.key for pair in node.pairs} & uses(copy):
                return Conflict("it uses a variable that is set after it")
            case Workdir():
                return self._workdir(copy, area, node)
            case Volume() if any(area.meets(word.text.rstrip("/")) for word in node.args):
                return Conflict("it writes to a volume")
            case _:
                return None

    def _workdir(self, copy: Copy, area: Area, node: Workdir) -> Conflict | None:
        """A WORKDIR creates its folder as the current user, a COPY as root or as --chown says."""
        relative = copy.destination is not None and not copy.destination.text.startswith(("/", "$"))
        if relative and self.facts.state(copy).workdir != self.facts.state(self.anchor).workdir:
            return Conflict("its destination is relative to a directory that changes")
        folder = self.facts.state(self.instructions[self.instructions.index(node) + 1]).workdir
        if not isinstance(folder, Known):
            return Conflict("the working directory is unknown")
        if not area.tree and area.meets(folder.value) and not area.path.startswith(folder.value.rstrip("/") + "/"):
            return Conflict(f"it is a file where a WORKDIR creates {folder.value}")
        apart = folder.value.split("/")[1] != area.path.split("/")[1]
        if apart or (area.owned_by_root and not area.mode and self.facts.state(node).creates_as_root):
            return None
        return Conflict(f"it shares {folder.value} with a WORKDIR")

    def _includes(self, use: FileUse, area: Area) -> Conflict | None:
        """Whether a requirements file that a RUN installs from names a file copied to `area`."""
        pending, seen = list(use.follows), set[str]()
        unread: Conflict | None = None
        while pending:
            path = pending.pop(0)
            if path in seen:
                continue
            seen.add(path)
            base = posixpath.basename(path)
            readable = len(seen) <= _MAX_REQUIREMENTS and not base.endswith((".yml", ".yaml"))
            text = self._text_at(path) if readable else None
            if text is None:
                if _may_be_included(area, path):
                    return Conflict(f"{base}, which cannot be read, may include it")
                unread = Conflict(f"check that `{base}` names no other files", certain=False)
                continue
            named = requirement_files(text)
            if named is None:
                return Conflict(f"{base} installs local projects")
            places = [normal_path(posixpath.join(posixpath.dirname(path), name)) for name in named]
            if any(area.meets(place) for place in places):
                return Conflict(f"{base} includes {area.path}")
            pending += places
        return unread

    def _text_at(self, path: str) -> str | None:
        """The text of a file of the stage that a COPY copies from the context."""
        for node in self.instructions:
            if node is self.anchor:
                break
            if isinstance(node, Copy) and is_plain(node):
                for word in node.sources:
                    area = copy_destination(node, word, self.facts.state(node), self.files.is_dir)
                    if area is not None and area.path == path and not area.tree:
                        return self.files.text(word.text)
        return None


def _naming_files(facts: BuildFacts, stage: Stage | None) -> tuple[Run, ...]:
    """The RUNs of a stage that have a `file:` URL."""
    if stage is None:
        return ()
    runs = (node for node in stage.instructions if isinstance(node, Run))
    key = ("copy-order files", stage.index)
    return facts.once(key, lambda: tuple(node for node in runs if "file:" in node.text.text))


def _may_be_included(area: Area, path: str) -> bool:
    """Whether an area may contain files that a requirements file includes: requirements files, or a folder of them."""
    words = re.compile(r"require|constrain|dep|wheel|lock|base|common|prod|dev|test|pin", re.IGNORECASE)
    name = posixpath.basename(area.path)
    if area.tree:
        return path.startswith(area.path.rstrip("/") + "/") or words.search(name) is not None
    return name.endswith((".txt", ".in", ".pip", ".lock", ".whl", ".gz", ".zip", ".conf"))


def _into_folder(copy: Copy | Add) -> bool:
    """Whether the destination is a folder by its spelling, for any number of sources."""
    destination = copy.destination.text if copy.destination else ""
    return destination.endswith("/") or posixpath.basename(destination) in (".", "..")


def _conflicts_with(area: Area, others: Sequence[Area | None], workdir: str) -> bool:
    return any(other is None or area.conflicts_with(other, workdir) for other in others)


def reorderable_below(
    target: Target,
    instructions: Sequence[Instruction],
    index: int,
    *,
    with_caveats: bool = False,
    claimed: frozenset[int] = frozenset(),
) -> tuple[ReorderableCopy, ...]:
    """`reorderable` with the context of a target."""
    context = target.context
    files = ContextFiles(_is_dir(context), lambda path: context.read_text(path) if context else None)
    return reorderable(target.facts, instructions, index, files, with_caveats=with_caveats, claimed=claimed)


def destination_of(target: Target, copy: Copy | Add, source: Word) -> Area | None:
    """Where a source of a COPY or ADD is copied to; None if unknown."""
    return copy_destination(copy, source, target.facts.state(copy), _is_dir(target.context))


def uses_area(use: FileUse, area: Area) -> bool:
    """Whether the words of a RUN name something that is copied to an area."""
    return named_conflict(use, area) is not None


def _is_dir(context: Context | None) -> Callable[[str], bool | None]:
    return lambda path: context.is_dir(path) if context is not None and context.exists(path) else None
