"""A working directory is removed in a later layer.

## What it does

Reports a WORKDIR that a later RUN of the same stage removes.

## Why is this bad?

Each instruction creates a layer. A later layer hides the files that it deletes, but they stay in the image and are
pushed and pulled with it.

## Example

```dockerfile
FROM debian:12
WORKDIR /build
COPY . .
RUN make install
RUN rm -rf /build
WORKDIR /srv/app
```

## Fix safety

The rule has no fix, because the file does not show which change is right. Do the work in one RUN that creates and
removes the directory (`mkdir`, `cd`, `rm`), in a bind mount (`RUN --mount=type=bind`), or in a stage of its own.

## When it does not apply

- Stages whose layers are not part of the image.
- A directory that is the working directory again later, or at the end of the stage.
- Files that a RUN writes to a directory on which something is mounted: they are in no layer.
- A removal inside a branch or a loop, of single files below the directory, or of a path with a variable.
- Directories of the system, such as `/tmp` and `/var/lib`.

## References

- https://docs.docker.com/build/building/best-practices/#run
- https://docs.docker.com/reference/dockerfile/#workdir
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.model import Known, known
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Add, Copy, Run, Workdir

_SYSTEM: Final = re.compile(
    r"/|/(?:bin|boot|dev|etc|home|lib|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp)"
    r"|/usr(?:/local)?(?:/(?:bin|include|lib|sbin|share|src))?|/var(?:/(?:cache|lib|log|tmp|www))?"
)
"""Directories of the system (Filesystem Hierarchy Standard 3.0)."""

_PLAIN: Final = ShellContext.GROUP


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage of an image, the WORKDIRs that a later RUN removes."""
    graph = target.facts.graph
    names = {invocation.target for invocation in target.invocations if invocation.target}
    built = [stage for name in sorted(names) if (stage := graph.by_name(name)) is not None]
    for stage in graph.stages:
        if not stage.replaced and any(
            graph.in_image(stage, each) for each in (*built, graph.final) if each is not None
        ):
            yield from _in_stage(target, stage)


def _in_stage(target: Target, stage: Stage) -> Iterator[Finding]:
    places = [(node, _directory_after(target, stage, node)) for node in stage.instructions if isinstance(node, Workdir)]
    end = target.facts.end_state(stage).workdir
    reported: set[str] = set()
    for node, path in places:
        if path is None or _SYSTEM.fullmatch(path) or any(_within(path, each) for each in reported):
            continue
        run = _removal(target, stage, node, path)
        if run is None:
            continue
        again = [each for other, each in places if other.span.start > run.span.start]
        if any(each is None or _within(each, path) for each in again) or not isinstance(end, Known):
            continue
        if not _within(end.value, path):
            reported.add(path)
            remains = _remains(target, stage, node, run, path)
            message = f"`{path}` is removed on line {run.start_line}, in a later layer: {remains} in the image"
            yield Advice(node.span, message, help="use a build stage, and copy the result from it")


def _remains(target: Target, stage: Stage, node: Workdir, run: Run, path: str) -> str:
    """What stays in the image, with the verb."""
    for each in stage.instructions:
        if isinstance(each, Copy | Add) and each.span.start < run.span.start and each.destination is not None:
            to = target.facts.state(each).expand(each.destination.text, each.escape)
            written = to.value if isinstance(to, Known) else "/"
            where = target.facts.state(each).workdir
            folder = where.value if isinstance(where, Known) else "/"
            if _within(posixpath.normpath(posixpath.join(folder, written)), path):
                return f"what line {each.start_line} copies there stays"
    runs = [
        each
        for each in stage.instructions
        if isinstance(each, Run) and node.span.start < each.span.start and not _is_mounted(target, each, path)
    ]
    if runs and runs[0] is not run:
        return f"what line {runs[0].start_line} writes there stays"
    return "an empty directory stays"


def _directory_after(target: Target, stage: Stage, node: Workdir) -> str | None:
    """The directory that a WORKDIR creates, if it is known and depends on no ARG."""
    nodes = stage.instructions
    index = bisect_right(nodes, node.span.start, key=lambda each: each.span.start)
    following = nodes[index] if index < len(nodes) else None
    state = target.facts.state(following) if following is not None else target.facts.end_state(stage)
    if not isinstance(state.workdir, Known) or state.workdir_assumes:
        return None
    return posixpath.normpath(state.workdir.value)


def _removal(target: Target, stage: Stage, node: Workdir, path: str) -> Run | None:
    """The first later RUN that removes the whole directory."""
    for run, folder in _removals(target, stage):
        if run.span.start > node.span.start and _within(path, folder) and not _is_mounted(target, run, path):
            return run
    return None


def _removals(target: Target, stage: Stage) -> tuple[tuple[Run, str], ...]:
    """The RUNs of a stage that remove directories, with these, in order; directories of the system are left out."""
    return target.facts.once(
        ("workdir-temp", stage.index),
        lambda: tuple(
            (run, folder)
            for run in stage.instructions
            if isinstance(run, Run)
            for step in target.facts.commands(run).steps
            for folder in _removed(step, known(step.directory(target.facts.state(run).workdir)))
            if not _SYSTEM.fullmatch(folder)
        ),
    )


def _is_mounted(target: Target, run: Run, path: str) -> bool:
    """Whether a RUN mounts something on the directory, so that what it writes there is in no layer."""
    state = target.facts.state(run)
    folder = state.workdir.value if isinstance(state.workdir, Known) else "/"
    places = (state.expand(mount.target, run.escape) for mount in run.mounts if mount.target)
    return any(
        _within(path, posixpath.normpath(posixpath.join(folder, place.value)))
        for place in places
        if isinstance(place, Known)
    )


def _removed(step: Step, folder: str | None) -> Iterator[str]:
    """The directories that an `rm -r` certainly removes."""
    words = [word.value for word in step.command.args]
    options = [word for word in words if word is not None and word.startswith("-")]
    recursive = any(word == "--recursive" or (word[1:2] != "-" and set(word) & {"r", "R"}) for word in options)
    if step.command.basename != "rm" or not recursive or step.command.context & ~_PLAIN:
        return
    for word in words:
        if word is not None and not word.startswith("-") and (word.startswith("/") or folder is not None):
            yield posixpath.normpath(posixpath.join(folder or "/", word))


def _within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


CODEMOD: Final = Codemod(
    name="workdir-temp",
    title="a working directory is removed in a later layer",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("workdir",),
    findings=("base-ml 4",),
)
