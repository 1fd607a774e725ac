"""`.gitignore` patterns: git itself and pathspec, which was used before, as references."""

from __future__ import annotations

import re
import subprocess
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from dockfix.project.gitignore import GitIgnore

TREE = ("a", "b/a", "b/b", "ab/a.b/a", "ab/b", "a.b/ab/b", "[a]")
PATHS = sorted({"/".join(path.split("/")[:end]) for path in TREE for end in range(1, path.count("/") + 2)} | set(TREE))


def ignored(lines: Sequence[str], path: str) -> bool:
    """A path is ignored if it is, or a folder above it."""
    rules = GitIgnore(lines)
    above, _, _ = path.rstrip("/").rpartition("/")
    return (above != "" and rules.ignores_below(above)) or bool(rules.verdict(path))


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["*.log"], "deep/x.log", True),
        (["/x"], "x", True),
        (["/x"], "a/x", False),
        (["a/x"], "b/a/x", False),
        (["x/"], "x", False),
        (["x/"], "x/", True),
        (["x/"], "a/x/y", True),
        (["x/**"], "x/", False),
        (["x/**"], "x/y/z", True),
        (["**/x/y"], "a/b/x/y", True),
        (["a/**/y"], "a/y", True),
        (["a/**/y"], "a/b/c/y", True),
        (["*", "!*/", "!Dockerfile"], "a/", False),
        (["*", "!*/", "!Dockerfile"], "a/Dockerfile", False),
        (["*", "!*/", "!Dockerfile"], "a/other", True),
        (["*", "!a/", "!a/Dockerfile"], "a/Dockerfile", False),
        (["a/", "!a/b"], "a/b", True),
        (["# a", "a"], "a", True),
        ([r"\#a", r"\!b"], "#a", True),
        ([r"\#a", r"\!b"], "!b", True),
        (["a  "], "a", True),
        (["a\\ "], "a ", True),
        (["[!a]x"], "bx", True),
        (["a[!b]c"], "a/c", False),
        (["[z-a]", "b"], "b", True),
        (["[", "a\\", "!", "/", "//", "b"], "b", True),
        (["a//b"], "a/b", False),
    ],
)
def test_verdict(lines: list[str], path: str, expected: bool) -> None:
    assert ignored(lines, path) is expected


PARTS = st.lists(
    st.sampled_from(["a", "b", ".", "*", "**", "?", "[ab]", "[!a]", "[^b-]", "[]a]", r"\*", r"\a", "["]),
    min_size=1,
    max_size=3,
).map("".join)
PATTERNS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(PARTS | st.just("**"), min_size=1, max_size=4).map("/".join),
    st.sampled_from(["", "/"]),
)


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: set(name) != {"."})


@given(PATTERNS, st.lists(NAMES, min_size=1, max_size=4).map("/".join))
@example("**/a/**/b", "a/b/a/b")
@example("a**b", "a/b")
def test_one_pattern_agrees_with_pathspec(pattern: str, path: str) -> None:
    assume(not pattern.startswith("!"))
    # pathspec lets a class take a slash, and `a/**/` a file in `a`, which git does not
    assume("[!" not in pattern and "[^" not in pattern and not pattern.endswith("/**/"))
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of `[[` in its regular expression
        try:
            reference = GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            reference = GitIgnoreSpec.from_lines([])
    assert ignored([pattern], path) is bool(reference.check_file(path).include)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    for path in PATHS:
        if any(other.startswith(path + "/") for other in PATHS):
            (root / path).mkdir(parents=True, exist_ok=True)
    for path in PATHS:
        if not (root / path).is_dir():
            (root / path).touch()
    return root


@given(st.lists(PATTERNS, min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["*", "!*/", "!a"])
@example(["a/", "!a/b", "ab/**", "!ab/b"])
@example(["[/[ab]"])
@example(["[/]a"])
def test_agrees_with_git(repository: Path, lines: list[str]) -> None:
    # git cuts off the plain beginning of `a**/b` first, and reads `**` as if nothing came before it
    assume(not any(re.search(r"[^/!]\*\*|\*\*[^/]", line) for line in lines))
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    expected = set(asked.stdout.split("\0")) - {""}
    folders = {path for path in PATHS if (repository / path).is_dir()}
    assert {path for path in PATHS if ignored(lines, path + "/" * (path in folders))} == expected


@given(st.lists(st.text(max_size=20), max_size=4), st.text(min_size=1, max_size=20))
def test_any_text_is_taken(lines: list[str], path: str) -> None:
    GitIgnore(lines).verdict(path)


@pytest.mark.parametrize("pattern", ["*a" * 12 + "b", "**/a/" * 8, "**/*a/" * 30, "*a*" * 5_000, "[a-z]*" * 1_000])
def test_no_pattern_hangs(pattern: str) -> None:
    start = time.process_time()
    rules = GitIgnore([pattern])
    for path in ("a" * 200, "/".join(["a" * 200] * 15), "/".join(["a"] * 1_000)):
        rules.verdict(path)
        rules.ignores_below("/".join(path.split("/")[:20]))
    assert time.process_time() - start < 5
