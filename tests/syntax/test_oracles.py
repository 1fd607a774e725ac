"""Second opinions on real files: moby's parser as the PyPI project `dockerfile`, and dockerfile-parse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dockfix.interop import to_dockerfile_parse
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.syntax.tree import Dockerfile
from dockfix.testing import load_cases
from tests.syntax.oracle import comparable, difference

ROOT = Path(__file__).parent.parent.parent
INLINE = {
    "plain": b'FROM a AS b\nRUN x && \\\n    y\nCOPY --from=b --chown=1:1 /a /b\nCMD ["a", "b"]\n',
    "crlf": b"FROM a\r\nRUN x \\\r\n  y\r\nUSER z\r\n",
    "backtick": b"# escape=`\nFROM a\nRUN dir c:\\ `\n  /w\n",
    "heredocs": b"FROM a\nRUN <<EOF\nset -e\nEOF\nCOPY <<-'X' <<Y /d/\n\tx\n\tX\ny\nY\nRUN z\n",
    "comments": b"# syntax=docker/dockerfile:1\n# c\nFROM a\nRUN x \\\n# c\n\n  y\nENV A=1 \\\n  B='2 3'\n",
    "arguments": b'ARG A=1\nFROM a:$A\nARG A\nLABEL a=b c="d"\nHEALTHCHECK --interval=5s CMD x\nEXPOSE 1 2\n',
    "accents": "FROM a\nRUN echo é…\nLABEL a=ß\n".encode(),
}


def _files() -> dict[str, bytes]:
    found = {}
    for path in sorted((ROOT / "examples").rglob("*")):
        name = path.name
        is_one = name.startswith(("Dockerfile", "Containerfile")) or name.lower().endswith(".dockerfile")
        if is_one and path.is_file():
            found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    cases = load_cases(ROOT / "golden")
    return found | {f"{case}/{name}": case.files[name].data for case in cases for name in case.dockerfiles}


SAMPLES = INLINE | _files()


@pytest.mark.parametrize("name", SAMPLES)
def test_agrees_with_mobys_parser(name: str) -> None:
    assert difference(SAMPLES[name]) == ""


def test_a_difference_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.syntax.oracle.parse", lambda text: parse(text.replace("USER", "\nUSER")))
    assert difference(INLINE["crlf"]) != ""


def test_files_that_the_oracle_cannot_parse() -> None:
    assert all(comparable(data) for data in INLINE.values())
    assert not comparable(b"FROM a\nENV A=\xff\n")


def _simple(tree: Dockerfile) -> bool:
    """Whether dockerfile-parse reads a file as BuildKit does.

    It does not support heredocs, strips white space before the end of a continued line and an escaped escape, ends an
    instruction at a blank line, requires an argument after every keyword, does not join a keyword that a continuation
    splits, takes an escape alone on the line before for a keyword, and drops an instruction that ends in a continuation
    at the end of the file, or before a comment there.
    """
    return (
        not tree.problems
        and not re.sub(r"(?:\n[ \t]*#[^\n]*)+\s*\Z", "", tree.text).rstrip().endswith(tree.escape)
        and not tree.bom
        and all(
            not node.heredocs
            and node.text.text
            and not tree.text[node.lines.start : node.keyword.span.start].strip()
            and node.keyword.span.end - node.keyword.span.start == len(node.keyword.text)
            and not any(type(item).__name__ == "Blank" for item in node.trivia)
            and not node.logical.text.rstrip().endswith(tree.escape)
            for node in tree.instructions
        )
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_agrees_with_dockerfile_parse(name: str) -> None:
    tree = parse(decode(SAMPLES[name]))
    if not comparable(SAMPLES[name]) or not _simple(tree):
        return
    theirs = [entry for entry in to_dockerfile_parse(tree).structure if entry["instruction"] != "COMMENT"]
    assert [(entry["instruction"], entry["startline"] + 1, entry["endline"] + 1) for entry in theirs] == [
        (node.name, node.start_line, node.end_line) for node in tree.instructions
    ]
    # It drops the blanks at both ends of a continued line, so white space is compared as one blank.
    for entry, node in zip(theirs, tree.instructions, strict=True):
        logical = node.logical.text[node.keyword.end :]
        assert "".join(entry["value"].split()) == "".join(logical.split())


def test_dockerfile_parse_covers_most_samples() -> None:
    assert sum(_simple(parse(decode(data))) for data in INLINE.values()) >= 5
