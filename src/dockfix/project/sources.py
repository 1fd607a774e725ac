"""What a Dockerfile takes from its build context, and what another ignore file would take away from it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dockfix.facts.model import Fact, Known
from dockfix.project.context import Context
from dockfix.project.gopath import has_wildcard
from dockfix.project.ignore import IgnoreRules
from dockfix.project.target import Target
from dockfix.syntax.tree import Add, Copy, Instruction, Run

__all__ = ["ContextUse", "context_uses", "loses"]


@dataclass(frozen=True, slots=True)
class ContextUse:
    """A source in the build context. `source` is its path there, variables expanded; `instruction` says whose it is."""

    instruction: Instruction
    source: Fact[str]


def context_uses(target: Target) -> Iterator[ContextUse]:
    """The sources of COPY, ADD and bind mounts that lie in the build context."""
    for stage in target.facts.graph.stages:
        for instruction in stage.program:
            if isinstance(instruction, Copy | Add) and instruction.flag("from") is None:
                for word in instruction.paths:
                    source = target.facts.state(instruction).expand(word.text)
                    if not (isinstance(instruction, Add) and isinstance(source, Known) and _is_remote(source.value)):
                        yield ContextUse(instruction, source)
            elif isinstance(instruction, Run):
                for mount in instruction.mounts:
                    if mount.kind == "bind" and mount.get("from") is None:
                        source = target.facts.state(instruction).expand(mount.get("source") or ".")
                        yield ContextUse(instruction, source)


def _is_remote(source: str) -> bool:
    return "://" in source or source.startswith("git@")


def loses(context: Context, source: str, rules: IgnoreRules) -> str | None:
    """A path that a source names, and that `rules` would keep out of a context which has it now; None if there is none.

    What lies below a folder that a source names is not looked at: to leave some of it out is what ignore files are
    for. A source without a wildcard counts whether it exists or not, since a build may make it first. If there are too
    many files to say, that is the source itself.
    """
    after = replace(context, ignore=rules)
    if not has_wildcard(source):
        path = posixpath.normpath("/" + source).lstrip("/") or "."
        return path if path != "." and after.ignored(path) and not context.ignored(path) else None
    found = context.glob(source, sent_only=True)
    if found is None:
        return source
    return next((path for path in found if after.ignored(path)), None)
