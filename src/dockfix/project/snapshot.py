"""The files of a project as one run sees them: each is read once, and what a run changes lies over them in memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockfix.project.files import NOWHERE, FileText, read_file, resolve_inside
from dockfix.syntax.source import encode

__all__ = ["Snapshot"]


@dataclass(frozen=True)
class Snapshot:
    """What is read of a project, and what a run has changed of it so far.

    `root` is absolute and real; nothing outside it is read. `changes` maps real paths to texts: of files that are
    there, and of files that are to be created. All reading of project files goes through here, so that what was
    judged is what is written, or nothing is: the fingerprint taken at the first reading is held against the file
    again before it is replaced.
    """

    root: Path
    changes: Mapping[Path, str] = field(default_factory=dict)
    _read: dict[Path, FileText] = field(default_factory=dict, repr=False, compare=False)

    def read(self, path: Path) -> FileText:
        """A file as it stands now, changes applied; `path` is absolute, or relative to the current folder.

        Raises `InputError` as `read_file` does.
        """
        real = self.real(path)
        if real is None or real not in self.changes:
            return self.original(path)
        text = self.changes[real]
        fingerprint = self.original(path).fingerprint if os.path.lexists(real) else NOWHERE
        return FileText(path, real, encode(text), text, fingerprint)

    def original(self, path: Path) -> FileText:
        """A file as it stands on disk, read once. Raises `InputError` as `read_file` does."""
        key = self.real(path) or path
        file = self._read.get(key)
        if file is None:
            file = self._read[key] = read_file(path, root=self.root)
        return file

    def real(self, path: Path) -> Path | None:
        """The real path of a file that need not exist; `None` if it lies outside the project."""
        return resolve_inside(self.root, path.absolute())

    def is_file(self, path: Path) -> bool:
        """Whether there is, or is to be, a regular file inside the project."""
        mode = self._mode(path)
        return self.real(path) in self.changes or (mode is not None and stat.S_ISREG(mode))

    def is_dir(self, path: Path) -> bool:
        """Whether there is a folder inside the project."""
        mode = self._mode(path)
        return mode is not None and stat.S_ISDIR(mode)

    @property
    def created(self) -> frozenset[Path]:
        """The changed files that are not on disk."""
        return frozenset(path for path in self.changes if not os.path.lexists(path))

    def with_changes(self, changes: Mapping[Path, str]) -> Snapshot:
        """The same files with more changes over them; keys are real paths."""
        return Snapshot(self.root, {**self.changes, **changes}, self._read)

    def _mode(self, path: Path) -> int | None:
        real = self.real(path)
        if real is None:
            return None
        try:
            return real.stat().st_mode
        except (OSError, ValueError):
            return None
