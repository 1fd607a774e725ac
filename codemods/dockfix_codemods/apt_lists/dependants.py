"""Images of the project that are built on the image of a file, and need its package lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias, cast

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
    based = _based(target.project)
    found = {
        id(child): (number, other, child) for key in (*tags, *contexts) for number, other, child in based.get(key, ())
    }
    for _, other, child in sorted(found.values(), key=lambda each: (each[0], each[2].index)):
        if other.real != target.real:
            yield other, child


_Based: TypeAlias = dict[str, list[tuple[int, Target, Stage]]]
"""The first stages of Dockerfiles, each with its target and the number of the file, by their image and context."""


def _based(project: Project) -> _Based:
    """What the Dockerfiles of the project are based on, collected once for all files of a run."""
    found = project.memo.get(_based)
    if found is None:
        found = project.memo[_based] = _read_based(project)
    return cast("_Based", found)


def _read_based(project: Project) -> _Based:
    found: _Based = {}
    for number, path in enumerate(project.built):
        try:
            other = target_for(project, project.files.read(path))
        except InputError:
            continue
        for child in other.facts.graph.stages:
            image = known(child.image)
            keys = {child.context, context_key(image) if image is not None else None}
            for key in keys if child.parent is None else ():
                if key is not None:
                    found.setdefault(key, []).append((number, other, child))
    return found
