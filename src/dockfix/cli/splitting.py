"""What `dockfix apply --split` does: a folder with a patch for each fix."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dockfix.cli.console import Console, shown
from dockfix.cli.ending import cleaned_up
from dockfix.cli.planning import Plan, exit_code
from dockfix.project.temporary import is_left_name, new_name
from dockfix.project.writing import current_umask

__all__ = ["check_folder", "split"]

_SPLIT: Final = ".split"
"""The end of the name of a folder that a killed run has left."""


def check_folder(folder: str, terminal: Console) -> Path:
    """The folder that patches can be written to: one that is empty, or that does not exist. Else the command ends."""
    path = Path(folder)
    if not folder or "\0" in folder or (os.path.lexists(path) and not path.is_dir()):
        terminal.fail(f"--split: {shown(folder) or 'the empty name'} is not a folder")
    try:
        if path.is_dir() and any(path.iterdir()):
            terminal.fail(f"--split: {shown(folder)} is not empty")
    except OSError as error:
        terminal.fail(f"--split: {shown(folder)} cannot be read: {shown(error.strerror or str(error)).lower()}")
    if not path.absolute().parent.is_dir():
        terminal.fail(f"--split: {shown(str(path.parent))} is not a folder")
    return path.absolute()


def split(todo: Plan, terminal: Console, folder: Path) -> int:
    """Write a patch for each fix; returns the exit code."""
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by few commands
    from dockfix.engine.session import run_paths  # noqa: PLC0415 - as above
    from dockfix.engine.steps import Recorder, steps  # noqa: PLC0415 - as above
    from dockfix.output.patches import patches  # noqa: PLC0415 - as above

    recorder = Recorder()
    with cleaned_up():
        result = run_paths(
            todo.paths, todo.settings, root=todo.root, registry=todo.registry, write=False, accept=recorder
        )
        found = patches(list(steps(result, recorder)), result.workspace)
        if found:
            try:
                _write(found, folder)
            except OSError as error:
                reason = shown(error.strerror or str(error)).lower()
                terminal.fail(f"--split: {shown(str(folder))} cannot be written: {reason}")
    reporting.trouble(result, terminal, todo.registry)
    reporting.applied(result, terminal, would=True)
    if found:
        number, what = ("1 patch", "it") if len(found) == 1 else (f"{len(found)} patches", "them in their order")
        place = shown(os.path.relpath(folder))
        terminal.note(f"wrote {number} to {place}; `{_command(todo, folder)}` applies {what}")
    return exit_code(result, differs=bool(result.changed))


def _command(todo: Plan, folder: Path) -> str:
    """The command that applies the patches, whose paths are relative to the root of the project."""
    if Path.cwd() == todo.root:
        return f"git apply {shown(shlex.quote(os.path.relpath(folder)))}/*.patch"
    place = shlex.quote(os.path.relpath(todo.root))
    return f"git -C {shown(place)} apply {shown(shlex.quote(str(folder)))}/*.patch"


def _write(files: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write files into a new folder, which then takes the place of `folder`: there are all files, or none."""
    for path in folder.parent.iterdir():
        if is_left_name(path.name, _SPLIT) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
    made = new_name(folder.parent, _SPLIT)
    try:
        made.mkdir(mode=0o700)
        for name, data in files:
            (made / name).write_bytes(data)
        made.chmod(folder.stat().st_mode & 0o7777 if folder.is_dir() else 0o777 & ~current_umask())
        made.rename(folder.resolve())
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(made)
        raise
