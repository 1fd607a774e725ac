"""What a reader must check before a cache mount is added or moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dockfix.facts.mounts import MOUNTABLE_MANAGERS, STORE_MANAGERS, CacheMount, Caches, ToolCache
from dockfix.facts.tables.commands import PYTHON_MANAGERS, SYSTEM_MANAGERS
from dockfix_codemods.cache_mount.analysis.cleaning import cleaning
from dockfix_codemods.cache_mount.analysis.other_steps import filled_before_caveat, needed_later
from dockfix_codemods.cache_mount.analysis.parents import makes_parents, missing_parents
from dockfix_codemods.cache_mount.analysis.placing import owned_by_root

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts


def parents_caveat(facts: BuildFacts, caches: Caches, path: str) -> str | None:
    """The caveat of a mount whose missing parents become root's; None if there are none."""
    folders = owned_by_root(facts, caches, path)
    if not folders:
        return None
    return (
        f"check that nothing else writes to `{folders[0]}`, which belongs to root with the mount"
        f" (an earlier `RUN mkdir -p {folders[-1]}` avoids that)"
    )


_TOLERANT: Final = frozenset(
    ("cd", "ls", "echo", "chown", "chmod", "chgrp", "du", "stat", "find", "test", "[", "export")
)


def affected_commands(facts: BuildFacts, caches: Caches, path: str) -> list[str]:
    """The commands of the RUN that a new mount may affect: they name it, create it, or remove a folder above it."""
    kept = {id(each.step) for each in cleaning(caches, [path], adding=True)}
    found = [
        f"check `{step.command.basename}`, which names `{path}` or a folder above it"
        for step in caches.mentions(path)
        if id(step) not in kept
    ]
    folders = (path, *missing_parents(facts, caches.run, caches.stage, path, writer_is_root=True))
    for step in caches.commands.steps:
        name = step.command.basename
        if step.package is not None or name in _TOLERANT or makes_parents(step) or id(step) in kept:
            continue
        named = (caches.path(word.value if word.value is not None else word.text) for word in step.command.args)
        found += [f"check `{name}`, for which `{each}` already exists" for each in named if each in folders]
    return found


def is_disposable(tool: ToolCache, path: str) -> bool:
    """Whether no later step needs a manager's cache, so that it may move to a mount."""
    if path.endswith("/go-build"):  # build results, rebuilt if they are missing (go help cache)
        return True
    return tool.package.manager in MOUNTABLE_MANAGERS - STORE_MANAGERS - {"apt"} and not path.startswith("/var/")


def is_certainly_unused(caches: Caches, mount: CacheMount) -> bool:
    """Whether not even the programs that the managers run (build backends, lifecycle scripts) could use a mount."""
    return caches.owners(mount) <= PYTHON_MANAGERS | SYSTEM_MANAGERS | {tool.package.manager for tool in caches.tools}


def caveats(facts: BuildFacts, caches: Caches, tool: ToolCache, path: str) -> list[str]:
    """What a reader must check before a mount is added."""
    manager = tool.package.manager
    found = [
        f"check that `{each.name}` is only there to keep the image small: a mount adds nothing to the image"
        for each in tool.use.disabled_by
        if each.kind in ("option", "env")
    ]
    if built := build_isolation_caveat(tool):
        found.append(built)
    if tool.likely:
        found.append(f"check that the base image runs {manager} as root with its cache below `{caches.home}`")
    if filled := filled_before_caveat(facts, caches, tool, path):
        found.append(filled)
    if needed := needed_later(facts, caches, tool, path):
        found.append(f"check that {needed} works without {manager}'s cache, which is then only in the mount")
    if parents := parents_caveat(facts, caches, path):
        found.append(parents)
    cleanups = cleaning(caches, [path], adding=True)
    if path == "/var/lib/apt":
        found.append(
            "apt's auto-install marks move into the mount; a later `apt-get autoremove` may remove more or less"
        )
    if path == "/var/lib/apt" and not cleanups:
        found.append("check that no later step reads the apt lists")
    return found + affected_commands(facts, caches, path)


def build_isolation_caveat(tool: ToolCache) -> str | None:
    """The caveat of a cache of wheels that are built against installed packages; None if there is none.

    pip.pypa.io/en/stable/topics/caching (locally built wheels), docs.astral.sh/uv/concepts/cache: a wheel is cached by
    the name and version of its source, not by what it was built against, such as torch for an extension.
    """
    if tool.package.manager not in PYTHON_MANAGERS or not tool.package.has(
        "--no-build-isolation", "--no-build-isolation-package"
    ):
        return None
    return "check that wheels built with `--no-build-isolation` may be reused after torch or similar has changed"
