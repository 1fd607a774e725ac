"""Expanding words where not every variable is known, at a cost that no Dockerfile can make large.

The expansion itself is BuildKit's (`syntax.words.expand`); here it meets facts: a variable that is unknown makes the
word unknown, one of several makes it one of several. What was assumed on the way (the defaults of arguments that a
build may override) is carried along.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from dockfix.facts.model import Fact, Known, OneOf, Unknown
from dockfix.syntax.words import SubstitutionError, expand, variables

MAX_VALUE: Final = 64 * 1024
"""Characters; a longer value is unknown, so that variables that double each other cannot grow without bound."""

_MOST_COMBINATIONS: Final = 16
_MOST_ASSUMPTIONS: Final = 32
_MOST_PATTERN_WORK: Final = 50_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@=,+%~ \t-]*\Z")
_PATTERN: Final = re.compile(r"\$\{\w+[#%/]")


class Value(NamedTuple):
    """The value of a variable or word; None if it is certainly unset.

    `assumes` names the ARGs whose defaults the value rests on, of which at most 32 are kept.
    """

    fact: Fact[str] | None
    assumes: frozenset[str] = frozenset()


Lookup = Callable[[str], Value]

UNSET: Final = Value(None)


class _UndecidedError(Exception):
    """A variable that is not known was needed; `why` says why it is not."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def expand_value(word: str, lookup: Lookup, escape: str = "\\") -> Value:
    """A word after BuildKit's expansion. A word that BuildKit refuses, or that grows too large, is unknown."""
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
    limit = MAX_VALUE
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
        return Unknown(f"BuildKit refuses it: {error}")
    return Known(text) if len(text) <= MAX_VALUE else Unknown("the value is too long to follow")
