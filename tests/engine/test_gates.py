"""The gates, each by itself."""

from __future__ import annotations

import pytest

from dockfix.engine.gates import check_gates, check_untouched
from dockfix.rule import Edit, Effect, apply_edits
from dockfix.syntax.parser import parse
from tests.rule.samples import codemod

ANYTHING = codemod(lambda _: iter(()))
NOTHING = codemod(lambda _: iter(()), effects=frozenset())


def gates(before: str, after: str) -> list[str]:
    return check_gates(ANYTHING, parse(before), parse(after))


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("FROM a\nRUN b\n", "FROM a\nRUNN b\n", "does not parse"),
        ("FROM a\nRUN b\n", "RUN b\n", "does not parse"),
        ("FROM a\nRUN b && c\n", "FROM a\nRUN b &&\n", "shell text no longer parses: b &&"),
        ("FROM a\nCMD b && c\n", "FROM a\nCMD b &&\n", "shell text no longer parses: b &&"),
        ("FROM a\nHEALTHCHECK CMD b || c\n", "FROM a\nHEALTHCHECK CMD b ||\n", "shell text no longer parses: b ||"),
        ("FROM a\nONBUILD RUN b && c\n", "FROM a\nONBUILD RUN b &&\n", "shell text no longer parses: b &&"),
        ("FROM a\nRUN <<E\nb\nE\n", "FROM a\nRUN <<E\nif b\nE\n", "shell text no longer parses: if b"),
        ("FROM a\n# x\nRUN b\n", "FROM a\nRUN b\n", "a comment was lost: # x"),
        ("FROM a\nRUN b \\\n# x\n c\n", "FROM a\nRUN b \\\n c\n", "a comment was lost: # x"),
        ("FROM a\n# x\n# x\nRUN b\n", "FROM a\n# x\nRUN b\n", "a comment was lost: # x"),
        ("# syntax=a\nFROM a\n", "# syntax=b\nFROM a\n", "directives at the top changed"),
        ("# syntax=a\nFROM a\n", "ARG b\n# syntax=a\nFROM a\n", "directives at the top changed"),
        (
            "FROM a\n# hadolint ignore=DL1\nRUN b\nCOPY c d\n",
            "FROM a\n# hadolint ignore=DL1\nCOPY c d\nRUN b\n",
            "pragma was separated from its RUN",
        ),
        (
            "FROM a\n# hadolint ignore=DL1\nRUN b\nRUN c\n",
            "FROM a\n# hadolint ignore=DL1\nRUN c\nRUN b\n",
            "pragma was separated from its instruction",
        ),
        (
            "FROM a\n# dockfix: ignore=x\nRUN b\n",
            "FROM a\n# dockfix: ignore=x\n\nRUN b\n",
            "pragma was separated from its RUN",
        ),
    ],
)
def test_what_must_not_happen(before: str, after: str, complaint: str) -> None:
    found = gates(before, after)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM a\nRUN b\n", "FROM a\nRUN c\n"),
        ("FROM a\nRUN b &&\n", "FROM a\nRUN c &&\n"),
        ("FROM a\nRUN #!/bin/x\n", "FROM a\nRUN #!/bin/x\n"),
        ("FROM a\nRUN <<E\n#!/usr/bin/python\nx\nE\n", "FROM a\nRUN <<E\n#!/usr/bin/python\nif (x:\nE\n"),
        ("FROM a\n# x\nRUN b\n", "FROM a\nRUN c \\\n# x\n b\n"),
        ("FROM a\n# hadolint ignore=DL1\nRUN b\nRUN b\n", "FROM a\n# hadolint ignore=DL1\nRUN c\nRUN b\n"),
        ("FROM a\n# hadolint ignore=DL1\nCOPY b c d/\n", "FROM a\n# hadolint ignore=DL1\nCOPY b d/\nCOPY c d/\n"),
    ],
)
def test_what_may_happen(before: str, after: str) -> None:
    assert gates(before, after) == []


def test_what_is_not_declared_must_not_change() -> None:
    before, after = parse("FROM a\nRUN b\nUSER c\n"), parse("FROM a\nRUN d\nUSER e\n")
    assert check_gates(NOTHING, before, after) == ["the change has undeclared effects: commands, users"]
    users = codemod(lambda _: iter(()), effects=frozenset({Effect.USERS}))
    assert check_gates(users, before, after) == ["the change has undeclared effects: commands"]
    assert check_gates(ANYTHING, before, after) == []


def test_bytes_outside_the_edits() -> None:
    edits = [Edit(5, 6, "xyz"), Edit(2, 2, "-"), Edit(2, 3, "")]
    before = "abcdefgh"
    after = apply_edits(before, edits)
    assert check_untouched(before, after, edits) == []
    assert check_untouched(before, "X" + after[1:], edits) == ["text before offset 2 changed outside the edits"]
    assert check_untouched(before, after + "i", edits) == ["text after the last edit changed"]
    assert check_untouched(before, before, edits) != []
