"""Values as TOML: strings, booleans, lists of strings, and tables of these."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["toml_text"]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(
    table: Mapping[str, object], header: Sequence[str] = (), comments: Mapping[str, str] | None = None
) -> str:
    """A table as TOML: first its own values, then its tables.

    Args:
        table: the table.
        header: the name of the table, as a path from the top of the document; empty for the top itself.
        comments: what is said next to some strings in lists and some keys.
    """
    said = comments or {}
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"[{'.'.join(map(_key, header))}]"] if header and values else []
    for key, value in values.items():
        lines += _pair(key, value, said)
    blocks = ["".join(f"{line}\n" for line in lines)] if lines else []
    for key, value in table.items():
        if isinstance(value, Mapping):
            blocks.append(toml_text(value, (*header, key), said))
    return "\n".join(block for block in blocks if block)


def _pair(key: str, value: object, said: Mapping[str, str]) -> list[str]:
    if isinstance(value, bool):
        return [f"{_key(key)} = {str(value).lower()}"]
    if isinstance(value, str):
        return [f"{_key(key)} = {_string(value)}{_comment(said, key)}"]
    if not isinstance(value, Sequence):
        raise TypeError(f"{key}: {value!r} cannot be written as TOML")
    items = [(_string(each), _comment(said, each)) for each in value]
    if not any(comment for _, comment in items):
        return [f"{_key(key)} = [{', '.join(text for text, _ in items)}]"]
    return [f"{_key(key)} = [", *(f"    {text},{comment}" for text, comment in items), "]"]


def _comment(said: Mapping[str, str], key: str) -> str:
    return f"  # {said[key]}" if key in said else ""


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    """A basic string; its escapes are those of JSON, which leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
