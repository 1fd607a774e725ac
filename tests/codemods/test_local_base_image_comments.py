"""Build commands in comments."""

from __future__ import annotations

import pytest

from dockfix.syntax.parser import parse
from dockfix_codemods.local_base_image.build_comments import BuildCommand, BuildComment, build_comments, read_command


def read(text: str) -> list[BuildComment]:
    return list(build_comments(parse(text)))


@pytest.mark.parametrize(
    ("comment", "tags", "command"),
    [
        ("# docker build -t org/base docker/base", ("org/base",), "docker build -t org/base docker/base"),
        ("# Build: docker build -t a:1 --tag=b . (takes long)", ("a:1", "b"), "docker build -t a:1 --tag=b ."),
        ("# Run `docker buildx build . -f x/Dockerfile --tag a --push` first", ("a",), None),
        ("#   $ podman build --no-cache -t a - ", ("a",), "podman build --no-cache -t a -"),
    ],
)
def test_a_command_is_read_up_to_its_last_option(comment: str, tags: tuple[str, ...], command: str | None) -> None:
    expected = command or "docker buildx build . -f x/Dockerfile --tag a --push"
    assert read(f"{comment}\nFROM scratch\n") == [BuildComment(tags, expected, 1)]


def test_a_continued_command_is_one() -> None:
    text = "# syntax=docker/dockerfile:1\n#\n# docker build \\\n#   -t org/base \\\n#   .\nFROM scratch\n"
    assert read(text) == [BuildComment(("org/base",), "docker build -t org/base .", 3)]


@pytest.mark.parametrize(
    "comment",
    [
        "# docker build .",
        "# docker build -t",
        "# docker build -t x",
        "# don't docker build -t x .",
        "# docker run -t x .",
        "# how to docker",
    ],
)
def test_a_command_without_a_tag_or_a_context_is_ignored(comment: str) -> None:
    assert read(f"{comment}\nFROM scratch\n") == []


def test_only_comments_above_the_first_instruction_are_read() -> None:
    assert read("FROM scratch\n# docker build -t x .\n") == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker build -t a docker/a", BuildCommand("docker/a", "", "", {}, ())),
        (
            "docker buildx build --pull -f x/Dockerfile --target=base --build-arg A=1 --build-arg B -t a .",
            BuildCommand(".", "x/Dockerfile", "base", {"A": "1", "B": None}, ()),
        ),
        ("podman build -t a --build-arg=V=$V .", BuildCommand(".", "", "", {"V": None}, ())),
        (
            "docker build . --secret id=x --file y --platform=linux/arm64 --no-cache --frob -t a",
            BuildCommand(".", "y", "", {}, ("--secret", "--platform", "--frob")),
        ),
    ],
)
def test_the_parts_of_a_command(command: str, expected: BuildCommand) -> None:
    (found,) = read(f"# {command}\nFROM scratch\n")
    assert read_command(found.command) == expected
