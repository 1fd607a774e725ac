"""The configuration: `[tool.dockfix]` in `pyproject.toml`, or a file of its own (`CONFIG_NAMES`).

The nearest one up the tree counts, as far as the project's root; what lies above the root is not obeyed.

A file that is wrong is an error that names its line, never a default: a run with other settings than the ones that were
written down would be worse than none. `schema.json` in the package says the same for editors.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dockfix.project.discovery import CONFIG_NAMES
from dockfix.project.files import read_file
from dockfix.project.problems import InputError, closest

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

__all__ = ["KEYS", "Config", "find_config", "load_config", "read_config"]

_PYPROJECT: Final = "pyproject.toml"
_MAX_NODES: Final = 10_000
_MAX_DEPTH: Final = 20
_MAX_BITS: Final = 64
_MAX_SHOWN: Final = 60
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Config:
    """What a configuration file says; the defaults where it says nothing.

    `path` is the file, None if there is none. `lines` maps the keys that it has to their lines, where those are known.
    `context` and `image_lock` are relative to the folder of the file. See `schema.json` for the keys.
    """

    path: Path | None = None
    rules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None
    base_images: Mapping[str, str] = field(default_factory=dict)
    uid_map: Mapping[str, int] = field(default_factory=dict)
    image_lock: Path | None = None
    recommended_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def error(self, key: str, message: str) -> InputError:
        """An error about a key of this configuration."""
        return InputError(str(self.path), self.lines.get(key), message)


def load_config(start: Path, root: Path) -> Config:
    """The configuration in force in a folder of a project; the defaults if no file is found.

    Raises:
        InputError: the file cannot be read or is wrong, or one folder has two.
    """
    path = find_config(start, root)
    return Config() if path is None else read_config(path)


def find_config(start: Path, root: Path) -> Path | None:
    """The nearest configuration file, from the folder `start` up to the folder `root`.

    A `pyproject.toml` without `[tool.dockfix]` is not a configuration file.

    Raises:
        InputError: one folder has two, or a file cannot be read.
    """
    real, top = Path(os.path.realpath(start)), Path(os.path.realpath(root))
    for folder in (real, *real.parents):
        if not folder.is_relative_to(top):
            break
        found = [name for name in CONFIG_NAMES if os.path.lexists(folder / name)]
        if os.path.lexists(folder / _PYPROJECT) and _pyproject_table(folder / _PYPROJECT)[0] is not None:
            found.append(_PYPROJECT)
        if len(found) > 1:
            shown = [f"[tool.dockfix] in {name}" if name == _PYPROJECT else name for name in found]
            message = f"{', '.join(shown[:-1])} and {shown[-1]} configure dockfix in one folder; keep one of them"
            raise InputError(str(folder / found[0]), None, message)
        if found:
            return folder / found[0]
    return None


def read_config(path: Path) -> Config:
    """The configuration that a file holds: YAML, or TOML if its name ends in `.toml`.

    A TOML file other than `pyproject.toml` has the keys at its top, without `[tool.dockfix]`.

    Raises:
        InputError: it cannot be read, is not valid YAML or TOML, or has an unknown key or a wrong value.
    """
    if path.suffix == ".toml":
        if path.name == _PYPROJECT:
            table, text = _pyproject_table(path)
            if table is None:
                raise InputError(str(path), None, "has no [tool.dockfix]")
        else:
            text = _read(path)
            table = _toml(path, text)
            if "tool" in table:
                message = "keys are at the top of this file, without [tool.dockfix]"
                raise InputError(str(path), _toml_line(text, "tool"), message)
        keys = [str(key) for key in table]
        lines = {key: line for key in keys if (line := _toml_line(text, key)) is not None}
    else:
        table, lines = _yaml(path)
    return _config(path, table, lines)


def _config(path: Path, table: Mapping[str, object], lines: Mapping[str, int]) -> Config:
    values: dict[str, Any] = {}
    for key, value in table.items():
        line = lines.get(key)
        kind = KEYS.get(key)
        if kind is None:
            raise InputError(str(path), line, _unknown_key(key))
        expected, accepts = kind
        if not accepts(value):
            # of a table the wrong value is somewhere inside
            but = "" if isinstance(value, dict) and expected.startswith("a table") else f", not {_kind(value)}"
            raise InputError(str(path), line, f"{key} must be {expected}{but}")
        values[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    if "context" in values:
        values["context"] = Path(os.path.realpath(path.parent), values["context"])
    if "image_lock" in values:
        values["image_lock"] = Path(os.path.realpath(path.parent), values["image_lock"])
    return Config(path=path, lines=dict(lines), **values)


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_string_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


_MAX_UID: Final = 2**31 - 2
"""Some programs take ids for signed, and the last one for none."""


def _is_uid_map(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    numbers = list(value.values())
    plain = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
    return plain and all(1 <= number <= _MAX_UID for number in numbers) and len(set(numbers)) == len(numbers)


def _is_environment_table(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_string_table(each)
        and all(_VARIABLE.fullmatch(name) and not set("\n\r\0") & set(text) for name, text in each.items())
        for each in value.values()
    )


KEYS: Final[Mapping[str, tuple[str, Callable[[object], bool]]]] = {
    # an empty list would run no rule, or all of them, depending on whom one asks
    "rules": ("a list of rule names", lambda value: _is_strings(value) and value != []),
    "skip": ("a list of rule names", _is_strings),
    "unsafe": ("true or false", lambda value: isinstance(value, bool)),
    "exclude": ("a list of patterns", _is_strings),
    "force-exclude": ("true or false", lambda value: isinstance(value, bool)),
    "respect-gitignore": ("true or false", lambda value: isinstance(value, bool)),
    "context": ("the path of a folder", lambda value: isinstance(value, str) and value != "" and "\0" not in value),
    "build-contexts": ("a table of names and references", _is_string_table),
    "jobs": ("a whole number from 1 on", _is_positive),
    "base-images": ("a table of images and the images that they are like", _is_string_table),
    "uid-map": (f"a table of user names and their numbers, each from 1 to {_MAX_UID} and given once", _is_uid_map),
    "image-lock": ("the path of a file", lambda value: isinstance(value, str) and value != "" and "\0" not in value),
    "recommended-env": (
        "a table of images, each with a table of variables and values of one line of text",
        _is_environment_table,
    ),
}
"""The keys there are: what each takes, in words, and the test of it."""


def _unknown_key(key: str) -> str:
    close = closest(key, KEYS)
    hint = f"; did you mean {close!r}?" if close else f"; the keys are {', '.join(KEYS)}"
    return f"unknown key {key!r}{hint}"


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number that long" if _is_long(value) else f"the number {value}"
        case str():
            return f"the text {_short(value)!r}"
        case []:
            return "an empty list"
        case list():
            return "a list" if _is_strings(value) else "a list of other things than text"
        case dict():
            return "a table"
        case None:
            return "nothing"
        case _:
            return f"a {type(value).__name__}"


def _is_long(value: float) -> bool:
    return isinstance(value, int) and value.bit_length() > _MAX_BITS


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _read(path: Path) -> str:
    try:
        return read_file(path, root=Path("/")).data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), None, "is not UTF-8") from error


def _pyproject_table(path: Path) -> tuple[dict[str, object] | None, str]:
    """`[tool.dockfix]` of a TOML file, None if it has none, and the text of the file."""
    text = _read(path)
    if "dockfix" not in text:
        return None, text
    tool = _toml(path, text).get("tool")
    table = tool.get("dockfix") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise InputError(str(path), _toml_line(text, "dockfix"), "tool.dockfix must be a table")
    return table, text


def _toml(path: Path, text: str) -> dict[str, object]:
    from dockfix.project.toml import TomlError, parse_toml  # noqa: PLC0415 - only needed where there is such a file

    try:
        return parse_toml(text)
    except TomlError as error:
        raise InputError(str(path), error.line, f"is not valid TOML: {error.message}") from error


def _toml_line(text: str, key: str) -> int | None:
    """The line of a key; of the first such key behind the table's header, since tomllib tells no lines."""
    lines = text.split("\n")
    header = next((at for at, line in enumerate(lines) if re.match(r"\s*\[\s*tool\s*\.\s*dockfix\b", line)), 0)
    name = re.escape(key)
    pattern = re.compile(rf"""\s*(?:\[+\s*)?(?:tool\s*\.\s*dockfix\s*\.\s*|tool\s*\.\s*)?["']?{name}["']?\s*[=.\]]""")
    return next((at + 1 for at in range(header, len(lines)) if pattern.match(lines[at])), None)


