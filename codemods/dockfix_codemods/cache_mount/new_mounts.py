"""Findings about cache mounts that a RUN does not have: one fix adds those for all its package managers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.edit import dockerfile as editing
from dockfix.facts.caches import CacheDir
from dockfix.facts.model import Refused
from dockfix.facts.mounts import Caches, ToolCache, caches_of
from dockfix.project.target import Target
from dockfix.rule import Finding, Refusal, Severity
from dockfix_codemods.cache_mount import analysis
from dockfix_codemods.cache_mount.edits import (
    Part,
    docker_clean_caveat,
    enable_all,
    listed,
    make_fix,
    program,
    remove_cleanups,
    remove_docker_clean,
    tool_span,
)
from dockfix_codemods.cache_mount.shared_caches import SharedCaches

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage

_LOCKED: Final = "sharing=locked"


class _Loss(Struct, frozen=True):
    """What a tool does again because a directory has no mount, and what may save it that.

    `layered`: an earlier layer may have the files; `offline`: the tool must find them there.
    """

    work: str
    layered: bool = False
    offline: bool = False

    @property
    def certainty(self) -> int:
        """0 if the tool does the work whenever the step runs, 1 if it may find the files, 2 if it must."""
        return 2 if self.offline else int(self.layered)


class _NewMount(Struct, frozen=True):
    """A mount to add; `enabling` makes the commands of the tool use it."""

    tool: ToolCache
    path: str
    flag: str
    enabling: Part
    caveats: tuple[str | None, ...]
    loss: _Loss


def add_mounts(
    target: Target,
    caches: Caches,
    shared: SharedCaches,
    wanted: Sequence[tuple[ToolCache, CacheDir]],
    cleaned: set[int],
) -> Iterator[Finding]:
    """Add the mounts that a RUN lacks.

    Args:
        target: the Dockerfile and its build.
        caches: the caches of the RUN.
        shared: the caches of the project, which a new mount may share.
        wanted: the directories without a mount, and the tools that use them.
        cleaned: the stages where a fix removes docker-clean; this fix may add its own.
    """
    new: list[_NewMount] = []
    refused: set[str] = set()
    for tool, directory in wanted:
        if not _may_have_mount(caches, tool):
            continue
        try:
            owner = analysis.ownership(caches, tool)
            enabling = enable_all(target.dockerfile, caches, directory.path)
        except Refused:
            continue
        path = analysis.mount_path(target.facts, caches, directory)
        if blocker := analysis.blocker(target.facts, caches, tool, path):
            manager = tool.package.manager
            if manager not in refused and target.facts.uses_buildkit:
                yield Refusal(tool_span(caches, tool), f"{program(tool)} has no cache mount at `{path}`", blocker)
            refused.add(manager)
            continue
        own_id = shared.own_id(caches, tool, directory.path) or ""
        flag, name = analysis.flag_for(target.facts, path, directory.sharing, owner, own_id)
        caveats = (
            *analysis.caveats(target.facts, caches, tool, path),
            shared.sharing_caveat(caches, tool, name or path),
        )
        new.append(_NewMount(tool, path, flag, enabling, caveats, _loss(target, caches, tool, directory.path)))
    if new:
        yield _finding(target, caches, new, cleaned)


def _locks_again(target: Target, caches: Caches) -> bool:
    """Whether another RUN has locked mounts, or calls apt and so may get them; nothing that Buildah 1.28 parses.

    Seen with buildah 1.28.2: of two RUNs with the same two locked mounts, the second waits for a lock that the first
    one never releases.
    """
    instructions = target.dockerfile.instructions
    if target.facts.once("cache-mount heredocs", lambda: any(each.heredocs for each in instructions)):
        return False
    for stage, run in target.facts.runs():
        if run is caches.run:
            continue
        if any(mount.get("sharing") == "locked" for mount in run.mounts):
            return True
        other = caches_of(target.facts, run, stage)
        if other is not None and any(each.package.manager == "apt" and each.benefits for each in other.tools):
            return True
    return False


def _may_have_mount(caches: Caches, tool: ToolCache) -> bool:
    """Whether a tool gets a mount here: its cache is more than likely or the base image known, and apt is ready."""
    if tool.likely and caches.stage.base is None:
        return False
    return tool.package.manager != "apt" or analysis.apt_ready(caches)


def _loss(target: Target, caches: Caches, tool: ToolCache, directory: str) -> _Loss:
    work = analysis.work_of(tool, directory)
    return _Loss(
        work,
        layered=analysis.in_earlier_layer(target.facts, caches, tool, directory),
        offline="downloaded" in work and analysis.works_offline(target.facts, caches, tool),
    )


def _message(caches: Caches, new: Sequence[_NewMount]) -> str:
    """What is lost without these mounts: the work that is done most often, of that the first."""
    programs = listed(tuple(dict.fromkeys(program(each.tool) for each in new)))
    one = len({program(each.tool) for each in new}) == 1
    some = any(caches.serving(each.path) for mount in new for each in mount.tool.use.dirs)
    at = f" at {listed([f'`{each.path}`' for each in new])}" if some else ""
    lacking = f"{'has' if one else 'have'} no cache mount{at}"
    loss = min((each.loss for each in new), key=lambda each: each.certainty)
    if loss.offline:
        works, finds = ("works", "it finds") if one else ("work", "they find")
        return f"{programs} {works} offline and {lacking}: {finds} only packages of earlier layers"
    when = "unless an earlier layer has them" if loss.layered else "whenever the step runs"
    return f"{loss.work} again {when}: {programs} {lacking}"


def _is_cleaned(target: Target, stage: Stage, cleaned: set[int]) -> bool:
    """Whether a stage or one that it is based on is among those that are `cleaned`."""
    at: Stage | None = stage
    while at is not None and at.index not in cleaned:
        at = target.facts.graph.stages[at.parent] if at.parent is not None else None
    return at is not None


def _finding(target: Target, caches: Caches, new: Sequence[_NewMount], cleaned: set[int]) -> Finding:
    message = _message(caches, new)
    at = tool_span(caches, new[0].tool)
    flags = [each.flag for each in new]
    try:
        cleanups = remove_cleanups(target.dockerfile, caches, [each.path for each in new])
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    flags_part = Part(
        (editing.insert_flags(target.dockerfile, caches.run, flags, cleanups.edits),),
        (f"add {' '.join(f'`{flag}`' for flag in flags)}",),
        tuple(caveat for each in new for caveat in each.caveats),
    )
    parts = [flags_part, *(each.enabling for each in new), cleanups]
    apt = any(each.tool.package.manager == "apt" for each in new)
    if apt and not analysis.docker_clean_gone(target.facts, caches):
        if _is_cleaned(target, caches.stage, cleaned):
            parts.append(Part(caveats=(docker_clean_caveat(target, caches.stage),)))
        else:
            parts.append(remove_docker_clean(target, caches))
        cleaned.add(caches.stage.index)
    if not target.facts.uses_buildkit:
        parts.append(Part(caveats=("requires BuildKit (or Buildah)",)))
    if sum(_LOCKED in flag for flag in flags) > 1 and _locks_again(target, caches):
        parts.append(Part(caveats=("Buildah 1.28 hangs at a second RUN with two locked mounts",)))
    return make_fix(at, message, parts, Severity.INFO)
