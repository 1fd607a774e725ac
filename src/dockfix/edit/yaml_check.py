"""What differs between two versions of a YAML file: values by their paths, and comments.

Checks that an edit of a YAML file does what it should. It reads values with ruamel.yaml's loader, not from `yaml_tree`,
on purpose: a mistake in the tree that the editor uses must not hide itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from dockfix.project.yaml_tree import YamlError, read_tree
from dockfix.syntax.source import BOM

Value: TypeAlias = "str | Mapping[str, Value]"
"""The new value of an entry: a string, or a mapping of names to values."""


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""The old value of an added leaf, and the new one of a removed leaf; `None` is YAML's null."""

Change: TypeAlias = tuple[tuple[str | int, ...], object, object]
"""A path from the top (keys as strings, positions in lists as integers), the old leaf and the new one."""


class Tagged(Struct, frozen=True):
    """A value with a tag of its own, such as compose's `!reset` and `!override`."""

    tag: str
    value: object


def yaml_changes(before: str, after: str) -> list[Change]:
    """The leaves that were added, removed or changed, in the order of `before`, then of `after`.

    A leaf is a scalar, or an empty mapping or list. Aliases and merges are written out. Values are compared with
    their types: `1`, `1.0`, `"1"` and `true` all differ. Neither the order of keys nor how a value is spelled counts.

    Raises:
        YamlError: one of the two is invalid YAML, or exceeds the limits.
    """
    return list(_differences((), _data(before), _data(after)))


def yaml_comments(text: str) -> list[str]:
    """The comments, in order: from the `#` to the end of the line, without trailing white space.

    Raises:
        YamlError: the text is invalid YAML, or exceeds the limits.
    """
    return list(_comments(text))


def check_result(
    before: str, after: str, path: Sequence[str | int], value: Value, *, shared_ok: bool = False
) -> str | None:
    """What is wrong with `after` as `before` with `value` set at `path`, in one line; `None` if nothing is.

    Both have to load; the data have to be the same but for `value` at `path`; every comment has to be there, in its
    order. A mapping is merged: its entries are set, others stay. With `shared_ok`, other entries may have
    the same new value (through an alias or a merge).
    """
    try:
        wanted, got = copy.deepcopy(_data(before)), _data(after)
        old_comments, new_comments = _comments(before), _comments(after)
    except YamlError as error:
        return error.reason
    leaves: set[str] = set()
    try:
        wanted = _with_value(wanted, path, value, leaves)
    except (LookupError, TypeError):
        return f"there is no place for {'.'.join(map(str, path))}"
    for where, _, new in _differences((), wanted, got):
        if shared_ok and isinstance(new, str) and new in leaves:
            continue
        return f"{'.'.join(map(str, where)) or 'the file'} would change too"
    if old_comments != new_comments:
        return "a comment would be lost, changed or moved"
    return None


def _with_value(data: Any, path: Sequence[str | int], value: Value, leaves: set[str]) -> Any:
    """`data`, changed in place, with `value` at `path`."""
    if not path:
        if isinstance(value, str):
            if isinstance(data, (dict, list)):
                raise TypeError
            leaves.add(value)
            return value
        for entry, part in value.items():
            data = _with_value(data, (entry,), part, leaves)
        return {} if data is None else data
    name, rest = path[0], path[1:]
    if isinstance(data, Tagged):
        return Tagged(data.tag, _with_value(data.value, path, value, leaves))
    if isinstance(data, list):
        return _with_list_value(data, path, value, leaves)
    if data is None:
        data = {}
    elif isinstance(data, str):
        data = {"context": data}  # compose's short form of `build:`
    key = next((key for key in data if str(key) == name), name)
    # an empty mapping is not null
    below = data.get(key, {} if rest or not isinstance(value, str) else None)
    if name == "build" and isinstance(below, str) and (rest == ("context",) or value == {"context": value}):
        data[key] = value
    else:
        data[key] = _with_value(below, rest, value, leaves)
    return data


