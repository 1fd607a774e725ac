"""Diffs are taken by the tools that people apply them with, whatever the files hold."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from dockfix.output.diff import colour_diff, unified_diff
from dockfix.output.plain import Style
from dockfix.syntax.source import decode, encode

NASTY = {
    "plain": (b"a\nb\nc\n", b"a\nB\nc\n"),
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "mixed ends": (b"a\r\nb\nc\rd\n", b"a\r\nb\nc\rD\n"),
    "no final line end": (b"a\nb", b"a\nB"),
    "gains a final line end": (b"a\nb", b"a\nb\n"),
    "loses a final line end": (b"a\nb\n", b"a\nb"),
    "other line ends of Python": (
        "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\nx\n".encode(),
        "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\ny\n".encode(),
    ),
    "lone carriage returns": (b"a\rb\r\rc\nlast\r", b"a\rb\r\rC\nlast\r"),
    "not UTF-8": (b"\xff\xfe\x80\nb\n", b"\xff\xfe\x81\nb\n"),
    "bom": ("\ufeffa\nb\n".encode(), "\ufeffA\nb\n".encode()),
    "to nothing": (b"a\nb\n", b""),
    "from nothing": (b"", b"a\nb\n"),
    "first of many": (b"1\n2\n3\n4\n5\n6\n7\n8\n9\n", b"one\n2\n3\n4\n5\n6\n7\n8\nnine\n"),
    "insert at the top": (b"1\n2\n3\n4\n5\n", b"0\n1\n2\n3\n4\n5\n"),
    "like a header": (b"-- a\n++ b\n@@ c\n\\ No newline\n", b"-- A\n++ B\n@@ C\n\\ No newline at end of file\n"),
    "far apart": (b"x\n" + b"s\n" * 40 + b"y", b"X\n" + b"s\n" * 40 + b"Y"),
}
PATHS = ("Dockerfile", "my app/Dockerfile", "caf\u00e9/Dockerfile", 'quo"te\\/Dockerfile', "tab\there/Dockerfile", " x")


def _apply(tool: str, folder: Path, path: str, before: bytes, diff: str) -> bytes:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before)
    command = ["git", "apply", "-"] if tool == "git" else ["patch", "-p1", "--quiet", "--no-backup-if-mismatch"]
    subprocess.run(command, cwd=folder, input=encode(diff), check=True, capture_output=True)
    return file.read_bytes() if file.exists() else b""


@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize("case", NASTY)
def test_tools_give_the_same_bytes(tmp_path: Path, case: str, tool: str) -> None:
    before, after = NASTY[case]
    diff = unified_diff(decode(before), decode(after), "Dockerfile")
    assert _apply(tool, tmp_path, "Dockerfile", before, diff) == after


@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize("path", PATHS)
def test_tools_find_the_file(tmp_path: Path, path: str, tool: str) -> None:
    diff = unified_diff("a\nb\n", "a\nc\n", path)
    assert _apply(tool, tmp_path, path, b"a\nb\n", diff) == b"a\nc\n"


@pytest.mark.parametrize("tool", ["git", "patch"])
def test_random_changes_of_large_files(tmp_path: Path, tool: str) -> None:
    chance = random.Random(7)  # noqa: S311 - a fixed sequence of cases
    for number in range(4):
        old = [f"RUN {chance.randrange(2000)}\n" for _ in range(1500)]
        new = [line for line in old if chance.random() > 0.1]
        for _ in range(100):
            new.insert(chance.randrange(len(new)), f"RUN new {chance.randrange(9)}\n")
        before, after = "".join(old), "".join(new)
        diff = unified_diff(before, after, f"{number}.Dockerfile")
        assert _apply(tool, tmp_path, f"{number}.Dockerfile", before.encode(), diff) == after.encode()


def test_equal_texts_have_no_diff() -> None:
    assert unified_diff("a\n", "a\n", "Dockerfile") == ""


def test_a_diff_for_a_terminal_cannot_act_on_it() -> None:
    diff = unified_diff("a\x1b]0;evil\x07\n", "b\u202e\udcff\n", "Dockerfile")
    shown = colour_diff(diff, Style(colour=False))
    assert "-a\\x1b]0;evil\\x07\n" in shown
    assert "+b\\u202e\\xff\n" in shown
    assert "\x1b[32m+b" in colour_diff(diff, Style(colour=True))
