"""Writing files: a change set is written whole or not at all, and a file that changed since it was read is refused."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from dockfix.project.files import READ, FileText, fingerprint_of, reason_of
from dockfix.project.journal import Entry, digest_of, kept, write_journal
from dockfix.project.problems import InputError
from dockfix.project.temporary import PART, create, lock, new_name, remove_leftovers

_CHANGED: Final = "changed while dockfix was working; nothing written"


class NewFile(Struct, frozen=True):
    """A file that is to create. `path` is shown in messages, `real` is its place; nothing may exist there yet."""

    path: Path
    real: Path


class _Part(Struct, frozen=True):
    """A file of a change set: its new content, and the temporary files for it and for its old content."""

    file: FileText | NewFile
    data: bytes
    new: Path
    old: Path


def write_files(changes: Sequence[tuple[FileText | NewFile, bytes]], root: Path | None = None) -> None:
    """Replace the content of every file and create every new one, or do nothing at all.

    New content goes to a temporary file next to the real file (symlinks stay symlinks), is flushed to disk, gets the
    mode, owner and extended attributes of the old file, and is renamed over it. Right before the rename, the old file
    must still be the one that was read; it is locked for that, so that two runs cannot both replace it. A file with
    further hard links is refused, since a rename would separate them; so is a read-only file. A new file never replaces
    an existing one.

    Args:
        changes: the files with their new contents.
        root: the root of the project, which holds the journal of a change of several files: if the process is killed
            between two renames, the next run undoes the first ones. None, or a folder that cannot be written: no
            journal.

    Raises:
        InputError: something failed; replaced files have their old content again, created and temporary files are gone.
    """
    pending = [(file, data) for file, data in changes if isinstance(file, NewFile) or file.data != data]
    seen: set[Path] = set()
    for file, _ in changes:
        if file.real in seen:
            raise InputError(str(file.path), None, "is in the change set twice; nothing written")
        seen.add(file.real)
    journal = root if len(pending) > 1 and root is not None and os.access(root, os.W_OK) else None
    end = "" if journal is None else PART
    parts = [
        _Part(file, data, new_name(file.real.parent, end), new_name(file.real.parent, end)) for file, data in pending
    ]
    temporary: list[Path] = []
    with contextlib.ExitStack() as locks:
        _write(parts, journal, temporary, locks)
    for folder in {file.real.parent for file, _ in pending}:
        _sync_folder(folder)


def _write(parts: Sequence[_Part], journal: Path | None, temporary: list[Path], locks: contextlib.ExitStack) -> None:
    replaced: list[tuple[FileText, Path]] = []
    created: list[tuple[NewFile, os.stat_result]] = []
    originals: dict[Path, _Original] = {}
    try:
        for part in parts:
            if isinstance(part.file, NewFile):
                _refuse_existing(part.file)
            else:
                originals[part.file.real] = original = _Original(part.file, locks)
                _refuse_unwritable(part.file, original.status())
        if journal is not None:
            with _write_failure(parts[0].file):
                write_journal(journal, [_entry(part) for part in parts], temporary)
        for part in parts:
            with _write_failure(part.file):
                _stage_part(part, originals.get(part.file.real), temporary, with_old=len(parts) > 1)
        for original in originals.values():
            original.lock()
        for part in parts:
            if isinstance(part.file, NewFile):
                with _write_failure(part.file):
                    # registered before it exists, so that an interrupt does not leave it
                    created.append((part.file, part.new.stat()))
                    _publish(part.new, part.file.real)
                continue
            originals[part.file.real].status()
            with _write_failure(part.file):
                if len(parts) > 1:
                    replaced.append((part.file, part.old))  # as above
                os.replace(part.new, part.file.real)  # noqa: PTH105 - one call to make fail in tests
    except BaseException as error:
        _remove_created(created)
        lost = _restore(replaced, temporary)
        if lost:
            message = "could not be restored after a failed write; its old content is in " + ", ".join(map(str, lost))
            raise InputError(str(lost[0].parent), None, message) from error
        raise
    finally:
        _remove(temporary)


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of a file, whatever it is, or create it; there is the old content or the whole new one.

    The mode is kept, and the owner if that is permitted; a pipe or a device is written to.

    Args:
        path: the real path of the file.
        data: its new content.

    Raises:
        OSError: it cannot be written.
    """
    old = path.stat() if path.exists() else None
    if old is not None and not stat.S_ISREG(old.st_mode):
        path.write_bytes(data)
        return
    remove_leftovers([path.parent])
    new = new_name(path.parent)
    try:
        _stage_new(new, data)
        if old is not None:
            with contextlib.suppress(OSError):
                os.chown(new, old.st_uid, old.st_gid)
            new.chmod(stat.S_IMODE(old.st_mode))
        os.replace(new, path)  # noqa: PTH105 - as above
    except BaseException:
        _remove([new])
        raise


def _entry(part: _Part) -> Entry:
    before = "" if isinstance(part.file, NewFile) else digest_of(part.file.data)
    old = None if isinstance(part.file, NewFile) else part.old
    return Entry(part.file.real, part.new, old, before, digest_of(part.data))


