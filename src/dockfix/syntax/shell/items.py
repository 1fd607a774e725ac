"""The items that the scanner cuts a shell text into, and the reserved words among them."""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct, field

from dockfix.syntax.shell.model import Assignment, Heredoc, Word

OPENING: Final = frozenset({"if", "while", "until", "{"})
MIDDLE: Final = frozenset({"then", "do", "else", "elif"})
_CLOSING: Final = frozenset({"fi", "done", "}"})
RESERVED: Final = OPENING | MIDDLE | _CLOSING | {"for", "select", "case", "esac", "function", "in", "!", "[["}
CASE_ENDS: Final = frozenset({";;", ";&", ";;&"})
LIST_ENDS: Final = MIDDLE | _CLOSING | CASE_ENDS | {")", "esac"}
_LOOPS: Final = frozenset({"while", "until", "for", "select"})
# What must be open at a reserved word; `then`, `else` and `do` replace what opened their part.
BELONGS_TO: Final = {
    "then": frozenset({"if"}),
    "elif": frozenset({"then"}),
    "else": frozenset({"then"}),
    "fi": frozenset({"then", "else"}),
    "do": _LOOPS,
    "done": frozenset({"do"}),
    "}": frozenset({"{"}),
    "esac": frozenset({"case"}),
}


class Kind(enum.Enum):
    """The kind of an item."""

    COMMAND = enum.auto()  # a simple command
    ARITHMETIC = enum.auto()  # (( ... ))
    WORDS = enum.auto()  # words that are not a command: a for list, a case subject or pattern, a function's name
    OPERATOR = enum.auto()
    RESERVED = enum.auto()  # reserved words and parentheses


class DraftRedirect(Struct):
    """A redirect whose here-document has not been read yet."""

    start: int
    end: int
    operator: str
    target: Word | None
    descriptor: str | None
    heredoc: Heredoc | None = None
    substitutions: list[list[Item]] = field(default_factory=list)


class Item(Struct):
    """A token of the skeleton for tree-sitter."""

    kind: Kind
    skeleton: str
    start: int
    end: int
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirects: list[DraftRedirect] = field(default_factory=list)
    substitutions: list[list[Item]] = field(default_factory=list)
    negated: bool = False
    closes: bool = False  # a statement can end here
    opens: bool = False  # a command must follow
