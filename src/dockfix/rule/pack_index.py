"""The index of a pack: its codemods as source text, with functions that are imported when they are called.

A module that holds it lists all rules of a pack and imports none of them. It is generated, since whatever is written
twice by hand differs one day.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from types import FunctionType

from dockfix.rule.model import Codemod

__all__ = ["index_source"]

_WIDTH = 120


def index_source(codemods: Iterable[Codemod], how: str) -> str:
    """The text of a module with `INDEX`, a tuple of the codemods, formatted as ruff would.

    Args:
        codemods: as their modules define them, in running order.
        how: the command that writes the module, for its docstring.
    """
    head = [
        '"""What there is to know of the rules of this pack before a module of theirs is imported.',
        "",
        f"Written by `{how}` from the modules: change those.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "from dockfix.rule import Category, Codemod, Effect, LazyFunction, Requires, Severity",
        "",
        "INDEX: Final = (",
    ]
    return "\n".join([*head, *(line for each in codemods for line in _codemod(each)), ")"]) + "\n"


def _codemod(codemod: Codemod) -> Iterator[str]:
    yield "    Codemod("
    for field in fields(codemod):
        value = getattr(codemod, field.name)
        required = field.default is MISSING
        # the page is long, and shown for one rule at a time: it stays where it is written
        if field.name != "page" and (required or value != field.default):
            yield from _argument(field.name, value)
    yield "    ),"


def _argument(name: str, value: object) -> Iterator[str]:
    line = f"        {name}={_source(value)},"
    if len(line) <= _WIDTH or not isinstance(value, tuple | frozenset):
        yield line
    elif isinstance(value, tuple):
        yield f"        {name}=("
        yield from (f"            {_source(each)}," for each in value)
        yield "        ),"
    else:
        yield f"        {name}=frozenset("
        yield "            {"
        yield from (f"                {each}," for each in sorted(map(_source, value)))
        yield "            }"
        yield "        ),"


def _source(value: object) -> str:
    if isinstance(value, FunctionType):
        return f"LazyFunction({_source(value.__module__)}, {_source(value.__qualname__)})"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, frozenset):
        inner = sorted(map(_source, value))
        return f"frozenset({{{', '.join(inner)}}})" if inner else "frozenset()"
    if isinstance(value, tuple):
        return _tuple([_source(each) for each in value])
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
