"""How the value of the form without `=` is written after an `=`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockfix.syntax.source import GO_SPACE
from dockfix.syntax.words import SubstitutionError, expansion_end, split_quoted, template


class Change(NamedTuple):
    """`value[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def respelled(value: str, escape: str) -> tuple[Change, ...] | None:
    """The smallest change that makes the value one word after `=` and keeps what BuildKit makes of it; None if none of
    the known ones does.

    The spellings are tried in this order: as it is, in double quotes, with escaped spaces.
    """
    for changes in ((), tuple(_in_quotes(value, escape)), tuple(_escaped(value, escape))):
        new = applied(value, changes)
        if _is_one_word(new, escape) and same_value(value, new, escape):
            return changes
    return None


def same_value(first: str, second: str, escape: str) -> bool:
    """Whether BuildKit gives two words the same value, whatever the variables are."""
    try:
        return template(first, escape) == template(second, escape)
    except SubstitutionError:
        return False


def applied(value: str, changes: Sequence[Change]) -> str:
    """The value after the changes, which are in order."""
    parts: list[str] = []
    at = 0
    for start, end, new in changes:
        parts += (value[at:start], new)
        at = end
    return "".join((*parts, value[at:]))


def _is_one_word(value: str, escape: str) -> bool:
    word = f"k={value}"
    return [piece.text for piece in split_quoted(word, escape)] == [word]


class _Char(NamedTuple):
    """A character of a value, or a whole expansion, with the quote that it is in; `quotes` if it is itself a quote."""

    start: int
    end: int
    quote: str
    quotes: bool = False


def _chars(value: str, escape: str) -> Iterator[_Char]:
    """The characters of a value as BuildKit's lexer reads them; an escape character is one with what it protects."""
    at, quote = 0, ""
    while at < len(value):
        char = value[at]
        end = at + 1
        if char == quote or (not quote and char in "'\""):
            yield _Char(at, end, quote, quotes=True)
            quote = "" if quote else char
        elif char == "$" and quote != "'":
            end = expansion_end(value, at, escape)
            yield _Char(at, end, quote)
        else:
            if char == escape and quote != "'":
                end = min(at + 2, len(value))
            yield _Char(at, end, quote)
        at = end


def _in_quotes(value: str, escape: str) -> Iterator[Change]:
    """Put all of the value into double quotes, in place of the quotes that it has."""
    special = f'"${escape}'
    yield Change(0, 0, '"')
    for start, end, quote, quotes in _chars(value, escape):
        text = value[start:end]
        if quotes:
            yield Change(start, end, "")
        elif quote == "'" and text in special:
            yield Change(start, start, escape)
        elif not quote and len(text) == 2 and text[0] == escape and text[1] not in special:
            yield Change(start, start + 1, "")
    yield Change(len(value), len(value), '"')


def _escaped(value: str, escape: str) -> Iterator[Change]:
    """Escape each space outside quotes."""
    for start, end, quote, _ in _chars(value, escape):
        if not quote and value[start:end] in GO_SPACE:
            yield Change(start, start, escape)
