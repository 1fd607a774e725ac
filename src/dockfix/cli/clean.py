"""`dockfix clean`: removes what earlier runs have kept."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Final

import typer

from dockfix.cli import options
from dockfix.cli.console import Colour, console, shown

_FOLDERS: Final = ("runs", "shellcheck")
_NAME: Final = re.compile(r"[0-9a-f]{40}(?:\.json)?|new-\w+")


def clean(quiet: options.QuietOption = False, color: options.ColourOption = Colour.AUTO) -> None:
    """Remove what earlier runs have kept in the cache: their output, and what ShellCheck has said."""
    from dockfix.cli.replaying import cache_folder  # noqa: PLC0415 - not for completion

    terminal = console(color, quiet=quiet)
    folder = cache_folder()
    if folder is None:
        terminal.note("there is no cache: the user has no folder for it")
        raise typer.Exit(0)
    count = 0
    try:
        for name in _FOLDERS:
            count += _emptied(os.path.join(folder, name))  # noqa: PTH118 - as the folder is given
    except OSError as error:
        terminal.fail(f"the cache {shown(folder)} cannot be removed: {shown(error.strerror or str(error)).lower()}")
    terminal.note(f"removed {count} file{'' if count == 1 else 's'} from {shown(folder)}")
    raise typer.Exit(0)


def _emptied(folder: str) -> int:
    """Remove the files in a folder that dockfix has named, and the folder if nothing else is in it."""
    try:
        with os.scandir(folder) as scan:
            paths = [each.path for each in scan if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # another run may remove it, too
            os.unlink(path)  # noqa: PTH108 - as above
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # noqa: PTH106 - as above
    return len(paths)
