"""The cache mounts of a RUN, the caches that its commands use, and which mount serves which cache.

Where the base image is not known, its user and environment are not known either. The caches are then given as they are
in almost every image (user root, home /root, no variable that moves a cache), and marked `likely`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.caches import CacheDir, CacheUse, cache_use, serves, tool_of_directory
from dockfix.facts.expansion import END
from dockfix.facts.model import Fact, Known, Refused, Unknown, known
from dockfix.facts.packages import Action, PackageCommand, recognise
from dockfix.facts.paths import normal_path
from dockfix.facts.tables.commands import JAVASCRIPT_MANAGERS, PYTHON_MANAGERS, SYSTEM_MANAGERS
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.tree import Mount, Run, User

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.stages import Stage


STORE_MANAGERS: Final = frozenset(("go", "cargo", "maven", "gradle", "dotnet"))
"""Managers whose cache is also where later commands find the dependencies."""

MOUNTABLE_MANAGERS: Final = PYTHON_MANAGERS - {"pipenv"} | STORE_MANAGERS | {"npm", "yarn", "pnpm", "composer", "apt"}
"""Managers for which a mount is useful without further settings. apk and dnf keep packages only if configured to."""


class CacheMount(Struct, frozen=True):
    """A cache mount of a RUN; `target` is absolute and expanded, None if it is not known. `tilde`: it is written with a
    leading `~`, which BuildKit does not expand; `target` is then the intended path."""

    mount: Mount
    target: str | None
    tilde: bool = False


class ToolCache(Struct, frozen=True):
    """A package manager command with its cache; `likely`: the answer holds if the unknown base image is like most."""

    step: Step
    package: PackageCommand
    use: CacheUse
    likely: bool = False

    @property
    def known(self) -> bool:
        """Whether its directories are known, or likely."""
        return self.use.unknown is None

    @property
    def benefits(self) -> bool:
        """Whether it downloads enough for a mount to be useful."""
        package = self.package
        if package.manager not in MOUNTABLE_MANAGERS or package.verb[:2] == ("python", "install"):
            return False
        if package.manager in ("pip", "uv") and _installs_files(package):
            return False
        if package.action in (Action.INSTALL, Action.SYNC, Action.UPGRADE):
            return True
        if package.manager == "pip":
            return package.verb in (("download",), ("wheel",))
        return package.action is Action.BUILD and package.manager in STORE_MANAGERS


class Caches(Struct, frozen=True):
    """The cache mounts of a RUN, the caches of its commands, and the user that runs it.

    `home` is only likely if `home_known` is not set, "" if it is not known at all. `root`: whether root runs it; None
    if not known. `closed`: no command may use a cache other than those in `tools`.
    """

    run: Run
    stage: Stage
    commands: Commands
    mounts: tuple[CacheMount, ...]
    tools: tuple[ToolCache, ...]
    closed: bool
    home: str
    home_known: bool
    root: bool | None
    uid: int | None
    gid: int | None

    def serving(self, directory: str) -> CacheMount | None:
        """The mount that contains a directory."""
        return next(
            (m for m in self.mounts if m.target is not None and not m.tilde and serves(m.target, directory)), None
        )

    def covered(self, directory: str) -> bool:
        """Whether a mount of another kind is at or above a directory, or any mount is inside it
        (`/go/pkg/mod/cache`)."""
        narrower = any(each.target is not None and serves(directory, each.target) for each in self.mounts)
        others = [mount.target or "" for mount in self.run.mounts if mount.kind != "cache"]
        return narrower or any(serves(target, directory) or serves(directory, target) for target in others)

    def missing(self) -> Iterator[tuple[ToolCache, CacheDir]]:
        """The directories of commands that would benefit from a mount and have none, each once."""
        seen: set[str] = set()
        for tool in self.tools:
            if not (tool.benefits and tool.known) or tool.step.user_changed or self.chosen(tool):
                continue
            for directory in tool.use.dirs:
                if directory.path not in seen and not self.serving(directory.path) and not self.covered(directory.path):
                    seen.add(directory.path)
                    yield tool, directory

    def chosen(self, tool: ToolCache) -> bool:
        """Whether an option moves downloads that later commands need to a directory of their own, where they must
        stay."""
        manager = tool.package.manager
        return (
            manager in STORE_MANAGERS
            and tool.package.has("--define", "--packages", "--gradle-user-home")
            and not all(manager in tool_of_directory(each.path, self.home or "/root") for each in tool.use.dirs)
        )

    def owners(self, mount: CacheMount) -> frozenset[str]:
        """The managers that use the directory of a mount by default, in this user's home or in root's."""
        if mount.target is None:
            return frozenset()
        homes = dict.fromkeys(("/root", self.home or "/root"))
        return frozenset(tool for home in homes for tool in tool_of_directory(mount.target, home))

    def is_unused(self, mount: CacheMount) -> bool:
        """Whether no command of the RUN can use a mount.

        Every command is known, package managers keep their caches elsewhere, and the programs that they may run (a
        build backend, a lifecycle script) do not use the mounted directory.
        """
        owners = self.owners(mount)
        if not owners or mount.target is None or not self.closed or not self.tools:
            return False
        running = {tool.package.manager for tool in self.tools}
        if not owners <= PYTHON_MANAGERS | SYSTEM_MANAGERS | JAVASCRIPT_MANAGERS | running or any(
            not tool.known for tool in self.tools
        ):
            return False
        if any(tool.likely and tool.package.manager in owners for tool in self.tools):
            return False  # an unknown image may move the cache of this tool to where the mount is
        if any(self.mentions(mount.target)):
            return False
        return not any(
            serves(mount.target, d.path) or serves(d.path, mount.target) for t in self.tools for d in t.use.dirs
        )

    def writable(self, mount: CacheMount) -> bool:
        """Whether the RUN's user can certainly write to a mount (moby/buildkit: it is root's, with mode 0755)."""
        if mount.mount.get("mode") is not None:
            return True
        owner = mount.mount.get("uid") or "0"
        return self.root is True or (self.uid is not None and owner == str(self.uid))

    def mentions(self, directory: str) -> Iterator[Step]:
        """The commands that name the directory, something in it, or, if they move or remove files, a folder above
        it."""
        for step in self.commands.steps:
            name = step.command.basename
            for word in step.command.args:
                path = self.path(word.value if word.value is not None else word.text)
                if path is None or (step.package is not None and word.text.startswith("--cache-dir")):
                    continue
                above = serves(path, directory) and path != directory
                if (serves(directory, path) and name not in ("cd", "mkdir", "ls", "echo")) or (
                    above and has_trait(name, Trait.MOVES_TREES)
                ):
                    yield step
                    break

    def path(self, text: str) -> str | None:
        """A word as an absolute path, with `~` and `$HOME` replaced by the home and without a trailing `/*`; None if it
        is not one."""
        text = text.strip("\"'")
        text = text.partition("=")[2] if text.startswith("-") else text
        for start in ("~/", "$HOME/", "${HOME}/"):
            if text.startswith(start) and self.home:
                text = f"{self.home}/{text[len(start) :]}"
        if not text.startswith("/"):
            return None
        path = normal_path(re.sub(r"/(\*|\.\*|\.\[!\.\]\*)\Z", "", text) or "/")
        return None if path in ("/", "//") else path


def _installs_files(package: PackageCommand) -> bool:
    """Whether all that pip, or `uv pip`, installs is in files: without an index, or wheels without their
    dependencies."""
    if package.has("--no-index"):
        links = [option.literal for option in package.options if option.name == "--find-links"]
        return all(link is not None and "://" not in link for link in links)
    names = [word.text for word in package.packages]
    wheels = bool(names) and all(name.endswith(".whl") and "://" not in name for name in names)
    return wheels and package.has("--no-deps") and not package.has("--requirement")


def _sets_user(facts: BuildFacts, stage: Stage) -> bool:
    """Whether a stage, or one that it is built from, has a USER."""
    return facts.search("user", lambda _, node: isinstance(node, User)).before(stage, END) is not None


def caches_of(facts: BuildFacts, run: Run, stage: Stage) -> Caches | None:
    """The caches of a RUN; None if its shell is not supported."""
    commands = facts.commands(run)
    if commands.script is None:
        return None
    state = facts.state(run)
    untouched = not facts.once(("user set", stage.index), lambda: _sets_user(facts, stage))
    root = known(state.is_root)
    likely_root = root is True or (
        root is None and untouched and isinstance(state.user, Unknown) and stage.base is None
    )
    home = known(state.home)
    home_known = home is not None
    if home is None and likely_root and not state.sets("HOME"):
        home = "/root"
    tools = tuple(
        _tool(facts, step, run, stage, home=home, likely_root=likely_root)
        for step in commands.steps
        if step.package is not None
    )
    closed = all(is_understood(step) for step in commands.steps)
    mounts = tuple(_mount(mount, state.expand, home) for mount in run.mounts if mount.kind == "cache")
    return Caches(
        run,
        stage,
        commands,
        mounts,
        tools,
        closed,
        home or "",
        home_known,
        root,
        known(state.uid),
        known(state.gid),
    )


def _mount(mount: Mount, expand: Callable[[str], Fact[str]], home: str | None) -> CacheMount:
    text = mount.target or ""
    if text == "~" or text.startswith("~/"):
        return CacheMount(mount, normal_path(f"{home}{text[1:]}") if home else None, tilde=True)
    value = known(expand(text), "") or ""
    return CacheMount(mount, normal_path(value) if value.startswith("/") else None)


def is_understood(step: Step) -> bool:
    if step.opaque:
        return False
    package = step.package
    if package is not None:
        return package.action not in (Action.RUN, Action.BUILD) or package.manager in STORE_MANAGERS
    command = step.command
    if not command.words:
        return True
    name = command.basename or ""
    if re.fullmatch(r"python[0-9.]*", name):
        return command.values()[1:3] == ("-m", "venv")
    return has_trait(name, Trait.LEAVES_CACHES) and not any(
        word.value in ("-exec", "-execdir") for word in command.args
    )


def _tool(facts: BuildFacts, step: Step, run: Run, stage: Stage, *, home: str | None, likely_root: bool) -> ToolCache:
    package = step.package
    assert package is not None  # noqa: S101 - called for steps of package managers only
    state = facts.state(run)

    def own(name: str) -> Fact[str] | None:
        fact = step.env.get(name)
        if fact is None and name in step.variables and state.lookup(name) is not None:
            fact = step.variables[name]
        return Unknown("the script may have set it") if fact is None and step.opaque else fact

    def strict(name: str) -> Fact[str] | None:
        fact = own(name)
        if fact is None and stage.base is not None and not state.sets(name):
            # The table of images lists every variable that moves or disables a cache.
            return None
        return fact if fact is not None else state.lookup(name)

    def assumed(name: str) -> Fact[str] | None:
        fact = own(name)
        if fact is not None or state.sets(name) or name in state.args:
            return fact if fact is not None else state.lookup(name)
        return None

    own_home = own("HOME")
    where = own_home if own_home is not None else state.home
    use = cache_use(package, strict, where, base=stage.base, user_is_root=state.is_root)
    if use.unknown is None or step.user_changed or not likely_root:
        return ToolCache(step, package, use)
    if own_home is None and home is not None:
        where = Known(home)
    likely = cache_use(package, assumed, where, base=stage.base, user_is_root=Known(True))
    return ToolCache(step, package, likely, likely=True)


def cache_of_replacement(facts: BuildFacts, caches: Caches, step: Step, command: str) -> str:
    """Where another command in place of a step keeps its cache.

    Raises:
        Refused: that is not known, or it keeps none.
    """
    package = recognise(parse_shell(command).commands[0].words)
    other = replace(step, package=package)
    tool = _tool(facts, other, caches.run, caches.stage, home=caches.home or None, likely_root=False)
    if not tool.known or not tool.use.dirs:
        raise Refused(f"the cache directory of `{tool.package.manager}` is unknown here")
    return tool.use.dirs[0].path
