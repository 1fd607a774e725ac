"""Which COPYs above a RUN may stand below it without a difference to what is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dockfix.facts.copies import Area, copy_destination
from dockfix.facts.model import Known, known
from dockfix.facts.packages import requirement_files
from dockfix.facts.paths import normal_path
from dockfix.facts.variables import uses
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run, Volume, Word, Workdir
from dockfix_codemods.copy_order import conflicts as io
from dockfix_codemods.copy_order.conflicts import Conflict, conflict_with
from dockfix_codemods.copy_order.file_use import FileUse, file_use
from dockfix_codemods.copy_order.unaffected import Crossing, caveat

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.project.context import Context
    from dockfix.project.target import Target

__all__ = [
    "ContextFiles",
    "ReorderableCopy",
    "destination_of",
    "is_plain",
    "reorderable",
    "reorderable_below",
    "uses_area",
]

_MOST_REQUIREMENTS: Final = 20
_HARMLESS_FLAGS: Final = frozenset(("chown", "chmod", "link"))


@dataclass(frozen=True, slots=True)
class ContextFiles:
    """What can be seen of the build context.

    `is_dir` tells whether a path is a folder, None where that is not known; `text` gives a file's text, None likewise.
    """

    is_dir: Callable[[str], bool | None]
    text: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class ReorderableCopy:
    """A COPY that may move, or some of its sources (`words`; all of them if there are none).

    `caveats` are what a person must look at; none if the move is shown to make no difference.
    """

    copy: Copy
    words: tuple[Word, ...]
    caveats: tuple[str, ...]


def is_plain(copy: Instruction) -> bool:
    """Whether an instruction is a COPY from the build context whose flags do not depend on where it stands."""
    return (
        isinstance(copy, Copy)
        and not copy.heredocs
        and copy.destination is not None
        and all(flag.name in _HARMLESS_FLAGS for flag in copy.flags)
    )


def reorderable(
    facts: BuildFacts,
    instructions: Sequence[Instruction],
    index: int,
    files: ContextFiles,
    *,
    doubtful: bool = False,
    claimed: frozenset[int] = frozenset(),
) -> tuple[ReorderableCopy, ...]:
    """The COPYs among `instructions[:index]` that may stand directly below `instructions[index]`, in order.

    All that stands between a COPY and its new place is asked: RUNs whether they use what is copied, other COPYs whether
    they may write the same files, WORKDIR and ENV whether they change what the COPY means. The search ends at the first
    RUN, going up, of which it is not known what it uses.

    Args:
        facts: the build.
        instructions: those of one stage.
        index: of the RUN.
        files: the build context.
        doubtful: whether moves of which something is to be feared are wanted too.
        claimed: starts of source words that stay.
    """
    walk = _Walk(facts, instructions, index, files)
    found: list[ReorderableCopy] = []
    for node in reversed(instructions[: index + 1]):
        if isinstance(node, Run):
            use = walk.use_of(node)
            if use.unbounded:
                break
            walk.crossed.append((node, use))
        elif isinstance(node, Copy | Add):
            moved = walk.judge(node, doubtful, claimed)
            if moved is not None:
                found.append(moved)
        else:
            walk.crossed.append((node, None))
    return tuple(reversed(found))


class _Walk:
    """The way up from a RUN: what a COPY further up would cross."""

    def __init__(self, facts: BuildFacts, instructions: Sequence[Instruction], index: int, files: ContextFiles) -> None:
        self.facts = facts
        self.instructions = instructions
        self.anchor = instructions[index]
        self.files = files
        self.crossed: list[tuple[Instruction, FileUse | None]] = []
        self.stays: list[Area | None] = []
        self.uses: dict[int, FileUse] = {}
        self.stage = facts.stage_of(self.anchor)
        inherited = facts.graph.chain(self.stage)[1:] if self.stage is not None else ()
        first = [node for stage in reversed(inherited) for node in stage.program]
        triggers = self.stage.triggers if self.stage is not None else ()
        self.before = [*first, *triggers, *instructions[: index + 1]]
        self.above = " ".join(node.text.text for node in instructions[:index] if isinstance(node, Run))

    def use_of(self, run: Run) -> FileUse:
        """What a RUN uses, found once."""
        if run.span.start not in self.uses:
            self.uses[run.span.start] = file_use(self.facts, run)
        return self.uses[run.span.start]

    def judge(self, copy: Copy | Add, doubtful: bool, claimed: frozenset[int]) -> ReorderableCopy | None:
        """Which sources of a COPY may cross all that has been met; the others are met by those further up."""
        state = self.facts.state(copy)
        standing = known(state.workdir, "/") or "/"
        areas = [(word, copy_destination(copy, word, state, self.files.is_dir)) for word in copy.sources]
        moving: list[tuple[Word, Area, tuple[str, ...]]] = []
        staying: list[Area | None] = []
        for word, area in areas:
            caveats = None
            if isinstance(copy, Copy) and is_plain(copy) and area is not None and word.span.start not in claimed:
                caveats = self.caveats(copy, word, area)
            if area is None or caveats is None or (caveats and not doubtful):
                staying.append(area)
            else:
                moving.append((word, area, caveats))
        if staying and (copy.json or copy.comments or not _into_folder(copy)):
            moving, staying = [], [area for _, area in areas]
        while True:
            # What stays behind in this line was written before, and must not meet what now comes later.
            kept = [each for each in moving if not _conflicts_with(each[1], staying, standing)]
            if len(kept) == len(moving):
                break
            staying += [area for _, area, _ in moving if _conflicts_with(area, staying, standing)]
            moving = kept
        self.stays += staying
        if not moving or not isinstance(copy, Copy):
            return None
        found = tuple(dict.fromkeys(doubt for _, _, caveats in moving for doubt in caveats))
        return ReorderableCopy(copy, tuple(word for word, _, _ in moving) if staying else (), found)

    def caveats(self, copy: Copy, word: Word, area: Area) -> tuple[str, ...] | None:
        """What is to be feared if a COPY to `area` crosses all that has been met; None if it must not."""
        standing = known(self.facts.state(copy).workdir, "/") or "/"
        if (
            _conflicts_with(area, self.stays, standing)
            or f"file:{area.path}" in self.above
            or f"file://{area.path}" in self.above
        ):
            return None
        found: list[str] = []
        for node, use in self.crossed:
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
            crossing = Crossing(word, area, self.crossed, self.stage, self.before, self.use_of)
            found += [why] if (why := caveat(self.facts, crossing, self.files.is_dir)) else []
        return tuple(found)

    def problem(self, copy: Copy, area: Area, node: Instruction) -> Conflict | None:
        """What is in the way of a COPY to `area` that crosses an instruction other than RUN."""
        match node:
            case Env() | Arg() if {pair.key for pair in node.pairs} & uses(copy):
                return Conflict("it uses a variable that is set below it")
            case Workdir():
                return self._workdir(copy, area, node)
            case Volume() if any(area.meets(word.text.rstrip("/")) for word in node.args):
                return Conflict("it writes to a volume")
            case _:
                return None

    def _workdir(self, copy: Copy, area: Area, node: Workdir) -> Conflict | None:
        """A WORKDIR makes its folder as the user that is set; a COPY makes its own as root, or as --chown says."""
        relative = copy.destination is not None and not copy.destination.text.startswith(("/", "$"))
        if relative and self.facts.state(copy).workdir != self.facts.state(self.anchor).workdir:
            return Conflict("its destination is relative to a directory that changes")
        folder = self.facts.state(self.instructions[self.instructions.index(node) + 1]).workdir
        if not isinstance(folder, Known):
            return Conflict("the working directory is not known")
        if not area.tree and area.meets(folder.value) and not area.path.startswith(folder.value.rstrip("/") + "/"):
            return Conflict(f"it is a file where a WORKDIR makes {folder.value}")
        apart = folder.value.split("/")[1] != area.path.split("/")[1]
        if apart or (area.by_root and not area.mode and self.facts.state(node).makes_roots_folders):
            return None
        return Conflict(f"it shares {folder.value} with a WORKDIR")

    def _includes(self, use: FileUse, area: Area) -> Conflict | None:
        """Whether a requirements file that a RUN installs from names what is copied to `area`."""
        pending, seen = list(use.follows), set[str]()
        unread: Conflict | None = None
        while pending:
            path = pending.pop(0)
            if path in seen:
                continue
            seen.add(path)
            base = posixpath.basename(path)
            readable = len(seen) <= _MOST_REQUIREMENTS and not base.endswith((".yml", ".yaml"))
            text = self._text_at(path) if readable else None
            if text is None:
                if _may_be_included(area, path):
                    return Conflict(f"{base}, which cannot be read, may include it")
                unread = Conflict(f"whether {base} names other files", certain=False)
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
        """The text of a file of the stage, if a COPY brings it from the context."""
        for node in self.instructions:
            if node is self.anchor:
                break
            if isinstance(node, Copy) and is_plain(node):
                for word in node.sources:
                    area = copy_destination(node, word, self.facts.state(node), self.files.is_dir)
                    if area is not None and area.path == path and not area.tree:
                        return self.files.text(word.text)
        return None


def _may_be_included(area: Area, path: str) -> bool:
    """Whether an area may hold files that a requirements file includes: lists of requirements, or a folder of them."""
    words = re.compile(r"require|constrain|dep|wheel|lock|base|common|prod|dev|test|pin", re.IGNORECASE)
    name = posixpath.basename(area.path)
    if area.tree:
        return path.startswith(area.path.rstrip("/") + "/") or words.search(name) is not None
    return name.endswith((".txt", ".in", ".pip", ".lock", ".whl", ".gz", ".zip", ".conf"))


def _into_folder(copy: Copy | Add) -> bool:
    """Whether the destination is a folder by its spelling, however many sources there are."""
    destination = copy.destination.text if copy.destination else ""
    return destination.endswith("/") or posixpath.basename(destination) in (".", "..")


def _conflicts_with(area: Area, others: Sequence[Area | None], standing: str) -> bool:
    return any(other is None or area.conflicts_with(other, standing) for other in others)


def reorderable_below(
    target: Target,
    instructions: Sequence[Instruction],
    index: int,
    *,
    doubtful: bool = False,
    claimed: frozenset[int] = frozenset(),
) -> tuple[ReorderableCopy, ...]:
    """`reorderable` with the context of a target."""
    context = target.context
    files = ContextFiles(_is_dir(context), lambda path: context.read_text(path) if context else None)
    return reorderable(target.facts, instructions, index, files, doubtful=doubtful, claimed=claimed)


def destination_of(target: Target, copy: Copy | Add, source: Word) -> Area | None:
    """Where a source of a COPY or ADD is copied to; None if that is not known."""
    return copy_destination(copy, source, target.facts.state(copy), _is_dir(target.context))


def uses_area(use: FileUse, area: Area) -> str:
    """Why a RUN uses what is copied to an area, as far as its words say; empty if they do not."""
    found = io.named_conflict(use, area)
    return found.why if found is not None else ""


def _is_dir(context: Context | None) -> Callable[[str], bool | None]:
    return lambda path: context.is_dir(path) if context is not None and context.exists(path) else None
