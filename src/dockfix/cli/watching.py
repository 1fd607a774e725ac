"""`dockfix check --watch`: checks again when a file of the run changes."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from dockfix.cli.console import Console
from dockfix.cli.errors import INTERRUPTED
from dockfix.project.discovery import CONFIG_NAMES, walk_folders

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult

__all__ = ["POLL_SECONDS", "watch"]

POLL_SECONDS: Final = 0.3
_CLEAR: Final = "\x1b[2J\x1b[3J\x1b[H"

_MAX_DEPTH: Final = 10
_MAX_ENTRIES: Final = 50_000


class _Status(NamedTuple):
    changed: int
    size: int
    inode: int
    is_file: bool


_State: TypeAlias = dict[Path, _Status | None]


def watch(check: Callable[[], tuple[int, RunResult]], terminal: Console) -> int:
    """Check, and check again after each change, until the user interrupts; returns the exit code of an interrupt.

    Args:
        check: checks once; an error ends the command only in the first check.
        terminal: the terminal.
    """
    watched: set[Path] = set()
    first = True
    try:
        while True:
            if terminal.out_is_terminal and os.environ.get("TERM") != "dumb":
                terminal.out(_CLEAR)
            started = time.time_ns()
            try:
                watched = set(_watched(check()[1]))
            except SystemExit:  # a mistake in the configuration; the next change may correct it
                if first:
                    raise
            first = False
            terminal.note(f"watching for changes since {time.strftime('%H:%M:%S')}; Ctrl-C ends")
            _wait(watched, started)
    except KeyboardInterrupt:
        terminal.clear_line()
        return INTERRUPTED


def _watched(result: RunResult) -> Iterable[Path]:
    """The files that a run has read, the folders in which it may find others, and configuration files."""
    files = {each.real for each in result.files} | {each.real for each in result.workspace.project.files.seen}
    folders = {parent for file in files for parent in file.parents if parent.is_relative_to(result.root)}
    searched = {file.parent for file in files} | {result.root}
    tops = [each for each in searched if not any(other in searched for other in each.parents)]
    for top in tops:
        folders.update(folder for folder, _ in walk_folders(top, max_depth=_MAX_DEPTH, max_entries=_MAX_ENTRIES))
    return {*files, *folders, *(folder / name for folder in folders for name in (*CONFIG_NAMES, "pyproject.toml"))}


def _wait(watched: Iterable[Path], started: int) -> None:
    """Wait until a file differs. One that was changed after the check has started may have been read before that."""
    before = _state(watched)
    now = time.time_ns()
    while not any(each is not None and each.is_file and started <= each.changed <= now for each in before.values()):
        time.sleep(POLL_SECONDS)
        after = _state(watched)
        if after != before:
            return
    time.sleep(POLL_SECONDS)


def _state(paths: Iterable[Path]) -> _State:
    return {path: _status(path) for path in paths}


def _status(path: Path) -> _Status | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - many files, often
    except OSError:
        return None
    return _Status(found.st_mtime_ns, found.st_size, found.st_ino, stat.S_ISREG(found.st_mode))
