"""Which cache mounts a RUN has, which caches its commands use, and what stands between the two.

Where a base image is not known, neither are its user and its environment; a cache is then placed where it lies if the
image is like nearly all: root, /root, and no variable that moves it. Such an answer is marked `likely`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dockfix.facts.caches import (
    CacheDir,
    CacheUse,
    cache_use,
    fits_flag,
    result_directories,
    serves,
    tool_of_directory,
)
from dockfix.facts.model import Fact, Known, Unknown, known
from dockfix.facts.mount_parents import makes_parents, missing_parents, uses_folder
from dockfix.facts.packages import Action, PackageCommand, recognise
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import StageSource
from dockfix.syntax.shell import Context, Word, parse_shell
from dockfix.syntax.tree import Add, Cmd, Copy, Dockerfile, Entrypoint, Mount, Run, User

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.stages import Stage

__all__ = [
    "CacheMount",
    "Caches",
    "Cleaning",
    "ToolCache",
    "apt_ready",
    "beside_doubt",
    "blocker",
    "built_against",
    "caches_of",
    "caveats",
    "cleaning",
    "docker_clean_gone",
    "filled_before",
    "fits_flag",
    "flag_for",
    "frontend_is",
    "hides_failure",
    "in_the_way",
    "may_be_lost",
    "mounts_supported",
    "needed_later",
    "neighbours",
    "ownership",
    "placed",
    "removable",
    "safe_to_leave",
    "serves",
    "shared_id",
    "uses_buildkit",
]

_PYTHON: Final = frozenset(("pip", "uv", "poetry", "pdm", "pipenv"))
_JAVASCRIPT: Final = frozenset(("npm", "yarn", "pnpm"))
_SYSTEM: Final = frozenset(("apt", "apk", "dnf", "yum", "microdnf", "zypper"))
_STORES: Final = frozenset(("go", "cargo", "maven", "gradle", "dotnet"))
"""Managers whose cache is also where later commands look for the dependencies."""

_MOUNTED: Final = _PYTHON - {"pipenv"} | _STORES | {"npm", "yarn", "pnpm", "composer", "apt"}
"""Managers that gain from a mount without further settings. apk and dnf keep packages only if told to."""

_BUILDERS: Final = frozenset(("go", "cargo", "maven", "gradle", "dotnet"))
_OFFLINE: Final = ("--offline", "--no-restore")
_OFFLINE_VARIABLES: Final = ("GOPROXY", "CARGO_NET_OFFLINE", "npm_config_offline", "UV_OFFLINE")
"""Variables that forbid downloads (go.dev/ref/mod#environment-variables; doc.rust-lang.org/cargo/reference/config;
docs.npmjs.com/cli/v11/using-npm/config; docs.astral.sh/uv/reference/environment)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# POSIX and util-linux commands, and the shell's own, that touch no files but those in their words.
_INERT: Final = _words(
    """
    : [ [[ addgroup adduser alias apt-mark awk basename cat cd chgrp chmod chown command cp curl cut date dirname
    dpkg echo egrep exit export false fc-cache find getent gpg grep groupadd groupmod gunzip gzip head hash id
    install ldconfig ln locale-gen ls md5sum mkdir mktemp mv popd printf pushd pwd readlink return rm rmdir sed
    set sha256sum sha512sum sleep sort stat strip sync tail tar tee test touch tr true type ulimit umask uname
    uniq unset unxz unzip update-ca-certificates useradd usermod wait wc wget which whoami xz zip
    """
)
_MOVERS: Final = frozenset(("rm", "mv", "cp", "chown", "chmod", "chgrp", "tar", "find", "rmdir"))


@dataclass(frozen=True, slots=True)
class CacheMount:
    """A cache mount of a RUN; `target` is absolute and expanded, None if it cannot be known. `tilde`: as written it
    begins with `~`, which BuildKit does not expand; `target` is then what was meant."""

    mount: Mount
    target: str | None
    tilde: bool = False


@dataclass(frozen=True, slots=True)
class ToolCache:
    """A package manager's command with the cache that it uses; `likely`: if the unknown base image is like most."""

    step: Step
    package: PackageCommand
    use: CacheUse
    likely: bool = False

    @property
    def known(self) -> bool:
        """Whether its directories are known, or likely."""
        return self.use.unknown is None

    @property
    def gains(self) -> bool:
        """Whether it downloads so much that a mount is worth adding."""
        package = self.package
        if package.manager not in _MOUNTED or package.verb[:2] == ("python", "install"):
            return False
        if package.action in (Action.INSTALL, Action.SYNC, Action.UPGRADE):
            return True
        if package.manager == "pip":
            return package.verb in (("download",), ("wheel",))
        return package.action is Action.BUILD and package.manager in _BUILDERS


