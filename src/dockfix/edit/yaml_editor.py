"""The edits of one YAML text: entries of mappings, items of lists and scalars, in the text's own style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from dockfix.edit.text import Edit, apply_edits
from dockfix.edit.yaml_check import Value, check_result
from dockfix.edit.yaml_part import part_of
from dockfix.edit.yaml_spelling import (
    double_quoted,
    is_plain,
    is_plain_key,
    is_printable,
    reads_back,
    single_quoted,
)
from dockfix.facts.model import Refused
from dockfix.project.yaml_tree import Tree, YamlNode, is_merge, read_tree
from dockfix.syntax.source import BOM

MAX_PATH: Final = 32
_DEFAULT_STEP: Final = 2
LIST_FORMS: Final = frozenset({"additional_contexts", "annotations", "args", "environment", "labels"})
"""What may be a list of `NAME=VALUE` instead of a mapping (Compose specification)."""


class Place(Struct, frozen=True):
    """A node in its place: under `key` of a mapping, or as an item of a list (`key` is `None`).

    `flow` tells whether its parent is in flow style, `column` is the column of its entry in a mapping. `in_list` tells
    that it is an item of a list of `NAME=VALUE`.
    """

    path: tuple[str | int, ...]
    node: YamlNode
    key: YamlNode | None
    flow: bool
    column: int | None
    in_list: bool = False

    @property
    def name(self) -> str:
        """For messages: the last two names of the path."""
        return ".".join(map(str, self.path[-2:])) or "the file"


class Editor:
    """Collects the edits of one text."""

    def __init__(self, tree: Tree, shared_ok: bool) -> None:
        self.tree = tree
        self.text = tree.text
        self.root = tree.root
        self.shared_ok = shared_ok
        self.edits: list[Edit] = []

    def checked(self, path: Sequence[str | int], value: Value) -> tuple[Edit, ...]:
        """The edits, after a check that they do what they should and no more."""
        if self.edits:
            part = part_of(self.tree, self.edits, path)
            before, after = part or (self.text, apply_edits(self.text, self.edits))
            trouble = check_result(before, after, path, value, shared_ok=self.shared_ok)
            if trouble is not None:
                raise Refused(f"the edit would be wrong: {trouble}")
        return tuple(self.edits)

    # -- navigation ------------------------------------------------------------------------------------------------

    def check_open(self, place: Place) -> None:
        """Refuse a node that cannot be changed, or not only in this place."""
        node = place.node
        if node.kind == "alias":
            raise Refused(f"{place.name} is an alias (*{node.value})")
        if node.aliased and not self.shared_ok:
            raise Refused(f"{place.name} is shared: an alias (*{node.anchor}) refers to it elsewhere")
        if node.tag is not None and not (node.kind == "mapping" and node.tag == "!override"):
            raise Refused(f"{place.name} has the tag {node.tag}")

    def child(self, place: Place, part: str | int) -> Place | None:
        """The child of `place` under a name or an index; `None` if there is none."""
        node = place.node
        path = (*place.path, part)
        if node.kind == "sequence" and isinstance(part, int):
            return Place(path, node.items[part], None, node.flow, None) if 0 <= part < len(node.items) else None
        if node.kind == "sequence" and place.path and place.path[-1] in LIST_FORMS:
            for item in node.items:
                if item.resolved.kind == "scalar" and item.resolved.value.partition("=")[0] == part:
                    return Place(path, item, None, node.flow, None, in_list=True)
            return None
        if node.kind != "mapping" or not isinstance(part, str):
            raise Refused(f"{place.name} is {_kind(node)}")
        entry = node.entry(part)
        if entry is None:
            return None
        key, value = entry
        self._colon(key, part)
        return Place(path, value, key, node.flow, None if node.flow else _column(self.text, node.entries[0][0].start))

    def _colon(self, key: YamlNode, name: str) -> int:
        """The offset after the colon of a key; refuses keys written in another way."""
        at = key.end
        while self.text.startswith(" ", at):
            at += 1
        if key.kind != "scalar" or key.style in {"|", ">"} or not self.text.startswith(":", at):
            raise Refused(f"the key {name} is not written as `{name}:`")
        return at + 1

    # -- setting entries -------------------------------------------------------------------------------------------

    def set_root(self, want: Mapping[str, Value]) -> None:
        if self.root is None:
            raise Refused("the file holds no values")
        self.merge(Place((), self.root, None, False, None), want)

    def put(self, place: Place, want: Value) -> None:
        if isinstance(want, str):
            self.replace(place, want)
        else:
            self.merge(place, want)

    def merge(self, place: Place, want: Mapping[str, Value]) -> None:
        """Set entries of the value at `place`."""
        node = place.node
        self.check_open(place)
        if node.kind == "mapping":
            missing: dict[str, Value] = {}
            for name, value in want.items():
                child = self.child(place, name)
                if child is not None:
                    self.put(child, value)
                elif not self._merged_already(place, name, value):
                    missing[name] = value
            if missing:
                self._insert(place, missing)
        elif node.kind == "sequence" and place.path and place.path[-1] in LIST_FORMS:
            self.put_in_list(place, node, want)
        elif node.null and place.key is not None:
            self._fill(place, want)
        elif _is_short_build(place):
            self._unfold(place, want)
        else:
            raise Refused(f"{place.name} is {_kind(node)}")

    def _merged_already(self, place: Place, name: str, value: Value) -> bool:
        """Whether a merge (`<<`) supplies the entry with this value. A scalar with another value may be overridden."""
        found = _merged(place.node, name, 0)
        if found is None:
            return False
        if not isinstance(value, str) or found.kind != "scalar":
            raise Refused(f"{'.'.join(map(str, (*place.path, name)[-2:]))} comes from a merge (<<)")
        return _reads_as(found, value)

    def replace(self, place: Place, value: str) -> None:
        """Replace the value of a scalar."""
        node = place.node
        if node.kind in {"mapping", "sequence"}:
            raise Refused(f"{place.name} is {_kind(node)}")
        if _reads_as(node.resolved, value):
            return
        self.check_open(place)
        if node.style in {"|", ">"}:
            raise Refused(f"{place.name} is a block scalar")
        start = self._content(node)
        if start < node.end:
            self.edits.append(Edit(start, node.end, self._spell(value, node.style, flow=place.flow)))
            return
        if place.key is not None:
            self._colon(place.key, str(place.path[-1]))
        elif self.text[start - 1 : start] != "-" and node.anchor is None:
            raise Refused(f"{place.name} is an empty item")
        spelled = self._spell(value, "", flow=place.flow)
        self._write_empty(start, spelled)

    def _write_empty(self, start: int, spelled: str) -> None:
        """Write a value after a colon or a dash, after the space there, unless a comment follows the space."""
        blank = self.text[start : self.line_end(start)]
        if blank.startswith(" ") and not blank.lstrip(" ").startswith("#"):
            self.edits.append(Edit(start + 1, start + 1, spelled))
        else:
            self.edits.append(Edit(start, start, f" {spelled}"))

    def _content(self, node: YamlNode) -> int:
        """The offset of a scalar itself, after its anchor."""
        at = node.start
        if node.anchor is not None:
            at += len(node.anchor) + 1
            while at < node.end and self.text[at] == " ":
                at += 1
            if at < node.end and self.text[at] in "\t\r\n":
                raise Refused(f"the anchor &{node.anchor} is on another line than its value")
        return at

    # -- mappings --------------------------------------------------------------------------------------------------

    def _insert(self, place: Place, items: Mapping[str, Value]) -> None:
        """Add entries after the last one of a mapping."""
        node = place.node
        if node.flow:
            self._insert_flow(place, items)
            return
        first = node.entries[0][0]
        column = _column(self.text, first.start)
        if self.text[first.start - column : first.start].replace("-", " ").strip(" "):
            raise Refused(f"the first key of {place.name} is not written as `name:`")
        last = node.entries[-1][1]
        listed = last.kind == "sequence" and not last.flow and bool(last.items) and self._dash(last) == column
        at = self._end_of_last(node, column, listed)
        self._add_lines(at, self._lines(items, column, self._step(node)))

    def _insert_flow(self, place: Place, items: Mapping[str, Value]) -> None:
        node = place.node
        opening = self.text.find("{", node.start, node.end)
        if opening < 0 or "\n" in self.text[node.start : node.end]:
            where = "over several lines" if opening >= 0 else "without braces"
            raise Refused(f"{place.name} is written in flow style {where}")
        json = bool(node.entries) and all(key.style == '"' for key, _ in node.entries)
        rendered = ", ".join(self._flow(name, value, json) for name, value in items.items())
        if node.entries:
            key, value = node.entries[-1]
            end = max(key.end, value.end)
            self.edits.append(Edit(end, end, f", {rendered}"))
        else:
            opening = self.text.rfind("{", node.start, node.end)
            self.edits.append(Edit(opening + 1, node.end - 1, rendered))

    def _fill(self, place: Place, want: Mapping[str, Value]) -> None:
        """Set entries of an empty value."""
        node, key = place.node, place.key
        assert key is not None  # noqa: S101 - the caller asked
        colon = self._colon(key, str(place.path[-1]))
        start = self._content(node)
        if "\n" in self.text[colon : node.end]:
            raise Refused(f"the value of {place.name} is on a line of its own")
        if place.flow or not want:
            rendered = ", ".join(self._flow(name, value, False) for name, value in want.items())
            if start < node.end:
                self.edits.append(Edit(start, node.end, f"{{{rendered}}}"))
            else:
                self._write_empty(start, f"{{{rendered}}}")
            return
        if start < node.end:
            before = len(self.text[:start].rstrip(" "))
            self.edits.append(Edit(before, node.end, ""))
        column = (place.column or 0) + self._step(None)
        self._add_lines(self.line_end(node.end), self._lines(want, column, self._step(None)))

    def _unfold(self, place: Place, want: Mapping[str, Value]) -> None:
        """Replace compose's `build: ./dir` by the long form, with the folder as written."""
        node, key = place.node, place.key
        assert key is not None  # noqa: S101 - the caller asked
        context = want.get("context")
        if isinstance(context, str):
            self.replace(place, context)
        rest = {name: value for name, value in want.items() if name != "context"}
        if context is not None and not isinstance(context, str):
            raise Refused(f"{place.name} is a value")
        if not rest:
            return
        if node.style in {"|", ">"} or "\n" in self.text[node.start : node.end]:
            raise Refused(f"{place.name} is a value over several lines")
        colon = self._colon(key, "build")
        if place.flow:
            rendered = ", ".join(self._flow(name, value, False) for name, value in rest.items())
            self.edits.insert(0, Edit(node.start, node.start, "{context: "))
            self.edits.append(Edit(node.end, node.end, f", {rendered}}}"))
            return
        step = self._step(None)
        if "\n" in self.text[colon : node.start]:
            column = _column(self.text, node.start)
            self.edits.insert(0, Edit(node.start, node.start, "context: "))
        else:
            column = (place.column or 0) + step
            opening = f"{self.newline(colon)}{' ' * column}context: "
            self.edits.insert(0, Edit(colon, node.start, opening))
        self._add_lines(self.line_end(node.end), self._lines(rest, column, step))

    # -- lists -----------------------------------------------------------------------------------------------------

    def put_in_list(self, place: Place, node: YamlNode, want: Mapping[str, Value]) -> None:
        """Set entries of a list of `NAME=VALUE`."""
        new: list[str] = []
        for name, value in want.items():
            if not isinstance(value, str) or "=" in name:
                raise Refused(f"{place.name} is a list, which cannot hold {name}")
            if any(item.resolved.kind != "scalar" or item.resolved.null for item in node.items):
                raise Refused(f"{place.name} is a list of something other than NAME=VALUE")
            found = [item for item in node.items if item.resolved.value.partition("=")[0] == name]
            if len(found) > 1:
                raise Refused(f"{place.name} has {name} twice")
            if found:
                self.replace(Place((*place.path, name), found[0], None, node.flow, None), f"{name}={value}")
            else:
                new.append(f"{name}={value}")
        if new:
            self.append_items(place, new)

    def append_items(self, place: Place, values: Sequence[str]) -> None:
        """Add items after the last one of a list."""
        node = place.node
        styles = {item.style for item in node.items if item.kind == "scalar"}
        style = styles.pop() if len(styles) == 1 else ""
        spelled = [self._spell(value, style, flow=node.flow) for value in values]
        if node.flow:
            if "\n" in self.text[node.start : node.end]:
                raise Refused(f"{place.name} is written in flow style over several lines")
            if node.items:
                end = node.items[-1].end
                self.edits.append(Edit(end, end, "".join(f", {value}" for value in spelled)))
            else:
                opening = self.text.rfind("[", node.start, node.end)
                self.edits.append(Edit(opening + 1, node.end - 1, ", ".join(spelled)))
            return
        column = self._dash(node)
        if column is None:
            raise Refused(f"{place.name} is a list whose dashes do not begin their lines")
        last = node.items[-1]
        written = self.text[_line_start(self.text, last.start) + column + 1 : last.start]
        gap = written if written and not written.strip(" ") else " "
        at = self._end_of_last(node, column, False)
        self._add_lines(at, [f"{' ' * column}-{gap}{value}" for value in spelled])

    def _dash(self, node: YamlNode) -> int | None:
        """The column of the dashes of a block list; `None` if the last dash is not alone before its item."""
        start = node.items[-1].start
        before = self.text[_line_start(self.text, start) : start]
        return before.index("-") if before.strip(" ") == "-" else None

    # -- writing ---------------------------------------------------------------------------------------------------

    def _lines(self, items: Mapping[str, Value], column: int, step: int) -> list[str]:
        lines = []
        for name, value in items.items():
            head = f"{' ' * column}{self._key(name, flow=False)}:"
            if isinstance(value, str):
                lines.append(f"{head} {self._spell(value, '', flow=False)}")
            elif not value:
                lines.append(f"{head} {{}}")
            else:
                lines += [head, *self._lines(value, column + step, step)]
        return lines

    def _flow(self, name: str, value: Value, json: bool) -> str:
        key = double_quoted(name) if json else self._key(name, flow=True)
        if isinstance(value, str):
            return f"{key}: {self._spell(value, chr(34) if json else '', flow=True)}"
        return f"{key}: {{{', '.join(self._flow(below, part, json) for below, part in value.items())}}}"

    def _key(self, name: str, *, flow: bool) -> str:
        return name if is_plain_key(name, flow) else self._quoted(name)

    def _spell(self, value: str, style: str, *, flow: bool) -> str:
        """A string as a scalar: in the given style if that can hold it, else plain if it can be, else quoted."""
        if style == '"' or not is_printable(value):
            return double_quoted(value)
        if style == "'":
            return single_quoted(value)
        return value if is_plain(value, flow) else self._quoted(value)

    def _quoted(self, value: str) -> str:
        """In the quotes that the file prefers; in single ones where double ones would need escapes."""
        if not is_printable(value):
            return double_quoted(value)
        if ('"' in value or "\\" in value) and "'" not in value:
            return single_quoted(value)
        single = self._quotes()["'"] > self._quotes()['"']
        return single_quoted(value) if single and "'" not in value else double_quoted(value)

    def _quotes(self) -> Counter[str]:
        return _styles(self.text)

    def _add_lines(self, at: int, lines: Sequence[str]) -> None:
        newline = self.newline(at)
        self.edits.append(Edit(at, at, "".join(newline + line for line in lines)))

    # -- lines -----------------------------------------------------------------------------------------------------

    def _end_of_last(self, node: YamlNode, column: int, listed: bool) -> int:
        """Where lines go after the last entry of a collection at `column`: at the end of that entry's last line.

        Comments that are indented deeper than the collection belong to its last entry, as do list items that are
        commented out where the list is not indented (`listed`).
        """
        end = node.end
        best = self.line_end(end)
        leaf = _last_leaf(node)
        if leaf.style in {"|", ">"} and best == len(self.text):
            header = self.text[self._content(leaf) : end].split("\n", 1)[0]
            if "-" not in header.split("#", 1)[0]:
                raise Refused("the file ends in a block scalar without a line end, and a line below would add one")
        rest = self.text[end:best].strip(" \t")
        if rest and not rest.startswith("#"):
            raise Refused("something else is on the line of the last entry")
        start = self._next_line(best)
        while start is not None:
            stop = self.line_end(start)
            line = self.text[start:stop]
            comment = line.lstrip(" \t")
            if comment:
                inner = len(line) - len(comment)
                own = inner > column or (listed and inner == column and comment.lstrip("# ").startswith("- "))
                if not comment.startswith("#") or not own:
                    break
                best = stop
            start = self._next_line(stop)
        return best

    def line_end(self, at: int) -> int:
        """The end of the line that holds `at`, before its line end."""
        end = self.text.find("\n", at)
        if end < 0:
            return len(self.text)
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def _next_line(self, line_end: int) -> int | None:
        at = self.text.find("\n", line_end)
        return at + 1 if 0 <= at < len(self.text) - 1 else None

    def newline(self, at: int) -> str:
        """The line end of the line that holds `at`; on a last line without one, that of the first line."""
        end = self.text.find("\n", at)
        if end < 0:
            end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def _step(self, node: YamlNode | None) -> int:
        """The indentation of entries below their key: as in sibling mappings, else the most frequent in the file."""
        if node is not None:
            own = _column(self.text, node.entries[0][0].start)
            for _, value in node.entries:
                if value.kind == "mapping" and not value.flow:
                    return max(1, _column(self.text, value.entries[0][0].start) - own)
        return _usual_step(self.text)


