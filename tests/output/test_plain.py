from __future__ import annotations

import sys
import unicodedata

import pytest

from dockfix.output.plain import Style, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 \u4e2d", "caf\u00e9 \u4e2d"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("\x9b31m", "\\x9b31m"),
        ("\udc80", "\\x80"),
        ("\ud800", "\\ud800"),
        ("user\u202e\u2066", "user\\u202e\\u2066"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_nothing_acts_on_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_every_control_and_format_character_is_escaped() -> None:
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    characters = [each for each in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(each) in kinds]
    assert [each for each in characters if printable(each) == each] == []


def test_kept_characters_stand() -> None:
    assert printable("a\tb\n", keep="\t") == "a\tb\\n"


def test_style_is_plain_without_colour() -> None:
    assert Style(colour=False)("error", "x") == "x"
    assert Style(colour=True)("error", "x") == "\x1b[31;1mx\x1b[0m"
