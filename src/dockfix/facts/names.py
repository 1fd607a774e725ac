"""Which variables an instruction uses, which it merely mentions, and whether it may read any other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dockfix.facts.scope import uses
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.tree import Instruction, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names_used(facts: BuildFacts, instruction: Instruction) -> frozenset[str]:
    """The names that the build itself expands in an instruction, or that the shell of a RUN does.

    Names that the shell text sets itself are left out: what it expands is then its own value. A RUN whose shell is not
    understood is taken to use none; see `names_mentioned`.
    """
    found = uses(instruction)
    if isinstance(instruction, Run) and (script := facts.commands(instruction).script) is not None:
        # `--mount=type=secret,env=NAME` puts the secret under that name (moby/buildkit `convert_runmount.go`)
        secrets = {mount.get("env") for mount in instruction.mounts if mount.kind == "secret"}
        found |= script.variables - script.assigned - secrets
    return found


def names_mentioned(instruction: Instruction) -> frozenset[str]:
    """Every identifier in an instruction's text and heredocs: a superset of whatever it could read by name."""
    texts = [instruction.logical.text, *(heredoc.content for heredoc in instruction.heredocs)]
    return frozenset(name for text in texts for name in _IDENTIFIER.findall(text))


def ignores_environment(facts: BuildFacts, instruction: Instruction) -> bool:
    """Whether an instruction certainly runs nothing that reads its environment, but for the locale."""
    if not isinstance(instruction, Run):
        return True
    commands = facts.commands(instruction)
    return commands.script is not None and all(
        has_trait(step.command.name, Trait.IGNORES_VARIABLES)
        and all(word.value is not None for word in step.command.words)
        for step in commands.steps
    )
