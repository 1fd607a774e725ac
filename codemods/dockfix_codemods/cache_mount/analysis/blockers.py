"""Why a directory must not become a cache mount in a RUN."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockfix.facts.caches import result_directories, serves
from dockfix.facts.model import Known, known
from dockfix.facts.mounts import Caches, ToolCache
from dockfix_codemods.cache_mount.analysis.apt import apt_blocker
from dockfix_codemods.cache_mount.analysis.placing import owned_by_root

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts


def blocker(facts: BuildFacts, caches: Caches, tool: ToolCache, path: str) -> str | None:
    """Why a directory must not be mounted in this RUN; None if it may."""
    state = facts.state(caches.run)
    results = result_directories(state.lookup, Known(caches.home))
    if any(serves(path, each) for each in results if each.startswith("/")) or posixpath.basename(path) in results:
        return "the files in it are results, and would be missing from the image"
    mode = tool.package.option("--link-mode")
    if tool.package.manager == "uv":
        link = mode.literal if mode is not None else known(state.lookup("UV_LINK_MODE"))
        if link == "symlink":
            return "uv links the environment to its cache, which would be missing from the image"
    folders = owned_by_root(facts, caches, path)
    for directory in tool.use.dirs:
        if (
            directory.also_written is not None
            and serves(directory.also_written[0], path)
            and directory.also_written[0] in folders
        ):
            folder, what = directory.also_written
            return (
                f"{tool.package.manager} also keeps {what} in `{folder}`, which would belong to root: "
                f"add `RUN mkdir -p {folders[-1]}` as this user before it"
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
                return f"`rm {word.text}` in the same `RUN` may match the mount, which is busy"
            if clean and serves(clean, path) and clean != path and not caches.closed:
                return f"`rm {word.text}` in the same `RUN` would fail: the mount below it is busy"
    if tool.package.manager == "apt":
        return apt_blocker(facts, caches)
    return None
