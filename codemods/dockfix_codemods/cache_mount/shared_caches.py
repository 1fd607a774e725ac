"""Which images share a cache of packages built from source, and might reuse a build that does not work for them.

pip, uv, poetry and pdm look up a wheel that they have built by its name, version and tags, and pip accepts one tagged
`linux_x86_64` on both glibc and musl (packaging.python.org/specifications/platform-compatibility-tags); pnpm keeps
what install scripts have built (pnpm.io/settings#sideeffectscache). A BuildKit builder has one cache for each `id=`,
by default the target, for all files that it builds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from dockfix.facts.model import Fact, Known, known
from dockfix.facts.mounts import caches_of
from dockfix.project.problems import InputError
from dockfix.project.target import target_for

if TYPE_CHECKING:
    from pathlib import Path

    from dockfix.facts.build import BuildFacts
    from dockfix.facts.mounts import Caches, ToolCache
    from dockfix.project.target import Project, Target

_BUILDING: Final = frozenset(("pip", "uv", "poetry", "pdm", "pipenv", "pnpm"))
_RELEASE: Final = re.compile(
    r"stretch|buster|bullseye|bookworm|trixie|bionic|focal|jammy|noble|alpine[\d.]*|\d+\.\d+|\d+"
)
_DISTRIBUTIONS: Final = frozenset(("debian", "ubuntu", "alpine", "rhel", "fedora"))
_FLAGS: Final = (
    "CC",
    "CXX",
    "CFLAGS",
    "CPPFLAGS",
    "CXXFLAGS",
    "FFLAGS",
    "LDFLAGS",
    "RUSTFLAGS",
    "ARCHFLAGS",
    "CMAKE_ARGS",
)
"""Variables that compilers and build backends read (packaging of CPython, CMake, cargo)."""


class _User(Struct, frozen=True):
    """A command that caches what it builds: in which mount, and in what kind of image."""

    where: str
    manager: str
    image: str
    path: str
    id: str
    mounted: bool
    libc: str | None
    kind: tuple[object, ...]


class SharedCaches(Struct, frozen=True, dict=True):
    """The caches of a Dockerfile and of those that the project's compose and bake files build."""

    target: Target

    @cached_property
    def _users(self) -> tuple[_User, ...]:
        found = list(_users(self.target.facts, ""))
        for path in self.target.project.built:
            if path != self.target.real and self.target.project.files.is_file(path):
                found += _users_elsewhere(self.target.project, path)
        return tuple(found)

    def own_id(self, caches: Caches, tool: ToolCache, path: str) -> str | None:
        """The id that a new mount needs so that images with another libc do not share it."""
        base = caches.stage.base
        if tool.package.manager not in _BUILDING or base is None or base.libc is None:
            return None
        return self._new_id(tool.package.manager, base.libc, path)

    def _new_id(self, manager: str, libc: str, path: str) -> str | None:
        # A mount of a musl image always has its own id: files that no build here names may use the default one.
        others = (each for each in self._libcs.get(path, ()) if each[0] != libc)
        if libc == "musl" or any(other is not None or mounted for other, mounted in others):
            return f"{manager}-{libc}"
        return None

    @cached_property
    def _libcs(self) -> Mapping[str, frozenset[tuple[str | None, bool]]]:
        """Which libc the users of each path have, and whether they have a mount."""
        found: dict[str, set[tuple[str | None, bool]]] = {}
        for each in self._users:
            found.setdefault(each.path, set()).add((each.libc, each.mounted))
        return {path: frozenset(users) for path, users in found.items()}

    @cached_property
    def _kinds(self) -> Mapping[str, Mapping[tuple[object, ...], _User]]:
        """The first user of each kind for each id."""
        found: dict[str, dict[tuple[object, ...], _User]] = {}
        for each in self._users:
            if each.mounted or each.libc is not None:
                found.setdefault(self._name(each), {}).setdefault(each.kind, each)
        return found

    def sharing_caveat(self, caches: Caches, tool: ToolCache, name: str) -> str | None:
        """What to review if images of several kinds use the mount with this id."""
        manager = tool.package.manager
        if manager not in _BUILDING:
            return None
        kind = _kind(self.target.facts, caches, tool)
        for other, each in self._kinds.get(name, {}).items():
            if other != kind:
                return (
                    f"check that what `{manager}` builds from source here also works for {each.where} ({each.image}):"
                    " they share the cache"
                )
        return None

    def _name(self, user: _User) -> str:
        """The id of the mount that a user has, or would be given."""
        if user.mounted or user.libc is None:
            return user.id
        return self._new_id(user.manager, user.libc, user.path) or user.id


def _users_elsewhere(project: Project, path: Path) -> tuple[_User, ...]:
    """The users in another Dockerfile, computed once for all files of a run."""
    try:
        file = project.files.read(path)
    except InputError:
        return ()
    found = project.memo.get((_users, path, file.text))
    if found is None:
        target = target_for(project, file)
        found = project.memo[_users, path, file.text] = tuple(_users(target.facts, f"{target.display}:"))
    return cast("tuple[_User, ...]", found)


def _users(facts: BuildFacts, file: str) -> Iterator[_User]:
    for stage, run in facts.runs():
        caches = caches_of(facts, run, stage)
        for tool in caches.tools if caches is not None else ():
            if caches is None or tool.package.manager not in _BUILDING or not tool.known:
                continue
            for directory in tool.use.dirs:
                mount = caches.serving(directory.path)
                name = mount.mount.get("id") or mount.target if mount is not None else None
                yield _User(
                    manager=tool.package.manager,
                    where=f"{file}{run.start_line}" if file else f"line {run.start_line}",
                    image=known(stage.base_ref) or "an unknown image",
                    path=directory.path,
                    id=name or directory.path,
                    mounted=mount is not None,
                    libc=stage.base.libc if stage.base is not None else None,
                    kind=_kind(facts, caches, tool),
                )


def _kind(facts: BuildFacts, caches: Caches, tool: ToolCache) -> tuple[object, ...]:
    """What a build from source depends on: the distribution, its release if the tag names it, and compiler flags."""
    state = facts.state(caches.run)
    flags: list[tuple[str, Fact[str] | None]] = []
    for name in _FLAGS:
        fact = tool.step.env.get(name) or (state.lookup(name) if state.sets(name) else None)
        flags.append((name, fact))
    base, ref = caches.stage.base, caches.stage.base_ref
    if base is None:
        return ("unknown", ref, *flags)
    release = ""
    if isinstance(ref, Known):
        name, _, tag = ref.value.partition("@")[0].rpartition(":")
        own = name.rpartition("/")[2] in _DISTRIBUTIONS  # in another image's tag a number is not the release
        release = next((m[0] for m in _RELEASE.finditer(tag) if own or not m[0][0].isdigit()), "")
    return (base.family, base.libc, release, *flags)
