"""Patterns of pgrep and grep match as POSIX says; Python's `re` agrees on all that is supported."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix_codemods.healthcheck_pgrep.patterns import parse_pattern


@given(st.text("ab.*+?|^$[]\\", min_size=1, max_size=8), st.text("ab.+[", max_size=10))
def test_a_parsed_pattern_matches_as_in_python(pattern: str, text: str) -> None:
    read = parse_pattern(pattern)
    if read is None:
        return
    try:
        expected = re.search(pattern, text) is not None
    except re.error:  # pragma: no cover - fails, with the pattern
        pytest.fail(f"{pattern!r} is parsed but is not a valid pattern in Python")
    assert read.found_in(text) is expected


@pytest.mark.parametrize(
    ("pattern", "hidden"),
    [
        ("apps.worker.main", "[a]pps.worker.main"),
        (".*worker", ".*[w]orker"),
        ("^python", "^[p]ython"),
        ("celery|redis", "[c]elery|[r]edis"),
        ("x*ab", "x*[a]b"),
        ("[w]orker", "[w][o]rker"),
        (".*", None),
        ("a|.", None),
    ],
)
def test_the_first_plain_character_is_put_in_brackets(pattern: str, hidden: str | None) -> None:
    read = parse_pattern(pattern)
    assert read is not None
    assert read.hidden() == hidden


@pytest.mark.parametrize("pattern", ["(a)", "a{2}", r"\bx", "[[:alpha:]]", "", "a" * 201, "a||b", "*a"])
def test_other_patterns_are_not_supported(pattern: str) -> None:
    assert parse_pattern(pattern) is None


def test_plus_and_bar_are_plain_in_a_basic_pattern() -> None:
    read = parse_pattern("a+|b", extended=False)
    assert read is not None
    assert read.found_in("xa+|by")
    assert not read.found_in("aab")


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    read = parse_pattern("a*" * 90 + "b")
    assert read is not None
    assert not read.found_in("a" * 5000)
