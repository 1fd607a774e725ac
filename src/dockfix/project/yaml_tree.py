"""YAML as written: one tree of nodes with their offsets, for reading compose files, editing them and checking edits.

Aliases, tags and anchors are kept as written, and nothing is resolved. The tree is built from the events of
ruamel.yaml's parser, which have every offset; its composer would replace an alias by the anchored node.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct, field

from dockfix.syntax.source import BOM

if TYPE_CHECKING:
    from ruamel.yaml.events import Event

MAX_YAML_BYTES: Final = 256 * 1024
"""The largest YAML file that dockfix reads: the parser takes about 10 microseconds a byte."""
_MAX_DEPTH: Final = 64
_MAX_NESTING: Final = 300
_MAX_NODES: Final = 50_000
_MAX_EXPANDED: Final = 500_000
"""The most nodes with every alias written out; a few lines of aliases of aliases could make billions."""
_MAX_BRACKETS: Final = 1000
"""The most brackets open at once: the parser's time is quadratic in their number."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
TOO_DEEP: Final = "is nested too deeply"
TOO_MANY: Final = "has too many values"


class YamlError(ValueError):
    """A text that dockfix cannot read as YAML: why, in one line.

    `problem` is the same without the line, which `line` has if it is known. `limit` says that the text may be valid,
    but exceeds a limit.
    """

    def __init__(self, problem: str, line: int | None = None, *, limit: bool = False) -> None:
        self.reason = problem if line is None else f"line {line}: {problem}"
        super().__init__(self.reason)
        self.problem = problem
        self.line = line
        self.limit = limit


class YamlNode(Struct, eq=False):
    """A node as written.

    `start` is the offset of its first character, that of its anchor or tag if it has one, and `line` its line. `end`
    follows its own last character: for a block collection that of its last leaf, for a block scalar that of its last
    line with text (with `+`, its last line). `style` is a scalar's: `'`, `"`, `|`, `>`, or empty for a plain one.
    `target` is the node that an alias refers to; `aliased` tells whether an alias refers to this node. `size` counts
    the node and all below it, aliases written out.
    """

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    line: int
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
        """Whether this is null: left empty, `~` or `null`."""
        return self.kind == "scalar" and not self.style and self.tag is None and self.value in _NULLS

    @property
    def resolved(self) -> YamlNode:
        """The node itself, or the node that the alias refers to."""
        return self.target if self.target is not None else self

    def entry(self, name: str) -> tuple[YamlNode, YamlNode] | None:
        """The key and value that a mapping itself has for `name`, not through a merge."""
        for key, value in self.entries:
            if key.kind == "scalar" and key.value == name and not is_merge(key):
                return key, value
        return None


class Stream(Struct, frozen=True):
    """The documents of a YAML text; one that is empty is a null node. `nodes` counts the nodes, aliases excepted.

    `fault` says why the text cannot be edited or compared, although it parses: a key twice, an alias inside its own
    value, too many values with the aliases written out, or too deep a nesting.
    """

    text: str
    documents: tuple[YamlNode, ...]
    nodes: int
    fault: str | None


class Tree(Struct, frozen=True):
    """A single document; `root` is `None` if it holds nothing but comments."""

    text: str
    root: YamlNode | None


def is_merge(key: YamlNode) -> bool:
    """Whether a key is a merge (`<<`), not a name."""
    return key.kind == "scalar" and key.value == "<<" and not key.style


@lru_cache(maxsize=8)
def read_tree(text: str) -> Tree:
    """The tree of a text to edit or compare. Callers share it and must not change it.

    Raises:
        YamlError: the text is not one valid document, has a key twice, or exceeds the limits.
    """
    stream = parse_yaml(text)
    if stream.fault is not None:
        raise YamlError(stream.fault)
    if len(stream.documents) > 1:
        raise YamlError("the file holds several YAML documents")
    root = stream.documents[0] if stream.documents else None
    return Tree(text, None if root is None or (root.null and root.start == root.end) else root)


