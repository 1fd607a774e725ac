"""JSON arrays of strings, as BuildKit reads the exec form."""

from __future__ import annotations

import json
import math
import re

from dockfix.syntax.source import GO_SPACE
from dockfix.syntax.words.gotext import SURROGATE, replace_invalid
from dockfix.syntax.words.splitting import Piece

_JSON_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_JSON_NAME = re.compile(r"true|false|null")
_JSON_DEPTH = 10_000  # `maxNestingDepth` of Go's encoding/json
_JSON_GAP = re.compile(r"[ \t\r\n]*")


class NotStringsError(ValueError):
    """A JSON array with an element that is not a string, which BuildKit rejects."""


def json_array(text: str) -> list[Piece] | None:
    """The strings of a JSON array with the spans of their literals; None if `text` is not a JSON array.

    Raises:
        NotStringsError: `text` is a JSON array with an element that is not a string.
    """
    start = len(text) - len(text.lstrip(GO_SPACE))
    if not text.startswith("[", start):
        return None
    items: list[Piece] = []
    at = _skip_gap(text, start + 1)
    if text.startswith("]", at):
        return items if _skip_gap(text, at + 1) == len(text) else None
    while True:
        match = _JSON_STRING.match(text, at)
        if match is None:
            if _is_json(text, start):
                raise NotStringsError("when using JSON array syntax, arrays must be comprised of strings only")
            return None
        items.append(Piece(_json_string(match.group()), match.start(), match.end()))
        at = _skip_gap(text, match.end())
        if text.startswith("]", at):
            return items if _skip_gap(text, at + 1) == len(text) else None
        if not text.startswith(",", at):
            return None
        at = _skip_gap(text, at + 1)


def _skip_gap(text: str, at: int) -> int:
    match = _JSON_GAP.match(text, at)
    return match.end() if match else at


def _json_string(literal: str) -> str:
    value = json.loads(replace_invalid(literal))
    return SURROGATE.sub("\ufffd", str(value))  # escaped halves of a pair, too


def _is_json(text: str, at: int) -> bool:
    """Whether Go's `json.Unmarshal` takes `text[at:]`. Without recursion, so that no depth of nesting can hurt."""
    closers: list[str] = []
    expect_key = False
    while True:
        at = _skip_gap(text, at)
        char = text[at : at + 1]
        if expect_key:
            match = _JSON_STRING.match(text, at)
            at = _skip_gap(text, match.end()) if match else at
            if match is None or not text.startswith(":", at):
                return False
            at, expect_key = at + 1, False
            continue
        if char and char in "[{":
            closers.append("]" if char == "[" else "}")
            if len(closers) > _JSON_DEPTH:
                return False
            at = _skip_gap(text, at + 1)
            if not text.startswith(closers[-1], at):
                expect_key = char == "{"
                continue
        else:
            value = _JSON_STRING.match(text, at) or _JSON_NAME.match(text, at)
            if value is None:
                value = _JSON_NUMBER.match(text, at)
                # Go fails on a number outside float64, and BuildKit falls back to the shell form.
                if value is None or math.isinf(float(value.group())):
                    return False
            at = value.end()
        at = _skip_gap(text, at)
        while closers and text.startswith(closers[-1], at):
            closers.pop()
            at = _skip_gap(text, at + 1)
        if not closers:
            return at == len(text)
        if not text.startswith(",", at):
            return False
        at, expect_key = at + 1, closers[-1] == "}"
