"""The YAML of compose files: parsed within bounds, and turned into small values that know where they were written.

Aliases are shared, never copied, and each value says how large it would be with all of them expanded, so that whoever
walks it can refuse first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dockfix.project.compose.interpolation import Environment, interpolated
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.snapshot import Snapshot

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

__all__ = [
    "MAX_COMPOSE_BYTES", "Document", "Entry", "Items", "Scalar", "Scope", "Table", "Value", "entries_of", "items_of",
    "pairs_of", "parse_document", "scalar", "table_of", "text_of", "values_of",
]  # fmt: skip

MAX_COMPOSE_BYTES: Final = 256 * 1024
"""The largest compose file that is read: the YAML parser takes some 10 microseconds a byte."""
_MAX_NODES: Final = 50_000
_MAX_DEPTH: Final = 60
# The parser takes time that is quadratic in their number before it finds that it cannot go so deep.
_MAX_BRACKETS: Final = 1000

Tag: TypeAlias = Literal["", "reset", "override"]
_TAGS: Final[Mapping[str, Tag]] = {"!reset": "reset", "!override": "override"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds where a value is written: its file, the folder that its paths are relative to, its variables."""

    file: Path
    folder: Path
    env: Environment


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """`raw` is the text as written, `None` for null; `text` has its variables replaced, `None` if that is not known.

    `shown` is what a message may say: the text, or `raw` if something of a `.env` file stands in it.
    """

    scope: Scope
    line: int
    raw: str | None
    text: str | None
    shown: str
    size: int = 1
    depth: int = 1
    tagged: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A sequence."""

    scope: Scope
    line: int
    values: tuple[Value, ...]
    size: int = 1
    depth: int = 1
    tagged: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A mapping, merge keys (`<<`) applied."""

    scope: Scope
    line: int
    entries: Mapping[str, Entry]
    size: int = 1
    depth: int = 1
    tagged: bool = False

    def get(self, name: str) -> Value | None:
        """The value of a key; `None` if it is not there, or reset."""
        entry = self.entries.get(name)
        return None if entry is None or entry.tag == "reset" else entry.value