@dataclass(frozen=True)
class Caches:
    """A RUN's cache mounts, its commands' caches, and who runs it.

    `home` is the likely home if `home_known` is not set, "" if there is none to name. `root`: whether root runs it;
    None is not known. `closed`: no command may use a cache besides those in `tools`.
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
        """The mount that holds a directory."""
        return next(
            (m for m in self.mounts if m.target is not None and not m.tilde and serves(m.target, directory)), None
        )

    def covered(self, directory: str) -> bool:
        """Whether a mount of another kind stands at or above a directory, or any mount in it (`/go/pkg/mod/cache`)."""
        narrower = any(each.target is not None and serves(directory, each.target) for each in self.mounts)
        others = [mount.target or "" for mount in self.run.mounts if mount.kind != "cache"]
        return narrower or any(serves(target, directory) or serves(directory, target) for target in others)

    def missing(self) -> Iterator[tuple[ToolCache, CacheDir]]:
        """The directories of commands that gain from a mount and have none, each once."""
        seen: set[str] = set()
        for tool in self.tools:
            if not (tool.gains and tool.known) or tool.step.user_changed or self.chosen(tool):
                continue
            for directory in tool.use.dirs:
                if directory.path not in seen and not self.serving(directory.path) and not self.covered(directory.path):
                    seen.add(directory.path)
                    yield tool, directory

    def chosen(self, tool: ToolCache) -> bool:
        """Whether an option puts downloads that later commands look for into a place of their own: to be kept there."""
        manager = tool.package.manager
        return (
            manager in _STORES
            and tool.package.has("--define", "--packages", "--gradle-user-home")
            and not all(manager in tool_of_directory(each.path, self.home or "/root") for each in tool.use.dirs)
        )

    def owners(self, mount: CacheMount) -> frozenset[str]:
        """The managers that a mount's directory belongs to by default, in this user's home or in root's."""
        if mount.target is None:
            return frozenset()
        homes = dict.fromkeys(("/root", self.home or "/root"))
        return frozenset(tool for home in homes for tool in tool_of_directory(mount.target, home))

    def useless(self, mount: CacheMount) -> bool:
        """Whether it is shown that no command of the RUN uses a mount.

        Every command is known, those of package managers keep their caches elsewhere, and what they may run in turn
        (a build backend, a lifecycle script) is no owner of the mounted directory.
        """
        owners = self.owners(mount)
        if not owners or mount.target is None or not self.closed or not self.tools:
            return False
        running = {tool.package.manager for tool in self.tools}
        if not owners <= _PYTHON | _SYSTEM | _JAVASCRIPT | running or any(not tool.known for tool in self.tools):
            return False
        if any(tool.likely and tool.package.manager in owners for tool in self.tools):
            return False  # an unknown image may well move the cache to where this very tool has its mount
        if any(self.mentions(mount.target)):
            return False
        return not any(
            serves(mount.target, d.path) or serves(d.path, mount.target) for t in self.tools for d in t.use.dirs
        )

    def writable(self, mount: CacheMount) -> bool:
        """Whether the RUN's user is known to be able to write into a mount (moby/buildkit: root's, 0755)."""
        if mount.mount.get("mode") is not None:
            return True
        owner = mount.mount.get("uid") or "0"
        return self.root is True or (self.uid is not None and owner == str(self.uid))

    def mentions(self, directory: str) -> Iterator[Step]:
        """The commands that name the directory, something in it, or, if they move or remove files, one above it."""
        for step in self.commands.steps:
            name = step.command.basename
            for word in step.command.args:
                path = self.path(word.value if word.value is not None else word.text)
                if path is None or (step.package is not None and word.text.startswith("--cache-dir")):
                    continue
                above = serves(path, directory) and path != directory
                if (serves(directory, path) and name not in ("cd", "mkdir", "ls", "echo")) or (
                    above and name in _MOVERS
                ):
                    yield step
                    break

    def path(self, text: str) -> str | None:
        """A word as an absolute path, `~` and `$HOME` replaced by the home, a final `/*` kept off; None if none."""
        text = text.strip("\"'")
        text = text.partition("=")[2] if text.startswith("-") else text
        for start in ("~/", "$HOME/", "${HOME}/"):
            if text.startswith(start) and self.home:
                text = f"{self.home}/{text[len(start) :]}"
        if not text.startswith("/"):
            return None
        path = normal_path(re.sub(r"/(\*|\.\*|\.\[!\.\]\*)\Z", "", text) or "/")
        return None if path in ("/", "//") else path


def caches_of(facts: BuildFacts, run: Run, stage: Stage) -> Caches | None:
    """The caches of a RUN; None where its text is not for a shell that dockfix reads."""
    commands = facts.commands(run)
    if commands.script is None:
        return None
    state = facts.state(run)
    chain = facts.graph.chain(stage)
    untouched = not any(isinstance(each, User) for one in chain for each in one.instructions)
    root = known(state.is_root)
    likely_root = root is True or (
        root is None and untouched and isinstance(state.user, Unknown) and stage.base is None
    )
    home = known(state.home)
    home_known = home is not None
    if home is None and likely_root and "HOME" not in state.names():
        home = "/root"
    tools = tuple(
        _tool(facts, step, run, stage, home=home, likely_root=likely_root)
        for step in commands.steps
        if step.package is not None
    )
    closed = all(_understood(step) for step in commands.steps)
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


