"""Reading refuses files outside the project; writing is all or nothing, whatever fails."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockfix.project.files import MAX_BYTES, FileText, InputError, read_file, resolve_inside
from dockfix.project.writing import write_files

OLD = {"a": b"FROM old-a\n", "b": b"FROM old-b\r\n", "c": b"\xff old-c"}
NEW = {"a": b"FROM new-a\n", "b": b"", "c": b"FROM new-c \xfe\n"}


@pytest.fixture
def three(tmp_path: Path) -> list[tuple[FileText, bytes]]:
    changes = []
    for index, (name, data) in enumerate(OLD.items()):
        path = tmp_path / f"folder{index}" / name
        path.parent.mkdir()
        path.write_bytes(data)
        path.chmod(0o640 + index)
        changes.append((read_file(path, root=tmp_path), NEW[name]))
    return changes


def contents(root: Path) -> dict[str, bytes]:
    """Every file below `root`, temporary ones too."""
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_read_keeps_every_byte(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfFROM x\r\n# \xff\x00\x85\r\n"
    (tmp_path / "Dockerfile").write_bytes(data)
    file = read_file(tmp_path / "Dockerfile", root=tmp_path)
    assert file.data == data
    assert file.text.encode("utf-8", "surrogateescape") == data
    assert (file.fingerprint.size, len(file.fingerprint.sha256)) == (len(data), 64)


def test_read_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    assert read_file(tmp_path / "Dockerfile", root=tmp_path).text == ""


def refused(path: Path, root: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_file(path, root=root)
    assert caught.value.path == str(path)
    assert caught.value.problem.message == caught.value.message
    return caught.value.message


def test_read_refuses_what_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "nope", tmp_path) == "does not exist"
    (tmp_path / "dangling").symlink_to("nope")
    assert refused(tmp_path / "dangling", tmp_path) == "is a symlink to a file that does not exist"
    (tmp_path / "loop").symlink_to("loop")
    assert "leads back to itself" in refused(tmp_path / "loop", tmp_path)
    assert "not a possible file name" in refused(tmp_path / "a\0b", tmp_path)


def test_read_refuses_a_folder(tmp_path: Path) -> None:
    assert refused(tmp_path, tmp_path) == "is a folder, not a file"


def test_read_refuses_special_files_without_opening_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(tmp_path / "pipe", tmp_path)
    assert "not a regular file" in refused(Path("/dev/zero"), Path("/"))


def test_read_refuses_what_lies_outside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "rooted").mkdir()
    (tmp_path / "rooted" / "Dockerfile").touch()
    (root / "link").symlink_to(tmp_path / "rooted" / "Dockerfile")
    for path in (root / "link", root / ".." / "rooted" / "Dockerfile", tmp_path / "rooted" / "Dockerfile"):
        assert "outside the project root" in refused(path, root)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x7fELF\x02\x01", "ELF"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        ("FROM x".encode("utf-16"), "UTF-16"),
        (b"\x01\x02\x03abc", "binary"),
        (b"\0" * 10, "binary"),
    ],
)
def test_read_refuses_binaries(tmp_path: Path, data: bytes, word: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(data)
    assert word in refused(tmp_path / "Dockerfile", tmp_path)


def test_read_refuses_what_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"#" * MAX_BYTES)
    assert len(read_file(tmp_path / "Dockerfile", root=tmp_path).data) == MAX_BYTES
    (tmp_path / "Dockerfile").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 4 MiB" in refused(tmp_path / "Dockerfile", tmp_path)


def test_read_reports_a_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").touch()

    def fail(*_: Any, **__: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", fail)
    assert refused(tmp_path / "Dockerfile", tmp_path) == "cannot be read: permission denied"


def test_write_replaces_all_and_keeps_modes(tmp_path: Path, three: list[tuple[FileText, bytes]]) -> None:
    write_files(three)
    assert contents(tmp_path) == NEW
    assert [stat.S_IMODE(file.real.stat().st_mode) for file, _ in three] == [0o640, 0o641, 0o642]


def test_write_leaves_what_does_not_change(tmp_path: Path, three: list[tuple[FileText, bytes]]) -> None:
    file = three[0][0]
    before = file.real.stat()
    write_files([(file, file.data)])
    assert file.real.stat().st_ino == before.st_ino
    write_files([])


def test_write_goes_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"old")
    (tmp_path / "Dockerfile").symlink_to("real/file")
    file = read_file(tmp_path / "Dockerfile", root=tmp_path)
    write_files([(file, b"new")])
    assert (tmp_path / "Dockerfile").is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["Dockerfile", "file", "real"]


def test_write_refuses_one_file_twice(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    changes = [(read_file(tmp_path / name, root=tmp_path), b"new") for name in ("file", "link")]
    with pytest.raises(InputError, match="twice"):
        write_files(changes)
    assert (tmp_path / "file").read_bytes() == b"old"


def touch_later(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def swap_for_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"FROM other\n"),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o600),
        touch_later,
        swap_for_a_link,
    ],
)
def test_write_refuses_a_file_that_changed(
    tmp_path: Path, three: list[tuple[FileText, bytes]], change: Callable[[Path], object]
) -> None:
    change(three[1][0].real)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="changed while dockfix was working; nothing written"):
        write_files(three)
    assert contents(tmp_path) == before


def test_write_refuses_a_file_that_changes_between_renames(
    tmp_path: Path, three: list[tuple[FileText, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def replace_and_meddle(source: Path, target: Path) -> None:
        replace(source, target)
        if target.name == "a":
            three[1][0].real.write_bytes(b"meddled")

    monkeypatch.setattr(os, "replace", replace_and_meddle)
    with pytest.raises(InputError, match="changed while"):
        write_files(three)
    assert contents(tmp_path) == {**OLD, "b": b"meddled"}


def test_write_refuses_hard_links(tmp_path: Path, three: list[tuple[FileText, bytes]]) -> None:
    file = three[2][0]
    os.link(file.real, tmp_path / "second")
    with pytest.raises(InputError, match="hard links"):
        write_files(three)
    assert contents(tmp_path) == {**OLD, "second": OLD["c"]}


def test_write_refuses_read_only_files(
    tmp_path: Path, three: list[tuple[FileText, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "b")
    with pytest.raises(InputError, match="read-only"):
        write_files(three)
    assert contents(tmp_path) == OLD


STEPS = ("replace", "fsync", "fchmod", "open", "fdopen", "fstat")


FAILURES = (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt())


@pytest.mark.parametrize("what", [(step, failure) for step in STEPS for failure in FAILURES])
@pytest.mark.parametrize("call", range(1, 25))
def test_write_is_all_or_nothing(
    tmp_path: Path,
    three: list[tuple[FileText, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    call: int,
    what: tuple[str, BaseException],
) -> None:
    step, failure = what
    real = getattr(os, step)
    calls = 0

    def fail_once(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise failure
        return real(*args, **kwargs)

    monkeypatch.setattr(os, step, fail_once)
    try:
        write_files(three)
    except (InputError, KeyboardInterrupt):
        monkeypatch.undo()
        # the change set is already whole when folders are flushed: only an interrupt can still be seen
        assert contents(tmp_path) in ([OLD] if isinstance(failure, OSError) else [OLD, NEW])
    else:
        monkeypatch.undo()
        assert contents(tmp_path) == NEW


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_failed_rename_says_so(
    tmp_path: Path, three: list[tuple[FileText, bytes]], monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    replace = os.replace
    calls = 0

    def fail_once(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_once)
    with pytest.raises(InputError, match="cannot be written: input/output error; nothing written"):
        write_files(three)
    assert contents(tmp_path) == OLD
    assert [stat.S_IMODE(file.real.stat().st_mode) for file, _ in three] == [0o640, 0o641, 0o642]


def test_what_cannot_be_restored_is_kept_and_named(
    tmp_path: Path, three: list[tuple[FileText, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    calls = 0

    def fail_after_the_first(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EROFS, "Read-only file system")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_after_the_first)
    with pytest.raises(InputError, match="could not be restored") as caught:
        write_files(three)
    kept = list(tmp_path.rglob(".dockfix-*"))
    assert [path.read_bytes() for path in kept] == [OLD["a"]]
    assert str(kept[0]) in caught.value.message


def test_resolve_inside(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "out").symlink_to("/")
    (tmp_path / "in").symlink_to("inside")
    root = Path(os.path.realpath(tmp_path))
    assert resolve_inside(tmp_path, "inside/new") == root / "inside" / "new"
    assert resolve_inside(tmp_path, "in/new") == root / "inside" / "new"
    assert resolve_inside(tmp_path, ".") == root
    for outside in ("..", "../x", "out", "out/etc/passwd", "/etc/passwd", "in/../../x", "a\0b", "\ud800"):
        assert resolve_inside(tmp_path, outside) is None, outside
