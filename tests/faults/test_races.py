"""Others who work on the same tree: an editor that changes, removes or swaps a file, and a second run of dockfix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MEDDLING = Path(__file__).with_name("meddling.py")
TOYS = Path(__file__).parents[1] / "cli" / "toys.py"
OLD, NEW = "FROM alpine as base\n", "FROM alpine AS base\n"
CHANGED = "here/Dockerfile: changed while dockfix was working; nothing written"


def temporary(folder: Path) -> list[Path]:
    return list(folder.rglob(".dockfix-*"))


@pytest.mark.parametrize(
    "action",
    [
        "change", "change_and_keep_time", "save_as_an_editor_does", "unlink", "to_a_folder", "to_a_pipe",
        "to_a_link_out", "folder_to_a_link_out", "protect", "link_hard",
    ],
)  # fmt: skip
def test_a_file_that_changes_in_between(tmp_path: Path, action: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    for name in ("before", "here", "later"):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text(OLD)
    (root / ".git").mkdir()
    command = [sys.executable, str(MEDDLING), action, "apply"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    message = CHANGED if action != "link_hard" else "here/Dockerfile: has other hard links"
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [(root / name / "Dockerfile").read_text() for name in ("before", "later")] == [NEW, NEW]
    assert temporary(tmp_path) == []
    here = root / "here" / "Dockerfile"
    expected = {
        "change": "FROM scratch\n",
        "change_and_keep_time": OLD.replace("alpine", "debian"),
        "unlink": None, "to_a_folder": None, "to_a_pipe": None,
    }  # fmt: skip
    assert (here.read_text() if here.is_file() else None) == expected.get(action, OLD)
    assert [path.read_text() for path in outside.rglob("*") if path.is_file()] in ([], [OLD])


@pytest.mark.parametrize("number", range(3))
def test_two_runs_at_once(tmp_path: Path, number: int) -> None:
    """Both end, no change of either is lost, and what a run could not do is said and done by the next one."""
    (tmp_path / ".git").mkdir()
    files = [tmp_path / f"{index:02}.Dockerfile" for index in range(30)]
    for file in files:
        file.write_text(f"{OLD}WORKDIR src\n")
    rules = {"AS": ["--rule", "from-as"], "WORKDIR /src": ["--rule", "workdir-abs", "--unsafe"]}
    runs = {
        mark: subprocess.Popen(
            [sys.executable, str(TOYS), "apply", *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        for mark, arguments in rules.items()
    }
    for mark, process in runs.items():
        error = process.communicate(timeout=240)[1]
        assert process.returncode in (0, 2), error
        for file in files:
            problem = any(
                f"{file.name}: {reason}" in error
                for reason in ("changed while dockfix was working", "is being written by another run of dockfix")
            )
            assert problem != (mark in file.read_text()), (mark, error)
        assert (process.returncode == 2) == any(mark not in file.read_text() for file in files)
    assert temporary(tmp_path) == []
    command = [sys.executable, str(TOYS), "apply", "--unsafe"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert {file.read_text() for file in files} == {"FROM alpine AS base\nWORKDIR /src\n"}


def test_two_runs_of_the_same_rules_at_once(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    files = [tmp_path / f"{index:02}.Dockerfile" for index in range(50)]  # enough for several processes each
    for file in files:
        file.write_text(OLD)
    command = [sys.executable, str(TOYS), "apply", "--jobs", "2"]
    runs = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in runs:
        error = process.communicate(timeout=240)[1]
        assert process.returncode in (0, 2), error
        assert "Traceback" not in error
    assert {file.read_text() for file in files} == {NEW}
    assert temporary(tmp_path) == []


def test_a_run_that_waits_for_the_file_of_another_says_so(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / ".git").mkdir()
    for name in ("Dockerfile", "b.Dockerfile"):
        (tmp_path / name).write_text(OLD)
    with (tmp_path / "Dockerfile").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        command = [sys.executable, str(TOYS), "apply"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "Dockerfile: is being written by another run of dockfix; nothing written" in done.stderr
    assert (tmp_path / "Dockerfile").read_text() == OLD
    assert (tmp_path / "b.Dockerfile").read_text() == NEW


def test_a_baseline_that_changes_in_between_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(OLD)
    subprocess.run([sys.executable, str(TOYS), "baseline"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    baseline = tmp_path / ".dockfix-baseline.json"
    empty = baseline.read_text().replace('"count": 1', '"count": 2')
    (tmp_path / "b.Dockerfile").write_text(f"{OLD}CMD race\n")
    program = (
        "import pathlib, runpy, sys\n"
        f"toys = runpy.run_path({str(TOYS)!r})\n"
        "from dockfix.engine import session\n"
        "check = session.check_paths\n"
        "def meddled(*given, **more):\n"
        f"    pathlib.Path({str(baseline)!r}).write_text({empty!r})\n"
        "    return check(*given, **more)\n"
        "session.check_paths = meddled\n"
        "from dockfix.cli import main\n"
        "sys.exit(main(['baseline', '--rule', 'from-as'], toys['REGISTRY']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "changed while dockfix was working; it was not overwritten" in done.stderr
    assert baseline.read_text() == empty
