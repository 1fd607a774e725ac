"""Matches absolute paths with patterns like those of `.gitignore`, in time linear in the path."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dockfix.project.gitignore import GitIgnore

__all__ = ["Globs"]


class Globs:
    """Patterns of paths: a path matches if it, or a folder above it, does. The answers for folders are remembered."""

    def __init__(self, patterns: Iterable[str]) -> None:
        lines = tuple(patterns)
        self._patterns = GitIgnore(lines)
        self._needles = tuple(map(_needle, lines))
        self._folders: dict[str, bool] = {"": False}

    def matches(self, path: str) -> bool:
        """Whether an absolute path, or a folder above it, matches."""
        if not any(needle in path for needle in self._needles):
            return False
        above, _, _ = path.rpartition("/")
        return self._below(above) or bool(self._patterns.verdict(path[1:]) or self._patterns.verdict(f"{path[1:]}/"))

    def _below(self, folder: str) -> bool:
        todo = [folder]
        while (above := todo[-1].rpartition("/")[0]) not in self._folders:
            todo.append(above)
        for each in reversed(todo):
            if each not in self._folders:
                inherited = self._folders[each.rpartition("/")[0]]
                self._folders[each] = inherited or bool(self._patterns.verdict(f"{each[1:]}/"))
        return self._folders[folder]


def _needle(pattern: str) -> str:
    """A text that a path must contain to match, which is faster to find; empty if there is none."""
    return "" if set(pattern) & set("[\\") else max(re.split(r"[*?/]+", pattern.strip()), key=len)
