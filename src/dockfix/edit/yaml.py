"""Edits of YAML files, mostly compose files, that leave every other byte alone.

The text is never printed again. An edit replaces a scalar in place, or adds lines after those of the last entry of a
mapping, indented like its siblings; comments, order, quoting, indentation, line ends and a byte order mark stay. An
edit that would change more is refused (`Refused`). Before edits are returned, they are applied and the result is read
back: only the value at its path may differ, and every comment must be there.

Sources: YAML 1.2.2 (https://yaml.org/spec/1.2.2/) for the forms; the Compose specification (`build.md`,
`05-services.md`) for the short form of `build` and for the lists of `NAME=VALUE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from dockfix.edit.text import Edit
from dockfix.edit.yaml_check import Value
from dockfix.edit.yaml_editor import LIST_FORMS, MAX_PATH, Editor, Place
from dockfix.facts.model import Refused
from dockfix.project.yaml_tree import Tree, YamlError, YamlNode, read_tree
from dockfix.syntax.source import Span

_MAX_VALUE: Final = 64 * 1024


def set_entry(text: str, path: Sequence[str], value: Value, *, shared_ok: bool = False) -> tuple[Edit, ...]:
    """The edits that set the entry at `path` to the value; none if it has the value.

    `path` holds keys from the top, `("services", "api", "build", "args", "VERSION")`. A scalar is replaced in
    place, a missing key is added after the last entry of its mapping, missing mappings are created. A mapping as the
    value is merged: its entries are set, others stay. The short form `build: ./dir` becomes the long one if
    necessary, and `args`, `environment`, `labels`, `annotations` and `additional_contexts` may be lists
    of `NAME=VALUE`. Values are strings, written so that YAML 1.1 and 1.2 both read strings. Compose interpolates a
    `$` in a value: write `$$` for a literal one.

    A value that an alias shares is not edited unless `shared_ok`.

    Raises:
        Refused: the edit cannot be made without changing more than it should, or the text is invalid YAML.
    """
    if not path or not all(isinstance(part, str) for part in path):
        raise Refused("the path holds something other than names")
    _check_value(path, value)
    want: Value = value
    for name in reversed(path):
        want = {name: want}
    assert not isinstance(want, str)  # noqa: S101 - the path is not empty
    editor = Editor(_tree(text), shared_ok)
    editor.set_root(want)
    return editor.checked(path, value)


def replace_scalar(text: str, path: Sequence[str | int], value: str, *, shared_ok: bool = False) -> tuple[Edit, ...]:
    """The edits that replace an existing scalar; none if it has the value. Integers are indexes of list items.

    Raises:
        Refused: there is no scalar at `path`, or the edit cannot be made without changing more than it should.
    """
    return _set_existing(text, path, value, shared_ok, append=False)


def set_item(text: str, path: Sequence[str | int], value: str, *, shared_ok: bool = False) -> tuple[Edit, ...]:
    """The edits that set an item of a list, `("services", "api", "build", "args", 0)`; none if it has the value.

    The index after the last item appends one.

    Raises:
        Refused: there is no such list, the index is beyond its end, or the edit would change more than it should.
    """
    if not path or not isinstance(path[-1], int):
        raise Refused("the path does not end in the index of a list item")
    return _set_existing(text, path, value, shared_ok, append=True)


def span_of(text: str, path: Sequence[str | int]) -> Span | None:
    """From the key at `path` to the end of its value (of its last leaf); for a list item the item.

    `None` if it is not written there: the path goes through an alias or a merge, is missing, or the text is not valid.
    """
    found = _locate(text, path)
    return Span(found.start, max(found.key_end, found.value.end)) if found is not None else None


def key_span(text: str, path: Sequence[str | int]) -> Span | None:
    """The key at `path`, for `NAME=VALUE` the name; `None` for an item without one, and where `span_of` is."""
    found = _locate(text, path)
    return Span(found.start, found.key_end) if found is not None and found.key_end > found.start else None


def value_span(text: str, path: Sequence[str | int]) -> Span | None:
    """The value at `path` as written, with its quotes; `None` where `span_of` is."""
    found = _locate(text, path)
    return Span(found.value_start, max(found.value_start, found.value.end)) if found is not None else None


@lru_cache(maxsize=8)
def _tree(text: str) -> Tree:
    try:
        tree = read_tree(text)
    except YamlError as error:
        raise Refused(error.reason) from error
    if any(character in text for character in "\x85\u2028\u2029") or "\r" in text.replace("\r\n", ""):
        raise Refused("the file has line ends other than LF and CRLF")
    return tree


def _check_value(path: Sequence[str | int], value: Value) -> None:
    if len(path) > MAX_PATH:
        raise Refused(f"the path is longer than {MAX_PATH}")
    stack: list[tuple[int, Value]] = [(len(path), value)]
    size = 0
    while stack:
        depth, part = stack.pop()
        if isinstance(part, str):
            size += len(part)
            continue
        if depth >= MAX_PATH:
            raise Refused(f"the value is nested more than {MAX_PATH} deep")
        for name, below in part.items():
            size += len(name) + 1
            stack.append((depth + 1, below))
    if size > _MAX_VALUE:
        raise Refused(f"the value is larger than {_MAX_VALUE // 1024} KiB")


def _set_existing(
    text: str, path: Sequence[str | int], value: str, shared_ok: bool, *, append: bool
) -> tuple[Edit, ...]:
    _check_value(path, value)
    tree = _tree(text)
    editor = Editor(tree, shared_ok)
    here = Place((), tree.root, None, False, None) if tree.root is not None else None
    holder = here
    for index, part in enumerate(path):
        if here is None:
            raise Refused(f"there is no {'.'.join(map(str, path[:index]))}")
        editor.check_open(here)
        node = here.node
        if append and index == len(path) - 1 and node.kind == "sequence" and part == len(node.items):
            editor.append_items(here, [value])
            return editor.checked(path, value)
        holder, here = here, editor.child(here, part)
    if here is None:
        raise Refused(f"there is no {'.'.join(map(str, path))}")
    if here.in_list and holder is not None:
        editor.put_in_list(holder, holder.node, {str(path[-1]): value})
    else:
        editor.replace(here, value)
    return editor.checked(path, value)


class _Found(Struct, frozen=True):
    start: int
    key_end: int
    value_start: int
    value: YamlNode


def _locate(text: str, path: Sequence[str | int]) -> _Found | None:
    try:
        root = read_tree(text).root
    except YamlError:
        return None
    if root is None or not path:
        return None
    found = _Found(root.start, root.start, root.start, root)
    for index, part in enumerate(path):
        node = found.value
        if node.kind == "mapping" and isinstance(part, str):
            entry = node.entry(part)
            if entry is None:
                return None
            found = _Found(entry[0].start, entry[0].end, entry[1].start, entry[1])
        elif node.kind == "sequence" and isinstance(part, int):
            if not 0 <= part < len(node.items):
                return None
            item = node.items[part]
            found = _Found(item.start, item.start, item.start, item)
        elif node.kind == "sequence" and index == len(path) - 1 and index and path[index - 1] in LIST_FORMS:
            items = [item for item in node.items if item.kind == "scalar" and item.value.partition("=")[0] == part]
            if len(items) != 1:
                return None
            item = items[0]
            name_end = item.start + len(str(part)) + len(item.style)
            plain = text.startswith(f"{item.style}{part}", item.start) and item.anchor is None and item.tag is None
            equals = plain and text.startswith("=", name_end)
            found = _Found(item.start, name_end if plain else item.start, name_end + 1 if equals else item.start, item)
        else:
            return None
    return found
