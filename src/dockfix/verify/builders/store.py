"""A private image store for buildah and podman: the images of the user's store are visible, nothing is written there.

All that a run makes (images, layers, containers, cache mounts) lies below two folders, so that it can be removed as a
whole. They are next to those of the user's store if they can be: what that file system can do is enough for the driver.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from dockfix.verify.builders.common import one_line
from dockfix.verify.model import BuilderError
from dockfix.verify.process import run

__all__ = ["Store"]

_PREFIX: Final = "dockfix-"
_LOCK: Final = "dockfix.lock"
_LAYERED: Final = ("overlay", "vfs")
"""The storage drivers that can read the images of another store."""
_LONGEST: Final = 29
"""How long the path of the parent of `run_root` may be: podman takes no `--runroot` of more than 50 characters."""


class Store:
    """A private store. It is locked as long as it is used, so that a later run can tell what a killed one left."""

    def __init__(self, program: str, folder: Path) -> None:
        """Make the store.

        Args:
            program: `buildah` or `podman`.
            folder: where to make it if the place next to the user's store cannot be written.

        Raises:
            BuilderError: the program has no store, or one whose driver cannot read another store.
        """
        self._program = program
        user = _info(program)
        driver = user["graphdrivername"]
        if driver not in _LAYERED:
            raise BuilderError(f"{program}: the storage driver `{driver}` is not supported, only overlay and vfs")
        graph, running = Path(user["graphroot"]), Path(user["runroot"])
        short = Path(tempfile.gettempdir())
        for parent in {graph.parent, running.parent, short}:
            self._remove_stale(parent)
        self.root, self._lock = _made([graph.parent, folder])
        self.run_root, self._run_lock = _made(
            [place for place in (running.parent, short) if len(str(place)) <= _LONGEST] + [folder]
        )
        self.temporary = self.root / "tmp"
        self.temporary.mkdir()
        places = {"root": self.root / "store", "runroot": self.run_root / "run"}
        if program == "podman":
            places["tmpdir"] = self.run_root / "libpod"
        self.options = [f"--{name}={place}" for name, place in places.items()]
        self.options += [f"--storage-driver={driver}", f"--storage-opt={driver}.imagestore={graph}"]
        self.options += [f"--storage-opt={each}" for each in _driver_options(user.get("graphoptions"))]
        self.env = {"TMPDIR": str(self.temporary)}
        """Variables for the program: cache mounts and intermediate files are below `TMPDIR`."""

    def remove(self) -> None:
        """Remove the store and all that is in it. Containers must have ended."""
        for root, lock in ((self.root, self._lock), (self.run_root, self._run_lock)):
            self._remove(root)
            lock.close()

    def _remove(self, root: Path) -> None:
        for mount in _mounts_below(root):
            with suppress(OSError):
                run(["umount", "--lazy", str(mount)], timeout=30.0)
        shutil.rmtree(root, ignore_errors=True)
        if root.exists() and os.geteuid() != 0:
            # files of the user IDs that a rootless build has
            with suppress(OSError):
                run([self._program, "unshare", "rm", "-rf", "--", str(root)], timeout=300.0)

    def _remove_stale(self, parent: Path) -> None:
        """Remove the stores of runs that were killed."""
        for root in parent.glob(f"{_PREFIX}*"):
            with suppress(OSError), (root / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._remove(root)


def _info(program: str) -> dict[str, Any]:
    """What a program says of the user's store, with keys in lower case."""
    argv = [program, "info"] if program == "buildah" else [program, "info", "--format", "json"]
    try:
        answer = run(argv, timeout=30.0)
    except OSError as error:
        raise BuilderError(f"{program} cannot be run: {error.strerror}") from None
    try:
        if answer.ok:
            told = json.loads(answer.output[answer.output.index("{") :])
            if told["host"].get("serviceIsRemote"):
                raise BuilderError(f"{program} only drives a remote service here, which has no private store")
            return {name.lower(): value for name, value in told["store"].items()}
    except (ValueError, KeyError, AttributeError):
        pass
    raise BuilderError(f"{program} has no image store: {one_line(answer.output)}")


def _driver_options(options: object) -> list[str]:
    """The options of the user's store, such as `overlay.mount_program=/usr/bin/fuse-overlayfs`."""
    if isinstance(options, Mapping):  # podman
        return [f"{name}={value.get('Executable', '') if isinstance(value, Mapping) else value}"
                for name, value in options.items()]  # fmt: skip
    return [str(each) for each in options] if isinstance(options, list) else []


def _made(places: Sequence[Path]) -> tuple[Path, IO[bytes]]:
    """A new folder in the first place that can be written, with its lock."""
    place = next((each for each in places if os.access(each, os.W_OK)), places[-1])
    root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    unlocked = root / "new.lock"
    lock = unlocked.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    unlocked.rename(root / _LOCK)  # another run sees it locked, or not at all
    return root, lock


def _mounts_below(root: Path) -> list[Path]:
    """The mount points below a folder, the innermost first."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return sorted((point for point in points if root in point.parents), key=lambda point: -len(point.parts))
