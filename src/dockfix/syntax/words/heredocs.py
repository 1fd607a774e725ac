"""The heredocs that an instruction opens: `<<NAME`, `<<-NAME`, `3<<"NAME"`."""

from __future__ import annotations

import re
from typing import NamedTuple

from dockfix.syntax.words.expansion import Lexer
from dockfix.syntax.words.gotext import scannable
from dockfix.syntax.words.patterns import SubstitutionError

_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z")
_MOST_FD = 2**64 - 1  # Go's `ParseUint` stops there
_MOST_DIGITS = len(str(_MOST_FD))


class HeredocMark(NamedTuple):
    """A `<<NAME` word of an instruction."""

    name: str
    fd: int
    expand: bool
    chomp: bool
    start: int  # of the word, in the logical line
    end: int


def heredoc_mark(word: str, start: int = 0, end: int = 0) -> HeredocMark | None:
    """What `<<NAME` in a whole word means to BuildKit, or None.

    Raises:
        SubstitutionError: the name cannot be read (an open quote in it).
    """
    match = _HEREDOC.match(word)
    if match is None or not match.group(3):
        return None
    rest = match.group(3)
    plain = Lexer(scannable(rest), "\\", keep_unset=True).until("", False)[1]
    if len(plain) != 1:
        return None
    raw = Lexer(scannable(rest), "\\", keep_unset=True, raw_quotes=True).until("", False)[1]
    if len(raw) != 1:
        raise SubstitutionError(f"internal lexing of heredoc produced inconsistent results: {rest}")
    quotes = [sum(piece.text.count(quote) for quote in "'\"") for piece in (plain[0], raw[0])]
    digits = match.group(1)
    fd = min(int(digits[-_MOST_DIGITS:] or "0"), _MOST_FD) if len(digits.lstrip("0")) <= _MOST_DIGITS else _MOST_FD
    return HeredocMark(plain[0].text, fd, quotes[0] == quotes[1], match.group(2) == "-", start, end)


def heredoc_marks(line: str) -> list[HeredocMark]:
    """The heredocs that a logical line opens, in order; none if the line cannot be split into words.

    Raises:
        SubstitutionError: as `heredoc_mark`.
    """
    text = scannable(line)
    lex = Lexer(text, "\\", raw_quotes=True, raw_escapes=True, keep_unset=True)
    try:
        words = lex.until("", True)[1]
    except SubstitutionError:
        return []
    shift = len(line) - len(text)
    marks = (heredoc_mark(word.text, word.start + shift, word.end + shift) for word in words)
    return [mark for mark in marks if mark is not None]
