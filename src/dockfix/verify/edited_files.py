"""Which file of a build context shows what an edit of a source file costs: a file whose edit makes RUNs run again.

For each file, the number of RUN steps that an edit makes run again is predicted from the tree: those after the first
instruction that takes the file, in its stage and in the stages that depend on it. The prediction only chooses the file;
what an edit costs is measured.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.model import Known
from dockfix.facts.packages import Action, reads
from dockfix.facts.stages import Stage, StageSource
from dockfix.facts.tables.filesystem import INERT_ENDINGS
from dockfix.facts.tables.manifests import CONFIG_FILES, MANIFESTS
from dockfix.project.context import Context
from dockfix.project.files import Snapshot
from dockfix.project.ignore import read_ignore
from dockfix.syntax.tree import Add, Copy, Instruction, Run
from dockfix.verify.scenarios import Side

__all__ = ["Candidate", "choose_file"]

_MOST_FILES: Final = 2_000
"""How many files are compared, those of the preferred kinds first."""

_MOST_BYTES: Final = 1024 * 1024

_DOCUMENTS: Final = frozenset(("md", "rst", "adoc", "txt"))
_DOCUMENT_NAMES: Final = ("readme", "changelog", "contributing", "license", "authors")
_TEXTS: Final = INERT_ENDINGS - {"csv", "tsv", "patch", "diff", "pdf", "png", "jpg", "jpeg", "gif", "svg", "ico"}
"""Endings of program texts and the like, for which a line of white space at the end means nothing."""

_LISTS: Final = (
    "*requirements*", "*constraints*", "*.lock", "*lock.*", "dockerfile*", "containerfile*", "*.dockerfile"
)  # fmt: skip
"""Names, in lower case, of lists of packages and of Dockerfiles, which other tools than the tables name may read."""

_READ_BY_MANAGERS: Final = tuple(
    {
        posixpath.basename(pattern.removesuffix("/**"))
        for table in (MANIFESTS, CONFIG_FILES)
        for patterns in table.values()
        for pattern in patterns
    }
)


class Candidate(Struct, frozen=True):
    """A file whose edit can show the claim.

    Args:
        path: its path in the context.
        before: how many RUN steps an edit is predicted to run again before the fixes.
        after: likewise after them.
    """

    path: str
    before: int
    after: int


def choose_file(before: Side, after: Side) -> Candidate | None:
    """The file to edit; None if an edit of no suitable file makes a RUN run again before the fixes.

    Documentation is preferred to source files, since no install depends on it. Manifests, lock files and configuration
    of package managers are never taken: an install must run again after their edit. If the fixes save no RUN for any
    file, and what each COPY takes is known, it is a file that makes an install run again, which it need not: so a claim
    that is broken can be shown, too.
    """
    context = _context(before)
    plans = _Plan(before, context), _Plan(after, context)
    excluded = _named_by_installs(before)
    saving: list[tuple[int, Candidate]] = []
    wasteful: list[tuple[int, Candidate]] = []
    for kind, path in _suitable(context, before.context, excluded):
        again = plans[0].run_again(path)
        candidate = Candidate(path, len(again), len(plans[1].run_again(path)))
        if candidate.after < candidate.before:
            saving.append((kind, candidate))
        elif any(plans[0].installs(run) for run in again):
            wasteful.append((kind, candidate))
    if not saving and not all(plan.certain for plan in plans):
        return None
    best = min(saving or wasteful, key=lambda each: _order(*each), default=None)
    return best[1] if best is not None else None


def _order(kind: int, each: Candidate) -> tuple[int, int, int, str]:
    return kind, each.after - each.before, each.path.count("/"), each.path


def _context(side: Side) -> Context:
    """The copied context, with the ignore rules of the original."""
    root = side.context.resolve()
    if side.target.context is not None:
        return replace(side.target.context, root=root, project_root=root, files=None)
    return Context(root, root, read_ignore(root, root / "Dockerfile", Snapshot(root)))


def _suitable(context: Context, root: Path, excluded: Collection[str]) -> Iterator[tuple[int, str]]:
    """The files that may be edited, each with its kind: 0 for documentation, 1 for programs and the like."""
    ranked = [(kind, path) for path in context.sent_files or () if (kind := _kind(path)) is not None]
    ranked.sort(key=lambda each: (each[0], each[1].count("/"), each[1]))
    for kind, path in ranked[:_MOST_FILES]:
        if path not in excluded and _is_text_file(root / path):
            yield kind, path


def _kind(path: str) -> int | None:
    name = posixpath.basename(path).lower()
    stem, _, ending = name.partition(".")[0], *name.rpartition(".")[1:]
    if any(part.startswith(".") for part in path.split("/")):
        return None
    if any(fnmatchcase(name, each.lower()) for each in (*_LISTS, *_READ_BY_MANAGERS)) or ".config." in name:
        return None
    if ending in _DOCUMENTS or stem in _DOCUMENT_NAMES:
        return 0
    return 1 if ending in _TEXTS else None


def _is_text_file(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return False
        data = path.read_bytes()
        data.decode()
    except (OSError, UnicodeDecodeError):
        return False
    return b"\0" not in data


def _named_by_installs(side: Side) -> frozenset[str]:
    """The paths that installs name themselves (`-r deps/base.txt`), by their names in the context."""
    facts = side.target.facts
    found: set[str] = set()
    for stage in facts.graph.stages:
        for run in (node for node in stage.instructions if isinstance(node, Run)):
            packages = [step.package for step in facts.commands(run).steps if step.package is not None]
            found.update(posixpath.normpath(name).lstrip("/") for each in packages for name in reads(each).named)
    return frozenset(found)


class _Plan:
    """What an edit of a file is predicted to run again on one side."""

    def __init__(self, side: Side, context: Context) -> None:
        self._facts = side.target.facts
        self._context = context
        self._stages = self._facts.graph.needed_for(side.stage)
        self.certain = True
        """Whether it is known what each instruction takes from the context."""
        self._taken: dict[int, tuple[str, ...]] = {}
        for stage in self._stages:
            for node in stage.program:
                self._taken[id(node)] = tuple(self._paths(node))

    def _paths(self, node: Instruction) -> Iterator[str]:
        """What an instruction takes from the context: files, and folders with all in them."""
        for word in _context_sources(node):
            source = self._facts.state(node).expand(word, node.escape)
            paths = self._context.glob(source.value) if isinstance(source, Known) else None
            if paths is None or node.flag("exclude") is not None:
                self.certain = False
            yield from paths or ()

    def installs(self, run: Run) -> bool:
        """Whether a RUN installs packages."""
        packages = (step.package for step in self._facts.commands(run).steps)
        return any(each is not None and each.action in (Action.INSTALL, Action.SYNC) for each in packages)

    def run_again(self, path: str) -> list[Run]:
        """The RUNs that an edit of a file makes run again."""
        changed: set[int] = set()
        found: list[Run] = []
        for stage in self._stages:
            first = self._first_changed(stage, path, changed)
            if first is not None:
                changed.add(stage.index)
                found += [node for node in stage.program[first:] if isinstance(node, Run)]
        return found

    def _first_changed(self, stage: Stage, path: str, changed: Collection[int]) -> int | None:
        if stage.parent in changed:
            return 0
        for index, node in enumerate(stage.program):
            sources = self._facts.graph.sources(node, stage)
            if any(isinstance(each, StageSource) and each.stage.index in changed for each in sources):
                return index
            if _takes(self._taken[id(node)], path):
                return index
        return None


def _context_sources(node: Instruction) -> Sequence[str]:
    if isinstance(node, Copy | Add) and node.flag("from") is None:
        return [word.text for word in node.paths if "://" not in word.text]
    if isinstance(node, Run):
        return [mount.get("source") or "." for mount in node.mounts if mount.kind == "bind" and not mount.get("from")]
    return ()


def _takes(taken: Sequence[str], path: str) -> bool:
    return any(each in (".", path) or path.startswith(f"{each}/") for each in taken)
