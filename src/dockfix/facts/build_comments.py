"""Build commands in comments: `# Build: docker build -t org/base:latest docker/base`.

What people write above a Dockerfile on how to build it is the only trace of many images that a project makes itself.
Nothing is executed; a command counts as far as it can be read.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.syntax.tree import Comment, Dockerfile, Instruction

__all__ = ["BuildComment", "build_comments"]

_WITH_VALUE: Final = frozenset(
    (
        "--add-host", "--annotation", "--attest", "--build-arg", "--build-context", "--builder", "--cache-from",
        "--cache-to", "--file", "-f", "--iidfile", "--label", "--metadata-file", "--network", "--no-cache-filter", "-o",
        "--output", "--platform", "--progress", "--provenance", "--sbom", "--secret", "--shm-size", "--ssh", "--tag",
        "-t", "--target", "--ulimit",
    )
)  # fmt: skip
"""Options of `docker build` that take a value (https://docs.docker.com/reference/cli/docker/buildx/build/)."""
_HEADS: Final = (("docker", "build"), ("docker", "buildx", "build"), ("docker", "image", "build"), ("podman", "build"))


@dataclass(frozen=True, slots=True)
class BuildComment:
    """A build command in a comment: the images that it names, the command, and its line (from 1)."""

    tags: tuple[str, ...]
    command: str
    line: int


def build_comments(dockerfile: Dockerfile) -> Iterator[BuildComment]:
    """The commands that build this file, as the comments above its first instruction give them, with `-t`."""
    text, line = "", 0
    for node in dockerfile.nodes:
        if isinstance(node, Instruction):
            break
        if not isinstance(node, Comment):
            text = ""
            continue
        piece = node.text.lstrip("#").strip()
        line = line if text else node.line
        text += piece
        if text.endswith("\\"):
            text = text[:-1]
            continue
        found = _command(text)
        if found is not None:
            yield BuildComment(*found, line)
        text = ""


def _command(text: str) -> tuple[tuple[str, ...], str] | None:
    """The tags and the text of the build command in a line of prose, up to its context."""
    try:
        words = shlex.split(text.replace("`", " "))
    except ValueError:
        return None
    for at in range(len(words)):
        for head in _HEADS:
            if tuple(words[at : at + len(head)]) == head:
                return _read(words[at:], len(head))
    return None


def _read(words: list[str], at: int) -> tuple[tuple[str, ...], str] | None:
    """Options and the context, in any order, up to the first word that is neither."""
    tags: list[str] = []
    context = end = 0
    while at < len(words):
        name, equals, value = words[at].partition("=")
        if name.startswith("-") and name != "-":
            if not equals and name in _WITH_VALUE:
                at += 1
                value = words[at] if at < len(words) else ""
            if name in ("-t", "--tag"):
                tags.append(value)
        elif context:
            break
        else:
            context = at
        at += 1
        end = at
    return (tuple(tags), shlex.join(words[:end])) if tags and context else None
