"""The part of a YAML text that an edit can be checked in, so that each edit of a large file does not read all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockfix.edit.text import Edit, apply_edits
from dockfix.project.yaml_tree import Tree, YamlNode, is_merge


def part_of(tree: Tree, edits: Sequence[Edit], path: Sequence[str | int]) -> tuple[str, str] | None:
    """The entry of the second level that `edits` are in, before and after them, each under its key of the first level.

    Both are texts of their own: `services:` with one service. The rest of the file neither changes nor changes its
    meaning, since the lines of the entry are deeper than its key, and nothing in them is shared with other entries.
    `None` if that is not so.
    """
    found = _block(tree, path)
    if found is None:
        return None
    name, key, value, end = found
    start = tree.text.rfind("\n", 0, key.start) + 1
    text = tree.text[start:end]
    if not _is_block(text, key.start - start) or not all(map(_is_own, _nodes(value))):
        return None
    if any(edit.start < key.end or edit.end > end or (edit.end == end < len(tree.text)) for edit in edits):
        return None
    after = apply_edits(text, [Edit(edit.start - start, edit.end - start, edit.replacement) for edit in edits])
    if not _is_block(after, key.start - start):
        return None
    return f"{name}:\n{text}", f"{name}:\n{after}"


def _block(tree: Tree, path: Sequence[str | int]) -> tuple[str, YamlNode, YamlNode, int] | None:
    """The name of the first level, key and value of the second, and where the lines of that entry end."""
    root = tree.root
    if len(path) < 2 or root is None or not _is_plain_mapping(root):
        return None
    for number, (outer, inner) in enumerate(root.entries):
        if outer.value == path[0] and _is_own(outer) and outer.value.isidentifier() and _is_plain_mapping(inner):
            after = root.entries[number + 1][0].start if number + 1 < len(root.entries) else len(tree.text)
            break
    else:
        return None
    for number, (key, value) in enumerate(inner.entries):
        if key.value == path[1] and _is_own(key) and key.kind == "scalar" and not key.style:
            if number + 1 < len(inner.entries):
                after = inner.entries[number + 1][0].start
            line = len(tree.text) if after == len(tree.text) else tree.text.rfind("\n", 0, after) + 1
            return outer.value, key, value, line
    return None


def _is_plain_mapping(node: YamlNode) -> bool:
    return node.kind == "mapping" and not node.flow and node.tag is None and node.anchor is None


def _is_own(node: YamlNode) -> bool:
    """Whether a node has no anchor, alias, merge or tag."""
    return node.kind != "alias" and node.anchor is None and node.tag is None and not is_merge(node)


def _nodes(node: YamlNode) -> Iterator[YamlNode]:
    yield node
    for key, value in node.entries:
        yield from _nodes(key)
        yield from _nodes(value)
    for item in node.items:
        yield from _nodes(item)


def _is_block(text: str, column: int) -> bool:
    """Whether a text is a key at a column, with deeper lines, comments and blank lines below it."""
    first, *lines = text.split("\n")
    if column == 0 or first[:column].strip(" ") or first[column : column + 1] in ("", " ", "#", "-", "?"):
        return False
    return all(line.startswith(" " * (column + 1)) or line.lstrip(" ")[:1] in ("", "#", "\r") for line in lines)
