"""What a mount of apt's directories requires, and what prevents it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from dockfix.facts.mounts import Caches
from dockfix.facts.packages import Action
from dockfix.syntax.tree import Instruction, Run
from dockfix_codemods.cache_mount.analysis.cleaning import cleaning

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts


def apt_blocker(facts: BuildFacts, caches: Caches) -> str | None:
    """Why apt's directories must not be mounted in this RUN; None if they may.

    apt records automatically installed packages in /var/lib/apt/extended_states (apt-mark(8)).
    """
    for step in caches.commands.steps:
        package = step.package
        if package is not None and package.manager == "apt" and package.has("--download-only"):
            return "`--download-only` leaves packages in `/var/cache/apt` for a later step, which a mount would hide"
        if step.command.basename == "apt-mark" or (
            package is not None
            and package.manager == "apt"
            and (package.action is Action.AUTOREMOVE or package.has("--auto-remove", "--autoremove"))
        ):
            return (
                "packages are removed by the marks in `/var/lib/apt`, which a mount replaces by those of other builds"
            )
    dropped = cleaning(caches, ["/var/lib/apt"])
    if dropped:
        return None
    installs = facts.search("cache-mount installs", lambda _, node: _only_installs(facts, node))
    first = installs.after(caches.stage, caches.run.span.start)
    if first is not None:
        return f"the install in line {first.start_line} needs the package lists that this `RUN` leaves in the image"
    return None


def _only_installs(facts: BuildFacts, node: Instruction) -> bool:
    """Whether an instruction is a RUN that installs packages with apt and does not fetch its lists."""
    if not isinstance(node, Run):
        return False
    packages = (step.package for step in facts.commands(node).steps if step.package is not None)
    actions = {package.action for package in packages if package.manager == "apt"}
    return Action.INSTALL in actions and Action.UPDATE not in actions


def apt_ready(caches: Caches) -> bool:
    """Whether apt's directories can be mounted: this RUN fetches its own lists, with apt-get, in a known image.

    apt, unlike apt-get, deletes the packages that it has downloaded (apt(8)).
    """
    steps = [tool for tool in caches.tools if tool.package.manager == "apt"]
    installs = [tool for tool in steps if tool.package.action in (Action.INSTALL, Action.UPGRADE)]
    updates = [tool for tool in steps if tool.package.action is Action.UPDATE]
    plain = all(posixpath.basename(tool.package.executable.text) == "apt-get" for tool in steps)
    if not installs or not updates or not plain or caches.root is not True:
        return False
    return updates[0].step.command.start < installs[0].step.command.start


def docker_clean_gone(facts: BuildFacts, caches: Caches) -> bool:
    """Whether the image has no docker-clean, or this or an earlier RUN changes it."""
    base = caches.stage.base
    if base is not None and not base.docker_clean:
        return True
    naming = facts.search("cache-mount docker-clean", lambda _, node: _names_docker_clean(node))
    return naming.before(caches.stage, caches.run.span.end) is not None


def _names_docker_clean(node: Instruction) -> bool:
    return isinstance(node, Run) and node.script is not None and "docker-clean" in node.script.text
