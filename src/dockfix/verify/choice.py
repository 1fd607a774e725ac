"""Fixes as items that can be chosen one by one: the same fix has the same name in each run of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from dockfix.engine.fixes import edits_by_file
from dockfix.engine.results import RunResult
from dockfix.engine.session import run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.model import Diagnostic, Fix, Safety
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace

__all__ = ["Choice", "Chosen", "Item", "Wanted"]


@dataclass(frozen=True, slots=True)
class Item:
    """A fix, named by its file, rule, message and the text at its place. Equal fixes of one file are one item."""

    path: Path
    rule: str
    message: str
    text: str
    safe: bool


Wanted: TypeAlias = Callable[[Item], bool]


@dataclass(frozen=True)
class Chosen:
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

    def all(self) -> Chosen:
        """All fixes of the settings."""
        return self.where(lambda _: True)

    def of(self, items: Sequence[Item]) -> Chosen:
        """These fixes. One that exists only after another fix is applied after it."""
        key = frozenset(items)
        if key not in self._known:
            self._known[key] = self.where(key.__contains__)
        return self._known[key]

    def where(self, wanted: Wanted) -> Chosen:
        """The fixes that `wanted` accepts."""
        recorder = _Recorder(wanted)
        run = run_paths(
            self._paths, self.settings, root=self._root, registry=self._registry, write=False, accept=recorder
        )
        applied: dict[Item, list[Diagnostic]] = {}
        for found in [each for file in run.files for each in file.applied]:
            item = recorder.by_finding.get(id(found.finding))
            if item is not None:
                applied.setdefault(item, []).append(found)
        items = {item: tuple(applied[item]) for item in recorder.seen if item in applied}
        return Chosen(run, items, tuple(recorder.seen))


class _Recorder:
    """The engine's `accept`: notes each fix as an item."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.seen: dict[Item, None] = {}
        self.by_finding: dict[int, Item] = {}
        self._kept: list[Fix] = []  # so that no other finding gets the same id

    def __call__(self, workspace: Workspace, found: Diagnostic) -> bool:
        fix = found.finding
        if not isinstance(fix, Fix):
            return False
        text = workspace.text_if_any(found.path) or ""
        item = Item(found.path, found.rule, fix.message, text[fix.at.start : fix.at.end], fix.safety is Safety.SAFE)
        self.seen.setdefault(item)
        self.by_finding[id(fix)] = item
        self._kept.append(fix)
        return self._wanted(item)
