"""Entry points and distributions are those of `importlib.metadata`, with and without its import."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from dockfix.rule.distributions import entry_points, is_installed
from dockfix.rule.registry import GROUP


def values(group: str) -> list[tuple[str, str]]:
    return sorted((point.name, point.value) for point in entry_points(group=group))


def expected(group: str) -> list[tuple[str, str]]:
    return sorted((point.name, point.value) for point in metadata.entry_points(group=group))


def installed(folder: Path, name: str, entry_points_txt: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points_txt, encoding="utf-8")


def test_the_built_in_pack_is_found() -> None:
    assert values(GROUP) == expected(GROUP)
    assert ("builtin", "dockfix_codemods:load") in values(GROUP)


@pytest.mark.parametrize(
    "text",
    [
        "[my.group]\none = posixpath:join\n",
        "[console_scripts]\nx = y:z\n\n[my.group]\none=posixpath:join\n# two\ntwo = os:path.join\n[other]\na = b:c",
        "[my.group]\none = posixpath:join [extra]\n",
        "[my.group]\none = posixpath\n",
        "[my.group]\n",
        "[other]\nmy.group = a:b\n",
    ],
)
def test_they_are_those_of_importlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    installed(tmp_path, "pack", text)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert values("my.group") == expected("my.group")


def test_the_object_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "pack", "[my.group]\none = os:path.join\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (point,) = entry_points(group="my.group")
    assert point.load() is __import__("os").path.join


def test_of_several_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        installed(tmp_path / name, "same", f"[my.group]\n{name} = os:getcwd\n")
        monkeypatch.syspath_prepend(str(tmp_path / name))
    installed(tmp_path / "first", "other", "[my.group]\nother = os:getcwd\n")
    assert values("my.group") == expected("my.group") == [("other", "os:getcwd"), ("second", "os:getcwd")]


def test_a_search_path_with_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.pyz").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "app.pyz"), str(tmp_path / "missing")])
    assert values(GROUP) == expected(GROUP)


@pytest.mark.parametrize(("name", "is_there"), [("my-pack.x", True), ("My_Pack-X", True), ("my", False), ("", False)])
def test_a_distribution_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_there: bool
) -> None:
    installed(tmp_path, "my_pack_x", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    if name:
        assert is_installed(name) is is_there
