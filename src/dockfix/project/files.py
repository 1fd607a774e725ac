"""Reading files: nothing blocks, nothing outside the root is read, and one run sees each file once (`Snapshot`)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from dockfix.project.problems import InputError
from dockfix.syntax.source import encode

__all__ = [
    "MAX_BYTES", "NOWHERE", "READ", "FileText", "Fingerprint", "InputError", "Snapshot", "fingerprint_of", "read_file",
    "read_start", "reason_of", "resolve_inside",
]  # fmt: skip

MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest file that is read, in bytes.

The largest of about 34,000 public Dockerfiles is well below 1 MiB; a larger file is a mistake or an attack.
"""

_FLAGS: Final = ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")  # not each system has each
READ: Final = sum((getattr(os, flag, 0) for flag in _FLAGS), os.O_RDONLY)
"""How files are opened for reading: without waiting for a pipe, and without following a symlink."""

_BINARY_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x7fELF", "an ELF program"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\x1f\x8b", "gzip data"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"BZh9", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"MZ\x90\x00", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Mach-O program or Java class"),
    (b"\x00asm", "a WebAssembly module"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xff\xfe", "UTF-16 text, which BuildKit cannot read; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text, which BuildKit cannot read; save it as UTF-8"),
)
_CONTROL_BYTES: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B}) + b"\x7f"
_CONTROL_SHARE: Final = 0.30


class Fingerprint(Struct, frozen=True):
    """Identifies the version of a file that was read."""

    mtime_ns: int
    size: int
    inode: int
    device: int
    mode: int
    sha256: str


NOWHERE: Final = Fingerprint(0, 0, 0, 0, 0, "")
"""The fingerprint of a text without a file, which is never written."""


class FileText(Struct, frozen=True):
    """A file as it was read: its bytes, and its text with bytes that are not UTF-8 kept as surrogates.

    `path` is the path as given; `real` is the path with all symlinks resolved, always inside the root.
    """

    path: Path
    real: Path
    data: bytes
    text: str
    fingerprint: Fingerprint


def resolve_inside(root: Path, relative: str | os.PathLike[str]) -> Path | None:
    """The real path of `relative` below `root`, or `None` if it leaves the root, through `..` or a symlink.

    The path need not exist.
    """
    try:
        real_root = os.path.realpath(root)
        real = os.path.realpath(Path(real_root, relative))
    except (OSError, ValueError):
        return None  # a NUL or a lone surrogate in the name: such a file cannot exist
    return Path(real) if is_inside(real, real_root) else None


def read_file(path: Path, *, root: Path) -> FileText:
    """Read a regular text file inside `root`, following symlinks only inside it.

    A FIFO or a device is never opened, so reading cannot block. NUL bytes alone do not make a file binary: BuildKit
    accepts them.

    Raises:
        InputError: a folder, a missing or unreadable file, a dangling or looping symlink, a file outside the root, a
            binary or oversized file (`MAX_BYTES`), or anything else that is not a regular file.
    """
    name = str(path)
    try:
        real = Path(os.path.realpath(path, strict=True))
    except ValueError as error:
        raise InputError(name, None, "is not a possible file name") from error
    except OSError as error:
        raise InputError(name, None, why_unreadable(path, error)) from error
    if not is_inside(str(real), os.path.realpath(root)):
        raise InputError(name, None, "lies outside the project root and is left alone")
    try:
        _refuse_irregular(name, real.lstat().st_mode)
        descriptor = os.open(real, READ)
        with os.fdopen(descriptor, "rb") as stream:
            _refuse_irregular(name, os.fstat(descriptor).st_mode)  # the file may have been replaced since
            data = stream.read(MAX_BYTES + 1)
            status = os.fstat(descriptor)
    except OSError as error:
        raise InputError(name, None, f"cannot be read: {reason_of(error)}") from error
    if len(data) > MAX_BYTES:
        raise InputError(name, None, f"is larger than {MAX_BYTES // (1024 * 1024)} MiB and is not read")
    if (binary := _binary_kind(data)) is not None:
        raise InputError(name, None, binary)
    return FileText(path, real, data, data.decode("utf-8", "surrogateescape"), fingerprint_of(status, data))


