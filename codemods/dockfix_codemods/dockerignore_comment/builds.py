"""The builds that an ignore file affects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from dockfix.project.context import Context
from dockfix.project.target import Target, context_candidates
from dockfix.rule.workspace import Workspace


class IgnoringBuild(Struct, frozen=True):
    """A Dockerfile and a build context that an ignore file filters."""

    target: Target
    context: Context


def builds_by_ignore_file(workspace: Workspace) -> Mapping[Path, Sequence[IgnoringBuild]]:
    """The builds that each ignore file affects, by its real path."""
    contexts: dict[tuple[Path, str | None], Context] = {}
    builds: dict[Path, list[IgnoringBuild]] = {}
    for target in (*workspace.targets, *workspace.outside):
        for context in _contexts(target):
            path = workspace.project.files.real(Path(context.ignore.path)) if context.ignore.path else None
            if path is not None:
                # all builds share one context value, because it caches its files
                shared = contexts.setdefault((context.root, context.ignore.path), context)
                builds.setdefault(path, []).append(IgnoringBuild(target, shared))
    return builds


def _contexts(target: Target) -> Iterator[Context]:
    """The contexts of a Dockerfile's builds, or the possible ones if no build is known."""
    known = [variant.context for variant in target.variants if variant.context is not None]
    if known or target.real.is_relative_to(target.project.root):
        yield from known or context_candidates(target.project, target.path)


def distinct_contexts(builds: Sequence[IgnoringBuild]) -> list[Context]:
    """The contexts of several builds, each once."""
    return list({id(build.context): build.context for build in builds}.values())
