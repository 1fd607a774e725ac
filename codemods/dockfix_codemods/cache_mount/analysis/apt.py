"""What a mount of apt's directories requires, and what prevents it."""

from __future__ import annotations

import posixpath
from bisect import bisect_right
from functools import partial
from typing import TYPE_CHECKING

from dockfix.facts.mounts import Caches
from dockfix.facts.packages import Action
from dockfix.syntax.tree import Run
from dockfix_codemods.cache_mount.analysis.cleaning import cleaning

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage


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
    for stage in (caches.stage, *facts.graph.descendants(caches.stage)):
        installs = _installs_only(facts, stage)
        first = bisect_right(installs, caches.run.span.start, key=lambda each: each.span.start)
        if first < len(installs):
            line = installs[first].start_line
            return f"the install in line {line} needs the package lists that this `RUN` leaves in the image"
    return None


def _installs_only(facts: BuildFacts, stage: Stage) -> list[Run]:
    """The RUNs of a stage that install packages with apt and do not fetch its lists."""
    runs = (node for node in stage.instructions if isinstance(node, Run))
    return facts.once(
        ("cache-mount installs", stage.index), lambda: [run for run in runs if _only_installs(facts, run)]
    )


def _only_installs(facts: BuildFacts, run: Run) -> bool:
    packages = (step.package for step in facts.commands(run).steps if step.package is not None)
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
    for stage in facts.graph.chain(caches.stage):
        first = facts.once(("cache-mount docker-clean", stage.index), partial(_first_docker_clean, stage))
        if first is not None and first <= caches.run.span.start:
            return True
    return False


def _first_docker_clean(stage: Stage) -> int | None:
    """Where the first RUN of a stage begins that names docker-clean."""
    runs = (each for each in stage.instructions if isinstance(each, Run))
    return next((each.span.start for each in runs if "docker-clean" in _text(each)), None)


def _text(run: Run) -> str:
    return run.script.text if run.script is not None else ""
