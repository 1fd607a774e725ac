"""Where a Dockerfile names a stage, and the edits that rename it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from dockfix.edit.text import Edit
from dockfix.facts.model import Known, Refused
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, From, Instruction, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage


class Reference(Struct, frozen=True):
    """A place that names a stage; `span` is None if it cannot be edited by itself."""

    text: str
    line: int
    span: Span | None

    def renamed(self, name: str) -> Edit:
        """The edit that writes another name.

        Raises:
            Refused: the place cannot be edited by itself.
        """
        if self.span is None:
            raise Refused(
                f"the reference on line {self.line} has quotes, is split over lines, or comes from a variable"
            )
        return Edit(*self.span, name)


def stage_edits(node: From, name: str) -> tuple[Edit, ...]:
    """The edit of the name of a stage itself.

    Raises:
        Refused: a line continuation splits it.
    """
    alias = node.alias
    if alias is None or not node.logical.contiguous(alias.start, alias.end):
        raise Refused("a line continuation splits the name")
    return (Edit(*alias.span, name),)


class References:
    """The places of a file that name stages."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._found: dict[str, list[tuple[int, Reference]]] = {}
        self._onbuild: dict[str, list[str]] = {}
        for stage in stages:
            for name, reference in _from_reference(stage):
                self._found.setdefault(name, []).append((stage.index, reference))
            for node in stage.instructions:
                if isinstance(node, Onbuild) and node.child is not None:
                    for each in _references(node.child):
                        self._onbuild.setdefault(each.text.lower(), []).append(each.text)
                for each in _references(node):
                    self._found.setdefault(each.text.lower(), []).append((stage.index, each))

    def of(self, name: str, first: int = 0, last: int | None = None) -> tuple[Reference, ...]:
        """The places that name a stage, in any case, in the stages from `first` to `last`."""
        found = self._found.get(name, [])
        low = bisect_left(found, first, key=_stage_index)
        high = len(found) if last is None else bisect_right(found, last, key=_stage_index)
        return tuple(each for _, each in found[low:high])

    def in_onbuild(self, name: str) -> list[str]:
        """How ONBUILD instructions spell a stage name."""
        return self._onbuild.get(name, [])


def _stage_index(found: tuple[int, Reference]) -> int:
    return found[0]


def _from_reference(stage: Stage) -> Iterator[tuple[str, Reference]]:
    """The name in a FROM; a `FROM scratch` means the empty image."""
    node, word = stage.node, stage.node.image
    if word is None:
        return
    if isinstance(stage.image, Known) and stage.image.value != word.text:
        yield stage.image.value.lower(), Reference(word.text, node.start_line, None)
    elif word.text != "scratch":
        yield word.text.lower(), Reference(word.text, node.start_line, _span(node, word.start, word.end))


def _references(node: Instruction) -> Iterator[Reference]:
    if isinstance(node, Copy) and node.source_stage:
        flag = node.flag("from")
        yield Reference(node.source_stage, node.start_line, flag.value_span if flag else None)
    elif isinstance(node, Run):
        for mount in node.mounts:
            option = mount.option("from")
            if option is not None and option.value:
                yield Reference(option.value, node.start_line, option.value_span)


def _span(node: Instruction, start: int, end: int) -> Span | None:
    return node.logical.span(start, end) if node.logical.contiguous(start, end) else None