def read_start(real: Path, size: int) -> bytes | None:
    """The first bytes of a regular file that is given by its real path; `None` if it cannot be read."""
    try:
        descriptor = os.open(real, READ)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None


def is_inside(real: str, real_root: str) -> bool:
    """Whether a real path is a folder or something in it."""
    return real == real_root or real.startswith(real_root.rstrip("/") + "/")


def why_unreadable(path: Path, error: OSError) -> str:
    """What is wrong with a path that cannot be read, as the end of a sentence."""
    if error.errno == errno.ELOOP:
        return "is a symlink that leads back to itself"
    if isinstance(error, FileNotFoundError):
        return "is a symlink to a file that does not exist" if path.is_symlink() else "does not exist"
    return f"cannot be read: {reason_of(error)}"


def _refuse_irregular(name: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(name, None, "is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise InputError(name, None, "is not a regular file (a pipe, socket or device) and is not opened")


def _binary_kind(data: bytes) -> str | None:
    for magic, kind in _BINARY_MAGIC:
        if data.startswith(magic):
            return f"is not a Dockerfile or other text but {kind}"
    controls = len(data) - len(data.translate(None, _CONTROL_BYTES))
    return "looks binary and is left alone" if controls > len(data) * _CONTROL_SHARE else None


def reason_of(error: OSError) -> str:
    """What the operating system says, in lower case."""
    return (error.strerror or str(error)).lower()


def fingerprint_of(status: os.stat_result, data: bytes) -> Fingerprint:
    digest = hashlib.sha256(data).hexdigest()
    return Fingerprint(status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev, status.st_mode, digest)


class Snapshot(Struct, frozen=True):
    """The files of a project as one run sees them: each is read once, with the run's changes applied in memory.

    `root` is absolute and real; nothing outside it is read. `changes` maps real paths to the texts of changed and new
    files. All reading of project files goes through here, so that what was checked is what is written: the fingerprint
    of the first read is compared with the file again before it is replaced.
    """

    root: Path
    changes: Mapping[Path, str] = field(default_factory=dict)
    _read: dict[Path, FileText] = field(default_factory=dict)

    def read(self, path: Path) -> FileText:
        """A file with changes applied; `path` is absolute, or relative to the current folder.

        Raises:
            InputError: as `read_file` does.
        """
        real = self.real(path)
        if real is None or real not in self.changes:
            return self.original(path)
        text = self.changes[real]
        fingerprint = self.original(path).fingerprint if os.path.lexists(real) else NOWHERE
        return FileText(path, real, encode(text), text, fingerprint)

    def original(self, path: Path) -> FileText:
        """A file as it is on disk, read once.

        Raises:
            InputError: as `read_file` does.
        """
        key = self.real(path) or path
        file = self._read.get(key)
        if file is None:
            file = self._read[key] = read_file(path, root=self.root)
        return file

    def real(self, path: Path) -> Path | None:
        """The real path of a file, which need not exist; `None` if it is outside the project."""
        return resolve_inside(self.root, path.absolute())

    def is_file(self, path: Path) -> bool:
        """Whether this is a regular file inside the project, or one that the run creates."""
        mode = self._mode(path)
        return self.real(path) in self.changes or (mode is not None and stat.S_ISREG(mode))

    def is_dir(self, path: Path) -> bool:
        """Whether this is a folder inside the project."""
        mode = self._mode(path)
        return mode is not None and stat.S_ISDIR(mode)

    @property
    def seen(self) -> tuple[FileText, ...]:
        """The files that were read so far."""
        return tuple(self._read.values())

    @property
    def created(self) -> frozenset[Path]:
        """The changed files that are not on disk."""
        return frozenset(path for path in self.changes if not os.path.lexists(path))

    def with_changes(self, changes: Mapping[Path, str]) -> Snapshot:
        """The same files with more changes applied; keys are real paths."""
        return Snapshot(self.root, {**self.changes, **changes}, self._read)

    def _mode(self, path: Path) -> int | None:
        real = self.real(path)
        if real is None:
            return None
        try:
            return real.stat().st_mode
        except (OSError, ValueError):
            return None
