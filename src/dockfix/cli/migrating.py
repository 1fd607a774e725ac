"""What `dockfix migrate` does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dockfix.cli.console import Console, shown
from dockfix.cli.planning import registry_of
from dockfix.project.config import config_in
from dockfix.project.files import FileText, read_file
from dockfix.project.hadolint_config import NAMES, read_hadolint_config
from dockfix.project.problems import InputError
from dockfix.project.toml import TomlError, parse_toml
from dockfix.project.writing import NewFile, write_files
from dockfix.rule.migration import Migration, migrated

__all__ = ["migrate_hadolint"]

_HEADER: Final = ("tool", "dockfix")


def migrate_hadolint(state: object, file: str | None, terminal: Console, *, write: bool) -> None:
    """Print the configuration of dockfix, or write it; ends the command with exit code 2 on an error."""
    path = _source(file, terminal)
    registry = registry_of(state, terminal)
    try:
        migration = migrated(read_hadolint_config(path), registry)
        written = _write(path.parent, migration) if write and migration.config else None
    except InputError as error:
        terminal.fail(shown(str(error)))
    if written is None:
        terminal.out(migration.text() or "# nothing differs from the defaults of dockfix\n")
    else:
        terminal.out(f"{shown(str(written))}\n")
    for note in migration.notes:
        place = str(path) if note.line is None else f"{path}:{note.line}"
        terminal.note(shown(f"{place}: {note.message}"))


def _source(file: str | None, terminal: Console) -> Path:
    if file is not None:
        if not file or Path(file).is_dir():
            terminal.fail(f"{shown(file)!r} is not a file")
        return Path(file)
    found = next((Path(name) for name in NAMES if Path(name).is_file()), None)
    if found is None:
        terminal.fail(f"neither {' nor '.join(NAMES)} is in the current folder; name the file")
    return found


def _write(folder: Path, migration: Migration) -> Path:
    """Add the configuration to `pyproject.toml`, or write it to a new `dockfix.toml`.

    Raises:
        InputError: the folder has a configuration already, or a file cannot be read or written.
    """
    present = config_in(folder)
    if present is not None:
        raise InputError(str(present), None, "configures dockfix already; nothing written")
    pyproject = folder / "pyproject.toml"
    if not os.path.lexists(pyproject):
        new = folder / "dockfix.toml"
        real = Path(os.path.realpath(folder)) / new.name
        write_files([(NewFile(new, real), migration.text().encode())])
        return new
    old = read_file(pyproject, root=Path("/"))
    write_files([(old, _extended(old, migration))])
    return pyproject


def _extended(old: FileText, migration: Migration) -> bytes:
    """The content of a `pyproject.toml` with the configuration at its end."""
    newline = "\r\n" if b"\r\n" in old.data else "\n"
    text = migration.text(*_HEADER).replace("\n", newline)
    start = old.data if not old.data or old.data.endswith(b"\n") else old.data + newline.encode()
    new = start + (newline.encode() if start else b"") + text.encode()
    try:
        tool = parse_toml(new.decode()).get("tool")
    except TomlError as error:
        raise InputError(str(old.path), error.line, f"is not valid TOML: {error.message}; nothing written") from error
    except UnicodeDecodeError as error:
        raise InputError(str(old.path), None, "is not UTF-8; nothing written") from error
    if text and not (isinstance(tool, dict) and tool.get("dockfix") == _plain(migration.config)):
        raise InputError(str(old.path), None, "cannot be extended by a table [tool.dockfix]; nothing written")
    return new


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, list | tuple) else value
