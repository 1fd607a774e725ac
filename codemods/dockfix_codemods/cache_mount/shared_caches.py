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
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct
from msgspec.structs import replace

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

    @property
    def shares(self) -> bool:
        """Whether it has a mount, or may be given one, that other images can have, too."""
        return self.mounted or self.libc is not None


class SharedCaches(Struct, frozen=True, dict=True):
    """The caches of a Dockerfile and of those that the project's compose and bake files build."""

    target: Target

    @cached_property
    def _own(self) -> tuple[_User, ...]:
        return tuple(_users(self.target.facts, ""))

    @cached_property
    def _elsewhere(self) -> _Users:
        """The users in all Dockerfiles that the project builds, collected once for all files of a run."""
        project = self.target.project
        found = project.memo.get(_Users)
        if found is None:
            found = project.memo[_Users] = _Users(project)
        return cast("_Users", found)

    def own_id(self, caches: Caches, tool: ToolCache, path: str) -> str | None:
        """The id that a new mount needs so that images with another libc do not share it."""
        base = caches.stage.base
        if tool.package.manager not in _BUILDING or base is None or base.libc is None:
            return None
        return self._new_id(tool.package.manager, base.libc, path)

    def _new_id(self, manager: str, libc: str, path: str) -> str | None:
        # A mount of a musl image always has its own id: files that no build here names may use the default one.
        users = self._libcs.get(path, frozenset()) | self._elsewhere.libcs(path, self.target.real)
        others = (each for each in users if each[0] != libc)
        if libc == "musl" or any(other is not None or mounted for other, mounted in others):
            return f"{manager}-{libc}"
        return None

    @cached_property
    def _libcs(self) -> Mapping[str, frozenset[tuple[str | None, bool]]]:
        """Which libc the users of each path in this file have, and whether they have a mount."""
        found: dict[str, set[tuple[str | None, bool]]] = {}
        for each in self._own:
            found.setdefault(each.path, set()).add((each.libc, each.mounted))
        return {path: frozenset(users) for path, users in found.items()}

    @cached_property
    def _kinds(self) -> Mapping[str, Mapping[tuple[object, ...], _User]]:
        """The first user of each kind in this file for each id."""
        found: dict[str, dict[tuple[object, ...], _User]] = {}
        for each in self._own:
            if each.shares:
                found.setdefault(self._name(each), {}).setdefault(each.kind, each)
        return found

    def sharing_caveat(self, caches: Caches, tool: ToolCache, name: str) -> str | None:
        """What to review if images of several kinds use the mount with this id."""
        manager = tool.package.manager
        if manager not in _BUILDING:
            return None
        kind = _kind(self.target.facts, caches, tool)
        elsewhere = (each for each in self._elsewhere.of(name, self.target.real) if self._name(each) == name)
        for each in chain(self._kinds.get(name, {}).values(), elsewhere):
            if each.kind != kind:
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


class _Users:
    """The users in all Dockerfiles that a project builds. Of those that are alike, two files are enough: the file that
    asks does not count."""

    def __init__(self, project: Project) -> None:
        self._libcs: dict[str, dict[tuple[str | None, bool], list[Path]]] = {}
        self._named: dict[str, dict[_User, list[tuple[int, Path, _User]]]] = {}
        for number, path in enumerate(project.built):
            for each in _users_of(project, path) if project.files.is_file(path) else ():
                files = self._libcs.setdefault(each.path, {}).setdefault((each.libc, each.mounted), [])
                if len(files) < 2 and path not in files:
                    files.append(path)
                for name in {each.id, f"{each.manager}-{each.libc}"} if each.shares else ():
                    users = self._named.setdefault(name, {}).setdefault(replace(each, where="", image=""), [])
                    if not users or (len(users) < 2 and users[0][1] != path):
                        users.append((number, path, each))

    def libcs(self, path: str, besides: Path) -> frozenset[tuple[str | None, bool]]:
        """Which libc the users of a path in files other than `besides` have, and whether they have a mount."""
        return frozenset(key for key, files in self._libcs.get(path, {}).items() if files != [besides])

    def of(self, name: str, besides: Path) -> Iterator[_User]:
        """Those in files other than `besides` whose mount has, or may be given, this id, in the order of the files."""
        alike = self._named.get(name, {}).values()
        found = [next((each for each in users if each[1] != besides), None) for users in alike]
        for _, _, user in sorted((each for each in found if each is not None), key=lambda each: each[0]):
            yield user


def _users_of(project: Project, path: Path) -> tuple[_User, ...]:
    """The users in a Dockerfile of the project."""
    try:
        target = target_for(project, project.files.read(path))
    except InputError:
        return ()
    return tuple(_users(target.facts, f"{target.display}:"))


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