def _stage_part(part: _Part, original: _Original | None, temporary: list[Path], *, with_old: bool) -> None:
    """Write the temporary files of a part; each is registered before it exists."""
    file = part.file
    if isinstance(file, NewFile):
        temporary.append(part.new)
        _stage_new(part.new, part.data)
    elif original is not None:
        like = original.status()
        temporary.append(part.new)
        _stage(file, part.new, part.data, like)
        if with_old:
            temporary.append(part.old)
            _stage(file, part.old, file.data, like)


def _refuse_existing(file: NewFile) -> None:
    if os.path.lexists(file.real):
        raise InputError(str(file.path), None, "is there already and would have been created; nothing written")


def _stage_new(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file next to the new file's place, with the mode of a new file."""
    descriptor = create(path)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fchmod(descriptor, 0o666 & ~current_umask())
        os.fsync(descriptor)


def current_umask() -> int:
    """The process's mask for new files; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _publish(new: Path, real: Path) -> None:
    """Give a staged file its name, unless the name is in use by now."""
    try:
        os.link(new, real, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # no hard links on this file system: an empty file reserves the name, and fails if the name is in use
        os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC))
        try:
            os.replace(new, real)  # noqa: PTH105
        except BaseException:
            real.unlink()
            raise


def _remove_created(created: Sequence[tuple[NewFile, os.stat_result]]) -> None:
    """Remove the new files that are still ours: another program may have replaced them in the meantime."""
    for file, status in created:
        with contextlib.suppress(OSError):
            there = file.real.lstat()
            if (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino):
                file.real.unlink()


@contextlib.contextmanager
def _write_failure(file: FileText | NewFile) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(str(file.path), None, f"cannot be written: {reason_of(error)}; nothing written") from error


class _Original:
    """A file that is to be replaced, open until `streams` ends."""

    def __init__(self, file: FileText, streams: contextlib.ExitStack) -> None:
        self._file = file
        try:
            self._stream: IO[bytes] = streams.enter_context(os.fdopen(os.open(file.real, READ), "rb"))
        except OSError as error:
            raise self._refusal(_CHANGED) from error

    def lock(self) -> None:
        """Lock the file against other runs of dockfix until it is closed; raises `InputError` if one has it."""
        if not lock(self._stream.fileno()):
            raise self._refusal("is being written by another run of dockfix; nothing written")

    def status(self) -> os.stat_result:
        """The status of the file; raises `InputError` if it is not the one that was read, or not at its place."""
        try:
            at_place = os.path.realpath(self._file.path, strict=True) == str(self._file.real)
            status, there = os.fstat(self._stream.fileno()), self._file.real.lstat()
            self._stream.seek(0)
            data = self._stream.read(len(self._file.data) + 1)
        except OSError as error:
            raise self._refusal(_CHANGED) from error
        same = (status.st_dev, status.st_ino) == (there.st_dev, there.st_ino) and stat.S_ISREG(status.st_mode)
        if not at_place or not same or fingerprint_of(status, data) != self._file.fingerprint:
            raise self._refusal(_CHANGED)
        return status

    def _refusal(self, message: str) -> InputError:
        return InputError(str(self._file.path), None, message)


def _refuse_unwritable(file: FileText, status: os.stat_result) -> None:
    if status.st_nlink > 1:
        message = "has other hard links, which a rewrite would separate from it; nothing written"
        raise InputError(str(file.path), None, message)
    if not os.access(file.real, os.W_OK):
        raise InputError(str(file.path), None, "is read-only; nothing written")


def _stage(file: FileText, path: Path, data: bytes, like: os.stat_result) -> None:
    """Write `data` to a temporary file next to `file`, with the mode, owner and extended attributes of `file`."""
    descriptor = create(path)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        created = os.fstat(descriptor)
        if (created.st_uid, created.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(descriptor, like.st_uid, like.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        _copy_attributes(file.real, path)
        os.fsync(descriptor)


def _copy_attributes(source: Path, target: Path) -> None:
    """Extended attributes (access lists among them), as far as the file system and our rights allow."""
    if not hasattr(os, "listxattr"):
        return  # not Linux
    with contextlib.suppress(OSError):
        for attribute in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(target, attribute, os.getxattr(source, attribute))


def _restore(replaced: Sequence[tuple[FileText, Path]], temporary: list[Path]) -> list[Path]:
    """Restore the old content; return the copies of files that could not be restored, which are kept."""
    lost: list[Path] = []
    for file, old in reversed(replaced):
        try:
            if file.real.read_bytes() == file.data:
                continue  # the rename did not happen
        except OSError:
            pass  # the rename below is the last resort
        try:
            os.replace(old, file.real)  # noqa: PTH105
        except OSError:
            temporary.remove(old)
            lost.append(kept(old))
    return lost


def _remove(temporary: Sequence[Path]) -> None:
    for path in reversed(temporary):  # the journal after what it lists
        with contextlib.suppress(OSError):  # a renamed file no longer exists
            path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the renames durable. The change is complete, so a file system that cannot do it is not an error."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
