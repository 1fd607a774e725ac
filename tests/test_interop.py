"""Round trips between our tree and dockerfile-parse's parser."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from dockfix.interop import from_dockerfile_parse, to_dockerfile_parse
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode, encode
from dockfix.syntax.tree import Run, User

TEXTS = [
    "FROM a\nRUN b \\\n  # c\n  d\n",
    "\ufeff# escape=`\r\nFROM a\r\nRUN b `\r\n  c\r\n",
    "FROM a\nRUN <<EOF\nx\nEOF",
    decode(b"FROM a\nENV A=\xff\n"),
    "FROM a\nLABEL a=\x85b\u2028c\x0bd\n",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip_is_exact(text: str) -> None:
    tree = parse(text)
    assert from_dockerfile_parse(to_dockerfile_parse(tree)) == tree


def test_edits_of_the_parser_are_in_the_tree() -> None:
    parser = to_dockerfile_parse(parse("FROM a\n"))
    parser.add_lines("USER app")
    user = from_dockerfile_parse(parser).instructions[-1]
    assert isinstance(user, User)
    assert user.args[0].text == "app"


def test_a_given_file_object_is_written_and_replaced() -> None:
    file = BytesIO(b"something much longer than the new text")
    parser = to_dockerfile_parse(parse("FROM a\n"), file)
    assert file.getvalue() == b"FROM a\n"
    parser.content = "FROM b\n"
    assert file.getvalue() == b"FROM b\n"


def test_a_parser_over_a_file_and_one_that_caches(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(encode("FROM a\nRUN b\n"))
    for cached in (False, True):
        tree = from_dockerfile_parse(DockerfileParser(str(path), cache_content=cached))
        assert tree.text == "FROM a\nRUN b\n"
        assert isinstance(tree.instructions[1], Run)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Dockerfile"):
        from_dockerfile_parse(DockerfileParser(str(tmp_path)))
