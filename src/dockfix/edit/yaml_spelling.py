"""How a string is written as a YAML scalar that YAML 1.1, YAML 1.2 and go-yaml all read as that string."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_NOT_FIRST: Final = frozenset(",[]{}#&*!|>'\"%@`?:")
_WORDS: Final = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".nan", ".inf", "-.inf", "+.inf", "<<"]
)
_NUMBER: Final = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]*)?|[0-9:_]+(?:\.[0-9_]*)?)"
)
"""Wider than any resolver: YAML 1.1 with its octals and base 60, YAML 1.2, and go-yaml's `strconv`."""


@lru_cache(maxsize=4096)
def is_plain(value: str, flow: bool) -> bool:
    """Whether a plain scalar reads as this string in YAML 1.1, in 1.2 and by go-yaml, which compose uses."""
    if not value or value[0] in _NOT_FIRST or value != value.strip() or not is_printable(value):
        return False
    if value.lower() in _WORDS or _NUMBER.fullmatch(value) or value.startswith(("---", "...", "- ")):
        return False
    if value == "-" or value.endswith(":"):
        return False
    if flow and any(character in ",[]{}" for character in value):
        return False
    return all(reads_back(value, value, flow, version) for version in ("1.1", "1.2"))


@lru_cache(maxsize=4096)
def is_plain_key(name: str, flow: bool) -> bool:
    if not is_plain(name, flow) or len(name) > 128:
        return False
    return all(
        _loads(_in_context(name, "v", flow), version) == _expected(name, "v", flow) for version in ("1.1", "1.2")
    )


def reads_back(spelled: str, value: str, flow: bool, version: str) -> bool:
    return _loads(_in_context("k", spelled, flow), version) == _expected("k", value, flow)


def _in_context(key: str, value: str, flow: bool) -> str:
    return f"{{a: b, {key}: {value}, y0: z}}\n" if flow else f"a:\n  {key}: {value}\ny0: z\n"


def _expected(key: str, value: str, flow: bool) -> object:
    return {"a": "b", key: value, "y0": "z"} if flow else {"a": {key: value}, "y0": "z"}


@lru_cache(maxsize=4096)
def _loads(text: str, version: str) -> object:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and most runs edit no YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    try:
        return yaml.load(text)
    except (YAMLError, ValueError):
        return None


def is_printable(value: str) -> bool:
    """Whether a string can be written literally within a line."""
    return value.isprintable()


def single_quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def double_quoted(value: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in value) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
