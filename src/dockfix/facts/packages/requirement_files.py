"""Requirement files of pip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dockfix.facts.packages.requirements import is_literal_name

_NAMING: Final = frozenset(("-r", "--requirement", "-c", "--constraint"))
_ADDRESSES: Final = frozenset(("-i", "--index-url", "--extra-index-url", "-f", "--find-links"))
_SETTINGS: Final = frozenset(("--trusted-host", "--no-binary", "--only-binary", "--use-feature"))

_SWITCHES: Final = frozenset(("--pre", "--prefer-binary", "--require-hashes", "--no-index"))
"""Options of pip's requirement files: with a file, with a value that may be a folder, with another value, without a
value."""


def requirement_files(text: str) -> tuple[str, ...] | None:
    """The files that a requirement file of pip names; None if it installs local projects, or cannot be read.

    Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    found: list[str] = []
    for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
        words = _uncommented(line).split()
        if words and words[0].startswith("-"):
            named = _option_files(words)
            if named is None:
                return None
            found += named
        elif words and not is_literal_name("pip", " ".join(_without_hashes(words))):
            return None
    return tuple(found)


def _uncommented(line: str) -> str:
    """A line up to the `#` at its beginning or after a space."""
    found = re.search(r"(?:^|\s)#", line)
    return line[: found.start()] if found else line


def _without_hashes(words: Sequence[str]) -> list[str]:
    """The words of a requirement without its hashes; other options are kept, since they may name anything."""
    return [
        word
        for before, word in zip(("", *words), words, strict=False)
        if word != "--hash" and before != "--hash" and not word.startswith("--hash=")
    ]


def _option_files(words: Sequence[str]) -> list[str] | None:
    """The files that a line of options names; None if one of them names a folder, or is not known."""
    found: list[str] = []
    pending = list(words)
    while pending:
        name, glued, value = pending.pop(0).partition("=")
        if name in _SWITCHES and not glued:
            continue
        if not name.startswith("--") and len(name) > 2:
            name, glued, value = name[:2], "=", name[2:] + glued + value
        if name not in _NAMING | _ADDRESSES | _SETTINGS or not (glued or pending):
            return None
        value = (value if glued else pending.pop(0)).strip("\"'")
        remote = re.match(r"https?://", value) is not None
        if name in _ADDRESSES and not remote:
            return None
        if name in _NAMING and not remote:
            found.append(value)
    return found
