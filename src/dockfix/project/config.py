"""The configuration: `[tool.dockfix]` in `pyproject.toml`, or a file of its own (`CONFIG_NAMES`).

The nearest file up the tree applies, as far as the project's root; files above the root are not used.

A mistake in the file is an error with its line; dockfix never falls back to a default. `schema.json` in the package is
generated from `KEYS` and the options of the rules.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from dockfix.project.config_keys import KEYS, Key, LineOf, kind_of, shortened, unknown_key
from dockfix.project.config_targets import target_context
from dockfix.project.discovery import CONFIG_NAMES
from dockfix.project.files import read_file
from dockfix.project.policy import TargetContext
from dockfix.project.problems import InputError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

__all__ = [
    "KEYS", "Config", "Key", "LineOf", "config_in", "find_config", "load_config", "read_config", "read_yaml",
]  # fmt: skip

_PYPROJECT: Final = "pyproject.toml"
_MAX_NODES: Final = 10_000
_MAX_DEPTH: Final = 20


def _no_line(_: Sequence[str]) -> int | None:
    return None


class Config(Struct, frozen=True):
    """The content of a configuration file, with defaults for the keys that it does not have; `KEYS` describes them.

    `path` is the file, None if there is none. `rules` holds the options of rules as they are written; the rules convert
    them. `line_of` finds the line of a key, which may be nested.
    """

    path: Path | None = None
    preset: str | None = None
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    per_file_ignores: Mapping[str, list[str]] = field(default_factory=dict)
    fail_level: str | None = None
    baseline: Path | None = None
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[TargetContext, ...] = ()
    jobs: int | None = None
    base_images: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, object] = field(default_factory=dict)
    line_of: LineOf = field(default=_no_line)

    def has(self, key: str) -> bool:
        """Whether it has a value for a key, other than the default."""
        name = key.replace("-", "_")
        return bool(getattr(self, name) != getattr(_DEFAULTS, name))

    def error(self, message: str, *keys: str) -> InputError:
        """An error about a key of this configuration: a key at the top, or the path of a nested one."""
        return InputError(str(self.path), self.line_of(keys), message)


_DEFAULTS: Final = Config()


def load_config(start: Path, root: Path) -> Config:
    """The configuration of a folder of a project; the defaults if no file is found.

    Raises:
        InputError: the file cannot be read or is invalid, or one folder has two.
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
        if (found := config_in(folder)) is not None:
            return found
    return None


def config_in(folder: Path) -> Path | None:
    """The configuration file in a folder.

    Raises:
        InputError: the folder has two, or a file cannot be read.
    """
    found = [name for name in CONFIG_NAMES if os.path.lexists(folder / name)]
    if os.path.lexists(folder / _PYPROJECT) and _pyproject_table(folder / _PYPROJECT)[0] is not None:
        found.append(_PYPROJECT)
    if len(found) > 1:
        shown = [f"[tool.dockfix] in {name}" if name == _PYPROJECT else name for name in found]
        message = f"{', '.join(shown[:-1])} and {shown[-1]} configure dockfix in one folder; keep one of them"
        raise InputError(str(folder / found[0]), None, message)
    return folder / found[0] if found else None


def read_config(path: Path) -> Config:
    """Read a configuration file: TOML if its name ends in `.toml`, else YAML.

    A TOML file other than `pyproject.toml` has the keys at its top, without `[tool.dockfix]`.

    Raises:
        InputError: it cannot be read, is not valid YAML or TOML, or has an unknown key or an invalid value.
    """
    if path.suffix == ".toml":
        if path.name == _PYPROJECT:
            table, text = _pyproject_table(path)
            if table is None:
                raise InputError(str(path), None, "has no table [tool.dockfix]")
        else:
            text = _read(path)
            table = _toml(path, text)
            if "tool" in table:
                message = "the keys of this file are at its top, without [tool.dockfix]"
                raise InputError(str(path), _toml_line(text, "tool"), message)
        return _config(path, table, lambda keys: _toml_line(text, *keys))
    return _config(path, *read_yaml(path))