def _understood(step: Step) -> bool:
    if step.opaque:
        return False
    package = step.package
    if package is not None:
        return package.action not in (Action.RUN, Action.BUILD) or package.manager in _BUILDERS
    command = step.command
    if not command.words:
        return True
    name = command.basename or ""
    if re.fullmatch(r"python[0-9.]*", name):
        return command.values()[1:3] == ("-m", "venv")
    return name in _INERT and not any(word.value in ("-exec", "-execdir") for word in command.args)


def _tool(facts: BuildFacts, step: Step, run: Run, stage: Stage, *, home: str | None, likely_root: bool) -> ToolCache:
    package = step.package
    assert package is not None  # noqa: S101 - asked for steps of package managers only
    state = facts.state(run)

    def own(name: str) -> Fact[str] | None:
        fact = step.env.get(name)
        if fact is None and name in step.variables and state.lookup(name) is not None:
            fact = step.variables[name]
        return Unknown("the script may have set it") if fact is None and step.opaque else fact

    def strict(name: str) -> Fact[str] | None:
        fact = own(name)
        if fact is None and stage.base is not None and name not in state.names():
            # What moves or disables a cache is listed for every image of the table that sets it (facts/images).
            return None
        return fact if fact is not None else state.lookup(name)

    def assumed(name: str) -> Fact[str] | None:
        fact = own(name)
        if fact is not None or name in state.names() or name in state.args:
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


def cache_instead(facts: BuildFacts, caches: Caches, step: Step, command: str) -> str:
    """Where another command in the place of a step keeps its cache; empty if that is not known, or it keeps none."""
    package = recognise(parse_shell(command).commands[0].words)
    other = replace(step, package=package)
    tool = _tool(facts, other, caches.run, caches.stage, home=caches.home or None, likely_root=False)
    return tool.use.dirs[0].path if tool.known and tool.use.dirs else ""


def uses_buildkit(dockerfile: Dockerfile) -> bool:
    """Whether a file can only be built by BuildKit: mounts, heredocs, `--link` and its like, or a `# syntax=` line.

    (docs.docker.com/reference/dockerfile.)
    """
    flags = {"mount", "link", "security", "network", "parents", "exclude", "checksum", "keep-git-dir"}
    return "syntax" in dockerfile.directives or any(
        each.heredocs or any(flag.name in flags for flag in each.flags) for each in dockerfile.instructions
    )


_VERSION: Final = re.compile(
    r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?:([0-9]{1,9})\.([0-9]{1,9})(?:\.\d+)?(-[\w.-]+)?\Z"
)


def mounts_supported(syntax: str | None) -> bool:
    """Whether the frontend that `# syntax=` names knows `RUN --mount`: docker/dockerfile 1.2 and later, and the
    experimental ones before (moby/buildkit, frontend/dockerfile/docs)."""
    found = _VERSION.match(syntax.strip()) if syntax else None
    if found is None:
        return True
    return (int(found[1]), int(found[2])) >= (1, 2) or "experimental" in (found[3] or "")


def frontend_is(syntax: str, major: int, minor: int) -> bool:
    """Whether the frontend that `# syntax=` names is docker/dockerfile of at least a version, or of none in
    particular (`docker/dockerfile:1` is the newest of its kind)."""
    name = syntax.strip().removeprefix("docker.io/")
    found = _VERSION.match(name)
    if found is not None:
        return (int(found[1]), int(found[2])) >= (major, minor)
    tags = ("", ":latest", ":labs", f":{major}", f":{major}-labs")
    return name in {f"docker/dockerfile{tag}" for tag in tags}


def _may_fill(facts: BuildFacts, copy: Copy | Add, directory: str) -> bool:
    """Whether a COPY of folders, or an ADD that unpacks, goes to a folder above a directory."""
    state = facts.state(copy)
    target = known(state.expand(copy.destination.text, copy.escape)) if copy.destination else None
    if target is None:
        return True
    if not target.startswith("/") and copy.flag("from") is None:
        return False  # a project goes to its own place, not to that of a store
    path = posixpath.join(known(state.workdir) or "/", target)
    if not serves(path, directory):
        return False
    if [word.text for word in copy.sources] == ["/"] and not _ran_in_source(facts, copy):
        return False  # a system of tools, as in `COPY --from=tonistiigi/xx / /`: nothing of this file was run there
    names = [posixpath.basename(word.text.rstrip("/")) for word in copy.sources]
    unpacks = isinstance(copy, Add) and any(".t" in name for name in names)
    return unpacks or any(not re.search(r"[^.]\.\w+\Z", name) for name in names)


