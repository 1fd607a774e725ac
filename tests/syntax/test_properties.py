"""Properties of every input: nothing raises, nothing is lost, and BuildKit's parser gives the same answer."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import Mapped, Span, decode, encode
from dockfix.syntax.tree import Dockerfile, Instruction, Onbuild, Run
from dockfix.syntax.words import SubstitutionError, expand, heredoc_marks, variables
from tests.strategies import STEADY, dockerfiles, soup
from tests.syntax.oracle import difference


def _lines(tree: Dockerfile) -> list[Span]:
    """The whole lines of each node, in order."""
    found = []
    for node in tree.nodes:
        if isinstance(node, Instruction):
            found.append(node.lines)
        else:
            start = tree.positions.start(node.line)
            end = tree.text.find("\n", start) + 1 or len(tree.text)
            assert start <= node.span.start <= node.span.end <= end
            found.append(Span(start, end))
    return found


def _maps_back(mapped: Mapped, text: str) -> bool:
    return "".join(text[start:end] for start, end in mapped.pieces) == mapped.text


def _holds(data: bytes) -> None:
    text = decode(data)
    assert encode(text) == data
    tree = parse(text)
    at = 0
    for span in _lines(tree):
        assert span.start == at
        assert span.end > at
        at = span.end
    assert at == len(text)
    to_json(tree, trivia=True)
    for node in tree.instructions:
        assert _maps_back(node.logical, text)
        assert _maps_back(node.text, text)
        assert node.lines.contains(node.span) or node.span.start == node.span.end
        tree.above(node)
        inner = node.child if isinstance(node, Onbuild) else node
        if isinstance(inner, Run):
            assert inner.script is None or _maps_back(inner.script, text)
            for mount in inner.mounts:
                for option in mount.options:
                    assert option.span is None or node.span.contains(option.span)
        for heredoc in node.heredocs:
            assert text[heredoc.body.start : heredoc.body.end] == heredoc.content
            assert text[heredoc.terminator.start : heredoc.terminator.end].lstrip("\t") == heredoc.name.lstrip("\t")


@settings(STEADY, max_examples=80)
@given(st.binary(max_size=200))
def test_any_bytes_survive(data: bytes) -> None:
    _holds(data)


@settings(STEADY, max_examples=200)
@given(soup())
def test_soup_survives(data: bytes) -> None:
    _holds(data)


@settings(STEADY, max_examples=80)
@given(dockerfiles())
def test_generated_dockerfiles_are_valid_and_survive(text: str) -> None:
    _holds(encode(text))
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
    assert _maps_back(part, f"RUN {text}")
    for offset in range(start, end):
        assert logical.offset(logical.start(offset)) == offset
    if start < end:
        span = logical.span(start, end)
        assert (span.end - span.start == end - start) == logical.contiguous(start, end)