def _yaml(path: Path) -> tuple[dict[str, object], dict[str, int]]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and only needed where there is such a file
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415
    from ruamel.yaml.nodes import MappingNode  # noqa: PLC0415

    try:
        # Nodes, not values: they have lines, and composing expands no alias.
        root = YAML(typ="safe", pure=True).compose(_read(path))
    except (YAMLError, RecursionError, ValueError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        problem = error.problem if isinstance(error, MarkedYAMLError) else str(error).partition("\n")[0]
        raise InputError(str(path), mark.line + 1 if mark else None, f"is not valid YAML: {problem}") from error
    if root is None:
        return {}, {}
    if not isinstance(root, MappingNode):
        raise InputError(str(path), root.start_mark.line + 1, "must be a table of keys and values")
    lines: dict[str, int] = {}
    for key, _ in root.value:
        name = str(key.value)
        if name in lines:
            raise InputError(str(path), key.start_mark.line + 1, f"the key {name!r} is here a second time")
        lines[name] = key.start_mark.line + 1
    left = [_MAX_NODES]
    table = {str(key.value): _plain(path, value, left, 0) for key, value in root.value}
    return table, lines


def _plain(path: Path, node: Node, left: list[int], depth: int) -> object:
    from ruamel.yaml.nodes import MappingNode, SequenceNode  # noqa: PLC0415

    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise InputError(str(path), node.start_mark.line + 1, "is too large or too deep")
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(path, value, left, depth + 1) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(path, item, left, depth + 1) for item in node.value]
    return _scalar(str(node.value), str(node.tag))


def _scalar(text: str, tag: str) -> object:
    """A scalar of the YAML 1.2 core schema, as far as configuration needs it."""
    if tag.endswith(":bool"):
        return text.lower() in ("true", "yes", "on")
    if tag.endswith(":int"):
        try:
            return int(text.replace("_", ""), 0)
        except ValueError:
            return text
    if tag.endswith(":null"):
        return None
    return text
