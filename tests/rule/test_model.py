"""Edits: how they are applied, and when two sets conflict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.rule import Category, Codemod, Edit, EditError, Fix, Safety, Severity, apply_edits, conflict
from dockfix.syntax.source import Span


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([], "abcdef"),
        ([Edit(0, 1, "")], "bcdef"),
        ([Edit(6, 6, "x")], "abcdefx"),
        ([Edit(4, 5, "y"), Edit(1, 2, "xx")], "axxcdyf"),
        ([Edit(1, 2, "x"), Edit(2, 3, "y")], "axydef"),
        ([Edit(2, 2, "1"), Edit(2, 2, "0")], "ab10cdef"),
        ([Edit(2, 4, "-"), Edit(2, 2, "+")], "ab+-ef"),
        ([Edit(2, 4, "-"), Edit(4, 4, "+")], "ab-+ef"),
    ],
)
def test_apply_edits(edits: list[Edit], expected: str) -> None:
    assert apply_edits("abcdef", edits) == expected


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(0, 2, ""), Edit(1, 3, "")],
        [Edit(0, 4, ""), Edit(2, 2, "x")],
        [Edit(0, 7, "")],
        [Edit(-1, 0, "")],
        [Edit(3, 2, "")],
    ],
)
def test_edits_that_do_not_fit_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(EditError):
        apply_edits("abcdef", edits)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Edit(0, 2, ""), Edit(1, 3, ""), True),
        (Edit(0, 2, ""), Edit(2, 3, ""), True),
        (Edit(0, 2, ""), Edit(3, 4, ""), False),
        (Edit(2, 2, "x"), Edit(2, 2, "y"), True),
        (Edit(2, 2, "x"), Edit(0, 2, ""), True),
        (Edit(0, 9, ""), Edit(4, 5, ""), True),
    ],
)
def test_conflict(first: Edit, second: Edit, expected: bool) -> None:
    assert conflict([first], [second]) is expected
    assert conflict([second], [first]) is expected
    assert conflict([Edit(20, 21, ""), first], [Edit(30, 31, ""), second]) is expected
    assert not conflict([first], [])


@given(st.text(max_size=20), st.data())
def test_sets_without_conflict_can_be_applied_one_after_the_other(text: str, data: st.DataObject) -> None:
    def edit() -> Edit:
        start = data.draw(st.integers(0, len(text)))
        return Edit(start, data.draw(st.integers(start, len(text))), data.draw(st.text("xy", max_size=3)))

    low, high = sorted((edit(), edit()))
    if not conflict([low], [high]):
        once = apply_edits(text, [high, low])
        assert once == apply_edits(apply_edits(text, [high]), [low])


def test_a_fix_has_edits_and_an_unsafe_one_says_what_to_look_at() -> None:
    edit = (Edit(0, 1, ""),)
    with pytest.raises(ValueError, match="needs edits"):
        Fix(Span(0, 1), "m", (), Safety.SAFE, "why")
    with pytest.raises(ValueError, match="review"):
        Fix(Span(0, 1), "m", edit, Safety.UNSAFE, "why")
    assert Fix(Span(0, 1), "m", edit, Safety.UNSAFE, "why", "this").review == "this"


@pytest.mark.parametrize("name", ["", "A", "a_b", "a--b", "-a", "1a", "a\n"])
def test_a_codemod_has_a_kebab_name(name: str) -> None:
    with pytest.raises(ValueError, match="kebab"):
        Codemod(name, "T", Severity.INFO, Category.STYLE, frozenset(), lambda _: iter(()), "0.1.0")


def test_a_codemod_is_run_only_where_a_trigger_stands() -> None:
    def made(*triggers: str) -> Codemod:
        return Codemod("a", "T", Severity.INFO, Category.STYLE, frozenset(), lambda _: iter(()), "0", triggers)

    assert made().could_apply("from a")
    assert made("x", "from").could_apply("from a")
    assert not made("x").could_apply("from a")
