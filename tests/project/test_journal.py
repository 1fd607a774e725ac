"""The journal of a killed run: what it undoes, what it only says, and what it does not believe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.project.journal import digest_of, undo_interrupted
from dockfix.project.temporary import JOURNAL, PART, new_name
from dockfix.rule.registry import Registry

SAID = "was changed by a run that was killed before it had changed b, too; "


@pytest.fixture
def dead() -> int:
    """The ID of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def name_of(process: int, folder: Path, end: str) -> Path:
    own = new_name(folder, end)
    parts = own.name.split("-")
    return own.with_name("-".join([*parts[:2], str(process), *parts[3:]]))


def half_written(root: Path, process: int, b: bytes = b"old b") -> Path:
    """A change of `a` and `b` of which only `a` is written, and a new file `c` that is; returns its journal."""
    entries = []
    for name, there in (("a", b"new a"), ("b", b), ("c", b"new c")):
        old = None if name == "c" else name_of(process, root, PART)
        if old is not None:
            old.write_bytes(f"old {name}".encode())
        (root / name).write_bytes(there)
        before = "" if old is None else digest_of(f"old {name}".encode())
        after = digest_of(f"new {name}".encode())
        entries.append([str(root / name), str(name_of(process, root, PART)), old and str(old), before, after])
    journal = name_of(process, root, JOURNAL)
    journal.write_text(json.dumps(entries))
    return journal


def texts(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir()}


def test_a_half_written_change_is_undone(tmp_path: Path, dead: int) -> None:
    half_written(tmp_path, dead)
    found = undo_interrupted(tmp_path)
    assert texts(tmp_path) == {"a": b"old a", "b": b"old b"}
    assert [(each.path, each.message) for each in found] == [
        (str(tmp_path / name), f"{SAID}it was restored") for name in ("a", "c")
    ]
    assert undo_interrupted(tmp_path) == []


def test_a_check_only_says_it(tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    half_written(tmp_path, dead)
    monkeypatch.chdir(tmp_path)
    before = texts(tmp_path)
    result = check_paths([tmp_path], Settings(), root=tmp_path, registry=Registry(()))
    assert texts(tmp_path) == before
    messages = [(each.path, each.message) for each in result.warnings]
    assert messages == [(name, f"{SAID}`dockfix apply` restores it") for name in ("a", "c")]
    result = run_paths([tmp_path], Settings(), root=tmp_path, registry=Registry(()))
    assert texts(tmp_path) == {"a": b"old a", "b": b"old b"}
    assert [each.message for each in result.warnings] == [f"{SAID}it was restored"] * 2


def test_a_complete_change_stays(tmp_path: Path, dead: int) -> None:
    half_written(tmp_path, dead, b=b"new b")
    assert undo_interrupted(tmp_path) == []
    assert texts(tmp_path) == {"a": b"new a", "b": b"new b", "c": b"new c"}


def test_what_was_changed_since_stays(tmp_path: Path, dead: int) -> None:
    half_written(tmp_path, dead)
    (tmp_path / "a").write_bytes(b"of a person")
    undo_interrupted(tmp_path)
    assert texts(tmp_path) == {"a": b"of a person", "b": b"old b"}


def test_the_journal_of_a_process_that_runs_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        half_written(tmp_path, process.pid)
        before = texts(tmp_path)
        assert undo_interrupted(tmp_path) == []
        assert texts(tmp_path) == before
        process.communicate(b"\n")


def hostile(real: str, temporary: str) -> str:
    """A journal that, if it is believed, leads to the removal of both files."""
    begun = [real, temporary, None, "", digest_of(b"a")]
    return json.dumps([begun, ["{root}/none", "{root}/none", None, "", "another"]])


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "[1]", "[[1, 2, 3, 4, 5]]", '[["a"]]', "[" * 100_000,
        hostile("{outside}/a", "{outside}/b"), hostile("{root}/../outside/a", "{root}/../outside/b"),
        hostile("{root}/link/a", "{root}/link/b"), hostile("{root}/a", "{root}/b"), hostile("{root}/a", "{outside}/b"),
        hostile("a", "b"),
    ],
)  # fmt: skip
def test_a_journal_that_dockfix_has_not_written_does_nothing(tmp_path: Path, dead: int, text: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside):
        folder.mkdir()
        for name in ("a", "b"):
            (folder / name).write_text(name)
    (root / "link").symlink_to(outside)
    journal = name_of(dead, root, JOURNAL)
    journal.write_text(text.replace("{root}", str(root)).replace("{outside}", str(outside)))
    assert undo_interrupted(root) == []
    for folder in (root, outside):
        assert {name: (folder / name).read_text() for name in ("a", "b")} == {"a": "a", "b": "b"}
