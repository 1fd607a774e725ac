"""The values of compose files: mappings, lists and scalars that know the file and line where they are written.

Values that aliases refer to are shared, never copied. Each value knows its size with all aliases expanded, so that a
caller can refuse before it walks it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dockfix.project.compose.interpolation import Environment, interpolated
from dockfix.project.files import Snapshot
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.yaml_tree import (
    MAX_YAML_BYTES,
    TOO_DEEP,
    YamlError,
    YamlNode,
    is_merge,
    parse_yaml,
)

MAX_COMPOSE_BYTES: Final = MAX_YAML_BYTES
"""The largest compose file that is read."""
_MAX_DEPTH: Final = 60

Tag: TypeAlias = Literal["", "reset", "override"]
_TAGS: Final[Mapping[str, Tag]] = {"!reset": "reset", "!override": "override"}
_PLAIN_TYPES: Final = (
    ("null", re.compile(r"(?:~|null|Null|NULL)?")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?0(?:b[01_]+|o[0-7_]+|x[0-9a-fA-F_]+)|[-+][0-9_]+|[0-9][0-9_]*")),
    ("float", re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")),
    ("float", re.compile(r"[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?")),
)
"""The forms of plain scalars (YAML 1.2.2, 10.3.2). Not `.inf` and `.nan`: compose passes them on as written."""


class Scope(Struct, frozen=True):
    """The scope of a value: its file, the folder that its paths are relative to, and its variables."""

    file: Path
    folder: Path
    env: Environment


class Scalar(Struct, frozen=True, eq=False):
    """`raw` is the text as written, `None` for null; `text` has its variables replaced, `None` if that is not known.

    `shown` is what a message may say: the text, or `raw` if it includes a value of a `.env` file.
    """

    scope: Scope
    line: int
    raw: str | None
    text: str | None
    shown: str
    size: int = 1
    depth: int = 1
    tagged: bool = False


class Items(Struct, frozen=True, eq=False):
    """A sequence."""

    scope: Scope
    line: int
    values: tuple[Value, ...]
    size: int = 1
    depth: int = 1
    tagged: bool = False


class Table(Struct, frozen=True, eq=False):
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


class Entry(Struct, frozen=True, eq=False):
    """A value and its key, which is in line `line` of the file of `scope`.

    `tag` is `!reset` or `!override`, which apply to the value that this one overrides. `inherited` marks an entry that
    a service has from one that it extends.
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
    """The entries of a mapping that are not reset; none for another value."""
    if isinstance(value, Table):
        yield from ((name, entry) for name, entry in value.entries.items() if entry.tag != "reset")


def items_of(value: Value | None) -> tuple[Value, ...]:
    """The values of a sequence; none for another value."""
    return value.values if isinstance(value, Items) else ()


def values_of(value: Value | None) -> tuple[Value, ...]:
    """The values of a sequence, or a single value as a sequence of one; none for null."""
    if isinstance(value, Items):
        return value.values
    return () if value is None or (isinstance(value, Scalar) and value.raw is None) else (value,)


def table_of(scope: Scope, line: int, entries: Mapping[str, Entry]) -> Table:
    """A mapping with its size and depth."""
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
            continue  # its name is unknown
        entries[name] = Entry(item.scope, item.line, part)
    return table_of(value.scope, value.line, entries)


class Document(Struct, frozen=True):
    """A compose file as parsed: its YAML documents, which compose merges. `nodes` counts all their values."""

    path: Path
    roots: tuple[YamlNode, ...]
    nodes: int

    def tables(self, scope: Scope, problems: list[InputProblem]) -> list[Table]:
        """The parts of each YAML document that say what is built: `services`, `include` and `secrets`.

        Raises:
            InputError: they are nested too deeply.
        """
        return [_Converter(scope, problems).top(root) for root in self.roots]


