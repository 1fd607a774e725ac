"""Path patterns: Go's path rules, on which Docker's rules are built, and glob matching in linear time.

- `clean`, `match`, `has_wildcard`, `GO_SPACE`: `filepath.Clean`, `filepath.Match` and `strings.TrimSpace`. Source: Go's
  standard library, packages `path/filepath` (Unix) and `strings`.
- `compile_tokens`: a matcher whose time is linear in the text, whatever the pattern, as patterns may be hostile.
  Python's `re` backtracks: with many stars its time is exponential. It runs patterns with few stars, for which it is
  fast; an automaton runs all others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct, field

GO_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""The characters of Go's `unicode.IsSpace`; Python's `str.strip()` would also remove U+001C to U+001F."""


class BadPatternError(ValueError):
    """A pattern that `filepath.Match` answers with `ErrBadPattern`."""


def clean(path: str) -> str:
    """`filepath.Clean`: the shortest equivalent path, by text alone.

    >>> clean("a//b/../c/"), clean("//x"), clean("")
    ('a/c', '/x', '.')
    """
    from dockfix.facts.paths import normal_path  # noqa: PLC0415 - a run over clean files needs none of `facts`

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

    `*` and `?` do not match `/`, a class such as `[a-z]` or `[^a]` may; `\` makes the next character literal. The work
    is at most the product of both lengths.

    Raises:
        BadPatternError: the pattern is malformed, whatever the name.
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
    """The class that begins at `at` (its `[`): whether it is negated, its ranges, and the offset after its `]`.

    Raises:
        BadPatternError: the class is empty, unclosed, or has a bare `-` or `]` instead of a character.
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


_REGEX_STARS: Final = 2
"""With as many stars the time of Python's `re` is at most the square of the text's length."""


class TokenKind(Enum):
    """A step of a pattern."""

    LITERAL = "one character"
    ANY = "any character but a slash"
    CLASS = "a character of a class"
    STAR = "any characters but slashes, or none"
    FOLDERS = "nothing, or anything that ends in a slash"
    REST = "anything but a line end"


_STARS: Final = frozenset({TokenKind.STAR, TokenKind.FOLDERS, TokenKind.REST})


class Token(Struct, frozen=True):
    """A step; `text` is the character of a literal, else the regular expression of the step."""

    kind: TokenKind
    text: str

    @property
    def regex(self) -> str:
        """The step as a pattern of Python's `re`."""
        return re.escape(self.text) if self.kind is TokenKind.LITERAL else self.text


_REGEXES: Final = {
    TokenKind.ANY: "[^/]",
    TokenKind.STAR: "[^/]*",
    TokenKind.FOLDERS: "(?:.*/)?",
    TokenKind.REST: ".*",
}


def token(kind: TokenKind) -> Token:
    """A step other than a character or a class."""
    return Token(kind, _REGEXES[kind])


def compile_tokens(tokens: Sequence[Token]) -> Matcher:
    """Tells whether a whole text matches."""
    kept = [each for at, each in enumerate(tokens) if each.kind not in _STARS or tokens[at - 1 : at] != [each]]
    if sum(each.kind in _STARS for each in kept) > _REGEX_STARS:
        return Automaton.build(kept)
    return RegexMatcher(re.compile("".join(each.regex for each in kept) + r"\Z"))


class RegexMatcher(Struct, frozen=True):
    """A pattern with few stars."""

    regex: re.Pattern[str]

    def matches(self, text: str) -> bool:
        """Whether the whole of the text matches."""
        return self.regex.match(text) is not None


class Automaton(Struct, frozen=True):
    """All ways through a pattern at once, a bit for each place in it.

    Bit i is set if the text so far can lead to the place before step i. A FOLDERS takes two steps: to enter it (or skip
    it), and to be in it until a `/`.
    """

    literals: dict[str, int]
    """For each character, the steps that match only it."""
    classes: tuple[tuple[re.Pattern[str], int], ...]
    """Other tests of a character, with their steps."""
    loops: int
    leaves: int
    stars: int
    folders: int
    accept: int
    _known: dict[str, int] = field(default_factory=dict)

    @classmethod
    def build(cls, tokens: Sequence[Token]) -> Automaton:
        """The automaton of some steps."""
        literals: dict[str, int] = {}
        classes: dict[str, int] = {}
        loops = leaves = stars = folders = 0
        here = 1
        for each in tokens:
            match each.kind:
                case TokenKind.LITERAL:
                    literals[each.text] = literals.get(each.text, 0) | here
                case TokenKind.STAR | TokenKind.REST:
                    loops |= here
                    stars |= here
                    test = "[^/]" if each.kind is TokenKind.STAR else "."
                    classes[test] = classes.get(test, 0) | here
                case TokenKind.FOLDERS:
                    folders |= here
                    here <<= 1
                    loops |= here
                    leaves |= here
                    classes["."] = classes.get(".", 0) | here
                case _:
                    classes[each.text] = classes.get(each.text, 0) | here
            here <<= 1
        tests = tuple((re.compile(test), steps) for test, steps in classes.items())
        return cls(literals, tests, loops, leaves, stars, folders, here)

    def matches(self, text: str) -> bool:
        """Whether the whole of the text matches."""
        state = self._jump(1)
        for character in text:
            taken = state & self._takes(character)
            moves = taken & ~self.loops
            if character == "/":
                moves |= taken & self.leaves
            state = self._jump((taken & self.loops) | (moves << 1))
            if not state:
                return False
        return bool(state & self.accept)

    def _takes(self, character: str) -> int:
        takes = self._known.get(character)
        if takes is None:
            takes = self.literals.get(character, 0)
            for test, steps in self.classes:
                if test.match(character):
                    takes |= steps
            self._known[character] = takes
        return takes

    def _jump(self, state: int) -> int:
        while True:
            entered = state & self.folders
            further = state | ((state & self.stars) << 1) | (entered << 1) | (entered << 2)
            if further == state:
                return state
            state = further


Matcher: TypeAlias = RegexMatcher | Automaton
