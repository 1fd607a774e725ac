"""Build commands in comments: `# Build: docker build -t org/base:latest docker/base`.

For many images of a project, a comment at the top of the Dockerfile is the only place that says how to build them.
Nothing is executed; only the options and the context of the command are read.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from dockfix.syntax.tree import Comment, Dockerfile, Instruction

_WITH_VALUE: Final = frozenset(
    (
        "--add-host", "--annotation", "--attest", "--build-arg", "--build-context", "--builder", "--cache-from",
        "--cache-to", "--file", "-f", "--iidfile", "--label", "--metadata-file", "--network", "--no-cache-filter", "-o",
        "--output", "--platform", "--progress", "--provenance", "--sbom", "--secret", "--shm-size", "--ssh", "--tag",
        "-t", "--target", "--ulimit",
    )
)  # fmt: skip
"""Options of `docker build` that take a value (https://docs.docker.com/reference/cli/docker/buildx/build/)."""
_IRRELEVANT: Final = frozenset(
    (
        "--annotation", "--attest", "--builder", "--cache-from", "--cache-to", "--debug", "-D", "--force-rm",
        "--iidfile", "--load", "--metadata-file", "--no-cache", "--no-cache-filter", "-o", "--output", "--progress",
        "--provenance", "--pull", "--push", "-q", "--quiet", "--rm", "--sbom",
    )
)  # fmt: skip
"""Options that do not change how the stages of a Dockerfile are built."""
_BUILD_COMMANDS: Final = (
    ("docker", "build"),
    ("docker", "buildx", "build"),
    ("docker", "image", "build"),
    ("podman", "build"),
)


class BuildComment(Struct, frozen=True):
    """A build command in a comment: the tags of the image, the command, and its line (from 1)."""

    tags: tuple[str, ...]
    command: str
    line: int


class BuildCommand(Struct, frozen=True):
    """The parts of a build command.

    `file` and `target` are empty if they are not given. An argument without a value, or with a value from a variable,
    is `None`. `options` are the names of all other options that may change the image.
    """

    context: str
    file: str
    target: str
    args: Mapping[str, str | None]
    options: tuple[str, ...]


def build_comments(dockerfile: Dockerfile) -> Iterator[BuildComment]:
    """The build commands with `-t` in the comments above the first instruction."""
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
        found = _command_in(text)
        if found is not None:
            yield BuildComment(*found, line)
        text = ""


def _command_in(text: str) -> tuple[tuple[str, ...], str] | None:
    """The tags and the text of the build command in a line of prose, up to its context."""
    try:
        words = shlex.split(text.replace("`", " "))
    except ValueError:
        return None
    for at in range(len(words)):
        for head in _BUILD_COMMANDS:
            if tuple(words[at : at + len(head)]) == head:
                return _tags_and_command(words[at:], len(head))
    return None


def _tags_and_command(words: list[str], at: int) -> tuple[tuple[str, ...], str] | None:
    """The tags, and the command up to the last word that is an option or its context."""
    tags: list[str] = []
    context = end = 0
    for start, stop, name, value in _parts(words, at):
        if not name and context:
            break
        if not name:
            context = start
        elif name in ("-t", "--tag"):
            tags.append(value)
        end = stop
    return (tuple(tags), shlex.join(words[:end])) if tags and context else None


def _parts(words: list[str], at: int) -> Iterator[tuple[int, int, str, str]]:
    """The options and other words of a command: start, end, the option's name ("" for a word) and the value."""
    while at < len(words):
        start, (name, equals, value) = at, words[at].partition("=")
        if not name.startswith("-") or name == "-":
            name, value = "", words[at]
        elif not equals and name in _WITH_VALUE:
            at += 1
            value = words[at] if at < len(words) else ""
        at += 1
        yield start, min(at, len(words)), name, value


def read_command(command: str) -> BuildCommand:
    """The parts of a command that `build_comments` has found."""
    words = shlex.split(command)
    head = next(head for head in _BUILD_COMMANDS if tuple(words[: len(head)]) == head)
    given = {"": "", "--file": "", "--target": ""}
    args: dict[str, str | None] = {}
    options: list[str] = []
    for _, _, name, value in _parts(words, len(head)):
        key = "--file" if name == "-f" else name
        if key == "--build-arg":
            arg, equals, text = value.partition("=")
            args[arg] = text if equals and "$" not in text else None
        elif key in given:
            given[key] = value
        elif key not in ("-t", "--tag") and key not in _IRRELEVANT:
            options.append(key)
    return BuildCommand(given[""], given["--file"], given["--target"], args, tuple(options))