def parse_document(path: Path, files: Snapshot) -> Document:
    """Parse a compose file.

    Raises:
        InputError: the file is not YAML, not a compose file, or exceeds the limits.
    """
    name = str(path)
    file = files.read(path)
    if len(file.data) > MAX_COMPOSE_BYTES:
        raise InputError(name, None, f"is larger than {MAX_COMPOSE_BYTES // 1024} KiB and is not read")
    try:
        stream = parse_yaml(file.data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(name, None, "is not UTF-8 and is not read") from error
    except YamlError as error:
        reason = f"{error.problem.removeprefix('the file ')} and is not read" if error.limit else error.problem
        raise InputError(name, error.line, reason) from error
    roots = tuple(node for node in stream.documents if _type(node) != "null")
    for node in roots:
        if node.kind != "mapping":
            raise InputError(name, node.line, "is not a compose file: its top is not a mapping")
    return Document(path, roots, stream.nodes)


class _Converter:
    """Turns the nodes of one document into values, each node once."""

    def __init__(self, scope: Scope, problems: list[InputProblem]) -> None:
        self.scope = scope
        self.problems = problems
        self._done: dict[int, Value] = {}
        self._open: set[int] = set()

    def top(self, root: YamlNode) -> Table:
        wanted = [(key, value) for key, value in root.entries if _name(key) in ("services", "include", "secrets", "<<")]
        return self._table(root, wanted)

    def value(self, written: YamlNode) -> Value:
        node = written.resolved
        known = self._done.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            self._problem(node, "has an alias inside the value that it refers to, which compose refuses")
            return scalar(self.scope, node.line, None)
        self._open.add(id(node))
        if len(self._open) > _MAX_DEPTH:
            raise InputError(str(self.scope.file), node.line, f"{TOO_DEEP} and is not read")
        value: Value
        if node.kind == "mapping":
            value = self._table(node, node.entries)
        elif node.kind == "sequence":
            values = tuple(self.value(item) for item in node.items if item.resolved.tag != "!reset")
            value = Items(
                self.scope,
                node.line,
                values,
                1 + sum(item.size for item in values),
                1 + max((item.depth for item in values), default=0),
                any(item.tagged for item in values),
            )
        else:
            value = scalar(self.scope, node.line, _raw(node))
        if value.depth > _MAX_DEPTH:
            raise InputError(str(self.scope.file), node.line, f"{TOO_DEEP} and is not read")
        self._open.discard(id(node))
        self._done[id(node)] = value
        return value

    def _table(self, node: YamlNode, pairs: Iterable[tuple[YamlNode, YamlNode]]) -> Table:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        size = 1
        for written_key, written in pairs:
            key, value = written_key.resolved, written.resolved
            name = _name(key)
            if name is None:
                continue
            if is_merge(key):
                for source in value.items if value.kind == "sequence" else [value]:
                    table = self.value(source)
                    size += table.size
                    for other, entry in table.entries.items() if isinstance(table, Table) else ():
                        merged.setdefault(other, entry)
                continue
            if name in own:
                self._problem(key, f"the key {name!r} is given a second time, which compose refuses")
            tag = _TAGS.get(value.tag or "", "")
            inner = scalar(self.scope, value.line, None) if tag == "reset" else self.value(value)
            own[name] = Entry(self.scope, key.line, inner, tag)
            size += 1 + inner.size
        table = table_of(self.scope, node.line, {**merged, **own})
        return Table(table.scope, table.line, table.entries, max(size, table.size), table.depth, table.tagged)

    def _problem(self, node: YamlNode, message: str) -> None:
        self.problems.append(InputProblem(str(self.scope.file), node.line, message))


def _name(key: YamlNode) -> str | None:
    return key.resolved.value if key.resolved.kind == "scalar" else None


def _type(node: YamlNode) -> str:
    """The YAML 1.2 type of a node (`null`, `bool`, `int`, `float`): its tag's, or that of a plain scalar's form."""
    if node.tag not in (None, "!"):
        return str(node.tag).rpartition(":")[2]
    if node.kind != "scalar" or node.style:
        return ""
    return next((name for name, form in _PLAIN_TYPES if form.fullmatch(node.value)), "")


def _raw(node: YamlNode) -> str | None:
    """The text of a scalar, as compose-go passes it on; `None` for null."""
    match _type(node):
        case "null":
            return None
        case "bool":
            return node.value.lower()
        case "int":
            return _integer(node.value)
        case "float":
            return _float(node.value)
        case _:
            return node.value


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