def _line_start(text: str, at: int) -> int:
    start = text.rfind("\n", 0, at) + 1
    return len(BOM) if start == 0 and text.startswith(BOM) else start


def _column(text: str, at: int) -> int:
    return at - _line_start(text, at)


def _last_leaf(node: YamlNode) -> YamlNode:
    while not node.flow and (node.entries or node.items):
        node = node.entries[-1][1] if node.entries else node.items[-1]
    return node


def _is_short_build(place: Place) -> bool:
    """Whether this is `services.NAME.build` with a folder for its value."""
    path, node = place.path, place.node
    in_service = len(path) == 3 and path[0] == "services" and path[2] == "build" and place.key is not None
    return in_service and node.kind == "scalar" and not node.null and _is_string(node)


def _merged(node: YamlNode, name: str, depth: int) -> YamlNode | None:
    """The value that a mapping has for `name` through its merges."""
    if depth > MAX_PATH:
        raise Refused("merges (<<) are nested too deeply")
    for key, value in node.entries:
        if not is_merge(key):
            continue
        source = value.resolved
        for part in source.items if source.kind == "sequence" else [source]:
            mapping = part.resolved
            entry = mapping.entry(name)
            found = entry[1].resolved if entry is not None else _merged(mapping, name, depth + 1)
            if found is not None:
                return found
    return None


