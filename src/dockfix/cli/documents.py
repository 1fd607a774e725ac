"""Writes the document that a command makes to standard output or to a file."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from dockfix.cli.console import Console, shown

__all__ = ["check_output", "write_document"]


def check_output(output: str | None, terminal: Console) -> None:
    """End the command with exit code 2 if a file could certainly not be written: builds before it take long."""
    if output is None:
        return
    path = Path(output)
    if not output or path.is_dir():
        terminal.fail(f"--output: {shown(output)!r} is not the name of a file")
    if not path.parent.is_dir():
        terminal.fail(f"--output: {shown(str(path.parent))} is not a folder")
    if path.exists() and is_input_name(path.name):
        terminal.fail(f"--output: {shown(output)} is a file that dockfix reads, and is not overwritten")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        terminal.fail(f"--output: {shown(output)} cannot be written")


def is_input_name(name: str) -> bool:
    """Whether a file of this name is input: a Dockerfile, or a compose, bake, ignore or configuration file."""
    from dockfix.project.discovery import CONFIG_NAMES, is_dockerfile_name  # noqa: PLC0415 - not for other commands
    from dockfix.project.target import is_project_file_name  # noqa: PLC0415 - as above

    return is_dockerfile_name(name) or is_project_file_name(name) or name in ("pyproject.toml", *CONFIG_NAMES)


def write_document(text: str, output: str | None, terminal: Console, *, prose: bool = False) -> None:
    """Write a document to standard output, or to the file `output`, which is replaced as a whole.

    If the file cannot be written, the document goes to standard output, so that nothing is lost. `prose`: whether long
    lines are broken for a terminal.
    """
    if output is None:
        (terminal.prose if prose else terminal.out)(text)
        return
    try:
        _replace(Path(os.path.realpath(output)), text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        terminal.out(text)
        reason = getattr(error, "strerror", None) or str(error)
        terminal.fail(f"--output: {shown(output)} cannot be written: {shown(reason).lower()}")


def _replace(path: Path, data: bytes) -> None:
    import tempfile  # noqa: PLC0415 - few commands need it, and it takes long to load

    from dockfix.project.writing import current_umask  # noqa: PLC0415 - only a document in a file needs it

    if path.exists() and not path.is_file():  # a pipe or a device
        path.write_bytes(data)
        return
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~current_umask()
    descriptor, name = tempfile.mkstemp(prefix=".dockfix-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            os.fchmod(descriptor, mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
