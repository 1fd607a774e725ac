"""In which part of a YAML text an edit is checked."""

from __future__ import annotations

import pytest

from dockfix.edit.text import Edit
from dockfix.edit.yaml import set_entry
from dockfix.edit.yaml_part import part_of
from dockfix.facts.model import Refused
from dockfix.project.yaml_tree import read_tree

TEXT = "services:\n  a:\n    build: .\n  # of b\n  b:\n    image: x  # c\n    labels: {d: e}\nvolumes:\n  v:\n"


def part(text: str, path: tuple[str, ...], at: str, new: str) -> tuple[str, str] | None:
    start = text.index(at)
    return part_of(read_tree(text), [Edit(start, start + len(at), new)], path)


def test_the_part_is_the_entry_of_the_path() -> None:
    before = "services:\n  b:\n    image: x  # c\n    labels: {d: e}\n"
    assert part(TEXT, ("services", "b", "image"), "x ", "y ") == (before, before.replace("x ", "y "))
    assert part(TEXT, ("services", "a", "build"), "build: .", "build: c") == (
        "services:\n  a:\n    build: .\n  # of b\n",
        "services:\n  a:\n    build: c\n  # of b\n",
    )


@pytest.mark.parametrize(
    ("text", "path", "at", "new"),
    [
        pytest.param(TEXT, ("services", "b", "image"), "build: .", "build: c", id="an edit of another entry"),
        pytest.param(TEXT, ("services", "c", "image"), "x ", "y ", id="an entry that is not there"),
        pytest.param(TEXT, ("services",), "x ", "y ", id="the first level"),
        pytest.param(TEXT, ("services", "b", "image"), "labels: {d: e}", "labels: {}\n  f: {}", id="a new entry"),
        pytest.param(TEXT, ("services", "b", "image"), "labels: {d: e}", "labels: {}\ng: {}", id="a new first level"),
        pytest.param("a:\n  b: &c\n    d: e\n  f: *c\n", ("a", "b", "d"), "e", "g", id="an anchor"),
        pytest.param("a:\n  f: &c x\n  b:\n    d: e\n    h: *c\n", ("a", "b", "d"), "e", "g", id="an alias"),
        pytest.param("a: {b: {d: e}}\n", ("a", "b", "d"), "e", "g", id="flow style"),
        pytest.param('a:\n  b:\n    d: "e\n f"\n', ("a", "b", "d"), '"e', '"g', id="a line that is less deep"),
        pytest.param("a:\n  b:\n    d: e\n...\n", ("a", "b", "d"), "e", "g", id="the end of the document"),
    ],
)
def test_the_whole_text_is_checked(text: str, path: tuple[str, ...], at: str, new: str) -> None:
    assert part(text, path, at, new) is None


def test_a_part_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockfix.edit.yaml_editor.Editor._key", lambda *_, **__: "wrong")
    with pytest.raises(Refused, match="would change too"):
        set_entry(TEXT, ("services", "a", "image"), "y")
