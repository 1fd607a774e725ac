"""A full disk, a read-only one, and files without permission: nothing is lost, it is said, and other files are done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import SmallDisk

TOYS = Path(__file__).parents[1] / "cli" / "toys.py"
OLD, NEW = "FROM alpine as base\n", "FROM alpine AS base\n"
LONG = "# comment\n" * 1000


def dockfix(*arguments: str, cwd: Path, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run dockfix in a process of its own; `before` is what the command begins with."""
    command = [*before, sys.executable, str(TOYS), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def fill(disk: Path, left: int) -> None:
    """Fill a disk except for so many bytes."""
    with (disk / "ballast").open("wb", buffering=0) as stream:
        free = os.statvfs(disk)
        stream.write(b"x" * max(0, free.f_bavail * free.f_frsize - left))


def temporary(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".dockfix-*") if path.name != ".dockfix-baseline.json"]


def test_a_full_disk(small_disk: SmallDisk, tmp_path: Path) -> None:
    """The file on the full disk keeps its text; the one on the other disk is fixed."""
    disk = small_disk(64)
    (tmp_path / ".git").mkdir()
    (disk / "Dockerfile").write_text(OLD + LONG)
    (tmp_path / "Dockerfile").write_text(OLD)
    fill(disk, 4096)
    done = dockfix("apply", cwd=tmp_path)
    assert done.returncode == 2
    assert "disk0/Dockerfile: cannot be written: no space left on device; nothing written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (disk / "Dockerfile").read_text() == OLD + LONG
    assert (tmp_path / "Dockerfile").read_text() == NEW
    assert temporary(tmp_path) == []
    (disk / "ballast").unlink()
    assert dockfix("apply", cwd=tmp_path).returncode == 0
    assert (disk / "Dockerfile").read_text() == NEW + LONG


def test_a_disk_without_inodes(small_disk: SmallDisk) -> None:
    disk = small_disk(256)
    (disk / "Dockerfile").write_text(OLD)
    (disk / ".git").mkdir()
    for number in range(64):
        try:
            (disk / f"empty{number}").touch()
        except OSError:
            break
    done = dockfix("apply", cwd=disk)
    assert done.returncode == 2
    assert "Dockerfile: cannot be written: no space left on device; nothing written" in done.stderr
    assert (disk / "Dockerfile").read_text() == OLD


@pytest.mark.parametrize(
    ("arguments", "name", "old"),
    [
        (["check", "--format", "json", "--output", "report.json"], "report.json", "old report\n"),
        (["baseline"], ".dockfix-baseline.json", None),
        (["apply", "--split", "patches"], "patches", None),
        (["check", "--add-ignore", "--reason", "known"], "Dockerfile", OLD + LONG),
        (["init", "go", "--name", "a", "--output", "a.Dockerfile"], "a.Dockerfile", None),
        (["init", "go", "--name", "a", "--force", "--output", "a.Dockerfile"], "a.Dockerfile", "old\n"),
        (["new", "a-rule"], "dockfix-a-rule/README.md", None),
    ],
)
def test_other_files_on_a_full_disk(small_disk: SmallDisk, arguments: list[str], name: str, old: str | None) -> None:
    """What is written by other commands: the old file, or none, and a message. A document goes to standard output."""
    disk = small_disk(64)
    (disk / ".git").mkdir()
    (disk / "Dockerfile").write_text(OLD + LONG)
    if old is not None:
        (disk / name).write_text(old)
    fill(disk, 0)
    done = dockfix(*arguments, cwd=disk)
    assert done.returncode == 2, done.stdout
    assert "no space left on device" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert (disk / name).exists() == (old is not None)
    assert old is None or (disk / name).read_text() == old
    assert temporary(disk) == []
    if "report.json" in arguments:
        assert '"from-as"' in done.stdout


