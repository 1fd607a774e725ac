"""Where COPY and ADD write."""

from __future__ import annotations

import pytest

from dockfix.facts.copies import Area, copy_destination
from dockfix.facts.model import Known
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Copy


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("a.txt /app/", Area("/app/a.txt", False)),
        ("a.txt .", Area("/work/a.txt", False)),
        ("a.txt b.sh ./sub/", Area("/work/sub/a.txt", False)),
        ("a.txt /app", Area("/app", True)),
        ("a.txt /app/b.txt", Area("/app/b.txt", False)),
        ("src /app/", Area("/app", True)),
        ("src/ x", Area("/work/x", True)),
        (". /app", Area("/app", True)),
        ("*.txt /app/", Area("/app", True)),
        ("--chown=1:2 a.txt /app/", Area("/app/a.txt", False, "1:2")),
        ("--chmod=755 a.txt /", Area("/a.txt", False, None, True)),
        ("a.txt $DIR/", Area("/d/a.txt", False)),
    ],
)
def test_the_destination_of_a_source(copy: str, expected: Area) -> None:
    target = target_from_text(f"FROM debian:12\nENV DIR=/d\nWORKDIR /work\nCOPY {copy}\n")
    node = target.dockerfile.instructions[-1]
    assert isinstance(node, Copy)
    state = target.facts.state(node)
    assert isinstance(state.workdir, Known)
    assert copy_destination(node, node.sources[0], state, lambda _: None) == expected


def test_a_known_context_distinguishes_folders_from_files() -> None:
    target = target_from_text("FROM debian:12\nCOPY run /app/\n")
    node = target.dockerfile.instructions[-1]
    assert isinstance(node, Copy)
    state = target.facts.state(node)
    assert copy_destination(node, node.sources[0], state, lambda _: False) == Area("/app/run", False)
    assert copy_destination(node, node.sources[0], state, lambda _: True) == Area("/app", True)
