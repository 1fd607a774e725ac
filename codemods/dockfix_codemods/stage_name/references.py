"""Where a Dockerfile names a stage, and the edits that rename it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockfix.edit.text import Edit
from dockfix.facts.model import Known, Refused
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, From, Instruction, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage


@dataclass(frozen=True, slots=True)
class Reference:
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


def references(stages: Sequence[Stage], name: str) -> tuple[Reference, ...]:
    """The places in some stages that name a stage, in any case; a `FROM scratch` means the empty image."""
    found: list[Reference] = []
    for stage in stages:
        found += _from_reference(stage, name)
        for node in stage.instructions:
            found += (each for each in _references(node) if each.text.lower() == name)
    return tuple(found)


def onbuild_names(stages: Sequence[Stage], name: str) -> list[str]:
    """How ONBUILD instructions spell a stage name."""
    children = (node.child for stage in stages for node in stage.instructions if isinstance(node, Onbuild))
    return [each.text for child in children if child for each in _references(child) if each.text.lower() == name]


def _from_reference(stage: Stage, name: str) -> Iterator[Reference]:
    node, word = stage.node, stage.node.image
    if word is None or name == "scratch":
        return
    if word.text.lower() == name:
        yield Reference(word.text, node.start_line, _span(node, word.start, word.end))
    elif isinstance(stage.image, Known) and stage.image.value.lower() == name:
        yield Reference(word.text, node.start_line, None)


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