def _ran_in_source(facts: BuildFacts, copy: Copy | Add) -> bool:
    """Whether a COPY takes from a stage in which a RUN, or a COPY of another stage, has made files."""
    stage = facts.stage_of(copy)
    sources = facts.graph.sources(copy, stage) if stage is not None else ()
    return any(
        isinstance(each, Run) or (isinstance(each, Copy) and each.source_stage)
        for source in sources
        if isinstance(source, StageSource)
        for one in facts.graph.chain(source.stage)
        for each in one.program
    )


def _installs(facts: BuildFacts, run: Run, directory: str) -> bool:
    state = facts.state(run)
    targets = [known(state.expand(mount.target or "", run.escape)) or "/" for mount in run.mounts]
    mounted = any(serves(target, directory) for target in targets)
    return not mounted and any(_keeps_results(step) for step in facts.commands(run).steps)


@dataclass(frozen=True, slots=True)
class _Held:
    """A stage in which a cache directory would be without the mount, from a place in the file on.

    `outer` is the outermost folder above the directory that only the install makes, or the directory itself.
    """

    stage: Stage
    after: int
    directory: str
    outer: str


def needed_later(facts: BuildFacts, caches: Caches, tool: ToolCache, directory: str) -> str:
    """What may need a directory, or a folder above it that only the install makes, after this RUN, as the end of a
    sentence; "" if nothing does.

    A later command that names one of them or is told to work offline, or a RUN without a network; a COPY from the
    stage, or a mount of it; and for those managers whose downloads later commands look for, any later step that is not
    understood, any COPY of a folder above, and the image itself.
    """
    graph = facts.graph
    manager = tool.package.manager
    parents = missing_parents(facts, caches.run, caches.stage, directory, writer_is_root=True)
    outer = parents[0] if parents else directory
    open_ = [_Held(caches.stage, caches.run.span.start, directory, outer)]
    keeps = any(_keeps_results(step) for step in caches.commands.steps)
    for held in open_:  # a COPY of a folder above takes the directory into another stage, which is then looked at
        stages = (held.stage, *graph.descendants(held.stage))
        for stage in stages:
            for later in stage.instructions:
                if not isinstance(later, Run) or (stage is held.stage and later.span.start <= held.after):
                    continue
                reader = _reader(facts, later, manager, held, caches.home) or _of_results(facts, later, keeps)
                if reader:
                    return f"{reader} in line {later.start_line}"
        for each in stages:
            for taker in graph.copied_from(each):
                if isinstance(taker, Run):
                    if any(_overlap(source, held.outer) for source in _mounted(facts, taker, each)):
                        return f"the RUN in line {taker.start_line}, which mounts the stage"
                elif isinstance(taker, Copy):
                    carried = _carried(facts, taker, held, whole=manager in _STORES)
                    if carried is None:
                        return f"the COPY in line {taker.start_line}"
                    open_ += [more for more in carried if more not in open_]
    stages = (caches.stage, *graph.descendants(caches.stage))
    runs = any(isinstance(each, Cmd | Entrypoint) for stage in stages for each in stage.instructions)
    if manager in _STORES and (runs or (facts.final is not None and graph.in_image(caches.stage))):
        return "whatever runs in the image"
    return ""


def _keeps_results(step: Step) -> bool:
    """Whether a command puts what nobody can fetch again into its store: Maven's goal `install`, a project's artifacts
    (maven.apache.org/plugins/maven-install-plugin)."""
    package = step.package
    return (
        package is not None
        and package.manager == "maven"
        and any((word.value or "").partition(":")[0] == "install" for word in package.words)
    )


def _of_results(facts: BuildFacts, run: Run, keeps: bool) -> str:
    """The command of a RUN that may want what an earlier one has kept in Maven's repository; "" if none does."""
    packages = [step.package for step in facts.commands(run).steps if keeps and step.package is not None]
    return "mvn" if any(package.manager == "maven" for package in packages) else ""


def _overlap(one: str, other: str) -> bool:
    return serves(one, other) or serves(other, one)


def _mounted(facts: BuildFacts, run: Run, giver: Stage) -> Iterator[str]:
    """The folders of a stage that a RUN mounts."""
    taker = facts.stage_of(run)
    for mount in run.mounts:
        name = mount.get("from")
        if name and taker is not None:
            source = facts.graph.resolve(name, taker, mount=True)
            if isinstance(source, StageSource) and source.stage is giver:
                path = known(facts.state(run).expand(mount.get("source") or mount.get("src") or "/", run.escape), "/")
                yield posixpath.normpath(f"/{path}").replace("//", "/")