Value: TypeAlias = Scalar | Items | Table


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A value under its key, which stands in line `line` of the file of `scope`.

    `tag` is that of `!reset` and `!override`, which act on what the value is laid over. `inherited` marks what a
    service has from one that it extends.
    """

    scope: Scope
    line: int
    value: Value
    tag: Tag = ""
    inherited: bool = False


def scalar(scope: Scope, line: int, raw: str | None) -> Scalar:
    """A scalar with its variables replaced."""
    if raw is None:
        return Scalar(scope, line, None, None, "")
    result = interpolated(raw, scope.env)
    return Scalar(scope, line, raw, result.text, raw if result.text is None or result.secret else result.text)


def text_of(value: Value | None) -> str | None:
    """The text of a scalar, as far as it is known."""
    return value.text if isinstance(value, Scalar) else None


def entries_of(value: Value | None) -> Iterator[tuple[str, Entry]]:
    """The entries of a mapping that are not reset; nothing for what is no mapping."""
    if isinstance(value, Table):
        yield from ((name, entry) for name, entry in value.entries.items() if entry.tag != "reset")


def items_of(value: Value | None) -> tuple[Value, ...]:
    """The values of a sequence; none for what is no sequence."""
    return value.values if isinstance(value, Items) else ()


def values_of(value: Value | None) -> tuple[Value, ...]:
    """The values of a sequence, or the one that stands for a sequence of it; none for nothing."""
    if isinstance(value, Items):
        return value.values
    return () if value is None or (isinstance(value, Scalar) and value.raw is None) else (value,)


def table_of(scope: Scope, line: int, entries: Mapping[str, Entry]) -> Table:
    """A mapping with its measures."""
    size = 1 + sum(1 + entry.value.size for entry in entries.values())
    depth = 1 + max((entry.value.depth for entry in entries.values()), default=0)
    tagged = any(entry.tag or entry.value.tagged for entry in entries.values())
    return Table(scope, line, entries, size, depth, tagged)


def pairs_of(value: Value) -> Table:
    """A mapping, or a sequence of `NAME=VALUE`, as a mapping; a name without `=` has null."""
    if isinstance(value, Table):
        return value
    entries: dict[str, Entry] = {}
    for item in items_of(value):
        if not isinstance(item, Scalar) or item.raw is None:
            continue
        name, equals, rest = item.raw.partition("=")
        if "$" not in name:
            part = scalar(item.scope, item.line, rest if equals else None)
        elif item.text is not None:
            # compose replaces variables before it looks for `=`
            name, equals, rest = item.text.partition("=")
            part = Scalar(item.scope, item.line, item.raw, rest, rest if item.shown == item.text else item.raw)
            part = part if equals else scalar(item.scope, item.line, None)
        else:
            continue  # what it is called is not known
        entries[name] = Entry(item.scope, item.line, part)
    return table_of(value.scope, value.line, entries)


@dataclass(frozen=True)
class Document:
    """A compose file as parsed: its YAML documents, which compose lays over one another. `nodes` is how many values
    there are in all.
    """

    path: Path
    roots: tuple[MappingNode, ...]
    nodes: int

    def tables(self, scope: Scope, problems: list[InputProblem]) -> list[Table]:
        """The parts of each YAML document that say what is built: `services` and `include`.

        Raises `InputError` for what is nested too deeply.
        """
        return [_Converter(scope, problems).top(root) for root in self.roots]


def parse_document(path: Path, files: Snapshot) -> Document:
    """Parse a compose file. Raises `InputError` for what is no YAML, no compose file, or not written by a person."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and many projects have no compose file
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415
    from ruamel.yaml.nodes import MappingNode  # noqa: PLC0415

    name = str(path)
    file = files.read(path)
    if len(file.data) > MAX_COMPOSE_BYTES:
        raise InputError(name, None, f"is larger than {MAX_COMPOSE_BYTES // 1024} KiB and is not read")
    try:
        text = file.data.decode("utf-8-sig")
        if _brackets(text) > _MAX_BRACKETS:
            raise InputError(name, None, "is nested too deeply and is not read")
        nodes = list(YAML(typ="rt", pure=True).compose_all(text))
    except UnicodeDecodeError as error:
        raise InputError(name, None, "is not UTF-8 and is not read") from error
    except RecursionError as error:
        raise InputError(name, None, "is nested too deeply and is not read") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(str(error.problem or error.context or "cannot be parsed").split())
        raise InputError(name, mark.line + 1 if mark is not None else None, f"invalid YAML: {message}") from error
    except (YAMLError, ValueError) as error:
        raise InputError(name, None, f"invalid YAML: {' '.join(str(error).split())}") from error
    nodes = [node for node in nodes if node is not None and not _is_null(node)]
    count = _count(nodes)
    if count > _MAX_NODES:
        raise InputError(name, None, "has too many values and is not read")
    for node in nodes:
        if not isinstance(node, MappingNode):
            raise InputError(name, _line(node), "is not a compose file: its top is not a mapping")
    return Document(path, tuple(nodes), count)


