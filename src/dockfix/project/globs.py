"""Matching of glob patterns in time that is linear in the text, whatever the pattern: patterns come from strangers.

Python's `re` backtracks: with many stars its time is exponential. Patterns with few of them run on it, since it is fast
for them; all others run on an automaton.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

__all__ = ["Matcher", "Token", "TokenKind", "compile_tokens", "token"]

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


@dataclass(frozen=True, slots=True)
class Token:
    """A step; `text` is the character of a literal, else the regular expression of the step."""

    kind: TokenKind
    text: str

    @property
    def regex(self) -> str:
        """The step as Python's `re` has it."""
        return re.escape(self.text) if self.kind is TokenKind.LITERAL else self.text


_REGEXES: Final = {
    TokenKind.ANY: "[^/]",
    TokenKind.STAR: "[^/]*",
    TokenKind.FOLDERS: "(?:.*/)?",
    TokenKind.REST: ".*",
}


def token(kind: TokenKind) -> Token:
    """A step that is no character and no class."""
    return Token(kind, _REGEXES[kind])


def compile_tokens(tokens: Sequence[Token]) -> Matcher:
    """What tells whether the whole of a text matches."""
    kept = [each for at, each in enumerate(tokens) if each.kind not in _STARS or tokens[at - 1 : at] != [each]]
    if sum(each.kind in _STARS for each in kept) > _REGEX_STARS:
        return Automaton.build(kept)
    return RegexMatcher(re.compile("".join(each.regex for each in kept) + r"\Z"))


@dataclass(frozen=True, slots=True)
class RegexMatcher:
    """A pattern with few stars."""

    regex: re.Pattern[str]

    def matches(self, text: str) -> bool:
        """Whether the whole of the text matches."""
        return self.regex.match(text) is not None


@dataclass(frozen=True, slots=True)
class Automaton:
    """All ways through a pattern at once, a bit for each place in it.

    Bit i says: what was read so far can have brought us before step i. A FOLDERS takes two steps: to enter it (or leave
    it out), and to be in it, until a `/` is read.
    """

    literals: dict[str, int]
    """By character the steps that take it and no other."""
    classes: tuple[tuple[re.Pattern[str], int], ...]
    """Other tests of a character, with the steps that have them."""
    loops: int
    leaves: int
    stars: int
    folders: int
    accept: int
    _known: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

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
