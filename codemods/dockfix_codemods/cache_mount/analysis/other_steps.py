"""Which steps fill a cache directory before a RUN, and which need it afterwards."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from dockfix.facts.caches import serves
from dockfix.facts.model import Unknown, known
from dockfix.facts.mounts import STORE_MANAGERS, Caches, ToolCache, is_understood
from dockfix.facts.stages import StageSource
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Instruction, Run
from dockfix_codemods.cache_mount.analysis.parents import missing_parents, uses_folder

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.packages import PackageCommand
    from dockfix.facts.stages import Stage

_OFFLINE: Final = ("--offline", "--no-restore")

_OFFLINE_VARIABLES: Final = ("GOPROXY", "CARGO_NET_OFFLINE", "npm_config_offline", "UV_OFFLINE")
"""Variables that forbid downloads (go.dev/ref/mod#environment-variables; doc.rust-lang.org/cargo/reference/config;
docs.npmjs.com/cli/v11/using-npm/config; docs.astral.sh/uv/reference/environment)."""


def _may_fill(facts: BuildFacts, copy: Copy | Add, directory: str) -> bool:
    """Whether a COPY of folders, or an ADD that unpacks, writes to a folder above a directory."""
    state = facts.state(copy)
    target = known(state.expand(copy.destination.text, copy.escape)) if copy.destination else None
    if target is None:
        return True
    if not target.startswith("/") and copy.flag("from") is None:
        return False  # a project is copied to its own folder, not to that of a store
    path = posixpath.join(known(state.workdir) or "/", target)
    if not serves(path, directory):
        return False
    if [word.text for word in copy.sources] == ["/"] and not _ran_in_source(facts, copy):
        return False  # tools, as in `COPY --from=tonistiigi/xx / /`: no RUN of this file has written there
    names = [posixpath.basename(word.text.rstrip("/")) for word in copy.sources]
    unpacks = isinstance(copy, Add) and any(".t" in name for name in names)
    return unpacks or any(not re.search(r"[^.]\.\w+\Z", name) for name in names)


def _ran_in_source(facts: BuildFacts, copy: Copy | Add) -> bool:
    """Whether a COPY takes from a stage in which a RUN, or a COPY from another stage, has created files."""
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
    """Whether a RUN without a mount at a directory installs results into it."""
    state = facts.state(run)
    targets = [known(state.expand(mount.target or "", run.escape)) or "/" for mount in run.mounts]
    mounted = any(serves(target, directory) for target in targets)
    return not mounted and any(_keeps_results(step) for step in facts.commands(run).steps)


class _Held(Struct, frozen=True):
    """A stage without a cache directory because of the mount, from a position in the file on.

    `outer` is the outermost folder above the directory that only the install creates, or the directory itself.
    """

    stage: Stage
    after: int
    directory: str
    outer: str


def needed_later(facts: BuildFacts, caches: Caches, tool: ToolCache, directory: str) -> str | None:
    """What may need a directory, or a folder above it that only the install creates, after this RUN; None if nothing
    does.

    A later command that names one of them or works offline, or a RUN without a network; a COPY from the stage, or a
    mount of it; and for managers that find dependencies in their cache, any later step that is not understood, any COPY
    of a folder above, and the image itself.
    """
    graph = facts.graph
    manager = tool.package.manager
    parents = missing_parents(facts, caches.run, caches.stage, directory, writer_is_root=True)
    outer = parents[0] if parents else directory
    open_ = [_Held(caches.stage, caches.run.span.start, directory, outer)]
    keeps = any(_keeps_results(step) for step in caches.commands.steps)
    for held in open_:  # a COPY of a folder above copies the directory to another stage, which is then checked
        found = _first_reader(facts, held, (manager, held.outer, held.directory, caches.home, keeps))
        if found is not None:
            return found
        whole = manager in STORE_MANAGERS
        taken = facts.search(
            ("cache-mount taken", held.outer, held.directory, whole),
            partial(_is_taken, facts, held.outer, held.directory, whole),
        )
        if taken.after(held.stage, -1) is None:
            continue
        for each in (held.stage, *graph.descendants(held.stage)):
            for taker in graph.copied_from(each):
                if isinstance(taker, Run):
                    if any(_overlap(source, held.outer) for source in _mounted(facts, taker, each)):
                        return f"the RUN in line {taker.start_line} that mounts the stage"
                elif isinstance(taker, Copy):
                    carried = _carried(facts, taker, held.outer, held.directory, whole=whole)
                    if carried is None:
                        return f"the COPY in line {taker.start_line}"
                    open_ += [more for more in carried if more not in open_]
    if manager not in STORE_MANAGERS:
        return None
    starts = facts.search("cache-mount starts", lambda _, node: isinstance(node, Cmd | Entrypoint))
    runs = starts.after(caches.stage, -1) is not None
    return "the image" if runs or (facts.final is not None and graph.in_image(caches.stage)) else None


_Wanted: TypeAlias = tuple[str, str, str, str, bool]
"""A manager, the outermost folder that its install creates, its cache directory, the home, and whether it keeps results
in the cache."""


def _first_reader(facts: BuildFacts, held: _Held, wanted: _Wanted) -> str | None:
    """What in a stage, and those based on it, may need a directory."""
    readers = facts.search(("cache-mount readers", wanted), lambda _, node: bool(_reading(facts, node, wanted)))
    first = readers.after(held.stage, held.after)
    return _reading(facts, first, wanted) if first is not None else None


def _reading(facts: BuildFacts, run: Instruction, wanted: _Wanted) -> str | None:
    """What in a RUN may need a directory; None if nothing does."""
    if not isinstance(run, Run):
        return None
    manager, outer, directory, home, keeps = wanted
    reader = _reader(facts, run, manager, outer, directory, home) or _of_results(facts, run, keeps)
    return f"{reader} in line {run.start_line}" if reader else None


def _is_taken(facts: BuildFacts, outer: str, directory: str, whole: bool, stage: Stage, node: Instruction) -> bool:
    """Whether another stage takes a directory of a stage, or a folder above it; asked of the FROM of the stage."""
    return node is stage.node and any(
        (isinstance(taker, Run) and any(_overlap(source, outer) for source in _mounted(facts, taker, stage)))
        or (isinstance(taker, Copy) and _carried(facts, taker, outer, directory, whole=whole) != [])
        for taker in facts.graph.copied_from(stage)
    )


def _keeps_results(step: Step) -> bool:
    """Whether a command stores results that cannot be downloaded again: Maven's goal `install`, with a project's
    artifacts (maven.apache.org/plugins/maven-install-plugin)."""
    package = step.package
    return (
        package is not None
        and package.manager == "maven"
        and any((word.value or "").partition(":")[0] == "install" for word in package.words)
    )


def _deploys(package: PackageCommand) -> bool:
    """Whether pnpm installs the packages of a workspace once more, from its store (pnpm.io/cli/deploy)."""
    return package.subcommand is not None and package.subcommand.value == "deploy"


def _of_results(facts: BuildFacts, run: Run, keeps: bool) -> str | None:
    """The command of a RUN that may need the results of an earlier one in Maven's repository; None if there is none."""
    packages = [step.package for step in facts.commands(run).steps if keeps and step.package is not None]
    return "mvn" if any(package.manager == "maven" for package in packages) else None


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


