"""Breaks long lines at spaces for a terminal, which would break them within words."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Final, TextIO

__all__ = ["columns", "wrapped"]

_LEAST: Final = 20
"""A narrower terminal breaks the lines itself."""
_CODE: Final = re.compile(r"\x1b\[[0-9;]*m")
_CODE_BLOCK: Final = re.compile(" {4}")
_SOURCE: Final = re.compile(r"\s*\d*\s*\|")
"""A line of an excerpt or a diff in it, which must stay as it is."""


def columns(stream: TextIO) -> int:
    """The width of the terminal that a stream is; 0 if it is none, or its width is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0


def wrapped(text: str, width: int, *, page: bool = False) -> str:
    """Text with each line that is wider than `width` broken at spaces; what follows a break is indented.

    Lines of source stay as they are; no break is made before a word that is too long for any line.

    Args:
        text: the text, which may have colours.
        width: the width of the terminal; 0 if it is unknown.
        page: whether it is the page of a rule: indented lines are code, and what follows a break is not indented.
    """
    if width < _LEAST:
        return text
    return "\n".join(_wrapped(line, width, page=page) for line in text.split("\n"))


def _wrapped(line: str, width: int, *, page: bool) -> str:
    plain = _CODE.sub("", line)
    if len(line) <= width // 2 or _cells(plain) <= width or (_CODE_BLOCK if page else _SOURCE).match(plain):
        return line
    indent = len(plain) - len(plain.lstrip(" ")) + (0 if page and not plain.startswith("- ") else 2)
    words = line.lstrip(" ").split(" ")
    rows, row = [], line[: len(line) - len(line.lstrip(" "))] + words[0]
    for word in words[1:]:
        size = _cells(_CODE.sub("", word))
        if size <= width - indent and _cells(_CODE.sub("", row)) + 1 + size > width:
            rows.append(row)
            row = " " * indent + word
        else:
            row += f" {word}"
    return "\n".join((*rows, row))


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
