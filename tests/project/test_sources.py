"""What Dockerfiles take from their context, and what an ignore file would exclude."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.facts.model import Known
from dockfix.project.context import Context
from dockfix.project.ignore import parse_ignore
from dockfix.project.sources import context_uses, excluded_path
from dockfix.project.target import target_from_text

DOCKERFILE = """\
ARG NAME=a
FROM debian:12 AS base
ARG NAME
COPY ${NAME}.txt b/ /x/
COPY --from=debian:12 /etc/passwd /p
COPY <<EOF /heredoc
text
EOF
ADD https://example.com/c.tar git@example.com:d.git local.tar /y/
RUN --mount=type=bind,source=e,target=/e --mount=type=cache,target=/c --mount=type=bind,from=base,target=/b true
RUN --mount=target=/all true
"""


def test_what_comes_from_the_context() -> None:
    uses = context_uses(target_from_text(DOCKERFILE))
    found = [(use.instruction.name, use.source.value) for use in uses if isinstance(use.source, Known)]
    assert found == [("COPY", "a.txt"), ("COPY", "b/"), ("ADD", "local.tar"), ("RUN", "e"), ("RUN", ".")]


@pytest.mark.parametrize(
    ("source", "pattern", "lost"),
    [
        ("a.txt", "a.txt", "a.txt"),
        ("/a.txt", "*.txt", "a.txt"),
        ("missing", "missing", "missing"),
        ("docs/guide/", "docs", "docs/guide"),
        ("docs", "docs/guide", None),
        (".", "*", None),
        ("*.txt", "b.txt", "b.txt"),
        ("*.txt", "c.txt", None),
        ("already", "already", None),
    ],
)
def test_what_an_ignore_file_would_take_away(tmp_path: Path, source: str, pattern: str, lost: str | None) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("")
    context = Context(tmp_path, tmp_path, parse_ignore("already\n"))
    assert excluded_path(context, source, parse_ignore(f"already\n{pattern}\n")) == lost