def _carried(facts: BuildFacts, copy: Copy, outer: str, directory: str, *, whole: bool) -> list[_Held] | None:
    """The stages to which a COPY copies a directory with a folder above it; None if the COPY may need the directory.

    `whole`: it needs the directory wherever it is copied.
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
            if outer.startswith(literal) or serves(outer, literal):
                return None
            continue
        if serves(outer, path):
            return None
        if not serves(path, outer):
            continue
        place = copy.destination and known(state.expand(copy.destination.text, copy.escape))
        if whole or stage is None or not place or not place.startswith("/") or copy.flag("parents") is not None:
            return None
        there = (
            posixpath.normpath(posixpath.join(place, posixpath.relpath(each, path))).replace("//", "/")
            for each in (directory, outer)
        )
        found.append(_Held(stage, copy.span.start, *there))
    return found


def works_offline(facts: BuildFacts, caches: Caches, tool: ToolCache) -> bool:
    """Whether an option, a variable or the network of its RUN keeps a tool from downloading."""
    network = caches.run.flag("network")
    state = facts.state(caches.run)
    settings = [known(state.lookup(name) or Unknown("not set"), "") for name in _OFFLINE_VARIABLES]
    offline = any(value in ("off", "true", "1") for value in settings)
    return offline or tool.package.has(*_OFFLINE) or (network is not None and network.value == "none")


def filled_before_caveat(facts: BuildFacts, caches: Caches, tool: ToolCache, directory: str) -> str | None:
    """What may have written files that this RUN needs to a directory, which a mount would hide; None if nothing has."""
    if works_offline(facts, caches, tool):
        return f"check that the step that downloads for this offline {tool.package.manager} has the same mount"
    manager = tool.package.manager
    fillers = facts.search(
        ("cache-mount fillers", manager, directory, caches.home),
        lambda _, node: bool(_filling(facts, node, manager, directory, caches)),
    )
    first = fillers.before(caches.stage, caches.run.span.start)
    return _filling(facts, first, manager, directory, caches) if first is not None else None


def _filling(facts: BuildFacts, earlier: Instruction, manager: str, directory: str, caches: Caches) -> str:
    """What an instruction before a RUN does with a directory that a mount would hide; empty if nothing."""
    if isinstance(earlier, Copy | Add):
        return copied_into(facts, earlier, manager, directory, caches)
    if isinstance(earlier, Run) and manager == "maven" and _installs(facts, earlier, directory):
        return f"line {earlier.start_line} installs into `{directory}`, which a mount hides"
    if isinstance(earlier, Run) and any(
        word.value is not None and serves(directory, caches.path(word.value) or "/")
        for step in facts.commands(earlier).steps
        if step.command.name != "rm"
        for word in step.command.args
    ):
        return f"line {earlier.start_line} names `{directory}`, whose content a mount hides"
    return ""


def copied_into(facts: BuildFacts, copy: Copy | Add, manager: str, directory: str, caches: Caches) -> str:
    """How a COPY fills a directory that a mount would hide; empty if it does not."""
    target = copy.destination.text.strip("'\"") if copy.destination else ""
    if serves(directory, caches.path(target) or "/"):
        return f"line {copy.start_line} fills `{directory}`, which a mount hides"
    if manager in STORE_MANAGERS and _may_fill(facts, copy, directory):
        return f"line {copy.start_line} may fill `{directory}`, which a mount hides"
    return ""


def _reader(facts: BuildFacts, run: Run, manager: str, outer: str, directory: str, home: str) -> str | None:
    """The command of a RUN that may need a directory; None if there is none."""
    network = run.flag("network")
    if network is not None and network.value == "none":
        return "the RUN without a network"
    commands, state = facts.commands(run), facts.state(run)
    targets = [known(state.expand(mount.target or "", run.escape)) or "" for mount in run.mounts]
    mounted = any(target.startswith("/") and _overlap(target, outer) for target in targets)
    for step in commands.steps:
        package = step.package
        if package is not None and package.manager == manager and package.has(*_OFFLINE):
            same = any(
                mount.kind == "cache" and mount.target and serves(mount.target, directory) for mount in run.mounts
            )
            return None if same else "the offline command"
        if not mounted and package is not None and package.manager == manager == "pnpm" and _deploys(package):
            return "`pnpm deploy`"
        if not mounted and uses_folder(facts, run, step, outer, directory, known(state.home) or home):
            return f"{step.command.basename}"
        if manager in STORE_MANAGERS and not is_understood(step):
            return f"{step.command.basename or 'the command'}"
    if commands.script is None and not commands.steps and outer in run.text.text:
        return "the command"
    return "the command" if manager in STORE_MANAGERS and commands.script is None else None
