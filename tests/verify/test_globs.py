"""Paths match as in `.gitignore`, where everything in an ignored folder is ignored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.project.gitignore import GitIgnore
from dockfix.verify.globs import Globs

PATTERN = st.text(st.sampled_from("ab/*?[]!\\.-"), max_size=8)
PATH = st.lists(st.text(st.sampled_from("ab!.-]"), min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(st.lists(PATTERN, max_size=3), st.lists(PATH, min_size=1, max_size=3))
def test_a_path_matches_if_it_or_a_folder_above_it_does(patterns: list[str], paths: list[str]) -> None:
    globs, plain = Globs(patterns), GitIgnore(patterns)
    for path in paths:
        expected = plain.ignores_below(path[1:]) or bool(plain.verdict(path[1:]))
        assert globs.matches(path) == expected


@pytest.mark.parametrize(
    ("pattern", "path"), [("/a/**", "/a"), ("/a", "/b/a"), ("a/b", "/x/a/b"), ("/a/*.x", "/a/b/c.x")]
)
def test_what_does_not_match(pattern: str, path: str) -> None:
    assert not Globs([pattern]).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("/a", "/a/b/c"), ("/[a]b", "/ab"), ("\\*x", "/*x"), ("[!a]", "/b"), ("**/c/**", "/a/b/c/d"), ("a?c", "/abc")],
)
def test_what_matches(pattern: str, path: str) -> None:
    assert Globs([pattern]).matches(path)


@pytest.mark.parametrize("path", ["/", "/a"])
def test_no_patterns_match_nothing(path: str) -> None:
    assert not Globs([]).matches(path)
