"""Expanding words where some variables are not known, at a bounded cost.

The expansion itself is BuildKit's (`syntax.words.expand`). Here variables are facts: an unknown variable makes the word
unknown, a variable with several possible values makes it one of several. A value also lists what it assumes (the
defaults of arguments that a build may override).
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Fact, Known, OneOf, Unknown
from dockfix.syntax.words import SubstitutionError, expand, variables

MAX_VALUE: Final = 64 * 1024
"""In characters; a longer value is unknown, so that variables that double each other cannot grow without bound."""

_MOST_ADDED: Final = 8 * 1024
"""How much longer than the word its value may be, so that variables that grow with each ENV do not take the square."""

_MOST_COMBINATIONS: Final = 16
_MOST_ASSUMPTIONS: Final = 32
_MOST_PATTERN_WORK: Final = 50_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@=,+%~ \t-]*\Z")
_PATTERN: Final = re.compile(r"\$\{\w+[#%/]")


class Value(Struct, frozen=True):
    """The value of a variable or word; None if it is certainly unset.

    `assumes` names the ARGs whose defaults the value depends on; at most 32 are kept.
    """

    fact: Fact[str] | None
    assumes: frozenset[str] = frozenset()


Lookup = Callable[[str], Value]

UNSET: Final = Value(None)


class _UndecidedError(Exception):
    """Raised when an unknown variable is needed; `why` says why it is unknown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def expand_value(word: str, lookup: Lookup, escape: str = "\\") -> Value:
    """A word after BuildKit's expansion. A word that BuildKit rejects, or that grows too large, is unknown."""
    if _PLAIN.match(word):
        return Value(Known(word) if len(word) <= MAX_VALUE else Unknown("the value is too long to follow"))
    if "$" not in word:
        return Value(_expanded(word, lambda _name: UNSET, escape, {}))
    names = variables(word, escape)
    assumes: frozenset[str] = frozenset()
    choices: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        value = lookup(name)
        assumes |= value.assumes
        if isinstance(value.fact, OneOf):
            choices[name] = value.fact.values
    if len(assumes) > _MOST_ASSUMPTIONS:
        assumes = frozenset(sorted(assumes)[:_MOST_ASSUMPTIONS])
    combinations = 1
    for values in choices.values():
        combinations *= len(values)
    if combinations > _MOST_COMBINATIONS:
        return Value(Unknown("its variables have too many possible values"), assumes)
    found: dict[str, None] = {}
    for combination in itertools.product(*choices.values()):
        fact = _expanded(word, lookup, escape, dict(zip(choices, combination, strict=True)))
        if not isinstance(fact, Known):
            return Value(fact, assumes)
        found[fact.value] = None
    texts = tuple(found)
    return Value(Known(texts[0]) if len(texts) == 1 else OneOf(texts), assumes)


def _expanded(word: str, lookup: Lookup, escape: str, chosen: dict[str, str]) -> Fact[str]:
    size = len(word)
    limit = min(MAX_VALUE, len(word) + _MOST_ADDED)
    if _PATTERN.search(word):
        # Matching a pattern costs up to the product of its length and the square of the value's.
        limit = len(word) + int((_MOST_PATTERN_WORK / max(1, len(word))) ** 0.5) * 4

    def text_of(name: str) -> str | None:
        nonlocal size
        text: str | None
        if name in chosen:
            text = chosen[name]
        else:
            fact = lookup(name).fact
            if fact is None:
                return None
            if not isinstance(fact, Known):
                why = fact.why if isinstance(fact, Unknown) else "it has several possible values"
                raise _UndecidedError(f"${name} is unknown: {why}" if not why.startswith("$") else why)
            text = fact.value
        size += len(text)
        if size > limit:
            raise _UndecidedError("the value is too long to follow")
        return text

    try:
        text = expand(word, text_of, escape).text
    except _UndecidedError as error:
        return Unknown(error.why)
    except SubstitutionError as error:
        return Unknown(f"BuildKit rejects it: {error}")
    return Known(text) if len(text) <= MAX_VALUE else Unknown("the value is too long to follow")


START: Final = -1
END: Final = 1 << 60
"""Positions before and after all others."""

_FLATTEN_EVERY: Final = 16


class Layer:
    """Variables with their history: the value of each before any position. A layer is based on another one as of the
    position `at`, by default its end."""

    def __init__(self, parent: Layer | None, at: int = END) -> None:
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self._parent = parent
        self._at = at
        self._positions: dict[str, list[int]] = {}
        self._values: dict[str, list[Value]] = {}
        if parent is not None and self.depth % _FLATTEN_EVERY == 0:
            # Long chains of stages would make every look-up walk all of them.
            for name in parent.names(at):
                self.set(START, name, parent.get(name, at))
            self._parent = None

    def set(self, position: int, name: str, value: Value) -> None:
        """Record a new value; positions only increase."""
        self._positions.setdefault(name, []).append(position)
        self._values.setdefault(name, []).append(value)

    def get(self, name: str, before: int) -> Value:
        """The value before a position."""
        layer: Layer | None = self
        while layer is not None:
            positions = layer._positions.get(name)
            if positions is not None and (index := bisect_left(positions, before)) > 0:
                return layer._values[name][index - 1]
            before, layer = layer._at, layer._parent
        return UNSET

    def names(self, before: int) -> Iterator[str]:
        """The names that were ever set before a position."""
        seen: set[str] = set()
        layer: Layer | None = self
        while layer is not None:
            for name, positions in layer._positions.items():
                if name not in seen and positions[0] < before:
                    seen.add(name)
                    yield name
            before, layer = layer._at, layer._parent


class View(Mapping[str, "Fact[str]"]):
    """A layer as it was before a position."""

    __slots__ = ("_before", "_layer")

    def __init__(self, layer: Layer, before: int) -> None:
        self._layer = layer
        self._before = before

    def __getitem__(self, name: str) -> Fact[str]:
        fact = self._layer.get(name, self._before).fact
        if fact is None:
            raise KeyError(name)
        return fact

    def __iter__(self) -> Iterator[str]:
        return self._layer.names(self._before)

    def __len__(self) -> int:
        return sum(1 for _ in self)
