"""Which further manifests belong to a project: read as data, within limits, never outside the context."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.facts.model import Refused
from dockfix.project import workspaces as module
from dockfix.project.context import Context
from dockfix.project.ignore import parse_ignore
from dockfix.project.workspaces import (
    cargo_manifests,
    go_manifests,
    match_folders,
    maven_manifests,
    pnpm_patterns,
    uv_manifests,
)


def context(root: Path, files: dict[str, str], ignore: str = "") -> Context:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Context(root, root, parse_ignore(ignore))


PACKAGES = dict.fromkeys(
    ("package.json", "a/package.json", "a/b/package.json", "x/y/z/package.json", "a/node_modules/m/package.json"), "{}"
)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["*"], ["a"]),
        (["./a/", "a/*"], ["a", "a/b"]),
        (["**"], [".", "a", "a/b", "x/y/z"]),
        (["x/**"], ["x/y/z"]),
        (["**/z"], ["x/y/z"]),
        (["**", "!**/b", "!."], ["a", "x/y/z"]),
        (["nope/*"], []),
        ([], []),
    ],
)
def test_match_folders(tmp_path: Path, patterns: list[str], found: list[str]) -> None:
    assert match_folders(context(tmp_path, PACKAGES), patterns, "package.json") == found


def test_members_that_the_build_does_not_send_are_none(tmp_path: Path) -> None:
    assert match_folders(context(tmp_path, PACKAGES, "a\n!a/b"), ["**"], "package.json") == [".", "a/b", "x/y/z"]


@pytest.mark.parametrize("pattern", ["../x", "/x", "a/../../x", "{a,b}", "a?", "[ab]", "@(a|b)", "!(a)/x/(b)"])
def test_other_patterns_are_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(Refused):
        match_folders(context(tmp_path, PACKAGES), [pattern], "package.json")


def test_a_linked_member_is_refused(tmp_path: Path) -> None:
    here = context(tmp_path, {"real/a/package.json": "{}"})
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "a").symlink_to("../real/a")
    with pytest.raises(Refused, match="apps/a is a symlink"):
        match_folders(here, ["apps/*"], "package.json")


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    here = context(tmp_path, {"a/package.json": "{}"})
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "away").symlink_to("/")
    assert match_folders(here, ["**"], "package.json") == ["a"]


def test_looking_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path, {f"p/{n}/package.json": "{}" for n in range(9)})
    monkeypatch.setattr(module, "MAX_ENTRIES", 5)
    with pytest.raises(Refused, match="too large"):
        match_folders(here, ["p/*"], "package.json")


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("", ()),
        ("catalog:\n  a: 1\n", ()),
        ("packages: ['a/*', \"!b\"]  # c\n", ("a/*", "!b")),
        ("packages:\n- a\n", ("a",)),
    ],
)
def test_pnpm_patterns(text: str, patterns: tuple[str, ...]) -> None:
    assert pnpm_patterns(text) == patterns


@pytest.mark.parametrize(
    "text",
    ["packages: a", "packages: [1]", "- a", "a: [", "a: *x", "x" * 200_000, "a: " + "[" * 9_999, "a: !!python/x 1"],
)
def test_pnpm_files_that_are_not_valid(text: str) -> None:
    with pytest.raises(Refused):
        pnpm_patterns(text)


def test_go_replacements_of_modules_by_versions_are_no_folders(tmp_path: Path) -> None:
    files = {"go.mod": "module x\nreplace a => b v1\nreplace(\n a v1 => ./c // ./d\n)\n", "c/go.mod": "module c"}
    assert go_manifests(context(tmp_path, files)) == ["c/go.mod"]


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"go.mod": "replace a => ../b"}, "outside"),
        ({"go.mod": "replace a => /b"}, "outside"),
        ({"go.mod": "replace a => ./b"}, "b/go.mod"),
        ({"go.work": "use ./b"}, "b/go.mod"),
        ({}, "go.mod"),
    ],
)
def test_go_modules_that_are_unknown(tmp_path: Path, files: dict[str, str], word: str) -> None:
    with pytest.raises(Refused, match=word):
        go_manifests(context(tmp_path, files))


LIB = '[package]\nname = "x"\n[lib]\npath = "l.rs"\n'


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"Cargo.toml": LIB}, ["Cargo.toml"]),
        (
            {"Cargo.toml": LIB + '[dependencies]\na = {path = "a"}\nb = "1"\n', "a/Cargo.toml": LIB},
            ["Cargo.toml", "a/Cargo.toml"],
        ),
        (
            {"Cargo.toml": LIB + "[target.'cfg(unix)'.build-dependencies]\na = {path = 'a'}\n", "a/Cargo.toml": LIB},
            ["Cargo.toml", "a/Cargo.toml"],
        ),
        (
            {
                "Cargo.toml": LIB + '[patch.crates-io]\na = {path = "a"}\n',
                "a/Cargo.toml": LIB + '[dependencies]\nx.path=".."',
            },
            ["Cargo.toml", "a/Cargo.toml"],
        ),
        ({"Cargo.toml": '[workspace]\nmembers = ["a"]', "a/Cargo.toml": LIB}, ["Cargo.toml", "a/Cargo.toml"]),
    ],
)
def test_cargo_manifests(tmp_path: Path, files: dict[str, str], found: list[str]) -> None:
    assert cargo_manifests(context(tmp_path, files)) == found


@pytest.mark.parametrize(
    "text",
    [
        "[",
        '[package]\nname = "x"',
        LIB + '[[bin]]\nname = "t"',
        LIB + '[dependencies]\na = {path = "../a"}',
        LIB + "[[test]]\nname='t'",
    ],
)
def test_cargo_packages_that_want_their_sources(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused):
        cargo_manifests(context(tmp_path, {"Cargo.toml": text}))


def test_maven_modules_in_a_circle_end(tmp_path: Path) -> None:
    files = {"pom.xml": "<module>a</module>", "a/pom.xml": "<module>..</module><parent><x/></parent>"}
    assert maven_manifests(context(tmp_path, files)) == ["a/pom.xml"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"<module>{' ' * 100_000}", []),
        (f"<module>{' ' * 100_000}<b/>" * 9, []),
        ("<!--" * 200_000, []),
        (f"{'<!--' * 100_000}-->{'<!--' * 100_000}", []),
        ("<parent>" * 120_000, []),
        (f"<parent>{'<relativePath>' * 70_000}</parent>", []),
        (f"<parent><relativePath{' ' * 500_000}</parent>", []),
        (f"<!-- <module>x</module> --><module>{' ' * 400_000}a{' ' * 400_000}</module>", ["a/pom.xml"]),
    ],
    ids=["open module", "open modules", "open comments", "comments in one", "open parents", "paths", "path", "spaces"],
)
def test_a_hostile_pom_takes_no_longer_than_its_length(tmp_path: Path, text: str, expected: list[str]) -> None:
    # read with backtracking, most of these take minutes
    assert maven_manifests(context(tmp_path, {"pom.xml": text, "a/pom.xml": "<project/>"})) == expected


def test_many_wildcards_in_a_pattern(tmp_path: Path) -> None:
    deep = "/".join("abcdefghijkl")
    files = {f"{deep}/package.json": "{}"}
    # tried one after another, the ways to share twelve folders among the wildcards are 10 ** 10
    assert match_folders(context(tmp_path, files), ["**/" * 24 + "*/z"], "package.json") == []
    assert match_folders(context(tmp_path, files), ["**/" * 24 + "*/l"], "package.json") == [deep]


def test_a_member_of_a_uv_workspace_that_takes_a_folder(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[tool.uv.workspace]\nmembers = ['a']\n",
        "a/pyproject.toml": "[project]\nname = 'a'\n[tool.uv.sources]\nlib = {path = '../lib'}\n",
    }
    with pytest.raises(Refused, match="takes lib from a folder"):
        uv_manifests(context(tmp_path, files), frozen=True)
