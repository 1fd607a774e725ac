"""Comments behind patterns in `.dockerignore`: found as Docker reads lines, moved without touching anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockfix.edit.text import apply_edits
from dockfix.project.ignore import parse_ignore
from dockfix.syntax.source import BOM
from dockfix_codemods.dockerignore_comment.edits import split_comments, trailing_comments
from tests.strategies import STEADY


@pytest.mark.parametrize(
    ("line", "pattern", "comment"),
    [
        ("uv.lock   # why", "uv.lock", "# why"),
        ("uv.lock\t#why", "uv.lock", "#why"),
        ("  a b # c # d  ", "a b", "# c # d"),
        ("!keep # it", "!keep", "# it"),
        (r"a\\ # b", r"a\\", "# b"),
        ("a#b # c", "a#b", "# c"),
        ("a\u00a0# c", "a", "# c"),
        (r"a\ #b # c", r"a\ #b", "# c"),
        ("a # é", "a", "# é"),
    ],
)
def test_a_candidate(line: str, pattern: str, comment: str) -> None:
    text = f"# top\n\n{line}\nnode_modules\n"
    (found,) = trailing_comments(text)
    assert (found.line, found.pattern, found.comment) == (3, pattern, comment)
    assert text[slice(*found.span)] == line.strip()
    assert text[slice(*found.written)] == pattern


@pytest.mark.parametrize(
    "line", ["# a # b", "a#b", "#", "  # a # b", "! # a", r"a\ #b", "", "a b", "\f# a", "x" * 65536 + " # a"]
)
def test_no_candidate(line: str) -> None:
    assert list(trailing_comments(f"{line}\n")) == []
    assert split_comments(f"{line}\n", 1) == ()


def test_docker_gives_up_on_a_long_line_and_what_follows() -> None:
    assert list(trailing_comments("x" * 65536 + "\na # b\n")) == []


@pytest.mark.parametrize(
    ("before", "line", "after"),
    [
        ("uv.lock   # why\n", 1, "# why\nuv.lock\n"),
        ("a\nuv.lock # why", 2, "a\n# why\nuv.lock"),
        ("a\r\nuv.lock # why  \r\nb\r\n", 2, "a\r\n# why\r\nuv.lock\r\nb\r\n"),
        ("a\r\nuv.lock # why", 2, "a\r\n# why\r\nuv.lock"),
        (f"{BOM}uv.lock # why\nb # c\n", 1, f"{BOM}# why\nuv.lock\nb # c\n"),
        ("a\n\t!b # c\t\n", 2, "a\n# c\n\t!b\n"),
        ("a\nb\n", 2, "a\nb\n"),
        ("a # b\n", 7, "a # b\n"),
    ],
)
def test_the_comment_moves_above(before: str, line: int, after: str) -> None:
    assert apply_edits(before, split_comments(before, line)) == after


_LINES = st.sampled_from(
    (
        "node_modules",
        "*.log",
        "!keep.log",
        "# comment",
        "",
        "  ",
        "uv.lock   # why",
        "\t!b  # c # d ",
        r"a\ #b",
        "a#b",
        "  # x",
    )
)


@settings(STEADY, max_examples=200)
@given(
    st.lists(_LINES, max_size=8),
    st.sampled_from(("\n", "\r\n")),
    st.booleans(),
    st.sampled_from(("", BOM)),
)
def test_patterns_are_the_same_without_the_comments(lines: list[str], newline: str, last: bool, bom: str) -> None:
    text = bom + newline.join(lines) + (newline if last else "")
    after, found = text, list(trailing_comments(text))
    for candidate in reversed(found):
        after = apply_edits(after, split_comments(after, candidate.line))
    assert list(trailing_comments(after)) == []
    texts = {candidate.line: candidate.pattern.removeprefix("!") for candidate in found}
    expected = [(texts.get(pattern.line, pattern.text), pattern.exclusion) for pattern in parse_ignore(text).patterns]
    assert [(pattern.text, pattern.exclusion) for pattern in parse_ignore(after).patterns] == expected
    assert after.count("\n") == text.count("\n") + len(found)
    assert not found or "\n" not in text or after.count("\r") == (after.count("\n") if newline == "\r\n" else 0)
    assert after.startswith(bom)
    assert after.endswith("\n") == text.endswith("\n")