def _kind(node: YamlNode) -> str:
    match node.kind:
        case "mapping":
            return "a mapping"
        case "sequence":
            return "a list"
        case "alias":
            return f"an alias (*{node.value})"
        case _:
            return "empty" if node.null else "a value"


def _is_string(node: YamlNode) -> bool:
    """Whether a scalar is a string by YAML 1.2."""
    return node.tag is None and (bool(node.style) or reads_back(node.value, node.value, False, "1.2"))


def _reads_as(node: YamlNode, value: str) -> bool:
    return node.kind == "scalar" and node.value == value and _is_string(node)


@lru_cache(maxsize=8)
def _styles(text: str) -> Counter[str]:
    return Counter(node.style for node in _walk(text) if node.kind == "scalar")


@lru_cache(maxsize=8)
def _usual_step(text: str) -> int:
    steps: Counter[int] = Counter()
    for node in _walk(text):
        for key, value in node.entries:
            if not node.flow and value.kind == "mapping" and not value.flow:
                steps[_column(text, value.entries[0][0].start) - _column(text, key.start)] += 1
    usual = [step for step, _ in steps.most_common() if step > 0]
    return usual[0] if usual else _DEFAULT_STEP


def _walk(text: str) -> list[YamlNode]:
    root = read_tree(text).root
    nodes = [root] if root is not None else []
    for node in nodes:  # grows during the loop
        nodes += node.items
        nodes += [part for entry in node.entries for part in entry]
    return nodes
