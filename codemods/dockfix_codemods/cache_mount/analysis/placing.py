"""Where a cache mount goes, and how its flag is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockfix.facts.caches import CacheDir
from dockfix.facts.model import Refused
from dockfix.facts.mounts import CacheMount, Caches, ToolCache
from dockfix.syntax.tree import Mount, Run
from dockfix_codemods.cache_mount.analysis.parents import missing_parents

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts


def mount_path(facts: BuildFacts, caches: Caches, directory: CacheDir) -> str:
    """Where to mount for a cache directory: there, or, if that would make the tool's own folder root's, at that
    folder."""
    if caches.root is not False or directory.whole is None:
        return directory.path
    parents = missing_parents(facts, caches.run, caches.stage, directory.path, writer_is_root=False)
    return directory.whole if directory.whole in parents else directory.path


def owned_by_root(facts: BuildFacts, caches: Caches, path: str) -> tuple[str, ...]:
    """The folders above a mount that belong to root with it, and would belong to the non-root user without it."""
    if caches.root is not False:
        return ()
    return missing_parents(facts, caches.run, caches.stage, path, writer_is_root=False)


def ownership(caches: Caches, tool: ToolCache) -> str:
    """The mount options with which the user can write: none, or `,uid=...,gid=...`.

    Raises:
        Refused: the user is not known.
    """
    if caches.root or (caches.root is None and tool.likely):
        return ""
    if caches.root is None or caches.uid is None:
        raise Refused("the UID that writes to the mount is unknown")
    return f",uid={caches.uid}" + (f",gid={caches.gid}" if caches.gid is not None else "")


def shared_id_caveat(facts: BuildFacts, caches: Caches, mount: CacheMount) -> str | None:
    """Why a mount must not keep its `id=` for the cache of another tool; None if it may."""
    name = mount.mount.get("id")
    if name is None:
        return None
    named = any(owner in name for owner in caches.owners(mount))
    users = [m for run in _runs(facts) for m in run.mounts if m.kind == "cache" and m.get("id") == name]
    return (
        f"the mount id `{name}` belongs to another tool: give this cache an id of its own"
        if named or len(users) > 1
        else None
    )


def _runs(facts: BuildFacts) -> list[Run]:
    return [each for each in facts.dockerfile.instructions if isinstance(each, Run)]


def _by_target(facts: BuildFacts) -> dict[str | None, list[Mount]]:
    """The cache mounts of the file, in order, by the directory."""
    found: dict[str | None, list[Mount]] = {}
    for mount in (each for run in _runs(facts) for each in run.mounts if each.kind == "cache"):
        found.setdefault(mount.target, []).append(mount)
    return found


def flag_for(facts: BuildFacts, path: str, sharing: str, owner: str, name: str) -> tuple[str, str]:
    """The flag of a new mount, and its id or "": as the file writes it elsewhere for that directory, otherwise in its
    simplest form. `name`: the required id."""
    for mount in facts.once("cache-mount by target", lambda: _by_target(facts)).get(path, ()):
        uid = mount.get("uid")
        alike = f"uid={uid}" in owner if owner else uid is None
        if alike and (not name or mount.get("id") == name) and mount.flag.value_span:
            return mount.flag.word.text, mount.get("id") or ""
    own = f",id={name}" if name else ""
    locked = ",sharing=locked" if sharing == "locked" else ""
    return f"--mount=type=cache{own},target={path}{locked}{owner}", name