def _carried(facts: BuildFacts, copy: Copy, held: _Held, *, whole: bool) -> list[_Held] | None:
    """The stages into which a COPY takes a directory with a folder above it; None if it may need the directory.

    `whole`: it needs it wherever it comes along.
    """
    found: list[_Held] = []
    state, stage = facts.state(copy), facts.stage_of(copy)
    for word in copy.sources:
        source = known(state.expand(word.text, copy.escape))
        if source is None:
            return None
        path = posixpath.normpath(f"/{source}").replace("//", "/")
        glob = re.search(r"[*?\[]", path)
        if glob is not None:
            literal = path[: glob.start()]
            if held.outer.startswith(literal) or serves(held.outer, literal):
                return None
            continue
        if serves(held.outer, path):
            return None
        if not serves(path, held.outer):
            continue
        place = copy.destination and known(state.expand(copy.destination.text, copy.escape))
        if whole or stage is None or not place or not place.startswith("/") or copy.flag("parents") is not None:
            return None
        directory, outer = (
            posixpath.normpath(posixpath.join(place, posixpath.relpath(each, path))).replace("//", "/")
            for each in (held.directory, held.outer)
        )
        found.append(_Held(stage, copy.span.start, directory, outer))
    return found


def filled_before(facts: BuildFacts, caches: Caches, tool: ToolCache, directory: str) -> str:
    """What may have put something that this RUN needs into a directory, which a mount would hide; "" if nothing has."""
    network = caches.run.flag("network")
    state = facts.state(caches.run)
    settings = [known(state.lookup(name) or Unknown("not set"), "") for name in _OFFLINE_VARIABLES]
    offline = any(value in ("off", "true", "1") for value in settings)
    if offline or tool.package.has(*_OFFLINE) or (network is not None and network.value == "none"):
        return f"the step that downloads for this offline {tool.package.manager}, which must have the same mount"
    for stage in facts.graph.chain(caches.stage):
        for earlier in stage.instructions:
            if earlier.span.start >= caches.run.span.start:
                break
            if isinstance(earlier, Copy | Add):
                target = earlier.destination.text.strip("'\"") if earlier.destination else ""
                if serves(directory, caches.path(target) or "/"):
                    return f"line {earlier.start_line}, which fills {directory}: a mount hides that"
                if tool.package.manager in _STORES and _may_fill(facts, earlier, directory):
                    return f"line {earlier.start_line}, which may fill {directory}: a mount hides that"
            elif isinstance(earlier, Run) and tool.package.manager == "maven" and _installs(facts, earlier, directory):
                return f"line {earlier.start_line}, which installs into {directory}: a mount hides that"
            elif isinstance(earlier, Run) and any(
                word.value is not None and serves(directory, caches.path(word.value) or "/")
                for step in facts.commands(earlier).steps
                if step.command.name != "rm"
                for word in step.command.args
            ):
                return f"line {earlier.start_line}, which names {directory}: a mount hides what is there"
    return ""


def _reader(facts: BuildFacts, run: Run, manager: str, held: _Held, home: str) -> str:
    network = run.flag("network")
    if network is not None and network.value == "none":
        return "the RUN without a network"
    commands, state = facts.commands(run), facts.state(run)
    targets = [known(state.expand(mount.target or "", run.escape)) or "" for mount in run.mounts]
    mounted = any(target.startswith("/") and _overlap(target, held.outer) for target in targets)
    for step in commands.steps:
        package = step.package
        if package is not None and package.manager == manager and package.has(*_OFFLINE):
            same = any(
                mount.kind == "cache" and mount.target and serves(mount.target, held.directory) for mount in run.mounts
            )
            return "" if same else "the offline command"
        if not mounted and uses_folder(facts, run, step, held.outer, held.directory, known(state.home) or home):
            return f"{step.command.basename}"
        if manager in _STORES and not _understood(step):
            return f"{step.command.basename or 'the command'}"
    if commands.script is None and not commands.steps and held.outer in run.text.text:
        return "the command"
    return "the command" if manager in _STORES and commands.script is None else ""


def removable(step: Step) -> bool:
    """Whether a command may be taken out of its list: it always runs, and nothing hangs on its outcome."""
    command = step.command
    before = command.before.text.strip() if command.before else ""
    after = command.after.text.strip() if command.after else ""
    return (
        step.depth == 0
        and not command.context & ~Context.GROUP
        and before in ("", "&&", ";")
        and after in ("", "&&", ";")
        and not command.redirects
    )


