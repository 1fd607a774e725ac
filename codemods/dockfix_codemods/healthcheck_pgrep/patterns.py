"""What the patterns of pgrep and grep match: simple POSIX regular expressions.

A pattern may come from a hostile file, so no backtracking engine matches it: it is parsed into atoms, and the text is
scanned once with the set of atoms that may come next, which takes time proportional to their number and its length.
Groups, intervals, back-references and named classes are not supported.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

_SPECIAL: Final = frozenset("\\[](){}|^$.*+?")
_UNSUPPORTED: Final = frozenset("(){}")
_MAX_LENGTH: Final = 200
"""A longer pattern is not parsed."""


class _Atom(Struct, frozen=True):
    """A part that matches one character: one of `chars`, or any other if `inverted`; how often."""

    chars: frozenset[str]
    inverted: bool
    optional: bool = False
    repeats: bool = False

    def takes(self, char: str) -> bool:
        return (char in self.chars) is not self.inverted


class _Branch(Struct, frozen=True):
    """An alternative: its atoms, its anchors, and the offset of its first plain character in the pattern."""

    atoms: tuple[_Atom, ...]
    at_start: bool
    at_end: bool
    first_plain: int | None


class Pattern(Struct, frozen=True):
    """A parsed pattern; `branches` are its alternatives."""

    text: str
    branches: tuple[_Branch, ...]

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in `text`."""
        return any(_found(branch, text) for branch in self.branches)

    def hidden(self) -> str | None:
        """The pattern with the first plain character of each alternative in brackets; None if an alternative has none.

        It matches the same texts, but no longer itself.
        """
        at = [branch.first_plain for branch in self.branches]
        if None in at:
            return None
        marked = {index for index in at if index is not None}
        return "".join(f"[{char}]" if index in marked else char for index, char in enumerate(self.text))

    @property
    def plain_at(self) -> tuple[int, ...] | None:
        """The offsets of the characters that `hidden` puts in brackets."""
        at = tuple(branch.first_plain for branch in self.branches)
        return None if None in at else tuple(index for index in at if index is not None)


def parse_pattern(text: str, *, extended: bool = True) -> Pattern | None:
    """Parse a pattern of `pgrep` or `grep -E`, or of plain `grep` if not `extended`; None if it is not supported."""
    if not text or len(text) > _MAX_LENGTH or (not extended and "\\" in text):
        return None
    branches: list[_Branch] = []
    at = 0
    while True:
        branch = _branch(text, at, extended=extended)
        if branch is None:
            return None
        found, at = branch
        branches.append(found)
        if at >= len(text):
            return Pattern(text, tuple(branches))
        at += 1  # the `|` between two


def _branch(text: str, at: int, *, extended: bool) -> tuple[_Branch, int] | None:
    atoms: list[_Atom] = []
    at_start = at_end = False
    first_plain: int | None = None
    if text.startswith("^", at):
        at_start, at = True, at + 1
    while at < len(text):
        char = text[at]
        if char == "|" and extended:
            break
        if char in _UNSUPPORTED and extended:
            return None
        if char == "$" and (at + 1 == len(text) or (extended and text[at + 1] == "|")):
            at_end, at = True, at + 1
            continue
        if char == "^" or (char == "$" and extended) or at_end:
            return None  # an anchor in the middle
        begin = at
        atom = _atom(text, at, extended=extended)
        if atom is None:
            return None
        found, at = atom
        quantifier = text[at : at + 1]
        if quantifier and (quantifier == "*" or (extended and quantifier in "+?")):
            found = _Atom(found.chars, found.inverted, quantifier != "+", quantifier != "?")
            at += 1
        elif first_plain is None and at == begin + 1 and char not in _SPECIAL:
            first_plain = begin
        atoms.append(found)
    return (_Branch(tuple(atoms), at_start, at_end, first_plain), at) if atoms else None


def _atom(text: str, at: int, *, extended: bool) -> tuple[_Atom, int] | None:
    char = text[at]
    if char == ".":
        return _Atom(frozenset(), inverted=True), at + 1
    if char == "[":
        return _bracket(text, at)
    if char == "\\":
        escaped = text[at + 1 : at + 2]
        # `\<`, `\w` and similar differ between libraries
        return (_Atom(frozenset(escaped), inverted=False), at + 2) if escaped and escaped in _SPECIAL else None
    return (_Atom(frozenset(char), inverted=False), at + 1) if char not in ("*+?" if extended else "*") else None


def _bracket(text: str, at: int) -> tuple[_Atom, int] | None:
    inverted = text.startswith("^", at + 1)
    begin = at + 1 + inverted
    end = text.find("]", begin + 1)
    body = text[begin:end]
    if end < 0 or "[" in body or "\\" in body:
        return None
    chars: set[str] = set()
    index = 0
    while index < len(body):
        if body[index + 1 : index + 2] == "-" and index + 2 < len(body):
            low, high = ord(body[index]), ord(body[index + 2])
            if not 0 <= high - low <= 255:
                return None
            chars.update(map(chr, range(low, high + 1)))
            index += 3
        else:
            chars.add(body[index])
            index += 1
    return _Atom(frozenset(chars), inverted), end + 1


def _found(branch: _Branch, text: str) -> bool:
    """Whether a branch matches anywhere in a text; `open_` holds the atoms that may come next."""
    atoms = branch.atoms
    open_: set[int] = set()
    for index in range(len(text) + 1):
        if index == 0 or not branch.at_start:
            open_.add(0)
        _skip_optional(atoms, open_)
        if len(atoms) in open_ and (not branch.at_end or index == len(text)):
            return True
        if index == len(text):
            return False
        taken = [each for each in open_ if each < len(atoms) and atoms[each].takes(text[index])]
        open_ = {each + 1 for each in taken} | {each for each in taken if atoms[each].repeats}
    return False


def _skip_optional(atoms: tuple[_Atom, ...], open_: set[int]) -> None:
    for index, atom in enumerate(atoms):
        if index in open_ and atom.optional:
            open_.add(index + 1)
