"""`.dockerignore` by Docker's rules: cases after moby/patternmatcher's table, and a plain reference implementation."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockfix.project.files import Snapshot
from dockfix.project.ignore import compile_pattern, parse_ignore, read_ignore
from dockfix.project.patterns import BadPatternError


def ignored(patterns: list[str], path: str) -> bool:
    return parse_ignore("\n".join(patterns)).ignored(path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "file", True),
        ("**/", "dir/file", True),
        ("**/**", "dir/file", True),
        ("dir/**", "dir/dir2/file", True),
        ("dir/**", "dir", False),
        ("**/dir", "dir/file", True),
        ("**/dir", "a/b/dir", True),
        ("**/dir2/*", "dir/dir2/file", True),
        ("**/dir2/**", "dir/dir2/dir3/file", True),
        ("**file", "dir/file", True),
        ("**file", "dir/myfile", True),
        ("**/file", "dir/myfile", False),
        ("**/file*.txt*", "dir/dir/file.txt", True),
        ("**/**/*.txt", "file.txt", True),
        ("**/**/*.txt2", "dir/dir/file.txt", False),
        ("a**/*.txt", "a/dir/dir/file.txt", True),
        ("a/*.txt", "a/dir/file.txt", False),
        ("a/*.txt**", "a/file.txt", True),
        ("a[b-d]e", "ace", True),
        ("a[b-d]e", "aae", False),
        ("a[^b-d]e", "aze", True),
        ("a[^b-d]e", "ace", False),
        (".*", ".foo", True),
        (".*", "foo", False),
        ("abc.def", "abcZdef", False),
        ("abc?def", "abcZdef", True),
        ("abc?def", "abc/def", False),
        (r"a\\", "a\\", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("**/.foo", "bar.foo", False),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
        ("*", "any/thing/below", True),
        ("docs/", "docs/README.md", True),
        ("/docs", "docs/README.md", True),
        ("docs/../src", "src/main.py", True),
        ("README.md", "docs/README.md", False),
        ("  padded\t", "padded", True),
        ("a]b", "a]b", True),
        ("*.pyc", "café.pyc", True),
        ("caf?.pyc", "café.pyc", True),
        ("**/*.*proj.user", "src/App/App.csproj.user", True),
        ("**/*.*proj.user", "src/App/App.user", False),
        ("./build", "build/x", True),
        (".", "file", False),
        ("/", "file", False),
        ("file\r", "file", True),
    ],
)
def test_one_pattern(pattern: str, path: str, expected: bool) -> None:
    assert ignored([pattern], path) is expected


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["**", "!util/docker/web"], "util/docker/web/foo", False),
        (["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", True),
        (["**", "!dist/*.whl"], "dist/proxy-2.4.0+g08-py3.whl", False),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs", "!docs/README.md"], "docs/other.md", True),
        (["!fileutils.go", "*.go"], "fileutils.go", True),
        (["*.go", "!fileutils.go"], "fileutils.go", False),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["*.md", "!README*.md", "README-secret.md"], "README.md", False),
        (["*", "! src"], "src/main.py", False),
        (["*", "!/src"], "src/main.py", False),
        # the walk asks `!d` only of paths that are ignored at that point: `d` itself was not (fsutil, not a mistake)
        (["**/f", "!d"], "d/f", True),
        (["d", "!d/**/f", "d/x/f"], "d/y/f", False),
    ],
)
def test_the_last_match_wins(patterns: list[str], path: str, expected: bool) -> None:
    assert ignored(patterns, path) is expected


def test_the_context_itself_is_never_ignored() -> None:
    assert not ignored(["**", "."], ".")
    assert not ignored(["**"], "/")


def test_a_comment_is_only_at_the_very_start_of_a_line() -> None:
    rules = parse_ignore("\ufeff# c\n #x\nuv.lock   # why\n\n\t\n*.log\n")
    assert [(pattern.text, pattern.line) for pattern in rules.patterns] == [
        ("#x", 2),
        ("uv.lock   # why", 3),
        ("*.log", 6),
    ]
    assert not rules.ignored("uv.lock")
    assert rules.ignored("#x")


@pytest.mark.parametrize("bad", ["[", "a[", "[]a]", "[-]", "[a-]", "a\\", "!", "[^]"])
def test_what_docker_refuses_is_a_problem_and_matches_nothing(bad: str) -> None:
    rules = parse_ignore(f"ok\n{bad}", "x/.dockerignore")
    assert [pattern.text for pattern in rules.patterns] == ["ok"]
    assert [(problem.path, problem.line) for problem in rules.problems] == [("x/.dockerignore", 2)]


def test_an_endless_line_is_a_problem() -> None:
    rules = parse_ignore("a\n" + "b" * 70_000 + "\nc")
    assert [pattern.text for pattern in rules.patterns] == ["a"]
    assert rules.problems[0].line == 2


def test_patterns_made_to_backtrack_do_not() -> None:
    rules = parse_ignore("*a" * 40 + "b\n" + "**/a*" * 30 + "b")
    start = time.process_time()
    assert not rules.ignored("/".join(["a" * 200] * 15))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("patterns", "folder", "expected"),
    [
        ([], "src", False),
        (["!src"], ".", False),
        (["x"], ".", True),
        (["src/gen"], "src", True),
        (["src/gen"], "lib", False),
        (["src"], "src/deep", True),
        (["*.pyc"], "src", False),
        (["*/*.pyc"], "src", True),
        (["*/*.pyc"], "src/deep", False),
        (["**/*.pyc"], "src/deep", True),
        (["lib/**/x"], "src", False),
        (["lib/**/x"], "lib/y", True),
        (["[s]rc/x"], "src", True),
    ],
)
def test_may_ignore_below(patterns: list[str], folder: str, expected: bool) -> None:
    assert parse_ignore("\n".join(patterns)).may_ignore_below(folder) is expected


def test_the_file_named_after_the_dockerfile_wins(tmp_path: Path) -> None:
    dockerfile = tmp_path / "docker" / "api.Dockerfile"
    dockerfile.parent.mkdir()
    dockerfile.touch()
    assert read_ignore(tmp_path, dockerfile, Snapshot(tmp_path)).path is None
    (tmp_path / ".dockerignore").write_text("a\n")
    assert read_ignore(tmp_path, dockerfile, Snapshot(tmp_path)).ignored("a")
    (dockerfile.parent / "api.Dockerfile.dockerignore").write_text("b\n")
    rules = read_ignore(tmp_path, dockerfile, Snapshot(tmp_path))
    assert rules.path is not None
    assert rules.path.endswith("api.Dockerfile.dockerignore")
    assert (rules.ignored("a"), rules.ignored("b")) == (False, True)


def test_an_ignore_file_outside_the_root_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_text("*\n")
    (root / ".dockerignore").symlink_to(tmp_path / "outside")
    assert read_ignore(root, root / "Dockerfile", Snapshot(root)).patterns == ()


def test_an_unreadable_ignore_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").mkdir()
    rules = read_ignore(tmp_path, tmp_path / "Dockerfile", Snapshot(tmp_path))
    assert rules.patterns == ()
    assert "folder" in rules.problems[0].message


# A reference: moby's `Pattern.compile` and `MatchesUsingParentResults` word by word, one regular expression a pattern.


class Reference:
    def __init__(self, written: str) -> None:
        self.exclusion = written.startswith("!")
        self.text = written.removeprefix("!")
        self.kind, self.regex = self._compile()

    def _compile(self) -> tuple[str, str]:
        regex, kind, text, at, count = "", "exact", self.text, 0, 0
        while at < len(text):
            character = text[at]
            at += 1
            if character == "*" and text[at : at + 1] == "*":
                at += 1
                if text[at : at + 1] == "/":
                    at += 1
                if at == len(text):
                    if kind == "exact":
                        kind = "prefix"
                    else:
                        regex, kind = regex + ".*", "regex"
                else:
                    regex, kind = regex + "(.*/)?", "regex"
                if count == 0:
                    kind = "suffix"
            elif character == "*":
                regex, kind = regex + "[^/]*", "regex"
            elif character == "?":
                regex, kind = regex + "[^/]", "regex"
            elif character in ".+()|{}$":
                regex += "\\" + character
            elif character == "\\":
                regex, kind = regex + "\\" + text[at : at + 1], "regex"
                at += 1
            else:
                regex += character
                if character in "[]":
                    kind = "regex"
            count += 1
        return kind, regex

    def match(self, path: str) -> bool:
        if self.kind == "exact":
            return path == self.text
        if self.kind == "prefix":
            return path.startswith(self.text[:-2])
        if self.kind == "suffix":
            suffix = self.text[2:]
            return path.endswith(suffix) or (suffix[0] == "/" and path == suffix[1:])
        return re.fullmatch(self.regex, path) is not None


def reference_ignored(patterns: list[str], path: str) -> bool:
    compiled = [Reference(pattern) for pattern in patterns]
    parts = path.split("/")
    parents: list[bool] | None = None
    result = False
    for depth in range(1, len(parts) + 1):
        name = "/".join(parts[:depth])
        result, info = False, [False] * len(compiled)
        for index, pattern in enumerate(compiled):
            match = bool(parents and parents[index])
            if not match:
                if pattern.exclusion != result:
                    continue
                match = pattern.match(name)
            info[index] = match
            if match:
                result = not pattern.exclusion
        parents = info
    return result


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: set(name) != {"."})
PARTS = st.lists(
    st.sampled_from(["a", "b", ".", "*", "**", "?", "[ab]", "[^a]", r"\*", r"\."]), min_size=1, max_size=4
).map("".join)
PATTERNS = st.tuples(st.sampled_from(["", "!"]), st.lists(PARTS, min_size=1, max_size=4).map("/".join)).map("".join)


def canonical(pattern: str) -> bool:
    """Whether cleaning leaves the pattern as it is: the reference does not clean."""
    text = pattern.removeprefix("!")
    return not {"", ".", ".."} & set(text.split("/")) and "!" not in text and text not in ("**/",)


@given(
    st.lists(PATTERNS.filter(canonical), min_size=1, max_size=4),
    st.lists(NAMES, min_size=1, max_size=4).map("/".join),
)
@example(["**/f", "!d"], "d/f")
@example(["a*b**b"], "abab")
@example(["*a*a*a**/b"], "aaa/b")
@example(["**/*", "!a/**"], "a/a")
def test_agrees_with_the_reference(patterns: list[str], path: str) -> None:
    assert ignored(patterns, path) is reference_ignored(patterns, path)


@given(st.lists(PATTERNS, max_size=3), st.lists(NAMES, min_size=2, max_size=4))
def test_may_ignore_below_never_misses(patterns: list[str], parts: list[str]) -> None:
    rules = parse_ignore("\n".join(patterns))
    if rules.ignored("/".join(parts)):
        for depth in range(1, len(parts)):
            assert rules.may_ignore_below("/".join(parts[:depth]))


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_taken(text: str, path: str) -> None:
    parse_ignore(text).ignored(path)


def test_compile_pattern_refuses_by_exception() -> None:
    with pytest.raises(BadPatternError):
        compile_pattern("[")
