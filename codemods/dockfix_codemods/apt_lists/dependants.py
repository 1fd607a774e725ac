"""Images of the project that are built on the image of a file, and need its package lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from dockfix.facts.model import known
from dockfix.facts.stages import Stage, context_key
from dockfix.project.problems import InputError
from dockfix.project.target import Project, Target, target_for
from dockfix.syntax.tree import Run
from dockfix_codemods.apt_lists.later import is_last_update, may_call, reader_in

_KINDS: Final = ("service", "target")


def reader_elsewhere(target: Target, stage: Stage, run: Run) -> tuple[str, str] | None:
    """The place in another file that needs the lists which a RUN leaves, and why."""
    for other, child in _children(target, stage, run):
        reader = reader_in(other.facts, child)
        if reader is not None:
            return f"{other.display}:{reader.node.start_line}", reader.why
    return None


def caller_elsewhere(target: Target, stage: Stage, run: Run) -> str | None:
    """The place in another file, built on this one, that may call apt without `apt-get update`."""
    for other, child in _children(target, stage, run):
        for each in (child, *other.facts.graph.descendants(child)):
            found = next((node for node in each.executed if may_call(other.facts, node)), None)
            if found is not None:
                return f"{other.display}:{found.start_line}"
    return None


def _children(target: Target, stage: Stage, run: Run) -> Iterator[tuple[Target, Stage]]:
    """The stages of other files that are built on an image with the lists of a RUN."""
    graph = target.facts.graph
    builds = [
        build
        for build in target.builds
        if (final := graph.by_name(build.target) if build.target else graph.stages[-1]) is not None
        and graph.in_image(stage, final)
        and is_last_update(target.facts, stage, run, final)
    ]
    if not builds:
        return
    tags = {context_key(tag) for build in builds for tag in build.tags}
    contexts = {f"{kind}:{build.service}" for build in builds for kind in _KINDS}
    for path in target.project.built:
        if path == target.real:
            continue
        other = _other(target.project, path)
        for child in other.facts.graph.stages if other is not None else ():
            image = known(child.image)
            based = child.context in contexts or (image is not None and context_key(image) in tags)
            if other is not None and child.parent is None and based:
                yield other, child


def _other(project: Project, path: Path) -> Target | None:
    """Another Dockerfile in its builds, made once for all files of a run; None if it cannot be read."""
    try:
        file = project.files.read(path)
    except InputError:
        return None
    key = ("apt-lists", path, file.text)
    if key not in project.memo:
        project.memo[key] = target_for(project, file)
    return cast("Target", project.memo[key])
