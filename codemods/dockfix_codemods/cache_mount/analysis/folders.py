"""Which folders exist at each point of a stage."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.paths import upwards

# base-files of Debian and Ubuntu, alpine-baselayout, filesystem of Fedora and RHEL: folders of root with mode 0755.
ROOTS: Final = frozenset(
    (
        *("/", "/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/usr", "/usr/local", "/usr/local/bin"),
        *("/usr/local/lib", "/usr/local/share", "/usr/share", "/var", "/var/cache", "/var/lib", "/var/log"),
    )
)


class FolderHistory:
    """The folders of a stage, with their history; a stage continues the history of the one that it is based on.

    Each moment is a number. What happens gets the next one, so that no copy of the folders is needed for each
    instruction.

    Args:
        given: the folders of the base image.
        parent: the history of the stage that the stage is based on.
    """

    def __init__(self, given: Iterable[str] = (), parent: FolderHistory | None = None) -> None:
        self._parent = parent
        self.now: int = parent.now if parent is not None else 0
        self._given: frozenset[str] = parent._given if parent is not None else frozenset(given)
        self._made: dict[str, list[int]] = {}
        self._removed: dict[str, list[int]] = {}
        self._removed_prefixes: dict[str, list[int]] = {}
        self._unclear: list[int] = []
        self._unclear_among_others: list[int] = []

    def make(self, path: str) -> None:
        """A folder and those above it are made."""
        self.now += 1
        for each in upwards(path):
            if each not in ("", "/"):
                self._made.setdefault(each, []).append(self.now)

    def remove(self, folders: Sequence[str], prefixes: Sequence[str], *, unclear: bool) -> None:
        """A command removes or moves folders.

        Args:
            folders: with all that is in them.
            prefixes: all folders whose path begins so.
            unclear: whether it also names something that is not known.
        """
        self.now += 1
        for each in folders:
            self._removed.setdefault(each, []).append(self.now)
        for each in prefixes:
            self._removed_prefixes.setdefault(each, []).append(self.now)
        if unclear:
            self._unclear.append(self.now)
            if folders or prefixes:
                self._unclear_among_others.append(self.now)

    def exists(self, folder: str, at: int) -> bool:
        """Whether a folder exists at a moment: the file made it, or the base image has it."""
        return self._is_made(folder, at) or (folder in self._given and self.keeps(folder, at))

    def _is_made(self, folder: str, at: int) -> bool:
        history: FolderHistory | None = self
        while history is not None:
            made = history._made.get(folder, [])
            index = bisect_right(made, at)
            since = made[index - 1] if index else 0
            if _any_between(history._unclear, since, at) or history._removes(folder, since, at):
                return False
            if index:
                return True
            history = history._parent
        return False

    def keeps(self, folder: str, at: int) -> bool:
        """Whether no command has removed a folder of the base image: those of the system stay, and what is not known
        of the words of a command does not count alone."""
        history: FolderHistory | None = self
        while history is not None and folder not in ROOTS:
            if _any_between(history._unclear_among_others, 0, at) or history._removes(folder, 0, at):
                return False
            history = history._parent
        return True

    def _removes(self, folder: str, since: int, at: int) -> bool:
        if self._removed and any(_any_between(self._removed.get(each, ()), since, at) for each in upwards(folder)):
            return True
        return bool(self._removed_prefixes) and any(
            _any_between(self._removed_prefixes.get(folder[:end], ()), since, at) for end in range(len(folder) + 1)
        )


def _any_between(moments: Sequence[int], since: int, at: int) -> bool:
    """Whether one of the moments is after `since`, and not after `at`."""
    index = bisect_right(moments, at)
    return index > 0 and moments[index - 1] > since


class Moment(Struct, frozen=True):
    """The folders of a stage at a moment."""

    history: FolderHistory
    at: int

    def __contains__(self, folder: str) -> bool:
        return self.history.exists(folder, self.at)

    def keeps(self, folder: str) -> bool:
        """Whether no command has removed a folder of the base image."""
        return self.history.keeps(folder, self.at)
