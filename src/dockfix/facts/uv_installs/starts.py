"""Whether containers of an image call uv."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from dockfix.facts.tables.filesystem import SCRIPT_ENDINGS
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.uv_installs.on_path import PROGRAMS, is_uv, spelling
from dockfix.syntax.shell import SimpleCommand
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

PROJECT_RUNNERS: Final = frozenset(
    ("npm", "npx", "yarn", "pnpm", "make", "just", "task", "invoke", "hatch", "tox", "nox", "supervisord", "honcho")
)
"""Programs that run commands from files of the project."""


def is_called_when_it_runs(facts: BuildFacts) -> bool:
    """Whether containers of the image call uv in CMD, ENTRYPOINT or HEALTHCHECK, or one of these is not understood."""
    final = facts.graph.final
    return final is not None and any(_names_uv(facts, each) for each in _starts(facts, final))


def _starts(facts: BuildFacts, stage: Stage) -> list[Cmd | Entrypoint | Healthcheck]:
    """The commands that start in a container of a stage's image, including those that a later instruction overrides."""
    chain = [each for link in facts.graph.chain(stage) if not link.replaced for each in link.instructions]
    return [
        each
        for each in chain
        if isinstance(each, Cmd | Entrypoint) or (isinstance(each, Healthcheck) and each.kind == "CMD")
    ]


def _names_uv(facts: BuildFacts, instruction: Instruction) -> bool:
    steps = facts.commands(instruction).steps
    return not steps or any(_mentions(spelling(word)) for step in steps for word in step.command.words)


def _mentions(text: str) -> bool:
    return is_uv(text, bare=True) or any(f"{program} " in text for program in PROGRAMS)


def start_blocker(facts: BuildFacts, stage: Stage) -> str | None:
    """Why the containers of a stage's image may call uv; None if there is no sign of it."""
    starts = _starts(facts, stage)
    if not any(isinstance(each, Cmd | Entrypoint) for each in starts):
        return "the image has no CMD of its own, and its containers may call it"
    for each in starts:
        where = f"the {each.name.upper()} in line {each.start_line}"
        if _names_uv(facts, each):
            return f"{where} calls it"
        if any(_hands_over(step.command, each) for step in facts.commands(each).steps):
            return f"the program of {where} may call it"
    return None


def _hands_over(command: SimpleCommand, instruction: Instruction) -> bool:
    """Whether a command runs a script, a shell or a command from a file of the project."""
    name = command.name or "$"
    folder, slash, program = name.rpartition("/")
    if has_trait(program, Trait.SHELL) and "-c" not in command.values():
        return True
    if "$" in name or program in PROJECT_RUNNERS or (slash and posixpath.basename(folder) not in ("bin", "sbin")):
        return not (isinstance(instruction, Entrypoint) and program in ("tini", "dumb-init"))
    return any(spelling(word).endswith(tuple(end for end in SCRIPT_ENDINGS if "sh" in end)) for word in command.words)
