"""Findings about the cache mounts that a RUN has: unused, disabled, emptied or not writable."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.edit import dockerfile as editing
from dockfix.facts.caches import CacheDir, fits_flag, serves
from dockfix.facts.model import Refused
from dockfix.facts.mounts import CacheMount, Caches, ToolCache
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Fix, Refusal, Severity
from dockfix_codemods.cache_mount import analysis
from dockfix_codemods.cache_mount.edits import (
    Part,
    enable,
    enable_all,
    make_fix,
    program,
    remove_cleanups,
    remove_docker_clean,
    tool_span,
)
from dockfix_codemods.cache_mount.shared_caches import SharedCaches


def misplaced_flags(caches: Caches) -> Iterator[Advice]:
    """`--mount` flags that are not directly after `RUN`, and so belong to the script."""
    message = "`--mount` is run as a shell command here, which fails"
    for step in caches.commands.steps:
        text, start = caches.commands.text, step.command.start
        if text.text.startswith("--mount=", start):
            yield Advice(text.span(start, start + len("--mount")), message, Severity.ERROR, help="move it after `RUN`")


def replace_tilde(target: Target, caches: Caches, mount: CacheMount) -> Finding:
    """Replace `~` in a mount's target by the home directory."""
    message = "`~` in a mount target is not expanded: BuildKit mounts a directory of that name"
    option = mount.mount.option("target")
    if mount.target is None or option is None or option.value_span is None or not fits_flag(mount.target):
        return Refusal(mount.mount.span, message, "the home directory of the user is unknown")
    caveats: list[str] = []
    if not caches.home_known:
        caveats.append(f"check that `{caches.home}` is the home directory of the user that runs this")
    users = [tool for tool in caches.tools if any(serves(mount.target, each.path) for each in tool.use.dirs)]
    for tool in users:
        blocker = analysis.blocker(target.facts, caches, tool, mount.target)
        if blocker:
            return Refusal(mount.mount.span, message, blocker)
        caveats += analysis.caveats(target.facts, caches, tool, mount.target)
    if not users or not caches.closed or any(tool.step.user_changed or not tool.known for tool in caches.tools):
        caveats.append(f"check that neither later steps nor the image need what this RUN writes to `{mount.target}`")
    edit = editing.replace(option.value_span, mount.target)
    part = Part((edit,), (f"replace the target with `{mount.target}`",), tuple(caveats))
    return make_fix(option.value_span, message, [part])


def retarget(
    target: Target, caches: Caches, shared: SharedCaches, mount: CacheMount, tool: ToolCache, directory: CacheDir
) -> Fix | Refusal:
    """Point a mount that no command uses to the cache directory of a tool."""
    path = analysis.mount_path(target.facts, caches, directory)
    message = f"the mount at `{mount.target}` is unused: {program(tool)} has its cache in `{path}`"
    try:
        parts = _retargeted(target, caches, mount, tool, directory, path)
    except Refused as refused:
        return Refusal(mount.mount.span, message, refused.reason)
    caveats = (
        _retarget_caveat(target, caches, shared, mount, tool, path),
        *analysis.affected_commands(target.facts, caches, path),
    )
    return make_fix(parts[0].edits[0].span, message, [Part(caveats=caveats), *parts])


def _retargeted(
    target: Target, caches: Caches, mount: CacheMount, tool: ToolCache, directory: CacheDir, path: str
) -> list[Part]:
    """The edits that point a mount to another directory.

    Raises:
        Refused: they cannot be made, or must not be.
    """
    owner = analysis.ownership(caches, tool)
    option = mount.mount.option("target")
    if option is None or option.value_span is None:
        raise Refused("the mount flag is quoted")
    enabling = enable_all(target.dockerfile, caches, directory.path)
    if blocker := analysis.blocker(target.facts, caches, tool, path):
        raise Refused(blocker)
    cleanups = remove_cleanups(target.dockerfile, caches, [path])
    new_target = path if mount.mount.get("uid") else f"{path}{owner}"
    edit = editing.replace(option.value_span, new_target)
    return [Part((edit,), (f"change the target to `{new_target}`",)), enabling, cleanups]


