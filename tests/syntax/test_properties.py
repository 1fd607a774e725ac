"""Properties of every input: nothing raises, nothing is lost, and BuildKit's parser gives the same answer."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dockfix.syntax.parser import parse
from dockfix.syntax.source import encode
from dockfix.syntax.words import SubstitutionError, expand, heredoc_marks, variables
from tests.strategies import STEADY, dockerfiles, soup
from tests.syntax.invariants import check_tree, maps_back
from tests.syntax.oracle import difference


@settings(STEADY, max_examples=80)
@given(st.binary(max_size=200))
def test_any_bytes_survive(data: bytes) -> None:
    check_tree(data)


@settings(STEADY, max_examples=200)
@given(soup())
def test_soup_survives(data: bytes) -> None:
    check_tree(data)


@settings(STEADY, max_examples=80)
@given(dockerfiles())
def test_generated_dockerfiles_are_valid_and_survive(text: str) -> None:
    check_tree(encode(text))
    assert parse(text).problems == ()


@settings(STEADY, max_examples=200)
@given(dockerfiles())
def test_generated_dockerfiles_agree_with_the_oracle(text: str) -> None:
    assert difference(encode(text)) == ""


@settings(STEADY, max_examples=150)
@given(soup())
def test_soup_agrees_with_the_oracle(data: bytes) -> None:
    assert difference(b"FROM a\n" + data) == ""


_WORDS = st.lists(
    st.sampled_from(
        (
            "$",
            "${",
            "}",
            "A",
            "${A",
            "$A",
            ":-",
            "-",
            "+",
            "?",
            "#",
            "%",
            "/",
            "//",
            "*",
            "\\",
            '"',
            "'",
            " ",
            "<<",
            "é",
        )
    ),
    max_size=14,
).map("".join)


@settings(STEADY, max_examples=300)
@given(_WORDS, st.sampled_from(("\\", "`")), st.one_of(st.none(), st.text(max_size=20)))
def test_expansion_raises_only_its_own_error(word: str, escape: str, value: str | None) -> None:
    variables(word, escape)
    try:
        heredoc_marks(word)
        expand(word, lambda _name: value, escape)
    except SubstitutionError:
        return


@settings(STEADY, max_examples=200)
@given(st.text(alphabet="ab \\\n", max_size=40), st.integers(0, 45), st.integers(0, 45))
def test_mapped_text_maps_both_ways(text: str, one: int, other: int) -> None:
    logical = parse(f"RUN {text}").instructions[0].logical
    start, end = sorted((min(one, len(logical.text)), min(other, len(logical.text))))
    part = logical.slice(start, end)
    assert part.text == logical.text[start:end]
    assert maps_back(part, f"RUN {text}")
    for offset in range(start, end):
        assert logical.offset(logical.start(offset)) == offset
    if start < end:
        span = logical.span(start, end)
        assert (span.end - span.start == end - start) == logical.contiguous(start, end)
