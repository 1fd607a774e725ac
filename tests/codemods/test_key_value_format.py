"""The values of `key-value-format`: what it writes after `=` has the value of today, for any text and any variables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dockfix.syntax.words import Lookup, SubstitutionError, expand, split_quoted, template
from dockfix_codemods.key_value_format.spelling import applied, respelled

VALUES = st.text(alphabet="ab $X{}:-\"'\\`\t=<#é", min_size=1, max_size=14).map(str.strip).filter(bool)
LOOKUPS: list[Lookup] = [lambda _name: None, {"X": ""}.get, {"X": "x y", "a": "\\"}.get, {"X": "$a'\"", "b": "b"}.get]


@given(VALUES, st.sampled_from("\\`"))
def test_the_value_stays_the_same(value: str, escape: str) -> None:
    changes = respelled(value, escape)
    if changes is None:
        return
    new = applied(value, changes)
    assert [piece.text for piece in split_quoted(f"k={new}", escape)] == [f"k={new}"]
    for lookup in LOOKUPS:
        try:
            before = expand(value, lookup, escape).text
        except SubstitutionError:
            continue
        assert expand(new, lookup, escape).text == before


@given(st.text(alphabet="ab -=.:/,", min_size=1, max_size=20).map(str.strip).filter(bool))
def test_plain_words_are_always_respelled(value: str) -> None:
    assert respelled(value, "\\") is not None


def test_a_template_tells_an_expansion_from_its_text() -> None:
    assert template(r"\$X") == ("$X",)
    assert template("a$X'b'") == template('a$X"b"') == ("a", "$X", "b")
    assert template('$X"b"') != template("$Xb")
    assert template("${X:-'a b'}$") == ("", "${X:-'a b'}", "$")
