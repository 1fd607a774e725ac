"""Temporary files next to those that they replace, named so that a later run can tell what a killed one has left."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["JOURNAL", "PART", "create", "is_left_name", "is_own_file", "lock", "new_name", "remove_leftovers"]

JOURNAL: Final = ".journal"
"""The end of the name of a journal; see `dockfix.project.journal`."""
PART: Final = ".part"
"""The end of the name of a temporary file that a journal lists: it is needed as long as the journal is there."""

_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL
_FLAGS: Final = ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")


def new_name(folder: Path, end: str = "") -> Path:
    """The path of a temporary file of this process, which does not exist yet.

    Args:
        folder: its folder.
        end: the end of its name; a name with an end is not removed by `remove_leftovers`.
    """
    return folder / f".dockfix-{_process_namespace()}-{os.getpid()}-{os.urandom(6).hex()}{end}"


def create(path: Path) -> int:
    """Create a file that only its owner may read, and return its descriptor."""
    return os.open(path, sum((getattr(os, flag, 0) for flag in _FLAGS), _CREATE), 0o600)


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove the temporary files that killed processes left in some folders.

    A file is removed only if dockfix named it on this machine for this user, and no process has its ID.
    """
    for folder in folders:
        with contextlib.suppress(OSError, ValueError), os.scandir(folder) as scan:
            for entry in scan:
                if is_left_name(entry.name) and is_own_file(entry.stat(follow_symlinks=False)):
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()


def is_left_name(name: str, end: str = "") -> bool:
    """Whether this is the name of a temporary file of a process that has ended, with an end as for `new_name`."""
    match = re.fullmatch(rf"\.dockfix-([0-9a-f]{{8}})-([1-9][0-9]*)-[0-9a-f]{{12}}{re.escape(end)}", name)
    return match is not None and match[1] == _process_namespace() and not _is_running(int(match[2]))


def is_own_file(status: os.stat_result) -> bool:
    """Whether a file is a regular one of this user."""
    return stat.S_ISREG(status.st_mode) and (os.name == "nt" or status.st_uid == os.geteuid())


def lock(descriptor: int) -> bool:
    """Lock an open file against other runs of dockfix, until it is closed; returns whether no other one has it."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system has no locks
    return True


def _process_namespace() -> str:
    """An ID of the machine or container in which this process's ID is unique."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""  # not Linux
    node = os.uname().nodename if hasattr(os, "uname") else ""
    return hashlib.sha256(f"{node} {namespace}".encode()).hexdigest()[:8]


def _is_running(process: int) -> bool:
    """Whether a process with this ID exists or may exist."""
    if os.name == "nt":
        return True  # there the call would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
