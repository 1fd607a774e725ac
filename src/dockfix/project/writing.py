"""Writing files: a change set is written whole or not at all, and a file that changed since it was read is refused."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dockfix.project.files import FileText, fingerprint_of, reason_of
from dockfix.project.problems import InputError

_CHANGED: Final = "changed while dockfix was working; nothing written"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is to create. `path` is shown in messages, `real` is its place; nothing may exist there yet."""

    path: Path
    real: Path


def write_files(changes: Sequence[tuple[FileText | NewFile, bytes]]) -> None:
    """Replace the content of every file and create every new one, or do nothing at all.

    New content goes to a temporary file next to the real file (symlinks stay symlinks), is flushed to disk, gets the
    mode, owner and extended attributes of the old file, and is renamed over it. Right before the rename, the old file
    must still be the one that was read. A file with further hard links is refused, since a rename would separate them;
    so is a read-only file. A new file never replaces an existing one.

    Raises:
        InputError: something failed; replaced files have their old content again, created and temporary files are gone.
    """
    pending = [(file, data) for file, data in changes if isinstance(file, NewFile) or file.data != data]
    seen: set[Path] = set()
    for file, _ in changes:
        if file.real in seen:
            raise InputError(str(file.path), None, "is in the change set twice; nothing written")
        seen.add(file.real)
    temporary: list[Path] = []
    replaced: list[tuple[FileText, Path]] = []
    created: list[tuple[NewFile, os.stat_result]] = []
    try:
        staged: list[tuple[FileText | NewFile, Path, Path | None]] = []
        for file, data in pending:
            if isinstance(file, NewFile):
                _refuse_existing(file)
                with _write_failure(file):
                    staged.append((file, _stage_new(file, data, temporary), None))
                continue
            current = _unchanged_status(file)
            _refuse_unwritable(file, current)
            with _write_failure(file):
                new = _stage(file, data, current, temporary)
                old = _stage(file, file.data, current, temporary) if len(pending) > 1 else None
            staged.append((file, new, old))
        for file, new, old in staged:
            if isinstance(file, NewFile):
                with _write_failure(file):
                    created.append(
                        (file, new.stat())
                    )  # registered before it exists, so that an interrupt does not leave it
                    _publish(new, file.real)
                continue
            _unchanged_status(file)
            with _write_failure(file):
                if old is not None:
                    replaced.append((file, old))  # registered before the rename, so that an interrupt does not lose it
                os.replace(new, file.real)  # noqa: PTH105 - one call to make fail in tests
    except BaseException as error:
        _remove_created(created)
        lost = _restore(replaced, temporary)
        if lost:
            message = "could not be restored after a failed write; its old content is in " + ", ".join(map(str, lost))
            raise InputError(str(lost[0].parent), None, message) from error
        raise
    finally:
        _remove(temporary)
    for folder in {file.real.parent for file, _ in pending}:
        _sync_folder(folder)


def _refuse_existing(file: NewFile) -> None:
    if os.path.lexists(file.real):
        raise InputError(str(file.path), None, "is there already and would have been created; nothing written")


def _stage_new(file: NewFile, data: bytes, temporary: list[Path]) -> Path:
    """Write `data` to a temporary file next to the new file's place, with the mode of a new file."""
    descriptor, path = _create_temporary(file.real.parent, temporary)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fchmod(descriptor, 0o666 & ~current_umask())
        os.fsync(descriptor)
    return path


def _create_temporary(folder: Path, temporary: list[Path]) -> tuple[int, Path]:
    """Create a file with a new name and return its descriptor and path.

    The path is added to `temporary` before the file exists, so that a signal in between does not leave a file.
    """
    while True:
        path = folder / f"{_prefix()}{os.urandom(6).hex()}"
        temporary.append(path)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), path
        except FileExistsError:
            temporary.remove(path)  # the file belongs to another process


def _prefix() -> str:
    """The prefix of this process's temporary files: its process namespace and its process ID."""
    return f".dockfix-{_process_namespace()}-{os.getpid()}-"


def _process_namespace() -> str:
    """An ID of the machine or container in which this process's ID is unique."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""  # not Linux
    return hashlib.sha256(f"{os.uname().nodename} {namespace}".encode()).hexdigest()[:8]


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove the temporary files that killed processes left in some folders.

    A file is removed only if dockfix named it on this machine for this user, and no process has its ID.
    """
    ours = re.compile(rf"\.dockfix-{_process_namespace()}-([1-9][0-9]*)-[0-9a-f]{{12}}")
    for folder in folders:
        with contextlib.suppress(OSError, ValueError), os.scandir(folder) as scan:
            for entry in scan:
                match = ours.fullmatch(entry.name)
                if match is not None and not _is_running(int(match[1])) and _is_own_file(entry):
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()


def _is_running(process: int) -> bool:
    """Whether a process with this ID exists or may exist."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _is_own_file(entry: os.DirEntry[str]) -> bool:
    status = entry.stat(follow_symlinks=False)
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


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


def _unchanged_status(file: FileText) -> os.stat_result:
    """The status of the file as it is now; raises `InputError` if it is not the file that was read."""
    changed = InputError(str(file.path), None, _CHANGED)
    try:
        if os.path.realpath(file.path, strict=True) != str(file.real):
            raise changed
        descriptor = os.open(file.real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise changed
            data = stream.read(len(file.data) + 1)
    except OSError as error:
        raise changed from error
    if fingerprint_of(status, data) != file.fingerprint:
        raise changed
    return status


def _refuse_unwritable(file: FileText, status: os.stat_result) -> None:
    if status.st_nlink > 1:
        message = "has other hard links, which a rewrite would separate from it; nothing written"
        raise InputError(str(file.path), None, message)
    if not os.access(file.real, os.W_OK):
        raise InputError(str(file.path), None, "is read-only; nothing written")


def _stage(file: FileText, data: bytes, like: os.stat_result, temporary: list[Path]) -> Path:
    """Write `data` to a temporary file next to `file`, with the mode, owner and extended attributes of `file`."""
    descriptor, path = _create_temporary(file.real.parent, temporary)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        created = os.fstat(descriptor)
        if (created.st_uid, created.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(descriptor, like.st_uid, like.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        _copy_attributes(file.real, path)
        os.fsync(descriptor)
    return path


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
            lost.append(_kept(old))
    return lost


def _kept(old: Path) -> Path:
    """Rename a temporary file, if possible, so that no later run removes it as a leftover."""
    kept = old.with_name(f".dockfix-kept-{old.name.rpartition('-')[2]}")
    try:
        return old.rename(kept)
    except OSError:
        return old


def _remove(temporary: Sequence[Path]) -> None:
    for path in temporary:
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