def test_a_full_standard_output(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(OLD)
    with Path("/dev/full").open("wb") as full:
        for arguments in (["check"], ["apply", "--diff"]):
            done = subprocess.run(
                [sys.executable, str(TOYS), *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False
            )
            assert done.returncode == 2
            assert b"no space left on device" in done.stderr.lower()
            assert b"Traceback" not in done.stderr
    assert (tmp_path / "Dockerfile").read_text() == OLD


def test_a_read_only_disk(small_disk: SmallDisk, tmp_path: Path) -> None:
    disk = small_disk(64)
    (tmp_path / ".git").mkdir()
    (disk / "Dockerfile").write_text(OLD)
    (tmp_path / "Dockerfile").write_text(OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, timeout=60)
    done = dockfix("apply", cwd=tmp_path)
    assert done.returncode == 2
    assert "disk0/Dockerfile: is read-only; nothing written" in done.stderr
    assert (tmp_path / "Dockerfile").read_text() == NEW
    assert (disk / "Dockerfile").read_text() == OLD
    assert dockfix("check", cwd=tmp_path).returncode == 1


def test_folders_and_files_without_permission(without_rights: list[str], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    files = {name: tmp_path / name / "Dockerfile" for name in ("fine", "closed", "fixed", "unreadable", "foreign")}
    for file in files.values():
        file.parent.mkdir()
        file.write_text(OLD)
    files["closed"].parent.chmod(0o555)  # no new file, so no temporary one
    files["fixed"].chmod(0o444)
    files["unreadable"].chmod(0o000)
    if without_rights:  # root, who can give a file away
        os.chown(files["foreign"], 65534, 65534)
    done = dockfix("apply", cwd=tmp_path, before=without_rights)
    for path in (*files.values(), files["closed"].parent):
        path.chmod(0o755)
    assert done.returncode == 2
    assert "closed/Dockerfile: cannot be written: permission denied; nothing written" in done.stderr
    assert "fixed/Dockerfile: is read-only; nothing written" in done.stderr
    assert "unreadable/Dockerfile: cannot be read: permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    kept = {"closed", "fixed", "unreadable"}
    if without_rights:
        kept.add("foreign")
        assert "foreign/Dockerfile: is read-only; nothing written" in done.stderr
    assert {name for name, file in files.items() if file.read_text() == OLD} == kept
    assert {file.read_text() for name, file in files.items() if name not in kept} == {NEW}
    assert temporary(tmp_path) == []


def test_a_root_without_permission(without_rights: list[str], tmp_path: Path) -> None:
    """There is no place for a journal, and nothing else changes."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text(OLD)
    tmp_path.chmod(0o555)
    done = dockfix("apply", cwd=tmp_path, before=without_rights)
    tmp_path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a" / "Dockerfile").read_text() == NEW


def test_owner_mode_attributes_and_links_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    file = tmp_path / "real" / "Dockerfile"
    file.parent.mkdir()
    file.write_text(OLD)
    (tmp_path / "Dockerfile").symlink_to("real/Dockerfile")
    if os.geteuid() == 0:
        os.chown(file, 65534, 65533)
    file.chmod(0o2751)
    try:
        os.setxattr(file, "user.note", b"kept")
    except OSError:
        noted = False  # not on this file system
    else:
        noted = True
    before = file.stat()
    assert dockfix("apply", cwd=tmp_path).returncode == 0
    after = file.stat()
    assert file.read_text() == NEW
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert (tmp_path / "Dockerfile").is_symlink()
    assert not noted or os.getxattr(file, "user.note") == b"kept"


def test_a_hard_link_is_not_separated(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(OLD)
    (tmp_path / "b.Dockerfile").write_text(OLD)
    os.link(tmp_path / "Dockerfile", tmp_path / "kept")
    done = dockfix("apply", cwd=tmp_path)
    assert done.returncode == 2
    assert "Dockerfile: has other hard links, which a rewrite would separate from it; nothing written" in done.stderr
    assert (tmp_path / "Dockerfile").samefile(tmp_path / "kept")
    assert (tmp_path / "b.Dockerfile").read_text() == NEW


def test_one_file_with_two_names_is_fixed_once(small_disk: SmallDisk) -> None:
    """As on a file system that ignores case: here two folders are one, below a bind mount."""
    disk = small_disk(256)
    (disk / ".git").mkdir()
    for name in ("a", "b"):
        (disk / name).mkdir()
    (disk / "a" / "Dockerfile").write_text(OLD)
    subprocess.run(["mount", "--bind", str(disk / "a"), str(disk / "b")], check=True, timeout=60)
    try:
        done = dockfix("apply", cwd=disk)
    finally:
        subprocess.run(["umount", str(disk / "b")], check=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "a/Dockerfile: fixed from-as\napplied 1 fix in 1 Dockerfile\n"
    assert (disk / "a" / "Dockerfile").read_text() == NEW
