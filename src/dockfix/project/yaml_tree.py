"""YAML as it stands in the text: nodes with their offsets, aliases where they are written, nothing resolved.

ruamel.yaml's parser says where everything stands; its composer would put the anchored node in the place of an alias,
and lose where the alias was. What a person did not write is refused by size, depth and number of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from dockfix.project.compose.builds import MAX_COMPOSE_BYTES
from dockfix.syntax.source import BOM

if TYPE_CHECKING:
    from ruamel.yaml.events import Event

__all__ = ["Tree", "YamlError", "YamlNode", "is_merge", "read_tree"]

_MAX_DEPTH: Final = 64
_MAX_NODES: Final = 50_000
_MAX_EXPANDED: Final = 500_000
"""So many nodes may there be with every alias written out; a few lines of aliases of aliases could make billions."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class YamlError(ValueError):
    """A text that is no single, well-formed YAML document within the limits. `reason` says why, in one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, eq=False)
class YamlNode:
    """A node as written.

    `start` is the offset of its first character, that of its anchor or tag if it has one. `end` is behind the last
    character of its own: for a block collection that of its last leaf, for a block scalar that of its last line with
    text (with `+`, its last line). `style` is a scalar's: `'`, `"`, `|`, `>`, or empty for a plain one. An alias has
    the node that it stands for in `target`; `aliased` says whether an alias stands for this node. `size` counts the
    node and all below it, aliases written out.
    """

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    style: str = ""
    flow: bool = False
    value: str = ""
    anchor: str | None = None
    tag: str | None = None
    entries: list[tuple[YamlNode, YamlNode]] = field(default_factory=list)
    items: list[YamlNode] = field(default_factory=list)
    target: YamlNode | None = None
    aliased: bool = False
    size: int = 1

    @property
    def null(self) -> bool:
        """Whether this is nothing: left empty, `~` or `null`."""
        return self.kind == "scalar" and not self.style and self.tag is None and self.value in _NULLS

    @property
    def resolved(self) -> YamlNode:
        """The node itself, or what the alias stands for."""
        return self.target if self.target is not None else self

    def entry(self, name: str) -> tuple[YamlNode, YamlNode] | None:
        """The key and value that a mapping has under `name` itself, not by a merge."""
        for key, value in self.entries:
            if key.kind == "scalar" and key.value == name and not is_merge(key):
                return key, value
        return None


@dataclass(frozen=True, slots=True)
class Tree:
    """A document; `root` is `None` if there is nothing in it but comments."""

    text: str
    root: YamlNode | None


def is_merge(key: YamlNode) -> bool:
    """Whether a key is a merge (`<<`) and no name."""
    return key.kind == "scalar" and key.value == "<<" and not key.style


@lru_cache(maxsize=8)
def read_tree(text: str) -> Tree:
    """The tree of a text. It is shared between callers, who must not change it.

    Raises:
        YamlError: the text is not one valid document, has a key twice, or is too large, too deep or too entangled.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and most runs edit no YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    if len(text.encode("utf-8", "surrogateescape")) > MAX_COMPOSE_BYTES:
        raise YamlError(f"the file is larger than {MAX_COMPOSE_BYTES // 1024} KiB")
    body = text.removeprefix(BOM)
    builder = _Builder(text, len(text) - len(body))
    try:
        for event in YAML(typ="safe", pure=True).parse(body):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = " ".join(str(error.problem or error.context or "cannot be parsed").split())
        raise YamlError(f"the file is no valid YAML: {where}{problem}") from error
    except YamlError:
        raise
    except (YAMLError, ValueError, RecursionError) as error:
        raise YamlError(f"the file is no valid YAML: {' '.join(str(error).split())}") from error
    return Tree(text, builder.root)


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` waits for its value."""

    node: YamlNode
    key: YamlNode | None = None
    names: set[str] = field(default_factory=set)


class _Builder:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, text: str, shift: int) -> None:
        self.text = text
        self.shift = shift
        self.root: YamlNode | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, YamlNode] = {}
        self._documents = 0
        self._count = 0

    def take(self, event: Event) -> None:
        from ruamel.yaml import events  # noqa: PLC0415

        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise YamlError("the file holds several YAML documents")
            case events.ScalarEvent():
                style = event.style if event.style in {"'", '"', "|", ">"} else ""
                node = YamlNode("scalar", start, end, style, value=event.value)
                if style in {"|", ">"}:
                    node.end = self._block_end(start, end)
                self._named(node, event.anchor, event.tag)
                self._close(node)
            case events.AliasEvent():
                target = self._anchors.get(event.anchor)
                if target is None:
                    raise YamlError(f"the file is no valid YAML: there is no anchor for the alias *{event.anchor}")
                if any(frame.node is target for frame in self._stack):
                    raise YamlError(f"the alias *{event.anchor} stands inside the value that it stands for")
                target.aliased = True
                self._close(YamlNode("alias", start, end, value=event.anchor, target=target, size=target.size))
            case events.MappingStartEvent() | events.SequenceStartEvent():
                mapping = isinstance(event, events.MappingStartEvent)
                node = YamlNode("mapping" if mapping else "sequence", start, end, flow=bool(event.flow_style))
                self._named(node, event.anchor, event.tag)
                self._stack.append(_Open(node))
                if len(self._stack) > _MAX_DEPTH:
                    raise YamlError(f"the file is nested more than {_MAX_DEPTH} deep")
            case events.MappingEndEvent() | events.SequenceEndEvent():
                node = self._stack.pop().node
                if node.flow:
                    node.end = end
                elif node.entries:
                    node.end = max(node.entries[-1][0].end, node.entries[-1][1].end)
                elif node.items:
                    node.end = max(node.end, node.items[-1].end)
                self._close(node)
            case _:
                pass

    def _named(self, node: YamlNode, anchor: str | None, tag: object) -> None:
        node.anchor = anchor
        node.tag = str(tag) if tag is not None else None
        if anchor is not None:
            self._anchors[anchor] = node

    def _close(self, node: YamlNode) -> None:
        """A node is complete: give it its place in the collection around it."""
        self._count += 1
        if self._count > _MAX_NODES:
            raise YamlError(f"the file has more than {_MAX_NODES} values")
        if not self._stack:
            self.root = None if node.null and node.start == node.end else node
            return
        frame = self._stack[-1]
        frame.node.size += node.size
        if frame.node.size > _MAX_EXPANDED:
            raise YamlError("the file has aliases that expand to too many values")
        if frame.node.kind == "sequence":
            frame.node.items.append(node)
        elif frame.key is None:
            name = node.resolved
            if name.kind == "scalar":
                if name.value in frame.names:
                    raise YamlError(f"the file is no valid YAML: it has the key {name.value} twice in one mapping")
                frame.names.add(name.value)
            frame.key = node
        else:
            if node.null and node.anchor is None and not node.value:
                node.start = node.end = self._behind_colon(frame.key)
            frame.node.entries.append((frame.key, node))
            frame.key = None

    def _behind_colon(self, key: YamlNode) -> int:
        """Where a value that is left empty stands; the parser may place it behind the comment, or further down."""
        at = key.end
        while self.text.startswith((" ", "\t"), at):
            at += 1
        return at + 1 if self.text.startswith(":", at) else key.end

    def _block_end(self, start: int, end: int) -> int:
        written = self.text[start:end]
        header = written.split("\n", 1)[0].split("#", 1)[0]
        kept = "+" in header.split()[-1] if header.split() else False
        return start + len(written.removesuffix("\n").removesuffix("\r") if kept else written.rstrip(" \t\r\n"))
