"""What a step without a mount does again, and what it finds in an earlier layer instead.

A dependency that an earlier step has downloaded to its layer is not downloaded again: `dotnet publish` after `dotnet
restore`. The later step needs the mount all the same, since with a mount the earlier step leaves nothing in its layer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from dockfix.facts.caches import serves
from dockfix.facts.mounts import STORE_MANAGERS, Caches, ToolCache, caches_of
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.tables.commands import SYSTEM_MANAGERS
from dockfix.syntax.tree import Add, Copy, Run
from dockfix_codemods.cache_mount.analysis.other_steps import copied_into

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage

_Key: TypeAlias = tuple[str, str]
"""A manager and a directory."""


def work_of(tool: ToolCache, directory: str) -> str:
    """What a tool does again without the content of one of its cache directories."""
    if directory.endswith("/go-build"):
        return "packages are compiled"
    if directory == "/var/lib/apt":
        return "package lists are downloaded"
    if tool.package.manager == "cargo" and directory.endswith("/git/db"):
        return "git dependencies are downloaded"
    return "packages are downloaded"


def in_earlier_layer(facts: BuildFacts, caches: Caches, tool: ToolCache, directory: str) -> bool:
    """Whether the layers below a RUN may already have what a tool would put into a directory, or install from it."""
    if not _takes_from_project(tool.package):
        return False
    key, start = (tool.package.manager, directory), caches.run.span.start
    for stage in facts.graph.chain(caches.stage):
        before = _fills(facts, stage).get(key, ())
        last = bisect_left(before, (start,)) - 1
        if _copied_before(facts, caches, stage, key):
            return True
        if last >= 0:
            return before[last][1]
    return False


def _copied_before(facts: BuildFacts, caches: Caches, stage: Stage, key: _Key) -> bool:
    """Whether a COPY in a stage, before a RUN, puts a cache into a directory."""

    def first() -> int | None:
        copies = (each for each in stage.instructions if isinstance(each, Copy | Add))
        return next((each.span.start for each in copies if copied_into(facts, each, *key, caches)), None)

    found = facts.once(("cache-mount copies", stage.index, key, caches.home), first)
    return found is not None and found < caches.run.span.start


def _fills(facts: BuildFacts, stage: Stage) -> Mapping[_Key, list[tuple[int, bool]]]:
    """Where the RUNs of a stage fill a directory (True) or empty it (False), in order."""
    return facts.once(("cache-mount layers", stage.index), lambda: _find_fills(facts, stage))


def _find_fills(facts: BuildFacts, stage: Stage) -> Mapping[_Key, list[tuple[int, bool]]]:
    found: dict[_Key, list[tuple[int, bool]]] = {}
    for run in stage.instructions:
        caches = caches_of(facts, run, stage) if isinstance(run, Run) else None
        if caches is None:
            continue
        tools = {id(tool.step): tool for tool in caches.tools}
        for step in caches.commands.steps:
            tool = tools.get(id(step))
            if tool is not None:
                for key in _kept(caches, tool):
                    found.setdefault(key, []).append((run.span.start, True))
            for key in [each for each in found if _empties(caches, step, *each)]:
                found[key].append((run.span.start, False))
    return found


def _kept(caches: Caches, tool: ToolCache) -> Iterator[_Key]:
    """The directories that a tool fills in the layer of its RUN, or from which it installs into the layer."""
    manager = tool.package.manager
    if not (tool.benefits and tool.known) or not _takes_from_project(tool.package):
        return
    for directory in tool.use.dirs:
        in_layer = not tool.use.disabled_by and caches.serving(directory.path) is None
        if in_layer or manager not in STORE_MANAGERS:
            yield manager, directory.path


def _empties(caches: Caches, step: Step, manager: str, directory: str) -> bool:
    """Whether a command empties a directory in which later commands would look for dependencies."""
    if manager not in STORE_MANAGERS:
        return False  # what was installed is still there
    if step.package is not None:
        return step.package.manager == manager and step.package.action is Action.CLEAN
    if step.command.name != "rm":
        return False
    paths = (caches.path(word.value if word.value is not None else word.text) for word in step.command.args)
    return any(path is not None and serves(path, directory) for path in paths)


def _takes_from_project(package: PackageCommand) -> bool:
    """Whether files of the project may name what a command downloads, rather than its words alone."""
    if package.manager in SYSTEM_MANAGERS:
        return False
    if package.action in (Action.SYNC, Action.BUILD):
        return True
    named = [word for word in package.packages if word.value is not None and not word.value.startswith((".", "/"))]
    return package.action is Action.INSTALL and (package.unknown_operands or not named)