def _with_list_value(data: list[Any], path: Sequence[str | int], value: Value, leaves: set[str]) -> list[Any]:
    name, rest = path[0], path[1:]
    if isinstance(name, int):
        if name == len(data):
            data.append(None)
        data[name] = _with_value(data[name], rest, value, leaves)
        return data
    if rest or not isinstance(value, str):
        raise TypeError
    written = f"{name}={value}"
    leaves.add(written)
    for index, item in enumerate(data):
        if isinstance(item, str) and item.partition("=")[0] == name:
            data[index] = written
            return data
    data.append(written)
    return data


def _differences(path: tuple[str | int, ...], old: object, new: object) -> Iterator[Change]:
    if isinstance(old, Tagged) and isinstance(new, Tagged) and old.tag == new.tag:
        yield from _differences(path, old.value, new.value)
        return
    old_parts, new_parts = _parts(old), _parts(new)
    if old_parts is None and new_parts is None:
        if type(old) is not type(new) or repr(old) != repr(new):
            yield path, old, new
        return
    if type(old) is type(new) and old_parts is not None and new_parts is not None:
        if old is new:
            return
        if not old_parts and not new_parts:
            return
        if old_parts and new_parts:
            for name, value in old_parts.items():
                yield from _differences((*path, name), value, new_parts.get(name, ABSENT))
            for name, value in new_parts.items():
                if name not in old_parts:
                    yield from _differences((*path, name), ABSENT, value)
            return
    yield from ((where, leaf, ABSENT) for where, leaf in _leaves(path, old))
    yield from ((where, ABSENT, leaf) for where, leaf in _leaves(path, new))


def _parts(value: object) -> dict[str | int, object] | None:
    if isinstance(value, dict):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list):
        return dict(enumerate(value))
    return None


def _leaves(path: tuple[str | int, ...], value: object) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if value is ABSENT:
        return
    parts = _parts(value)
    if not parts:
        yield path, value
        return
    for name, part in parts.items():
        yield from _leaves((*path, name), part)


@lru_cache(maxsize=8)
def _data(text: str) -> Any:
    """The file as Python values, by YAML 1.2. They are shared: copy before changing them."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and most runs edit no YAML
    from ruamel.yaml.constructor import SafeConstructor  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    class Constructor(SafeConstructor):
        """Accepts any tag and executes nothing."""

    Constructor.add_multi_constructor("", _tagged)
    read_tree(text)  # checks the limits, without which the loader could take forever
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Constructor
    yaml.composer.warn_double_anchors = False  # an anchor may be defined again
    try:
        return yaml.load(text.removeprefix(BOM))
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise YamlError(f"the file does not load: {' '.join(str(error).split())}") from error


def _tagged(constructor: Any, suffix: str, node: Any) -> Tagged:
    kind: Literal["scalar", "mapping", "sequence"] = node.id
    if kind == "mapping":
        return Tagged(suffix, constructor.construct_mapping(node, deep=True))
    if kind == "sequence":
        return Tagged(suffix, constructor.construct_sequence(node, deep=True))
    return Tagged(suffix, constructor.construct_scalar(node))


@lru_cache(maxsize=8)
def _comments(text: str) -> tuple[str, ...]:
    """Comments are between tokens and after the indicator of a block scalar, nowhere else."""
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.tokens import ScalarToken  # noqa: PLC0415

    read_tree(text)
    body = text.removeprefix(BOM)
    found: list[str] = []
    at = 0
    for token in YAML(typ="safe", pure=True).scan(body):
        start, end = token.start_mark.index, token.end_mark.index
        found += _in_gap(body[at:start])
        if isinstance(token, ScalarToken) and token.style in {"|", ">"}:
            found += _in_gap(body[start:end].split("\n", 1)[0])
        at = max(at, end)
    return (*found, *_in_gap(body[at:]))


def _in_gap(gap: str) -> Iterator[str]:
    for line in gap.split("\n"):
        at = line.find("#")
        if at >= 0:
            yield line[at:].rstrip()
