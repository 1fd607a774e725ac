"""What `.gitignore` files, and the patterns of `exclude`, ignore.

Sources: gitignore(5), "Pattern format", and git's `dir.c` (`last_matching_pattern_from_list`, `parse_path_pattern`) and
`wildmatch.c`. A path is matched after the folders above it: everything in an ignored folder is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from dockfix.project.patterns import Matcher, Token, TokenKind, compile_tokens, token


class _Pattern(Struct, frozen=True):
    """A line. A pattern without a slash (`by_name`) is matched only with the last name of a path."""

    negated: bool
    folders_only: bool
    by_name: bool
    matcher: Matcher


class GitIgnore:
    """The patterns of one file, relative to its folder. A malformed pattern matches nothing, as in git."""

    def __init__(self, lines: Iterable[str]) -> None:
        found = [pattern for line in lines if (pattern := _parsed(line)) is not None]
        self._patterns = tuple(reversed(found))

    def verdict(self, path: str) -> bool | None:
        """Whether the last pattern that matches a path ignores it; `None` if none does. A folder ends in `/`."""
        is_folder = path.endswith("/")
        plain = path.rstrip("/")
        name = plain.rpartition("/")[2]
        for pattern in self._patterns:
            if pattern.folders_only and not is_folder:
                continue
            if pattern.matcher.matches(name if pattern.by_name else plain):
                return not pattern.negated
        return None

    def ignores_below(self, path: str) -> bool:
        """Whether a folder, or one of those above it, is ignored."""
        parts = path.rstrip("/").split("/")
        return any(self.verdict("/".join(parts[:end]) + "/") for end in range(1, len(parts) + 1))


def is_malformed(line: str) -> bool:
    """Whether git ignores a line although it is neither blank nor a comment."""
    return bool(line.strip()) and not line.startswith("#") and _parsed(line) is None


def _parsed(line: str) -> _Pattern | None:
    text = line if line.endswith("\\ ") else line.rstrip()
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text[negated:]
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    by_name = "/" not in text
    segments = _segments(text.removeprefix("/"))
    if not all(segments):
        return None  # no path has an empty name
    tokens: list[Token] = []
    for at, segment in enumerate(segments):
        last = at == len(segments) - 1
        if segment == "**" and not by_name:
            tokens.append(token(TokenKind.REST if last else TokenKind.FOLDERS))
            continue
        parsed = _segment(segment)
        if parsed is None:
            return None
        tokens += parsed if last else [*parsed, Token(TokenKind.LITERAL, "/")]
    return _Pattern(negated, folders_only, by_name, compile_tokens(tokens))


def _segments(text: str) -> list[str]:
    """The parts between slashes; a slash in a class, which matches nothing, parts none (git's `wildmatch.c`)."""
    segments: list[str] = []
    start = at = 0
    while at < len(text):
        if text[at] == "/":
            segments.append(text[start:at])
            start = at + 1
        elif text[at] == "\\":
            at += 1
        elif text[at] == "[":
            at = _class_end(text, at + 1) or at
        at += 1
    return [*segments, text[start:]]


def _segment(segment: str) -> list[Token] | None:
    """The steps of a part between slashes; None if it is malformed."""
    tokens: list[Token] = []
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        match character:
            case "\\":
                if at == len(segment):
                    return None
                tokens.append(Token(TokenKind.LITERAL, segment[at]))
                at += 1
            case "*":
                tokens.append(token(TokenKind.STAR))
            case "?":
                tokens.append(token(TokenKind.ANY))
            case "[":
                end = _class_end(segment, at)
                if end is None:
                    return None
                tokens.append(Token(TokenKind.CLASS, _class_regex(segment[at:end])))
                at = end + 1
            case _:
                tokens.append(Token(TokenKind.LITERAL, character))
    return tokens


def _class_end(segment: str, at: int) -> int | None:
    """The offset of the `]` that ends the class whose text begins at `at`; its first character may be a `]`."""
    at += segment.startswith(("!", "^"), at)
    end = segment.find("]", at + 1)
    return end if end >= 0 else None


def _class_regex(written: str) -> str:
    """A class for Python's `re`. No class matches a slash (`WM_PATHNAME`); a range from high to low matches nothing."""
    negated = written.startswith(("!", "^"))
    text = written[negated:]
    parts: list[str] = []
    at = 0
    while at < len(text):
        low = high = text[at]
        if text.startswith("-", at + 1) and at + 2 < len(text):
            high = text[at + 2]
            at += 2
        at += 1
        if low <= high:
            parts.append(f"{re.escape(low)}-{re.escape(high)}")
    body = "".join(parts)
    if negated:
        return f"(?!/)[^{body}]" if body else "[^/]"
    return f"(?!/)[{body}]" if body else "(?!)"
