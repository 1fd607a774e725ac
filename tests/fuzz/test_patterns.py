"""No regular expression of dockfix backtracks catastrophically.

Each pattern gets texts that are made from it: what it repeats, many times, and then something that does not match. An
exponential or cubic pattern takes seconds for that, any other one less than a millisecond.
"""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import dockfix
import dockfix_codemods
from tests.fuzz.limits import TooSlow, limited

sre: Any = import_module("re._parser")
REPEATS: Final = 400
SECONDS: Final = 0.5
LETTERS: Final = "a0 \t-_./\\'\"$:{}()[]#=,;@%!&|<>*+?~`^\nA\u00e9"
OPTIONS: Final = {"VERBOSE": re.X, "MULTILINE": re.M, "IGNORECASE": re.I, "DOTALL": re.S, "ASCII": re.A}

Found = dict[tuple[str | bytes, int], str]


def patterns() -> Found:
    """Every pattern that a module keeps, or gives to a function of `re`, with its place."""
    found: Found = {}
    for package in (dockfix, dockfix_codemods):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.endswith("__main__"):
                module = import_module(each.name)
                found |= {(one.pattern, one.flags): each.name for one in kept(vars(module).values())}
                found |= dict.fromkeys(written(module), each.name)
    return found


def kept(values: Iterable[object]) -> Iterator[re.Pattern[Any]]:
    """The patterns among values, and in the tables among them."""
    for value in values:
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(value, Mapping):
            yield from kept([*value, *value.values()] if "__builtins__" not in value else ())
        elif isinstance(value, tuple | list | frozenset):
            yield from kept(value)


def written(module: ModuleType) -> Iterator[tuple[str | bytes, int]]:
    """The patterns that stand in calls such as `re.sub(...)`."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re")), [ast.Constant(str() | bytes() as pattern), *rest], keywords):
                names = [each for one in (*rest, *(word.value for word in keywords)) for each in ast.walk(one)]
                flags = [OPTIONS.get(each.attr, 0) for each in names if isinstance(each, ast.Attribute)]
                yield pattern, sum(set(flags))


class Sampler:
    """Makes a text that a pattern matches, and notes what it repeats and what is before that."""

    def __init__(self, pick: int) -> None:
        self.pick = pick
        self.groups: dict[int | None, str] = {}
        self.repeated: set[tuple[str, str]] = set()

    def text(self, parts: Any, before: str = "") -> str:
        """A text for a parsed pattern."""
        found = ""
        for kind, value in parts:
            found += self._one(str(kind), value, before + found)
        return found

    def _one(self, kind: str, value: Any, before: str) -> str:
        match kind:
            case "LITERAL":
                return chr(int(value))
            case "NOT_LITERAL" | "ANY" | "IN":
                letters = [each for each in LETTERS if matches(kind, value, each)]
                letters += [chr(low) for name, low in value if str(name) == "LITERAL"] if kind == "IN" else []
                return letters[self.pick % len(letters)] if letters else "a"
            case "SUBPATTERN":
                self.groups[value[0]] = self.text(value[3], before)
                return self.groups[value[0]]
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = value
                text: str = self.text(body, before)
                if most > 100:
                    self.repeated.add((before, text))
                return text * max(int(least), self.pick % 2)
            case "BRANCH":
                texts = [self.text(each, before) for each in value[1]]
                return texts[self.pick % len(texts)]
            case "ATOMIC_GROUP":
                return self.text(value, before)
            case "GROUPREF":
                return self.groups.get(value, "")
            case "GROUPREF_EXISTS":
                return self.text(value[1], before)
            case "ASSERT" if value[0] > 0:
                self.text(value[1], before)
        return ""


def matches(kind: str, value: Any, letter: str) -> bool:
    """Whether a set of letters, as it was parsed, has a letter."""
    one = sre.SubPattern(sre.State(), [(getattr(sre, kind), value)])
    return import_module("re._compiler").compile(one, 0).match(letter) is not None


def slow(pattern: str | bytes, flags: int) -> str | None:
    """A text for which a pattern takes too long, as its parts; None if there is none."""
    compiled: re.Pattern[Any] = re.compile(pattern, flags)
    tree = sre.parse(pattern if isinstance(pattern, str) else pattern.decode("latin-1"), flags & ~re.LOCALE)
    repeated: set[tuple[str, str]] = set()
    for pick in range(4):
        sampler = Sampler(pick)
        sampler.text(tree)
        repeated |= sampler.repeated
    for before, body in sorted(repeated):
        for end in ("", "\x01", "\n\x01"):
            text = before + body * REPEATS + end
            try:
                with limited(SECONDS):
                    compiled.search(text if isinstance(pattern, str) else text.encode("latin-1", "replace"))
            except TooSlow:
                return f"{before!r} + {body!r} * {REPEATS} + {end!r}"
    return None


def test_no_pattern_backtracks_catastrophically() -> None:
    found = patterns()
    assert len(found) > 400
    assert [f"{place}: {key[0]!r}: {text}" for key, place in found.items() if (text := slow(*key))] == []


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(a|a)*b", r"(\w+\s*)+;", r"x(.*)*y", r"\s*\s*\s*\s*\s*x"])
def test_a_pattern_that_backtracks_is_found(pattern: str) -> None:
    assert slow(pattern, 0) is not None
