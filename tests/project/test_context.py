"""A build context: queries stay inside it, within limits, and follow COPY's rules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockfix.project import context as module
from dockfix.project.context import Context
from dockfix.project.files import Snapshot
from dockfix.project.ignore import parse_ignore


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def context(root: Path, ignore: str = "", project: Path | None = None) -> Context:
    return Context(root, project or root, parse_ignore(ignore))


def test_exists_and_kinds(tmp_path: Path) -> None:
    make(tmp_path, "a/file")
    here = context(tmp_path)
    assert here.exists("a")
    assert here.exists("/a/file")
    assert here.exists("./a/../a/file")
    assert here.exists(".")
    assert here.exists("../a"), "as in COPY, `..` stops at the root of the context"
    assert not here.exists("a/nope")
    assert not here.exists("a\0")
    assert (here.is_dir("a"), here.is_file("a")) == (True, False)
    assert (here.is_dir("a/file"), here.is_file("a/file")) == (False, True)


def test_nothing_outside_the_project_exists(tmp_path: Path) -> None:
    project = tmp_path / "project"
    make(tmp_path, "secret", "project/shared/file", "project/api/own")
    (project / "api" / "up").symlink_to("../shared")
    (project / "api" / "out").symlink_to("../../secret")
    (project / "api" / "away").symlink_to("/")
    api = context(project / "api", project=project)
    assert api.read_text("up/file") == "project/shared/file"
    assert not api.exists("out")
    assert api.read_text("out") is None
    assert not api.is_dir("away")
    assert api.glob("away/*") == []
    assert api.glob("*") == ["away", "out", "own", "up"]


def test_read_text(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"caf\xe9")
    (tmp_path / "elf").write_bytes(b"\x7fELF")
    os.mkfifo(tmp_path / "pipe")
    here = context(tmp_path)
    assert here.read_text("odd") == "caf\udce9"
    assert here.read_text("odd", limit=3) is None
    assert here.read_text("elf") is None
    assert here.read_text("pipe") is None
    assert here.read_text(".") is None
    assert here.read_text("nope") is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("package*.json", ["package-lock.json", "package.json"]),
        ("*/package.json", ["app/package.json", "lib/package.json"]),
        ("*/*", ["app/package.json", "app/src", "lib/package.json"]),
        ("app/*", ["app/package.json", "app/src"]),
        ("/app/p*", ["app/package.json"]),
        ("**/main.py", []),
        ("**/src", ["app/src"]),
        ("*", ["app", "lib", "package-lock.json", "package.json"]),
        (".", ["."]),
        ("./", ["."]),
        ("app", ["app"]),
        ("app/", ["app"]),
        ("nope", []),
        ("nope/*", []),
        ("[a", []),
        ("[al]*p*", ["app"]),
        ("a[^x]*/src", ["app/src"]),
        ("app[^x]src", ["app/src"]),
        ("../app", ["app"]),
    ],
)
def test_glob_as_copy_does(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    make(tmp_path, "package.json", "package-lock.json", "app/package.json", "app/src/main.py", "lib/package.json")
    assert context(tmp_path).glob(pattern) == expected


def test_what_is_below_a_match_belongs_to_it(tmp_path: Path) -> None:
    make(tmp_path, "as/s")
    assert context(tmp_path).glob("*[^x]s") == ["as"], "`as/s` matches by itself, since a class may match a slash"


def test_glob_of_what_is_sent(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "README.md")
    here = context(tmp_path, "*.md\n!README.md")
    assert here.glob("*.md") == ["README.md", "a.md"]
    assert here.glob("*.md", sent_only=True) == ["README.md"]
    assert here.glob("a.md", sent_only=True) == []


def test_ignored_below(tmp_path: Path) -> None:
    make(tmp_path, "src/a.pyc", "src/deep/b.pyc", "src/c.py", "cache/x", "cache/y", "lib/d.py")
    here = context(tmp_path, "**/*.pyc\ncache\n")
    assert here.ignored_below(".") == ["cache", "src/a.pyc", "src/deep/b.pyc"]
    assert here.ignored_below("src") == ["src/a.pyc", "src/deep/b.pyc"]
    assert here.ignored_below("cache") == ["cache"]
    assert here.ignored_below("lib") == []
    assert (here.ignored("src/a.pyc"), here.ignored("/cache/x"), here.ignored("src")) == (True, True, False)


def test_too_many_entries_give_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, *(f"{index}/file" for index in range(8)))
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    here = context(tmp_path, "**/*.pyc")
    assert here.glob("*/file") is None
    assert here.ignored_below(".") is None
    assert here.glob("1/*") == ["1/file"]


def test_files_that_a_run_creates_are_there(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "a.sql").write_text("old")
    files = Snapshot(tmp_path, {tmp_path / "sql" / "a.sql": "changed", tmp_path / "sql" / "b.sql": "new"})
    context = Context(tmp_path, tmp_path, parse_ignore(""), files)
    assert context.files_below("sql") == ["sql/a.sql", "sql/b.sql"]
    assert context.glob("sql/*.sql") == ["sql/a.sql", "sql/b.sql"]
    assert context.entries(".") == [("sql", True)]
    assert context.read_text("sql/b.sql") == "new"
