"""Go's path rules, which Docker's own rules are made of: `filepath.Clean`, `filepath.Match`, `strings.TrimSpace`.

Source: Go's standard library, packages `path/filepath` (Unix) and `strings`.
"""

from __future__ import annotations

from typing import Final

from dockfix.facts.paths import normal_path

GO_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` holds for; Python's `str.strip()` would take U+001C to U+001F as well."""


class BadPatternError(ValueError):
    """A pattern that `filepath.Match` answers with `ErrBadPattern`."""


def clean(path: str) -> str:
    """`filepath.Clean`: the shortest equivalent path, by text alone.

    >>> clean("a//b/../c/"), clean("//x"), clean("")
    ('a/c', '/x', '.')
    """
    return normal_path(path)


def has_wildcard(text: str) -> bool:
    r"""Whether Go would expand `text`: an unescaped `*`, `?` or `[` (BuildKit's `containsWildcards`)."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "*?[":
            return True
        at += 1
    return False


def match(pattern: str, name: str) -> bool:
    r"""`filepath.Match`: whether the whole of `name` matches `pattern`.

    `*` and `?` do not match `/`, a class such as `[a-z]` or `[^a]` may; `\` takes the next character as it is. Raises
    `BadPatternError` for a malformed pattern, whatever the name. The work is at most the product of both lengths.
    """
    check(pattern)
    while pattern:
        star, chunk, pattern = _scan_chunk(pattern)
        if star and not chunk:
            return "/" not in name
        rest = _match_chunk(chunk, name)
        if rest is not None and (not rest or pattern):
            name = rest
            continue
        if star:
            found = False
            for at in range(len(name)):
                if name[at] == "/":
                    break
                rest = _match_chunk(chunk, name[at + 1 :])
                if rest is None or (not pattern and rest):
                    continue
                name = rest
                found = True
                break
            if found:
                continue
        return False
    return not name


def check(pattern: str) -> None:
    """Raise `BadPatternError` if `pattern` is malformed."""
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
            if at == len(pattern):
                raise BadPatternError(pattern)
            at += 1
        elif character == "[":
            _, _, at = read_class(pattern, at)
        else:
            at += 1


def read_class(pattern: str, at: int) -> tuple[bool, tuple[tuple[str, str], ...], int]:
    """The class that begins at `at` (its `[`): whether it is negated, its ranges, and the offset behind its `]`.

    Raises `BadPatternError` if it is malformed: empty, unclosed, or with a bare `-` or `]` where a character must
    stand.
    """
    at += 1
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while True:
        if ranges and pattern.startswith("]", at):
            return negated, tuple(ranges), at + 1
        low, at = _class_character(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_character(pattern, at + 1)
        ranges.append((low, high))


def _class_character(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern) or pattern[at] in "-]":
        raise BadPatternError(pattern)
    if pattern[at] == "\\":
        at += 1
        if at >= len(pattern):
            raise BadPatternError(pattern)
    if at + 1 >= len(pattern):
        raise BadPatternError(pattern)
    return pattern[at], at + 1


def _scan_chunk(pattern: str) -> tuple[bool, str, str]:
    """Whether stars lead, the text up to the next star outside a class, and the rest."""
    start = 0
    while pattern.startswith("*", start):
        start += 1
    at = start
    in_class = False
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif character == "[":
            in_class = True
        elif character == "]":
            in_class = False
        elif character == "*" and not in_class:
            break
        at += 1
    return start > 0, pattern[start:at], pattern[at:]


def _match_chunk(chunk: str, name: str) -> str | None:
    """What is left of `name` after `chunk`, which holds no star; `None`: no match."""
    at = 0
    position = 0
    while at < len(chunk):
        if position >= len(name):
            return None
        character = chunk[at]
        here = name[position]
        if character == "[":
            negated, ranges, at = read_class(chunk, at)
            if any(low <= here <= high for low, high in ranges) == negated:
                return None
            position += 1
            continue
        if character == "?":
            if here == "/":
                return None
        else:
            if character == "\\":
                at += 1
                character = chunk[at]
            if character != here:
                return None
        at += 1
        position += 1
    return name[position:]
