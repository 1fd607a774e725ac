"""What a Dockerfile requires of its builder, and which frontend `# syntax=` selects."""

from __future__ import annotations

import pytest

from dockfix.facts.frontend import frontend_is, mounts_supported, uses_buildkit
from dockfix.syntax.parser import parse


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("FROM a\nRUN b\n", False),
        ("# syntax=docker/dockerfile:1\nFROM a\n", True),
        ("FROM a\nRUN <<EOF\nb\nEOF\n", True),
        ("FROM a\nCOPY --link b c\n", True),
        ("FROM a\nCOPY --chown=1 b c\n", False),
        ("FROM a\nRUN --mount=type=ssh b\n", True),
    ],
)
def test_what_only_buildkit_builds(text: str, needs: bool) -> None:
    assert uses_buildkit(parse(text)) is needs


@pytest.mark.parametrize(
    ("syntax", "known"),
    [(None, True), ("docker/dockerfile:1", True), ("docker/dockerfile:1.2.1", True), ("docker/dockerfile:1.1", False)],
)
def test_frontends(syntax: str | None, known: bool) -> None:
    assert mounts_supported(syntax) is known


@pytest.mark.parametrize(
    ("syntax", "new"),
    [
        ("docker/dockerfile:1", True),
        ("docker.io/docker/dockerfile:1.6", True),
        ("docker/dockerfile:1.7-labs", True),
        ("docker/dockerfile:1-labs", True),
        ("docker/dockerfile", True),
        ("docker/dockerfile:2.0", True),
        ("docker/dockerfile:1.5.2", False),
        ("docker/dockerfile:1.0-experimental", False),
        ("example.org/frontend:9", False),
        ("", False),
    ],
)
def test_the_version_of_a_frontend(syntax: str, new: bool) -> None:
    assert frontend_is(syntax, 1, 6) is new