def _retarget_caveat(
    target: Target, caches: Caches, shared: SharedCaches, mount: CacheMount, tool: ToolCache, path: str
) -> str | None:
    """The first thing to review where a mount is pointed to another directory."""
    if caveat := analysis.shared_id_caveat(target.facts, caches, mount):
        return caveat
    if not analysis.is_certainly_unused(caches, mount):
        return f"check that nothing that {program(tool)} runs uses `{mount.target}`"
    if caveat := analysis.build_isolation_caveat(tool) or analysis.filled_before_caveat(
        target.facts, caches, tool, path
    ):
        return caveat
    if needed := analysis.needed_later(target.facts, caches, tool, path):
        return f"check that {needed} works without `{path}`"
    return analysis.parents_caveat(target.facts, caches, path) or shared.sharing_caveat(
        caches, tool, mount.mount.get("id") or path
    )


def disabled_caches(target: Target, caches: Caches, shared: SharedCaches) -> Iterator[Finding]:
    """Tools whose cache is mounted and disabled."""
    for tool in caches.tools:
        mount = next((m for d in tool.use.dirs if (m := caches.serving(d.path))), None)
        if mount is not None and tool.package.manager == "apt":
            yield from _docker_clean(target, caches, tool)
        disablers = [each for each in tool.use.disabled_by if each.kind in ("option", "env")]
        if mount is None or not tool.known or not disablers or tool.step.user_changed:
            continue
        if any(each.kind == "file" for each in tool.use.disabled_by):
            continue  # apk without /etc/apk/cache: the mount would get the index, and no package
        option = disablers[0].option
        at = caches.commands.span(option.words[0]) if option else tool_span(caches, tool)
        message = (
            f"`{disablers[0].name}` disables the cache of {program(tool)}: the mount at `{mount.target}` stays empty"
        )
        try:
            part = enable(target.dockerfile, caches, tool, tool.use.dirs[0].path)
        except Refused:
            part = Part()
        if not part.edits:
            yield Advice(at, message, help="let the tool keep its cache, or remove the mount")
            continue
        caveat = analysis.build_isolation_caveat(tool) or shared.sharing_caveat(
            caches, tool, mount.mount.get("id") or mount.target or ""
        )
        if not caveat and tool.package.manager != "pip" and (tool.likely or not caches.writable(mount)):
            caveat = f"check that {program(tool)} can write to `{mount.target}`"
        yield make_fix(at, message, [part, Part(caveats=(caveat,))])


def _docker_clean(target: Target, caches: Caches, tool: ToolCache) -> Iterator[Fix]:
    first = next(each for each in caches.tools if each.package.manager == "apt")
    if tool is not first or not analysis.apt_ready(caches):
        return
    if not caches.serving("/var/cache/apt") or analysis.docker_clean_gone(target.facts, caches):
        return
    message = "`docker-clean` of the base image empties the mount at `/var/cache/apt` after every install"
    yield make_fix(tool_span(caches, tool), message, [remove_docker_clean(target, caches)])


def emptied_mounts(target: Target, caches: Caches) -> Iterator[Finding]:
    """Clean-up commands whose files are in a mount."""
    paths = [m.target for m in caches.mounts if m.target is not None and not m.tilde]
    cleaning = analysis.cleaning(caches, paths)
    if not cleaning:
        return
    message = f"{cleaning[0].described} empties the cache mount that this RUN has just filled"
    at = caches.commands.span(cleaning[0].step.command)
    try:
        cleanups = remove_cleanups(target.dockerfile, caches, paths, adding=False)
    except Refused as refused:
        yield Refusal(at, message, refused.reason)
        return
    yield make_fix(at, message, [cleanups])


def unwritable_mounts(caches: Caches, shared: SharedCaches) -> Iterator[Finding]:
    """Mounts that the RUN's user, who is not root, cannot write to."""
    for mount in caches.mounts:
        users = [t for t in caches.tools if not t.likely and any(caches.serving(d.path) is mount for d in t.use.dirs)]
        if caches.root is not False or not users or mount.mount.get("uid") or caches.writable(mount):
            continue
        message = f"the mount at `{mount.target}` belongs to root: {program(users[0])} cannot write to it"
        try:
            owner = analysis.ownership(caches, users[0])
        except Refused as refused:
            yield Refusal(mount.mount.span, message, refused.reason)
            continue
        if mount.mount.flag.value_span is None:
            yield Refusal(mount.mount.span, message, "the UID that writes to the mount is unknown")
            continue
        name = mount.mount.get("id") or mount.target or ""
        caveat = next((each for tool in users if (each := shared.sharing_caveat(caches, tool, name))), None)
        edit = editing.insert(mount.mount.span.end, owner)
        yield make_fix(mount.mount.span, message, [Part((edit,), (f"add `{owner}` to the mount",), (caveat,))])
