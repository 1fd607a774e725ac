"""Writes the document that a command makes to standard output or to a file."""

from __future__ import annotations

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
    from dockfix.project.writing import replace_file  # noqa: PLC0415 - only a document in a file needs it

    try:
        replace_file(Path(os.path.realpath(output)), text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        terminal.out(text)
        reason = getattr(error, "strerror", None) or str(error)
        terminal.fail(f"--output: {shown(output)} cannot be written: {shown(reason).lower()}")
