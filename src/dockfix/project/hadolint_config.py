"""The configuration of hadolint, `.hadolint.yaml`, with all keys of hadolint 2.15 (`Hadolint.Config.Configuration`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct, field

from dockfix.project.config import read_yaml
from dockfix.project.config_keys import LineOf, is_strings, kind_of
from dockfix.project.files import read_file
from dockfix.project.problems import InputError, closest

__all__ = ["LABEL_TYPES", "NAMES", "SEVERITIES", "THRESHOLDS", "HadolintConfig", "read_hadolint_config"]

NAMES: Final = (".hadolint.yaml", ".hadolint.yml")
"""The names of the file in a project, the one that hadolint prefers first."""

SEVERITIES: Final = ("error", "warning", "info", "style")
"""The severities of hadolint, the highest first."""

THRESHOLDS: Final = (*SEVERITIES, "ignore", "none")
"""The values of `failure-threshold`; the last two mean that every finding fails."""

LABEL_TYPES: Final = ("email", "hash", "text", "rfc3339", "semver", "spdx", "url", "")
"""The types of labels; the last one is `text`."""

_FORMATS: Final = (
    "tty", "json", "checkstyle", "codeclimate", "gitlab_codeclimate", "gnu", "codacy", "junit", "sarif", "sonarqube",
)  # fmt: skip

_LIST: Final = re.compile(r"\s*([A-Za-z-]+):\s*(?:#|$)")
_ITEM: Final = re.compile(r"\s*-\s+[\"']?([A-Za-z0-9]+)[\"']?[ \t]*(?:#([^\n]*))?$")

_Accepts: TypeAlias = Callable[[object], bool]


class HadolintConfig(Struct, frozen=True):
    """The content of a `.hadolint.yaml`; keys that it does not have are empty or None.

    `override` has lists of codes by severity. `lines` has the lines of codes in lists with an item a line, by list and
    code, and `remarks` the comments next to them. `line_of` finds the line of a key, which may be nested.
    """

    path: Path
    ignored: tuple[str, ...] = ()
    override: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trusted_registries: tuple[str, ...] = ()
    label_schema: Mapping[str, str] = field(default_factory=dict)
    strict_labels: bool = False
    failure_threshold: str | None = None
    no_fail: bool = False
    formats: tuple[str, ...] = ()
    disable_ignore_pragma: bool = False
    no_color: bool = False
    verbose: bool = False
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    remarks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    line_of: LineOf = field(default=lambda _: None)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_override(value: object) -> bool:
    return isinstance(value, dict) and all(each is None or is_strings(each) for each in value.values())


def _is_schema(value: object) -> bool:
    return isinstance(value, dict) and all(each is None or each in LABEL_TYPES for each in value.values())


_CODES: Final = "a list of rule codes"
_KEYS: Final[Mapping[str, tuple[str, _Accepts]]] = {
    "ignored": (_CODES, is_strings),
    "override": ("a table of severities and lists of rule codes", _is_override),
    "trustedRegistries": ("a list of registries", is_strings),
    "label-schema": (f"a table of labels and their types ({', '.join(LABEL_TYPES[:-1])})", _is_schema),
    "strict-labels": ("true or false", _is_boolean),
    "failure-threshold": (", ".join(THRESHOLDS), lambda value: value in THRESHOLDS),
    "no-fail": ("true or false", _is_boolean),
    "format": (", ".join(_FORMATS), lambda value: value in _FORMATS),
    "formats": (
        f"a list of formats ({', '.join(_FORMATS)})",
        lambda value: isinstance(value, list) and all(each in _FORMATS for each in value),
    ),
    "disable-ignore-pragma": ("true or false", _is_boolean),
    "no-color": ("true or false", _is_boolean),
    "verbose": ("true or false", _is_boolean),
}
"""The keys, each with the values that it takes: in words, and as a test."""


def read_hadolint_config(path: Path) -> HadolintConfig:
    """Read a configuration of hadolint.

    Raises:
        InputError: it cannot be read, is not valid YAML, or has an unknown key or an invalid value.
    """
    table, line_of = read_yaml(path)

    def wrong(message: str, *keys: str) -> InputError:
        return InputError(str(path), line_of(keys), message)

    given: dict[str, object] = {}
    for name, value in table.items():
        if name not in _KEYS:
            raise wrong(_unknown(name, _KEYS), name)
        expected, accepts = _KEYS[name]
        if value is None:
            continue  # hadolint reads a key without a value as one that is not there
        if not accepts(value):
            raise wrong(_wrong_value(name, expected, value, accepts), name, *_inner(value, accepts))
        given[name] = value
    override = _table(given.get("override"))
    for severity in override:
        if severity not in SEVERITIES:
            raise wrong(f"override: {_unknown(severity, SEVERITIES, 'severity')}", "override", severity)
    items = _items(path)
    return HadolintConfig(
        path,
        ignored=_strings(given.get("ignored")),
        override={severity: _strings(override.get(severity)) for severity in SEVERITIES if override.get(severity)},
        trusted_registries=_strings(given.get("trustedRegistries")),
        label_schema={name: str(kind or "text") for name, kind in _table(given.get("label-schema")).items()},
        strict_labels=given.get("strict-labels") is True,
        failure_threshold=str(given["failure-threshold"]) if "failure-threshold" in given else None,
        no_fail=given.get("no-fail") is True,
        formats=(*_strings(given.get("formats")), *([str(given["format"])] if "format" in given else [])),
        disable_ignore_pragma=given.get("disable-ignore-pragma") is True,
        no_color=given.get("no-color") is True,
        verbose=given.get("verbose") is True,
        lines={place: number for place, (number, _) in items.items()},
        remarks={place: remark for place, (_, remark) in items.items() if remark},
        line_of=line_of,
    )


def _items(path: Path) -> dict[tuple[str, str], tuple[int, str]]:
    """The items of lists with an item a line, by the innermost key above them, with their lines and comments."""
    items: dict[tuple[str, str], tuple[int, str]] = {}
    key = ""
    for number, line in enumerate(read_file(path, root=Path("/")).text.split("\n"), 1):
        if found := _LIST.match(line.rstrip()):
            key = found[1]
        elif found := _ITEM.match(line.rstrip()):
            items.setdefault((key, found[1]), (number, (found[2] or "").strip()))
    return items


def _unknown(name: str, known: Mapping[str, object] | tuple[str, ...], what: str = "key") -> str:
    close = closest(name, known)
    hint = f"did you mean {close!r}?" if close else f"hadolint knows {', '.join(known)}"
    return f"unknown {what} {name!r}; {hint}"


def _wrong_value(name: str, expected: str, value: object, accepts: _Accepts) -> str:
    inner = _inner(value, accepts)
    if inner and isinstance(value, dict):
        return f"{name} must be {expected}, but {inner[0]!r} has {kind_of(value[inner[0]])}"
    return f"{name} must be {expected}, not {kind_of(value)}"


def _inner(value: object, accepts: _Accepts) -> tuple[str, ...]:
    """The key of a table whose value is wrong, if it is one."""
    if not isinstance(value, dict):
        return ()
    return next(((str(key),) for key, each in value.items() if not accepts({key: each})), ())


def _strings(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, value))) if isinstance(value, list) else ()


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