def _config(path: Path, table: Mapping[str, object], line_of: LineOf) -> Config:
    values: dict[str, Any] = {}
    for name, value in table.items():
        key = KEYS.get(name)
        if key is None or (name == "rules" and isinstance(value, list)):
            raise InputError(str(path), line_of((name,)), unknown_key(name))
        if not key.accepts(value):
            raise _wrong_value(path, name, key, value, line_of)
        values[name.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    folder = Path(os.path.realpath(path.parent))
    for name in ("context", "baseline"):
        if name in values:
            values[name] = folder / values[name]
    if "targets" in values:
        tables = enumerate(values["targets"])
        values["targets"] = tuple(target_context(path, number, table, folder, line_of) for number, table in tables)
    return Config(path=path, line_of=line_of, **values)


def _wrong_value(path: Path, name: str, key: Key, value: object, line_of: LineOf) -> InputError:
    if not (isinstance(value, dict) and key.expected.startswith("a table")):
        return InputError(str(path), line_of((name,)), f"{name} must be {key.expected}, not {kind_of(value)}")
    inner = next((each for each in value if not key.accepts({each: value[each]})), None)
    if inner is None:
        return InputError(str(path), line_of((name,)), f"{name} must be {key.expected}")
    but = f"{shortened(inner)!r} has {kind_of(value[inner])}"
    return InputError(str(path), line_of((name, inner)), f"{name} must be {key.expected}, but {but}")


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


def _toml_line(text: str, *keys: str) -> int | None:
    """The line of a key, which may be nested; tomllib does not tell.

    The first line after the table's header that may define each key in turn. An outer key may be on the same line.
    A number is that of a table in a list of tables, `[[targets]]`.
    """
    lines = text.split("\n")
    at = next((at for at, line in enumerate(lines) if re.match(r"\s*\[+\s*tool\s*\.\s*dockfix\b", line)), 0)
    found = None
    for depth, key in enumerate(keys):
        if depth and key.isdecimal():
            table = re.compile(rf"""\s*\[\[.*(?<![\w-]){re.escape(keys[depth - 1])}["']?\s*\]\]""")
            headers = [number for number in range(at, len(lines)) if table.match(lines[number])]
            if int(key) < len(headers):
                at, found = headers[int(key)], headers[int(key)] + 1
                lines = lines[: headers[int(key) + 1] if int(key) + 1 < len(headers) else None]
            continue
        outer = r"\s*(?:\[+\s*)?(?:tool\s*\.\s*dockfix\s*\.\s*|tool\s*\.\s*)?" if depth == 0 else r".*?(?<![\w-])"
        pattern = re.compile(rf"""{outer}["']?{re.escape(key)}["']?\s*[=.\]]""")
        line = next((number for number in range(at, len(lines)) if pattern.match(lines[number])), None)
        if line is None:
            break
        at, found = line, line + 1
    return found


def read_yaml(path: Path) -> tuple[dict[str, object], LineOf]:
    """The table that a YAML file holds, and the lines of its keys.

    Raises:
        InputError: the file cannot be read, is not valid YAML, or holds no table.
    """
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
        return {}, _no_line
    if not isinstance(root, MappingNode):
        raise InputError(str(path), root.start_mark.line + 1, "must be a table of keys and values")
    names: set[str] = set()
    for key, _ in root.value:
        name = str(key.value)
        if name in names:
            raise InputError(str(path), key.start_mark.line + 1, f"the key {name!r} is already defined above")
        names.add(name)
    left = [_MAX_NODES]
    table = {str(key.value): _plain(path, value, left, 0) for key, value in root.value}
    return table, lambda keys: _yaml_line(root, keys)


def _yaml_line(root: Node, keys: Sequence[str]) -> int | None:
    """The line of a nested key, or of the innermost one on its path that there is."""
    from ruamel.yaml.nodes import SequenceNode  # noqa: PLC0415 - heavy, and only needed where there is such a file

    node, line = root, None
    for name in keys:
        if isinstance(node, SequenceNode):
            if not (name.isdecimal() and int(name) < len(node.value)):
                break
            node = node.value[int(name)]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node.value, list) else []
        found = next((pair for pair in pairs if isinstance(pair, tuple) and str(pair[0].value) == name), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


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