def hides_failure(caches: Caches, group: Sequence[Cleaning]) -> bool:
    """Whether a RUN may succeed only because these neighbouring clean-ups run behind a command that has failed.

    Behind `;` or a line end a command runs whatever the one before has done, and gives the list its own status (POSIX,
    2.9.3 Lists). `set -e` ends the script before that, but not for a command in front of `&&` (2.14, set), which it
    becomes the last of its list without the clean-up.
    """
    if group[0].words:
        return False
    first, last = group[0].step.command, group[-1].step.command
    operator = first.before.text.strip() if first.before else None
    commands = [step.command for step in caches.commands.steps if step.depth == 0]
    following = [command for command in commands if command.start >= last.end]
    by_shell = any(re.match(r"-[a-z]*e", word) for word in (caches.commands.shell or ())[1:])
    sets = any(command.basename == "set" for command in commands)
    if operator == "&&":
        joined = last.after is not None and last.after.text.strip() == "&&"
        may_exit = by_shell or sets or any(step.opaque for step in caches.commands.steps)
        return may_exit and bool(following) and not joined
    errexit = first.errexit or (by_shell and not sets)
    previous = [command for command in commands if command.end <= first.start]
    if errexit and previous and not previous[-1].context and previous[-1].after == first.before:
        before = previous[-1].before
        if before is None or before.text.strip() in ("", ";"):
            return False
    text = caches.commands.text.text
    ends = not following or following[0].basename in ("exit", "return")
    return operator is None or ends or bool(first.context) or "$?" in text


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A command that empties or removes cache directories, or (`words`) the operands of one that do."""

    step: Step
    described: str
    words: tuple[Word, ...] = ()
    doubt: str = ""


_CLEANERS: Final[Mapping[str, frozenset[tuple[str, ...]]]] = MappingProxyType(
    {
        # From the managers' own documentation of these commands.
        "apt": frozenset({("clean",), ("distclean",), ("dist-clean",)}),
        "pip": frozenset({("cache", "purge")}),
        "uv": frozenset({("cache", "clean")}),
        "npm": frozenset({("cache", "clean")}),
        "yarn": frozenset({("cache", "clean")}),
        # What is in a mount is linked from nowhere: to pnpm, which counts the links, all of it is unreferenced.
        "pnpm": frozenset({("store", "prune")}),
        "poetry": frozenset({("cache", "clear")}),
        "pdm": frozenset({("cache", "clear")}),
        "composer": frozenset({("clear-cache",), ("clearcache",), ("cc",)}),
        **dict.fromkeys(("dnf", "yum", "microdnf"), frozenset({("clean",)})),
    }
)


def cleaning(caches: Caches, paths: Sequence[str], *, adding: bool = False) -> list[Cleaning]:
    """What empties these mounted directories after a command has filled them, in order.

    `adding`: the directories are to be mounted; then a directory above them may not be removed either (the mount is
    busy).
    """
    users = [tool for tool in caches.tools if any(serves(path, d.path) for path in paths for d in tool.use.dirs)]
    if not users:
        return []
    first = min(tool.step.command.start for tool in users)
    found = []
    for step in caches.commands.steps:
        if step.command.start > first and (cleans := _cleaning(caches, step, paths, users, adding)) is not None:
            found.append(cleans)
    return found


def _cleaning(
    caches: Caches, step: Step, paths: Sequence[str], users: Sequence[ToolCache], adding: bool
) -> Cleaning | None:
    package, command = step.package, step.command
    if package is not None:
        if package.verb not in _CLEANERS.get(package.manager, ()):
            return None
        own = [d.path for t in users if t.package.manager == package.manager for d in t.use.dirs]
        own = [path for path in own if not path.startswith("/var/lib/apt")]
        served = any(serves(path, directory) for path in paths for directory in own)
        return Cleaning(step, f"`{package.executable.text} {' '.join(package.verb)}`") if served else None
    if command.name != "rm":
        return None
    operands = [word for word in command.args if not word.text.startswith("-")]
    stores = [d.path for tool in users if tool.package.manager in _STORES for d in tool.use.dirs]
    gone, above = [], []
    for word in operands:
        path = caches.path(word.value if word.value is not None else word.text)
        if path is None:
            continue
        if any(
            path == mounted or (serves(mounted, path) and not any(serves(mounted, store) for store in stores))
            for mounted in paths
        ):
            gone.append(word)
        elif adding and any(serves(path, mounted) for mounted in paths):
            above.append(word)
    words = tuple(word for word in operands if word in gone or word in above)
    if not words:
        return None
    doubt = f"what else `rm {above[0].text}` takes away, which would stay" if above else ""
    options = [word.text for word in command.args if word.text.startswith("-")]
    described = f"`{' '.join(['rm', *options, words[0].text])}`"
    return Cleaning(step, described, () if len(words) == len(operands) else words, doubt)


def neighbours(found: Sequence[Cleaning]) -> list[list[Cleaning]]:
    """Clean-ups in groups: whole commands that follow on one another, and each with single words for itself."""
    groups: list[list[Cleaning]] = []
    for each in found:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and not last.words
            and not each.words
            and last.step.command.after is not None
            and last.step.command.after == each.step.command.before
        ):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def placed(facts: BuildFacts, caches: Caches, directory: CacheDir) -> str:
    """Where to mount for a cache directory: there, or, where that would take the tool's own folder from it, above."""
    if caches.root is not False or not directory.whole:
        return directory.path
    parents = missing_parents(facts, caches.run, caches.stage, directory.path, writer_is_root=False)
    return directory.whole if directory.whole in parents else directory.path


def owned_by_root(facts: BuildFacts, caches: Caches, path: str) -> tuple[str, ...]:
    """The folders above a mount that are root's with it, and would be the user's, who is not root, without it."""
    if caches.root is not False:
        return ()
    return missing_parents(facts, caches.run, caches.stage, path, writer_is_root=False)


