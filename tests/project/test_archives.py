"""Whether ADD unpacks a file, by its content."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from dockfix.project.archives import is_unpacked
from dockfix.project.context import Context
from dockfix.project.ignore import IgnoreRules


def tar(size: int = 5, kind: int = tarfile.GNU_FORMAT, name: str = "hello") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = size
        archive.addfile(entry, io.BytesIO(b"x" * size))
    return buffer.getvalue()


def unpacked(folder: Path, data: bytes) -> bool | None:
    (folder / "file").write_bytes(data)
    return is_unpacked(Context(folder, folder, IgnoreRules(None, ())), "file")


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"])
def test_a_tar_is_unpacked_however_it_is_compressed(tmp_path: Path, pack: type[bytes], kind: int) -> None:
    assert unpacked(tmp_path, pack(tar(kind=kind, name="n" * 120 if kind == tarfile.PAX_FORMAT else "hello"))) is True


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
@pytest.mark.parametrize("data", [b"", b"hello\n", b"\0" * 2048, b"x" * 5000, tar()[:500]])
def test_other_files_are_not(tmp_path: Path, pack: type[bytes], data: bytes) -> None:
    assert unpacked(tmp_path, pack(data)) is False


def test_a_large_bzip2_block_is_read_as_a_whole(tmp_path: Path) -> None:
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(25_000))
    assert unpacked(tmp_path, bz2.compress(tar(0)[:512] + noise)) is True
    assert unpacked(tmp_path, bz2.compress(noise)) is False


def test_an_old_format_without_a_magic_counts(tmp_path: Path) -> None:
    block = bytearray(tar()[:512])
    block[257:265] = b"\0" * 8
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    assert unpacked(tmp_path, bytes(block)) is True


@pytest.mark.parametrize(
    "data",
    [
        b"\x28\xb5\x2f\xfd" + b"zstd",
        b"\x50\x2a\x4d\x18" + b"skip",
        gzip.compress(tar(), mtime=0)[:20],
        b"\x1f\x8b\x08 damaged gzip",
        b"BZh9 damaged bzip2",
        b"\xfd7zXZ\x00 damaged xz",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
)
def test_what_cannot_be_told(tmp_path: Path, data: bytes) -> None:
    assert unpacked(tmp_path, data) is None


def test_folders_links_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("archive")
    (tmp_path / "archive").write_bytes(tar())
    (tmp_path / "outside").symlink_to("/etc/hostname")
    context = Context(tmp_path, tmp_path, IgnoreRules(None, ()))
    assert is_unpacked(context, "folder") is False
    assert is_unpacked(context, "link") is True
    assert is_unpacked(context, "missing") is None
    assert is_unpacked(context, "outside") is None
