"""The tokens of a script, for code that reads loops and branches itself."""

from __future__ import annotations

import pytest

from dockfix.syntax.shell import tokens


def spelled(text: str) -> list[str]:
    return [text[token.start : token.end] for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for i in 1 2; do a && break; done", ["for", "i", "in", "1 2", ";", "do", "a", "&&", "break", ";", "done"]),
        ("if a b; then (c); fi", ["if", "a b", ";", "then", "(", "c", ")", ";", "fi"]),
        ("until x # y\ndo z\ndone", ["until", "x", "\n", "do", "z", "\n", "done"]),
        ("echo $(for i in 1; do a; done)", ["echo $(for i in 1; do a; done)"]),
    ],
)
def test_each_piece_of_the_outermost_level_is_a_token(text: str, expected: list[str]) -> None:
    assert spelled(text) == expected


def test_reserved_words_and_operators_have_a_text_and_commands_have_words() -> None:
    found = tokens("! A=1 b >c; done=1")
    assert [token.text for token in found] == ["", ";", ""]
    assert found[0].negated
    assert found[0].redirected
    assert [word.text for word in found[0].words] == ["b"]
    assert [each.name for each in found[2].assignments] == ["done"]


@pytest.mark.parametrize("text", ["for i in 1; do", "echo 'a", "a;; b", "$(" * 100])
def test_invalid_text_has_no_tokens(text: str) -> None:
    assert tokens(text) == ()
