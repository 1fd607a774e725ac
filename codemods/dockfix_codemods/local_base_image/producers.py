"""The builds that make the images that Dockerfiles use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dockfix.facts.stages import context_key

if TYPE_CHECKING:
    from dockfix.project.compose.builds import BuildInvocation
    from dockfix.project.target import Project, Target
    from dockfix.project.wiring import Supply

_Node: TypeAlias = str | Path
"""An image, or the Dockerfile that it is built from."""


class Producers:
    """The builds of a project, by the images that they make.

    Args:
        project: the project.
        uses: the images that each Dockerfile uses, by real path.
    """

    def __init__(self, project: Project, uses: Mapping[Path, frozenset[str]]) -> None:
        self._builds: dict[str, list[BuildInvocation]] = {}
        self._made = {id(build): frozenset(map(context_key, build.tags)) for build in project.invocations}
        for build in project.invocations:
            for name in self._made[id(build)]:
                self._builds.setdefault(name, []).append(build)
        needs: dict[_Node, list[_Node]] = {}
        for path, builds in project.built.items():
            needs[path] = list(uses.get(path, ()))
            for name in dict.fromkeys(name for build in builds for name in self._made[id(build)]):
                needs.setdefault(name, []).append(path)
        self._circles = _circles(needs)

    @property
    def images(self) -> Iterable[str]:
        """All images that builds make."""
        return self._builds.keys()

    def of(self, target: Target, supply: Supply) -> tuple[BuildInvocation, ...] | None:
        """The builds that make an image that a file uses; `None` if one of them is a build of that file.

        A build that itself needs an image made by the file's builds is not a producer: it could not run first.
        """
        producers = self._builds.get(supply.key, [])
        own = {id(build) for build in (*supply.providers, *supply.without)}
        if any(id(build) in own for build in producers):
            return None
        if any(id(build) in own and self._needs(supply.key, build) for build in target.builds):
            return None
        return tuple(producers)

    def _needs(self, key: str, build: BuildInvocation) -> bool:
        """Whether an image that the file of a build uses needs, directly or not, an image that the build makes."""
        circle = self._circles.get(key)
        return circle is not None and any(self._circles.get(name) == circle for name in self._made[id(build)])


def _circles(needs: Mapping[_Node, Iterable[_Node]]) -> dict[_Node, int]:
    """A number for each node; two nodes that need each other, directly or not, have the same (Kosaraju's algorithm)."""
    needed_by: dict[_Node, list[_Node]] = {}
    for node, others in needs.items():
        for other in others:
            needed_by.setdefault(other, []).append(node)
    numbers: dict[_Node, int] = {}
    for node in reversed(_finished(needs)):
        if node not in numbers:
            found = [node]
            numbers[node] = len(numbers)
            while found:
                for other in needed_by.get(found.pop(), ()):
                    if other not in numbers:
                        numbers[other] = numbers[node]
                        found.append(other)
    return numbers


def _finished(needs: Mapping[_Node, Iterable[_Node]]) -> list[_Node]:
    """The nodes in the order in which a search in depth leaves them."""
    finished: list[_Node] = []
    seen: set[_Node] = set()
    for start in needs:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(needs[start]))]
        while stack:
            node, others = stack[-1]
            other = next((each for each in others if each not in seen), None)
            if other is None:
                finished.append(node)
                stack.pop()
            else:
                seen.add(other)
                stack.append((other, iter(needs.get(other, ()))))
    return finished
