"""What an ENTRYPOINT does with the command of its image."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import image_names
from dockfix.facts.model import Known
from dockfix.facts.tables.entrypoints import COMMAND_READERS, ENTRYPOINTS
from dockfix.syntax.tree import Entrypoint

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

__all__ = ["INITS", "base_entrypoint", "effective_entrypoint", "reads_command", "runs_its_arguments"]

INITS: Final = frozenset(("tini", "tini-static", "dumb-init", "catatonit", "docker-init", "exec", "env"))
"""Programs that run the command in their arguments unchanged."""


def effective_entrypoint(facts: BuildFacts, stage: Stage) -> Entrypoint | None:
    """The ENTRYPOINT of the image of a stage; None if this file sets none."""
    for each in facts.graph.chain(stage):
        for instruction in reversed(each.program):
            if isinstance(instruction, Entrypoint):
                return instruction
    return None


def runs_its_arguments(argv: Sequence[str]) -> bool:
    """Whether an ENTRYPOINT runs its arguments as a command: an empty one, or an init such as `tini --`."""
    return not argv or (posixpath.basename(argv[0]) in INITS and all(word.startswith("-") for word in argv[1:]))


def base_entrypoint(stage: Stage) -> str | None:
    """What the ENTRYPOINT of the base image does with the command, as `ENTRYPOINTS` says; None if that is not known."""
    if not isinstance(stage.base_ref, Known):
        return None
    names = image_names(stage.base_ref.value)
    if "onbuild" in stage.base_ref.value:  # these old variants add instructions of their own
        return None
    return next((ENTRYPOINTS[name] for name in names if name in ENTRYPOINTS), None)


def reads_command(stage: Stage) -> bool:
    """Whether the ENTRYPOINT of the base image prepares its service only if CMD begins with the service's name."""
    if not isinstance(stage.base_ref, Known):
        return False
    name = stage.base_ref.value.partition("@")[0]
    last = name.rpartition("/")[2].partition(":")[0]
    return last in COMMAND_READERS
