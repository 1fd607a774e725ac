"""The tree of a bake file, one form for HCL and JSON: blocks, attributes and expressions with their positions.

Nothing is evaluated. Positions are offsets into the text, so that an edit can replace a value in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dockfix.syntax.source import Lines, Span

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Literal:
    """A string without interpolation (escapes decoded), a number, a boolean or null."""

    span: Span
    value: str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class Template:
    """A string with interpolations; a single part is that value itself, not its text."""

    span: Span
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or the root of a reference (`target` in `target.app.args`)."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`base.key` or `base[key]`."""

    span: Span
    base: Expr
    key: Expr


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? yes : no`."""

    span: Span
    test: Expr
    yes: Expr
    no: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`."""

    span: Span
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Unary:
    """`-operand` or `!operand`."""

    span: Span
    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value in an object; `key` is a `Literal` unless it is computed."""

    key: Expr
    value: Expr

    @property
    def span(self) -> Span:
        """From the key to the end of the value."""
        return Span(self.key.span.start, self.value.span.end)


@dataclass(frozen=True, slots=True)
class Obj:
    """An object, braces included in its span."""

    span: Span
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Seq:
    """A list."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression that is not evaluated: function calls, `for` expressions, splats, template directives."""

    span: Span


Expr: TypeAlias = Literal | Template | Name | Index | Conditional | Binary | Unary | Obj | Seq | Opaque


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = value`, or a JSON member. `span` runs from the name to the end of the value."""

    name: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """`kind "label" { ... }`. `span` starts at the kind (in JSON at the label); `inside` is between the braces."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    span: Span
    inside: Span


@dataclass(frozen=True, slots=True)
class Body:
    """Attributes and blocks, each in the order of the file."""

    attributes: tuple[Attribute, ...]
    blocks: tuple[Block, ...]

    def last(self, name: str) -> Attribute | None:
        """The attribute of this name; the last one where JSON repeats it."""
        return next((each for each in reversed(self.attributes) if each.name == name), None)


@dataclass(frozen=True)
class Document:
    """A bake file. `comments` are the texts of its comments in order; JSON has none."""

    text: str
    body: Body
    comments: tuple[str, ...]

    @cached_property
    def lines(self) -> Lines:
        """The lines of the text."""
        return Lines(self.text)

    def source(self, expr: Expr) -> str:
        """An expression as written, on one line."""
        return " ".join(self.text[expr.span.start : expr.span.end].split())


class Syntax(Exception):  # noqa: N818 - an error of the text, not of the program
    """A bake file cannot be read; `line` counts from 1, `message` is one line."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def is_json_name(name: str) -> bool:
    """Whether buildx reads a bake file of this name as JSON."""
    return name.endswith(".json")
