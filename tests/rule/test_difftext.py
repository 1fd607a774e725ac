"""Diffs that the usual tools take, of any text and any path."""

from __future__ import annotations

import difflib
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.engine.difftext import original_lines, split_lines, unified_diff
from dockfix.syntax.source import encode

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "d\r", "\x0c", "é\u2028\udc80"]), max_size=40)


def test_equal_texts_have_no_diff() -> None:
    assert unified_diff("a\n", "a\n", "f") == ""
    assert unified_diff(None, None, "f") == ""


@pytest.mark.parametrize(
    ("before", "after", "body"),
    [
        ("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"),
        ("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        ("a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"),
        ("a\nb", "c\nb", "@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n"),
        ("", "a\n", "@@ -0,0 +1 @@\n+a\n"),
        ("a\r\n", "b\r\n", "@@ -1 +1 @@\n-a\r\n+b\r\n"),
        ("1\n2\n3\n4\n5\n", "1\n2\n3\n4\n6\n", "@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+6\n"),
    ],
)
def test_the_body(before: str, after: str, body: str) -> None:
    assert unified_diff(before, after, "f") == f"--- a/f\n+++ b/f\n{body}"


def test_a_file_that_comes_or_goes() -> None:
    assert unified_diff(None, "a\n", "f") == "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"
    assert unified_diff("a\n", None, "f") == "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"


@given(LINES, LINES, st.booleans(), st.booleans(), st.integers(0, 4))
def test_as_difflib_but_for_what_difflib_leaves_out(
    before: list[str], after: list[str], end: bool, other: bool, context: int
) -> None:
    """Same hunks as the standard library's where every line has its line end and no line is equal to another."""
    old = "\n".join(f"{line}{index}" for index, line in enumerate(before)) + "\n" * end
    new = "\n".join(f"{line}{index}" for index, line in enumerate(after)) + "\n" * other
    ours = unified_diff(old, new, "f", context=context)
    theirs = difflib.unified_diff(split_lines(old), split_lines(new), "a/f", "b/f", n=context)
    expected = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in theirs)
    assert ours == expected


@pytest.mark.parametrize("path", ["Dockerfile", "a b/Dockerfile", 'q"uo\\te', "tab\there", "dé/Dockerfile", "a\udcff"])
@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x\r\ny\nlast", "x\r\nz\nlast"),
        ("one\n" * 30 + "two", "zero\n" + "one\n" * 29 + "three\n"),
        ("\ufeffa\x0c\x85\u2028b\n\udc80\n", "\ufeffA\x0c\x85\u2028b\n\udc80"),
    ],
)
def test_the_tools_take_it(tmp_path: Path, path: str, tool: str, before: str, after: str) -> None:
    file = tmp_path / "work" / path
    file.parent.mkdir(parents=True)
    file.write_bytes(encode(before))
    diff = encode(unified_diff(before, after, path))
    command = {"git": ["git", "apply", "--whitespace=nowarn", "-"], "patch": ["patch", "-p1", "--batch", "--fuzz=0"]}
    done = subprocess.run(
        command[tool], cwd=tmp_path / "work", input=diff, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert file.read_bytes() == encode(after)


def test_many_equal_lines_do_not_take_long() -> None:
    before = "a\n" + "\n".join(str(index % 150) for index in range(60_000)) + "\nz\n"
    after = "b\n" + "\n".join(str(index % 151) for index in range(60_000)) + "\ny\n"
    start = time.process_time()
    diff = unified_diff(before, after, "f")
    assert time.process_time() - start < 2
    assert diff.startswith("--- a/f\n+++ b/f\n@@ -1,60002 +1,60002 @@\n-a\n-0\n")


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a\nb\nc\n", "a\nb\nc\n", [1, 2, 3]),
        ("a\nb\nc\n", "a\nx\nb\nc\n", [1, 2, 2, 3]),
        ("a\nb\nc\n", "a\nc\n", [1, 3]),
        ("a\nb\nc\n", "a\nx\ny\nz\nc\n", [1, 2, 2, 2, 3]),
        ("a\n", "a\nb\n", [1, 1]),
        ("", "a\n", [1]),
    ],
)
def test_lines_are_led_back(before: str, after: str, lines: list[int]) -> None:
    assert original_lines(before, after) == lines