def _brackets(text: str) -> int:
    """How many brackets and braces are open at once at most, those in strings and comments counted too."""
    deepest = depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _count(tops: Iterable[Node]) -> int:
    """How many nodes there are, each counted once, however often it is aliased; not much beyond the bound."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode  # noqa: PLC0415

    seen: set[int] = set()
    stack: list[Node] = list(tops)
    while stack and len(seen) <= _MAX_NODES:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            stack.extend(child for pair in node.value for child in pair)
        elif isinstance(node, SequenceNode):
            stack.extend(node.value)
    return len(seen)


class _Converter:
    """Turns the nodes of one document into values. Each node is turned once."""

    def __init__(self, scope: Scope, problems: list[InputProblem]) -> None:
        self.scope = scope
        self.problems = problems
        self._done: dict[int, Value] = {}
        self._open: set[int] = set()

    def top(self, root: MappingNode) -> Table:
        wanted = [(key, value) for key, value in root.value if _name(key) in ("services", "include", "<<")]
        return self._table(root, wanted)

    def value(self, node: Node) -> Value:
        from ruamel.yaml.nodes import MappingNode, SequenceNode  # noqa: PLC0415

        known = self._done.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            self._problem(node, "has an alias within what it stands for, which compose refuses")
            return scalar(self.scope, _line(node), None)
        self._open.add(id(node))
        if len(self._open) > _MAX_DEPTH:
            raise InputError(str(self.scope.file), _line(node), "is nested too deeply and is not read")
        value: Value
        if isinstance(node, MappingNode):
            value = self._table(node, node.value)
        elif isinstance(node, SequenceNode):
            values = tuple(self.value(item) for item in node.value if _tag(item) != "!reset")
            value = Items(
                self.scope,
                _line(node),
                values,
                1 + sum(item.size for item in values),
                1 + max((item.depth for item in values), default=0),
                any(item.tagged for item in values),
            )
        else:
            value = scalar(self.scope, _line(node), _raw(node))
        if value.depth > _MAX_DEPTH:
            raise InputError(str(self.scope.file), _line(node), "is nested too deeply and is not read")
        self._open.discard(id(node))
        self._done[id(node)] = value
        return value

    def _table(self, node: MappingNode, pairs: Iterable[tuple[Node, Node]]) -> Table:
        from ruamel.yaml.nodes import SequenceNode  # noqa: PLC0415

        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        size = 1
        for key, value in pairs:
            name = _name(key)
            if name is None:
                continue
            if name == "<<" and getattr(key, "style", None) is None:
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    table = self.value(source)
                    size += table.size
                    for other, entry in table.entries.items() if isinstance(table, Table) else ():
                        merged.setdefault(other, entry)
                continue
            if name in own:
                self._problem(key, f"the key {name!r} is given a second time, which compose refuses")
            tag = _TAGS.get(_tag(value), "")
            inner = scalar(self.scope, _line(value), None) if tag == "reset" else self.value(value)
            own[name] = Entry(self.scope, _line(key), inner, tag)
            size += 1 + inner.size
        table = table_of(self.scope, _line(node), {**merged, **own})
        return Table(table.scope, table.line, table.entries, max(size, table.size), table.depth, table.tagged)

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(InputProblem(str(self.scope.file), _line(node), message))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _tag(node: Node) -> str:
    return str(node.tag or "")


def _is_null(node: Node) -> bool:
    return _tag(node) == "tag:yaml.org,2002:null"


def _name(key: Node) -> str | None:
    from ruamel.yaml.nodes import ScalarNode  # noqa: PLC0415

    return str(key.value) if isinstance(key, ScalarNode) else None


def _raw(node: Node) -> str | None:
    """The text of a scalar, as compose-go hands it on; `None` for null."""
    if _is_null(node):
        return None
    value, tag = str(node.value), _tag(node).rpartition(":")[2]
    if tag == "bool":
        return value.lower()
    if tag == "int":
        return _integer(value)
    return _float(value) if tag == "float" else value


def _integer(value: str) -> str:
    """A number as Go prints it: `0x10` as 16, and, as in YAML 1.1, `010` as 8."""
    digits = value.replace("_", "")
    unsigned = digits.lstrip("+-")
    old_octal = len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1].isdigit()
    try:
        return str(int(digits, 8 if old_octal else 0))
    except ValueError:
        return _float(value)


def _float(value: str) -> str:
    """A number as Go prints it: `1.10` as `1.1`, `3.0` as `3`, `1e6` as `1e+06`."""
    try:
        number = float(value.replace("_", ""))
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    sign, digits, shift = Decimal(repr(number)).normalize().as_tuple()
    exponent = len(digits) - 1 + int(shift)
    if number and not -4 <= exponent < 6:
        text = "".join(map(str, digits))
        return f"{'-' * sign}{text[0]}{'.' * (len(text) > 1)}{text[1:]}e{exponent:+03d}"
    return str(int(number)) if number.is_integer() else repr(number)
