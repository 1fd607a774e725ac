"""The tree of a bake file, one form for HCL and JSON: blocks, attributes and expressions with their positions.

Nothing is evaluated. Positions are offsets into the text, so that an edit can replace a value in place.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from dockfix.syntax.source import Lines, Span

if TYPE_CHECKING:
    pass


class Literal(Struct, frozen=True):
    """A string without interpolation (escapes decoded), a number, a boolean or null."""

    span: Span
    value: str | bool | int | float | None


class Template(Struct, frozen=True):
    """A string with interpolations; a single part is that value itself, not its text."""

    span: Span
    parts: tuple[Expr, ...]


class Name(Struct, frozen=True):
    """A variable, or the root of a reference (`target` in `target.app.args`)."""

    span: Span
    name: str


class Index(Struct, frozen=True):
    """`base.key` or `base[key]`."""

    span: Span
    base: Expr
    key: Expr


class Conditional(Struct, frozen=True):
    """`test ? yes : no`."""

    span: Span
    test: Expr
    yes: Expr
    no: Expr


class Binary(Struct, frozen=True):
    """`left op right`."""

    span: Span
    op: str
    left: Expr
    right: Expr


class Unary(Struct, frozen=True):
    """`-operand` or `!operand`."""

    span: Span
    op: str
    operand: Expr


class Entry(Struct, frozen=True):
    """A key and its value in an object; `key` is a `Literal` unless it is computed."""

    key: Expr
    value: Expr

    @property
    def span(self) -> Span:
        """From the key to the end of the value."""
        return Span(self.key.span.start, self.value.span.end)


class Obj(Struct, frozen=True):
    """An object, braces included in its span."""

    span: Span
    entries: tuple[Entry, ...]


class Seq(Struct, frozen=True):
    """A list."""

    span: Span
    items: tuple[Expr, ...]


class Opaque(Struct, frozen=True):
    """An expression that is not evaluated: function calls, `for` expressions, splats, template directives."""

    span: Span


Expr: TypeAlias = Literal | Template | Name | Index | Conditional | Binary | Unary | Obj | Seq | Opaque


class Attribute(Struct, frozen=True):
    """`name = value`, or a JSON member. `span` runs from the name to the end of the value."""

    name: str
    value: Expr
    span: Span


class Block(Struct, frozen=True):
    """`kind "label" { ... }`. `span` starts at the kind (in JSON at the label); `inside` is between the braces."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    span: Span
    inside: Span


class Body(Struct, frozen=True):
    """Attributes and blocks, each in the order of the file."""

    attributes: tuple[Attribute, ...]
    blocks: tuple[Block, ...]

    def last(self, name: str) -> Attribute | None:
        """The attribute of this name; the last one where JSON repeats it."""
        return next((each for each in reversed(self.attributes) if each.name == name), None)


class Document(Struct, frozen=True, dict=True):
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