def beside_doubt(facts: BuildFacts, caches: Caches, path: str) -> str:
    """What to look at where a mount makes folders above it root's; "" if it does not."""
    folders = owned_by_root(facts, caches, path)
    if not folders:
        return ""
    return (
        f"whether anything else writes to {folders[0]}, which the mount makes root's"
        f" (an earlier `RUN mkdir -p {folders[-1]}` keeps it the user's)"
    )


_TOLERANT: Final = frozenset(
    ("cd", "ls", "echo", "chown", "chmod", "chgrp", "du", "stat", "find", "test", "[", "export")
)


def in_the_way(facts: BuildFacts, caches: Caches, path: str) -> list[str]:
    """The commands of the RUN that a new mount may disturb: they name it, make it, or remove what is above it."""
    kept = {id(each.step) for each in cleaning(caches, [path], adding=True)}
    found = [
        f"`{step.command.basename}`, which names {path} or what is above it"
        for step in caches.mentions(path)
        if id(step) not in kept
    ]
    folders = (path, *missing_parents(facts, caches.run, caches.stage, path, writer_is_root=True))
    for step in caches.commands.steps:
        name = step.command.basename
        if step.package is not None or name in _TOLERANT or makes_parents(step) or id(step) in kept:
            continue
        named = (caches.path(word.value if word.value is not None else word.text) for word in step.command.args)
        found += [f"`{name}`, which finds {each} there already" for each in named if each in folders]
    return found


def may_be_lost(tool: ToolCache, path: str) -> bool:
    """Whether a manager's cache is one that no later step needs in order to work, so that a mount may take it."""
    if path.endswith("/go-build"):  # build results by their inputs, made again where they are missing (go help cache)
        return True
    return tool.package.manager in _MOUNTED - _STORES - {"apt"} and not path.startswith("/var/")


def ownership(caches: Caches, tool: ToolCache) -> str | None:
    """What a mount needs so that the user can write into it: nothing, or `,uid=...,gid=...`; None if not known."""
    if caches.root or (caches.root is None and tool.likely):
        return ""
    if caches.root is None or caches.uid is None:
        return None
    return f",uid={caches.uid}" + (f",gid={caches.gid}" if caches.gid is not None else "")


def safe_to_leave(caches: Caches, mount: CacheMount) -> bool:
    """Whether not even what the managers run in turn (build back ends, lifecycle scripts) could use a mount."""
    return caches.owners(mount) <= _PYTHON | _SYSTEM | {tool.package.manager for tool in caches.tools}


def shared_id(facts: BuildFacts, caches: Caches, mount: CacheMount) -> str:
    """What is wrong with keeping a mount's `id=` for another tool's cache; "" if nothing is."""
    name = mount.mount.get("id")
    if name is None:
        return ""
    named = any(owner in name for owner in caches.owners(mount))
    users = [m for run in _runs(facts) for m in run.mounts if m.kind == "cache" and m.get("id") == name]
    return f"the id {name}, which is another tool's: give this cache its own" if named or len(users) > 1 else ""


def _runs(facts: BuildFacts) -> list[Run]:
    return [each for each in facts.dockerfile.instructions if isinstance(each, Run)]


def flag_for(facts: BuildFacts, path: str, sharing: str, owner: str, name: str) -> tuple[str, str]:
    """The flag of a new mount, and its id or "": as the file writes it elsewhere for that directory, else in its
    simplest form. `name`: the id that it needs."""
    for run in _runs(facts):
        for mount in run.mounts:
            same = mount.kind == "cache" and mount.target == path and (not name or mount.get("id") == name)
            uid = mount.get("uid")
            alike = f"uid={uid}" in owner if owner else uid is None
            if same and alike and mount.flag.value_span:
                return mount.flag.word.text, mount.get("id") or ""
    own = f",id={name}" if name else ""
    locked = ",sharing=locked" if sharing == "locked" else ""
    return f"--mount=type=cache{own},target={path}{locked}{owner}", name


def blocker(facts: BuildFacts, caches: Caches, tool: ToolCache, path: str) -> str:
    """Why a directory must not become a mount in this RUN; "" if it may."""
    state = facts.state(caches.run)
    results = result_directories(state.lookup, Known(caches.home))
    if any(serves(path, each) for each in results if each.startswith("/")) or posixpath.basename(path) in results:
        return "what is put there is a result, and would be missing from the image"
    mode = tool.package.option("--link-mode")
    if tool.package.manager == "uv":
        link = mode.literal if mode is not None else known(state.lookup("UV_LINK_MODE"))
        if link == "symlink":
            return "uv links the environment to its cache, which would be missing from the image"
    folders = owned_by_root(facts, caches, path)
    for directory in tool.use.dirs:
        if directory.beside is not None and serves(directory.beside[0], path) and directory.beside[0] in folders:
            folder, what = directory.beside
            return (
                f"{tool.package.manager} keeps {what} in {folder}, too, which the mount would make root's: "
                f"a `RUN mkdir -p {folders[-1]}` as this user must go before"
            )
    for step in caches.commands.steps:
        if step.command.name != "rm":
            continue
        for word in step.command.args:
            literal = re.split(r"[{$*?\[]", word.text.strip("\"'"), maxsplit=1)[0]
            clean = caches.path(word.value if word.value is not None else word.text)
            if (
                word.value is None
                and literal.startswith("/")
                and path.startswith(literal)
                and (clean is None or re.search(r"[{$*?\[]", clean))
            ):
                return f"`rm {word.text}` of the same RUN may meet the mount, which is busy"
            if clean and serves(clean, path) and clean != path and not caches.closed:
                return f"`rm {word.text}` of the same RUN would fail: the mount below it is busy"
    if tool.package.manager == "apt":
        return _apt_blocker(facts, caches)
    return ""


