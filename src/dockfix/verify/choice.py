"""Fixes as items that can be chosen one by one: the same fix is the same item in each run of the engine.

The text at the place of a fix may depend on which other fixes are made. So a fix that no run has offered before is
taken for the known one of its file, rule and message whose text is most similar, if one is similar at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.fixes import edits_by_file
from dockfix.engine.results import RunResult
from dockfix.engine.session import run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.model import Diagnostic, Fix, Safety
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span

__all__ = ["Choice", "Chosen", "Item", "Wanted"]


_SIMILAR: Final = 0.6
_MAX_TEXT: Final = 2_000


class Item(Struct, frozen=True):
    """A fix, named by its file, rule, message and the text at its place when it was first offered.

    Equal fixes of one file are one item. `safe` tells whether it was safe then.
    """

    path: Path
    rule: str
    message: str
    text: str
    safe: bool


Wanted: TypeAlias = Callable[[Item], bool]


class Chosen(Struct, frozen=True):
    """A run of the engine with some of the fixes.

    Args:
        run: its result; nothing is written.
        items: the fixes that were applied, in order, each with the diagnostics that it consists of.
        offered: all fixes that could have been applied.
    """

    run: RunResult
    items: Mapping[Item, tuple[Diagnostic, ...]]
    offered: tuple[Item, ...]

    @property
    def workspace(self) -> Workspace:
        """The files after the fixes."""
        return self.run.workspace

    def paths(self, item: Item) -> frozenset[Path]:
        """The files that a fix changes."""
        return frozenset(path for found in self.items.get(item, ()) for path in _paths(found))


def _paths(found: Diagnostic) -> set[Path]:
    fix = found.finding
    others = {change.path for change in fix.other_files} if isinstance(fix, Fix) else set()
    return {*edits_by_file(found), *others}


class Choice:
    """Runs the engine with a choice of the fixes; equal choices are run once.

    Args:
        paths: as for `run_paths`.
        settings: what to run.
        root: the project.
        registry: the installed codemods.
    """

    def __init__(self, paths: Sequence[Path], settings: Settings, *, root: Path, registry: Registry) -> None:
        self._paths, self._root, self._registry = paths, root, registry
        self.settings = replace(settings, jobs=1)  # a choice is a function that cannot be sent to other processes
        self._known: dict[frozenset[Item], Chosen] = {}
        self._items: dict[tuple[Path, str, str], list[Item]] = {}

    def safe(self) -> Chosen:
        """All fixes that are safe where they are offered."""
        return self.where(lambda _: True, unsafe=False)

    def all(self) -> Chosen:
        """All fixes of the settings."""
        return self.where(lambda _: True)

    def of(self, items: Sequence[Item]) -> Chosen:
        """These fixes. One that exists only after another fix is applied after it."""
        key = frozenset(items)
        if key not in self._known:
            self._known[key] = self.where(key.__contains__)
        return self._known[key]

    def where(self, wanted: Wanted, *, unsafe: bool | None = None) -> Chosen:
        """The fixes that `wanted` accepts; `unsafe` overrides the settings."""
        recorder = _Recorder(wanted, self._item)
        settings = self.settings if unsafe is None else replace(self.settings, unsafe=unsafe)
        run = run_paths(self._paths, settings, root=self._root, registry=self._registry, write=False, accept=recorder)
        applied: dict[Item, list[Diagnostic]] = {}
        for found in [each for file in run.files for each in file.applied]:
            item = recorder.by_finding.get(id(found.finding))
            if item is not None:
                applied.setdefault(item, []).append(found)
        items = {item: tuple(applied[item]) for item in recorder.seen if item in applied}
        return Chosen(run, items, tuple(recorder.seen))

    def _item(self, found: Diagnostic, fix: Fix, text: str, others: Collection[Item]) -> Item:
        """The item of a fix: a known one, or a new one; `others` are those of other fixes of the same text."""
        known = self._items.setdefault((found.path, found.rule, fix.message), [])
        best: tuple[float, Item] | None = None
        for item in known:
            if item.text == text:
                return item
            score = SequenceMatcher(None, item.text, text, autojunk=False).ratio()
            if item not in others and score >= _SIMILAR and (best is None or score > best[0]):
                best = score, item
        if best is not None:
            return best[1]
        known.append(Item(found.path, found.rule, fix.message, text, fix.safety is Safety.SAFE))
        return known[-1]


class _Recorder:
    """The engine's `accept`: notes each fix as an item."""

    def __init__(self, wanted: Wanted, item: Callable[[Diagnostic, Fix, str, Collection[Item]], Item]) -> None:
        self._wanted, self._item = wanted, item
        self._places: dict[tuple[Path, str], dict[Item, Span]] = {}
        self.seen: dict[Item, None] = {}
        self.by_finding: dict[int, Item] = {}
        self._kept: list[Fix] = []  # so that no other finding gets the same id

    def __call__(self, workspace: Workspace, found: Diagnostic) -> bool:
        fix = found.finding
        if not isinstance(fix, Fix):
            return False
        text = workspace.text_if_any(found.path) or ""
        places = self._places.setdefault((found.path, text), {})
        others = [each for each, span in places.items() if span != fix.at]
        item = self._item(found, fix, text[fix.at.start : fix.at.end][:_MAX_TEXT], others)
        places[item] = fix.at
        self.seen.setdefault(item)
        self.by_finding[id(fix)] = item
        self._kept.append(fix)
        return self._wanted(item)
