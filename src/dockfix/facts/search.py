"""`Search`: where instructions with a property are, before and after others, in a stage and those that share its chain.

Many rules ask the same of each instruction: whether a later one needs what it leaves, whether an earlier one has done
it. Each instruction is looked at once, and only if the answer depends on it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from dockfix.facts.stages import Stage, StageGraph
from dockfix.syntax.tree import Instruction


class Search:
    """The instructions of a build that have a property, each FROM included.

    Args:
        graph: the stages.
        wanted: whether an instruction of a stage has the property.
    """

    def __init__(self, graph: StageGraph, wanted: Callable[[Stage, Instruction], bool]) -> None:
        self._graph = graph
        self._wanted = wanted
        self._nodes: dict[int, list[Instruction]] = {}
        self._known: dict[int, tuple[int, Instruction | None]] = {}
        """By stage: from which offset on it was searched, and what was found first."""
        self._firsts: dict[int, Instruction | None] = {}
        self._below: dict[int, tuple[int, Instruction] | None] = {}
        self._above: dict[int, Instruction | None] = {}

    def after(self, stage: Stage, offset: int) -> Instruction | None:
        """The first instruction after an offset, in a stage or in one that is based on it."""
        found = self._in_stage(stage, offset)
        if found is not None:
            return found
        below = self._first_below(stage)
        return below[1] if below is not None else None

    def before(self, stage: Stage, offset: int) -> Instruction | None:
        """One before an offset, in a stage or in one that it is based on: the first one of the nearest such stage."""
        first = self._first(stage)
        return first if first is not None and first.span.start < offset else self._first_above(stage)

    def _in_stage(self, stage: Stage, offset: int) -> Instruction | None:
        """The first instruction of a stage after an offset."""
        start, found = self._known.get(stage.index, (None, None))
        if start is None or start > offset or (found is not None and found.span.start <= offset):
            new = self._scan(stage, offset, start if start is not None and start > offset else None)
            found = new or (found if start is not None and start > offset else None)
            self._known[stage.index] = (offset, found)
        return found

    def _scan(self, stage: Stage, offset: int, end: int | None) -> Instruction | None:
        """Search after an offset, up to another one from which on the stage was searched."""
        nodes = self._nodes.get(stage.index)
        if nodes is None:  # the steps of triggers have the places of their ONBUILD
            nodes = self._nodes[stage.index] = sorted((stage.node, *stage.instructions), key=_start)
        for index in range(bisect_right(nodes, offset, key=_start), len(nodes)):
            if end is not None and nodes[index].span.start > end:
                return None
            if self._wanted(stage, nodes[index]):
                return nodes[index]
        return None

    def _first(self, stage: Stage) -> Instruction | None:
        if stage.index not in self._firsts:
            self._firsts[stage.index] = self._in_stage(stage, -1)
        return self._firsts[stage.index]

    def _first_below(self, stage: Stage) -> tuple[int, Instruction] | None:
        """The first instruction of the stages that are based on one, with the index of its stage."""
        open_ = [stage.index]
        while open_:
            index = open_[-1]
            children = self._graph.children(index)
            missing = [each.index for each in children if each.index not in self._below]
            if index in self._below or not missing:
                open_.pop()
                self._below.setdefault(index, min(filter(None, map(self._from, children)), default=None, key=_index))
            else:
                open_ += missing
        return self._below[stage.index]

    def _from(self, stage: Stage) -> tuple[int, Instruction] | None:
        """The first instruction of a stage and those based on it, of which `_below` knows the answer."""
        first = self._first(stage)
        return (stage.index, first) if first is not None else self._below[stage.index]

    def _first_above(self, stage: Stage) -> Instruction | None:
        """The first instruction of the nearest stage that a stage is based on."""
        passed: list[int] = []
        at, answer = stage, None
        while at.index not in self._above and at.parent is not None:
            passed.append(at.index)
            at = self._graph.stages[at.parent]
            if (answer := self._first(at)) is not None:
                break
        else:
            answer = self._above.get(at.index)
        self._above.update(dict.fromkeys(passed, answer))
        return answer


def _start(node: Instruction) -> int:
    return node.span.start


def _index(found: tuple[int, Instruction]) -> int:
    return found[0]