@lru_cache(maxsize=8)
def parse_yaml(text: str) -> Stream:
    """The documents of a text. Callers share them and must not change them.

    Raises:
        YamlError: the text is not valid YAML, or exceeds the limits.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and many runs read no YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    if len(text.encode("utf-8", "surrogateescape")) > MAX_YAML_BYTES:
        raise YamlError(f"the file is larger than {MAX_YAML_BYTES // 1024} KiB", limit=True)
    if _open_brackets(text) > _MAX_BRACKETS:
        raise YamlError(f"the file {TOO_DEEP}", limit=True)
    body = text.removeprefix(BOM)
    builder = _Builder(text, len(text) - len(body))
    try:
        for event in YAML(typ="safe", pure=True).parse(body):
            builder.add(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context or "cannot be parsed").split())
        raise YamlError(f"invalid YAML: {problem}", mark.line + 1 if mark is not None else None) from error
    except YamlError:
        raise
    except RecursionError as error:
        raise YamlError(f"the file {TOO_DEEP}", limit=True) from error
    except (YAMLError, ValueError) as error:
        raise YamlError(f"invalid YAML: {' '.join(str(error).split())}") from error
    return Stream(text, tuple(builder.documents), builder.nodes, builder.fault)


def _open_brackets(text: str) -> int:
    """The most brackets and braces that are open at once, those in strings and comments included."""
    deepest = depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


class _Open(Struct):
    """A collection that is not complete yet; `key` has no value yet."""

    node: YamlNode
    key: YamlNode | None = None
    names: set[str] = field(default_factory=set)


class _Builder:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, text: str, shift: int) -> None:
        self.text = text
        self.shift = shift
        self.documents: list[YamlNode] = []
        self.nodes = 0
        self.fault: str | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, YamlNode] = {}

    def add(self, event: Event) -> None:
        from ruamel.yaml import events  # noqa: PLC0415

        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        line = event.start_mark.line + 1
        match event:
            case events.DocumentStartEvent():
                self._anchors = {}
            case events.ScalarEvent():
                style = event.style if event.style in {"'", '"', "|", ">"} else ""
                node = YamlNode("scalar", start, end, line, style, value=event.value)
                if style in {"|", ">"}:
                    node.end = self._block_end(start, end)
                self._named(node, event.anchor, event.tag)
                self._close(node)
            case events.AliasEvent():
                target = self._anchors.get(event.anchor)
                if target is None:
                    raise YamlError(f"invalid YAML: found undefined alias {event.anchor!r}", line)
                if any(frame.node is target for frame in self._stack):
                    self._refuse(f"the alias *{event.anchor} is inside the value that it refers to")
                target.aliased = True
                self._close(YamlNode("alias", start, end, line, value=event.anchor, target=target, size=target.size))
            case events.MappingStartEvent() | events.SequenceStartEvent():
                mapping = isinstance(event, events.MappingStartEvent)
                node = YamlNode("mapping" if mapping else "sequence", start, end, line, flow=bool(event.flow_style))
                self._named(node, event.anchor, event.tag)
                self._stack.append(_Open(node))
                if len(self._stack) > _MAX_DEPTH:
                    self._refuse(f"the file is nested more than {_MAX_DEPTH} deep")
                if len(self._stack) > _MAX_NESTING:
                    raise YamlError(f"the file {TOO_DEEP}", limit=True)
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

    def _refuse(self, reason: str) -> None:
        self.fault = self.fault or reason

    def _named(self, node: YamlNode, anchor: str | None, tag: object) -> None:
        node.anchor = anchor
        node.tag = str(tag) if tag is not None else None
        if anchor is not None:
            self._anchors[anchor] = node

    def _close(self, node: YamlNode) -> None:
        """Add a complete node to the collection around it."""
        self.nodes += node.kind != "alias"
        if self.nodes > _MAX_NODES:
            raise YamlError(f"the file {TOO_MANY}", limit=True)
        if not self._stack:
            self.documents.append(node)
            return
        frame = self._stack[-1]
        frame.node.size += node.size
        if frame.node.size > _MAX_EXPANDED:
            self._refuse("the file has aliases that expand to too many values")
        if frame.node.kind == "sequence":
            frame.node.items.append(node)
        elif frame.key is None:
            name = node.resolved
            if name.kind == "scalar":
                if name.value in frame.names:
                    self._refuse(f"the file has the key {name.value} twice in one mapping")
                frame.names.add(name.value)
            frame.key = node
        else:
            if node.null and node.anchor is None and not node.value:
                node.start = node.end = self._after_colon(frame.key)
            frame.node.entries.append((frame.key, node))
            frame.key = None

    def _after_colon(self, key: YamlNode) -> int:
        """The offset of a value that is left empty; the parser may place it after the comment, or further down."""
        at = key.end
        while self.text.startswith((" ", "\t"), at):
            at += 1
        return at + 1 if self.text.startswith(":", at) else key.end

    def _block_end(self, start: int, end: int) -> int:
        written = self.text[start:end]
        header = written.split("\n", 1)[0].split("#", 1)[0]
        kept = "+" in header.split()[-1] if header.split() else False
        return start + len(written.removesuffix("\n").removesuffix("\r") if kept else written.rstrip(" \t\r\n"))
