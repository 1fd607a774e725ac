"""A build context: the files that COPY and ADD can see. Read lazily and within limits, never outside the project, and
never executed.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from dockfix.project.files import Snapshot, read_file, read_start, resolve_inside
from dockfix.project.ignore import IgnoreRules
from dockfix.project.patterns import BadPatternError, clean, has_wildcard, match
from dockfix.project.problems import InputError

MAX_ENTRIES: Final = 20_000
"""The most directory entries that one query reads; beyond it the answer is `None`."""


class Context(Struct, frozen=True, dict=True):
    """The folder that a build sends, with its ignore rules.

    `root` and `project_root` are absolute. Paths are relative to `root`, with `/`; as in COPY, a leading `/` means
    the root too, and `..` does not lead out of it. The target of a symlink outside the project does not exist here.
    `files` is the snapshot to read from, including files that the run creates.
    """

    root: Path
    project_root: Path
    ignore: IgnoreRules
    files: Snapshot | None = None

    def exists(self, rel: str) -> bool:
        """Whether a file or folder exists, ignored or not; see `ignored`."""
        return self._mode(rel) is not None

    def is_dir(self, rel: str) -> bool:
        """Whether `rel` is a folder, or a symlink to one."""
        mode = self._mode(rel)
        return mode is not None and stat.S_ISDIR(mode)

    def is_file(self, rel: str) -> bool:
        """Whether `rel` is a regular file, or a symlink to one."""
        mode = self._mode(rel)
        return mode is not None and stat.S_ISREG(mode)

    def read_text(self, rel: str, limit: int = 1024 * 1024) -> str | None:
        """The text of a regular file of at most `limit` bytes, else `None`. Odd bytes become surrogates."""
        real = self._resolve(rel)
        if real is None:
            return None
        try:
            if self._mode(rel) is None or (real.exists() and real.stat().st_size > limit):
                return None
            file = self.files.read(real) if self.files else read_file(real, root=self.project_root)
        except (InputError, OSError):
            return None
        return file.text if len(file.data) <= limit else None

    def read_start(self, rel: str, size: int) -> bytes | None:
        """The first bytes of a regular file, whatever it contains; `None` if it cannot be read."""
        real = self._resolve(rel)
        if real is None or not self.is_file(rel):
            return None
        if self.files is not None and real in self.files.changes:
            return self.files.changes[real].encode("utf-8", "surrogateescape")[:size]
        return read_start(real, size)

    def ignored(self, rel: str) -> bool:
        """Whether the ignore file excludes `rel` from the context; the path need not exist."""
        return self.ignore.ignored(_rooted(rel))

    def glob(self, pattern: str, *, sent_only: bool = False) -> list[str] | None:
        """The paths that a COPY source of this context names, sorted; `None` for more than `MAX_ENTRIES` entries.

        Rules of Go's `filepath.Match` over the whole path (`*` stops at `/`, there is no `**`), and what is below a
        match belongs to it and is not listed. A source without a wildcard names itself, if it exists. A malformed
        pattern names nothing. Ignored files are listed too, unless `sent_only`.

        Source: `ResolveWildcards` in tonistiigi/fsutil, `copy/copy.go`.
        """
        source = _rooted(pattern)
        parts = source.split("/")
        fixed = next((i for i, part in enumerate(parts) if has_wildcard(part)), len(parts))
        base = "/".join(parts[:fixed]) or "."  # BuildKit keeps a backslash here
        rest = "/".join(parts[fixed:])
        if not rest:
            found = [base] if self.exists(base) else []
        else:
            matches = self._matches_below(base, rest)
            if matches is None:
                return None
            found = sorted(matches)
        return [rel for rel in found if not self.ignored(rel)] if sent_only else found

    def ignored_below(self, rel_dir: str) -> list[str] | None:
        """The paths below a folder that the ignore file excludes, sorted; `None` for more than `MAX_ENTRIES` entries.

        An excluded folder represents all files in it; exceptions below it are not searched for.
        """
        top = _rooted(rel_dir)
        found: list[str] = []
        if not self.ignore.may_ignore_below(top):
            return found
        if self.ignored(top):
            return [top] if self.exists(top) else found
        left = MAX_ENTRIES
        stack = [top]
        while stack:
            entries = self.entries(stack.pop())
            left -= len(entries)
            if left < 0:
                return None
            for rel, is_folder in entries:
                if self.ignored(rel):
                    found.append(rel)
                elif is_folder and self.ignore.may_ignore_below(rel):
                    stack.append(rel)
        return sorted(found)

    def files_below(self, rel_dir: str, limit: int = MAX_ENTRIES) -> list[str] | None:
        """The files below a folder that the build sends, sorted; `None` if that takes more than `limit` entries.

        A symlink to a folder is a file here: COPY keeps it a link, and it is not followed.
        """
        found: list[str] = []
        left = limit
        stack = [_rooted(rel_dir)]
        while stack:
            entries = self.entries(stack.pop())
            left -= len(entries)
            if left < 0:
                return None
            for rel, is_folder in entries:
                kept_out = self.ignored(rel)
                if not is_folder and not kept_out:
                    found.append(rel)
                elif is_folder and not (kept_out and not self.ignore.may_return_below(rel)):
                    stack.append(rel)
        return sorted(found)

    @cached_property
    def sent_files(self) -> list[str] | None:
        """The files that the build sends, as `files_below` lists them; searched once."""
        return self.files_below(".")

    @cached_property
    def numbered(self) -> list[str]:
        """The paths with a `#` in the last name, ignored ones too. At most `MAX_ENTRIES` entries are read, upper
        folders first.
        """
        found: list[str] = []
        left = MAX_ENTRIES
        folders = deque(["."])
        while folders and left > 0:
            entries = self.entries(folders.popleft())
            left -= len(entries)
            found += [rel for rel, _ in entries if "#" in rel.rpartition("/")[2]]
            folders += [rel for rel, is_folder in entries if is_folder]
        return found

    def _matches_below(self, base: str, pattern: str) -> list[str] | None:
        levels = pattern.split("/")
        by_level = "[" not in pattern  # a class may match a `/`; then a match can be at any depth
        found: list[str] = []
        left = MAX_ENTRIES
        stack: list[tuple[str, int]] = [(base, 0)]
        offset = 0 if base == "." else len(base) + 1
        while stack:
            folder, level = stack.pop()
            entries = self.entries(folder)
            left -= len(entries)
            if left < 0:
                return None
            for rel, is_folder in entries:
                try:
                    if match(pattern, rel[offset:]):
                        found.append(rel)
                        continue
                    enter = is_folder and (
                        not by_level or (level + 1 < len(levels) and match(levels[level], rel.rpartition("/")[2]))
                    )
                except BadPatternError:
                    return []
                if enter:
                    stack.append((rel, level + 1))
        return found

    def entries(self, rel: str) -> list[tuple[str, bool]]:
        """The entries of a folder as relative paths, ignored and new ones too, and whether each is a folder itself.

        A symlink is not a folder. A path that is not a folder of the project has no entries; at most `MAX_ENTRIES` are
        given.
        """
        real = self._resolve(rel)
        if real is None:
            return []
        prefix = "" if rel == "." else rel + "/"
        found: list[tuple[str, bool]] = []
        try:
            with os.scandir(real) as scan:
                for entry in scan:
                    found.append((prefix + entry.name, entry.is_dir(follow_symlinks=False)))
                    if len(found) > MAX_ENTRIES:
                        break
        except OSError:
            return []
        if self.files is not None and self.files.changes:
            found += [(prefix + path.name, False) for path in sorted(self.files.created) if path.parent == real]
        return found

    def _mode(self, rel: str) -> int | None:
        real = self._resolve(rel)
        if real is None:
            return None
        try:
            return real.stat().st_mode
        except (OSError, ValueError):
            created = self.files is not None and real in self.files.changes
            return stat.S_IFREG if created else None

    def _resolve(self, rel: str) -> Path | None:
        return resolve_inside(self.project_root, self.root / _rooted(rel))


def _rooted(rel: str) -> str:
    """`rel` as BuildKit reads a source: cleaned as an absolute path of the context, so that `..` stops at its root."""
    return clean("/" + rel).lstrip("/") or "."
