"""Private copies of build contexts, so that no build can write into the user's tree.

A builder may mount the context read-write (`RUN --mount=type=bind,rw`), and the scenarios edit files of it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dockfix.facts.model import Refused
from dockfix.project.ignore import IgnoreRules
from dockfix.syntax.source import encode

__all__ = ["ContextCopy"]

_MAX_FILES: Final = 500_000


class ContextCopy:
    """A copy of a build context below a temporary folder of the run.

    Args:
        source: the user's folder, which is only read.
        folder: where the copy is made; it must not exist.
        ignored: rules by which files are left out of the copy; a file must be ignored by all of them. The copy has its
            ignore file, so that the builder applies it itself.
        limit: the highest number of bytes to copy.
        project: the root of the project, which `source` must be in. Symlinks in the context are copied as symlinks.

    Raises:
        Refused: it is too large, or cannot be read.
    """

    def __init__(
        self, source: Path, folder: Path, *, ignored: tuple[IgnoreRules, ...] = (), limit: int, project: Path
    ) -> None:
        if not source.resolve().is_relative_to(project):
            raise Refused(f"the context {source} is outside the project")
        self.source, self.root = source, folder
        self._ignored = ignored
        self._limit, self._left, self._count = limit, limit, 0
        folder.mkdir(parents=True)
        try:
            self._copy(source, folder, "")
        except OSError as error:
            raise Refused(f"the context cannot be copied: {error.strerror}: {error.filename}") from error

    def _copy(self, source: Path, into: Path, prefix: str) -> None:
        with os.scandir(source) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            relative = f"{prefix}{entry.name}"
            goal = into / entry.name
            if entry.is_dir(follow_symlinks=False):
                # a pattern such as `!a/b` may keep a file of an ignored folder
                if not self._is_ignored(relative) or self._has_exceptions():
                    goal.mkdir()
                    self._copy(Path(entry.path), goal, f"{relative}/")
                    self._copy_mode(Path(entry.path), goal)
                continue
            if self._is_ignored(relative) and not entry.name.endswith(".dockerignore"):
                continue
            self._count_one(entry)
            if entry.is_symlink():
                goal.symlink_to(Path(entry.path).readlink())
            elif entry.is_file(follow_symlinks=False):
                shutil.copy2(entry.path, goal, follow_symlinks=False)
            # sockets, pipes and devices are not part of a context

    def _count_one(self, entry: os.DirEntry[str]) -> None:
        self._count += 1
        self._left -= entry.stat(follow_symlinks=False).st_size
        if self._left < 0:
            raise Refused(f"the context is larger than {self._limit / 1024**2:.0f} MiB; see --max-context")
        if self._count > _MAX_FILES:
            raise Refused(f"the context has more than {_MAX_FILES} files")

    def _copy_mode(self, source: Path, goal: Path) -> None:
        with suppress(OSError):
            shutil.copystat(source, goal, follow_symlinks=False)
            goal.chmod(stat.S_IMODE(source.stat().st_mode) | stat.S_IRWXU)  # so that the copy can be removed

    def _is_ignored(self, relative: str) -> bool:
        return bool(self._ignored) and all(rules.ignored(relative) for rules in self._ignored)

    def _has_exceptions(self) -> bool:
        return any(pattern.exclusion for rules in self._ignored for pattern in rules.patterns)

    def inside(self, path: Path) -> Path | None:
        """The place in the copy of a file of the user's tree; None if it is outside the context."""
        return self.root / path.relative_to(self.source) if path.is_relative_to(self.source) else None

    @contextmanager
    def changed(self, changes: Mapping[Path, str | None]) -> Iterator[None]:
        """The copy with other texts of some files, for as long as the context lasts.

        Args:
            changes: texts by the path in the user's tree; None for a file that does not exist. Paths outside the
                context are left out.
        """
        saved: list[tuple[Path, bytes | None, os.stat_result | None]] = []
        made: list[Path] = []
        try:
            for path, text in changes.items():
                place = self.inside(path)
                if place is None:
                    continue
                exists = place.is_file() and not place.is_symlink()
                saved.append((place, place.read_bytes() if exists else None, place.stat() if exists else None))
                for parent in [each for each in reversed(place.parents) if not each.exists()]:
                    parent.mkdir()
                    made.append(parent)
                if text is None:
                    place.unlink(missing_ok=True)
                else:
                    place.write_bytes(encode(text))
            yield
        finally:
            for place, data, status in reversed(saved):
                if data is None or status is None:
                    place.unlink(missing_ok=True)
                else:
                    place.write_bytes(data)
                    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
            for parent in reversed(made):
                with suppress(OSError):
                    parent.rmdir()
