"""What differs between two texts of a bake file; shows that an edit changes what it should, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dockfix.project.bake.reader import parse_bake
from dockfix.project.bake.tree import (
    Binary,
    Body,
    Conditional,
    Document,
    Expr,
    Index,
    Literal,
    Name,
    Obj,
    Opaque,
    Seq,
    Template,
    Unary,
)

BakePath: TypeAlias = tuple[str, ...]
"""Where a value is: `("target", "app", "contexts", "base")`; `("#", "3")` is the fourth comment."""


def bake_changes(before: str, after: str, *, json: bool = False) -> list[tuple[BakePath, str | None, str | None]]:
    """The values and comments that differ, in the order of `before`, each with the old and the new one as canonical
    text; `None` for an absent value. Layout is not compared, the order of keys and blocks is.

    Raises:
        Syntax: one of the two cannot be read.
    """
    old, new = (dict(_flat(parse_bake(text, json=json))) for text in (before, after))
    changes: list[tuple[BakePath, str | None, str | None]] = [
        (path, old.get(path), new.get(path)) for path in {**old, **new} if old.get(path) != new.get(path)
    ]
    return changes + _moved(old, new)


def _moved(old: Mapping[BakePath, str], new: Mapping[BakePath, str]) -> list[tuple[BakePath, str | None, str | None]]:
    """The first path with another position among those that both have."""
    for one, other in zip((path for path in old if path in new), (path for path in new if path in old), strict=True):
        if one != other:
            return [(one, old[one], None)]
    return []


def _flat(document: Document) -> Iterator[tuple[BakePath, str]]:
    yield from _of_body(document, document.body, ())
    for number, comment in enumerate(document.comments):
        yield ("#", str(number)), comment


def _of_body(document: Document, body: Body, path: BakePath) -> Iterator[tuple[BakePath, str]]:
    seen: dict[BakePath, int] = {}

    def unique(key: BakePath) -> BakePath:
        seen[key] = seen.get(key, 0) + 1
        return key if seen[key] == 1 else (*key[:-1], f"{key[-1]}#{seen[key]}")

    for attribute in body.attributes:
        yield from _of_value(document, attribute.value, unique((*path, attribute.name)))
    for block in body.blocks:
        inner = unique((*path, block.kind, *block.labels))
        yield inner, "block"
        yield from _of_body(document, block.body, inner)


def _of_value(document: Document, expr: Expr, path: BakePath) -> Iterator[tuple[BakePath, str]]:
    if not isinstance(expr, Obj):
        yield path, _canonical(document, expr)
        return
    yield path, "object"
    seen: dict[str, int] = {}
    for entry in expr.entries:
        key = str(entry.key.value) if isinstance(entry.key, Literal) else f"({_canonical(document, entry.key)})"
        seen[key] = seen.get(key, 0) + 1
        yield from _of_value(document, entry.value, (*path, key if seen[key] == 1 else f"{key}#{seen[key]}"))


def _canonical(document: Document, expr: Expr) -> str:
    """An expression as text that does not depend on its layout."""

    def sub(inner: Expr) -> str:
        return _canonical(document, inner)

    match expr:
        case Literal():
            return repr(expr.value)
        case Name():
            return expr.name
        case Template():
            return f"template({', '.join(map(sub, expr.parts))})"
        case Seq():
            return f"[{', '.join(map(sub, expr.items))}]"
        case Obj():
            return "{" + ", ".join(f"{sub(entry.key)} = {sub(entry.value)}" for entry in expr.entries) + "}"
        case Index():
            return f"{sub(expr.base)}[{sub(expr.key)}]"
        case Conditional():
            return f"({sub(expr.test)} ? {sub(expr.yes)} : {sub(expr.no)})"
        case Unary():
            return f"{expr.op}{sub(expr.operand)}"
        case Binary():
            return f"({sub(expr.left)} {expr.op} {sub(expr.right)})"
        case Opaque():
            # never merged into one line: it may hold a string or a heredoc
            return document.text[expr.span.start : expr.span.end]
