"""Commands that run what the Dockerfile does not show."""

from __future__ import annotations

import posixpath
from typing import Final

from dockfix.facts.commands import Step

__all__ = ["runs_script"]

_SHELLS: Final = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "source", ".", "eval"))
_FOR_PROGRAMS: Final = ("bin", "sbin", ".bin")


def runs_script(step: Step) -> bool:
    """Whether a command is a shell or a script, which may run any program."""
    name = step.command.name
    if name is None or step.command.basename in _SHELLS or name.endswith(".sh"):
        return True
    # what is in a directory for programs was installed; any other path is a script of the project
    return "/" in name and posixpath.basename(posixpath.dirname(name)) not in _FOR_PROGRAMS