def _apt_blocker(facts: BuildFacts, caches: Caches) -> str:
    """apt keeps the marks of automatically installed packages in /var/lib/apt/extended_states (apt-mark(8))."""
    for step in caches.commands.steps:
        package = step.package
        if package is not None and package.manager == "apt" and package.has("--download-only"):
            return "--download-only leaves packages in /var/cache/apt for a later step, which the mount would take away"
        if step.command.basename == "apt-mark" or (
            package is not None
            and package.manager == "apt"
            and (package.action is Action.AUTOREMOVE or package.has("--auto-remove", "--autoremove"))
        ):
            return "it removes packages by the marks in /var/lib/apt, which the mount would replace by those of others"
    dropped = cleaning(caches, ["/var/lib/apt"])
    if dropped:
        return ""
    for stage in (caches.stage, *facts.graph.descendants(caches.stage)):
        for run in stage.instructions:
            if not isinstance(run, Run) or run.span.start <= caches.run.span.start:
                continue
            packages = [step.package for step in facts.commands(run).steps if step.package is not None]
            actions = [package.action for package in packages if package.manager == "apt"]
            if Action.INSTALL in actions and Action.UPDATE not in actions:
                return f"the install in line {run.start_line} needs the package lists that this RUN leaves in the image"
    return ""


def caveats(facts: BuildFacts, caches: Caches, tool: ToolCache, path: str) -> list[str]:
    """What a person must look at before a mount is added."""
    manager = tool.package.manager
    found = [
        f"whether {each.name} stands there for the size of the image only, which a mount does not add to"
        for each in tool.use.disabled_by
        if each.kind in ("option", "env")
    ]
    if built := built_against(tool):
        found.append(built)
    if tool.likely:
        found.append(f"whether the base image runs {manager} as root with its cache below {caches.home}")
    if filled := filled_before(facts, caches, tool, path):
        found.append(filled)
    if needed := needed_later(facts, caches, tool, path):
        found.append(f"{needed}: it must find what it needs without {manager}'s cache in the image")
    if beside := beside_doubt(facts, caches, path):
        found.append(beside)
    cleanups = cleaning(caches, [path], adding=True)
    if path == "/var/lib/apt":
        found.append("autoremove in later steps and containers: apt's marks (extended_states) go into the mount")
    if path == "/var/lib/apt" and not cleanups:
        found.append("later steps, which no longer find apt's lists in the image")
    return found + in_the_way(facts, caches, path)


def built_against(tool: ToolCache) -> str:
    """The doubt about a cache of wheels that are built against what is installed; "" if none is.

    pip.pypa.io/en/stable/topics/caching (locally built wheels), docs.astral.sh/uv/concepts/cache: a wheel is found
    again by the name and version of its source, not by what it was built against, as an extension of torch is.
    """
    if tool.package.manager not in _PYTHON or not tool.package.has(
        "--no-build-isolation", "--no-build-isolation-package"
    ):
        return ""
    return "whether what --no-build-isolation builds may come from the cache when torch or the like has changed"


def apt_ready(caches: Caches) -> bool:
    """Whether apt's directories can be mounted: this RUN fetches its own lists, by apt-get, in a known image.

    apt, unlike apt-get, deletes what it has downloaded (apt(8)).
    """
    steps = [tool for tool in caches.tools if tool.package.manager == "apt"]
    installs = [tool for tool in steps if tool.package.action in (Action.INSTALL, Action.UPGRADE)]
    updates = [tool for tool in steps if tool.package.action is Action.UPDATE]
    plain = all(posixpath.basename(tool.package.executable.text) == "apt-get" for tool in steps)
    if not installs or not updates or not plain or caches.root is not True:
        return False
    return updates[0].step.command.start < installs[0].step.command.start


def docker_clean_gone(facts: BuildFacts, caches: Caches) -> bool:
    """Whether the image has no docker-clean, or a RUN up to this one deals with it."""
    base = caches.stage.base
    if base is not None and not base.docker_clean:
        return True
    return any(
        isinstance(each, Run) and each.span.start <= caches.run.span.start and "docker-clean" in _text(each)
        for stage in facts.graph.chain(caches.stage)
        for each in stage.instructions
    )


def _text(run: Run) -> str:
    return run.script.text if run.script is not None else ""
