"""The programs that a health check calls."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final

from dockfix.facts.commands import Commands, Step
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.tables.tools import SYSTEM_FOLDERS
from dockfix.syntax.shell import Context, SimpleCommand, Word

_STAND_FIRST: Final = frozenset(("exec", "command", "env", "nice", "time", "nohup", "timeout"))
"""Programs that run the one behind them."""


_GIVES_UP: Final = frozenset(("exit", "false", "return", "kill"))


def program_of(command: SimpleCommand) -> Word | None:
    """The word that names what a command runs, behind `exec`, `env`, `timeout 5` and their like."""
    words = iter(command.words)
    skip_operand = False
    for word in words:
        value = word.value
        if value is None:
            return None
        name = value.rpartition("/")[2]
        if name in _STAND_FIRST:
            skip_operand = name == "timeout"
        elif value.startswith("-") or re.fullmatch(r"[A-Za-z_]\w*=.*", value, re.DOTALL):
            continue
        elif skip_operand:
            skip_operand = False
        else:
            return word
    return None


@dataclass(frozen=True, slots=True)
class Program:
    """A program that a check fails without: the step that calls it, the word that names it, and its name."""

    step: Step
    word: Word
    name: str


def programs(commands: Commands, *, all_of_them: bool = False) -> tuple[Program, ...]:
    """The programs that a check fails without, but for what a shell does itself.

    Not those behind `||`, in branches, or with another command to fall back on, unless `all_of_them`.
    """
    found: list[Program] = []
    steps = commands.steps
    looked_up = {
        word.value
        for step in steps
        if step.command.basename in ("command", "which", "type", "hash")
        for word in step.command.args
    }
    for index, step in enumerate(steps):
        command = step.command
        word = program_of(command)
        if word is None or word.value is None:
            continue
        name = word.value if "/" in word.value and posixpath.dirname(word.value) not in SYSTEM_FOLDERS else ""
        name = name or word.value.rpartition("/")[2]
        if has_trait(name, Trait.BUILTIN):
            continue
        if all_of_them:
            found.append(Program(step, word, name))
            continue
        if name in looked_up or command.context & Context.CONDITIONAL:
            continue
        if command.after is not None and command.after.text == "||":
            then = steps[index + 1].command.basename if index + 1 < len(steps) else None
            if then not in _GIVES_UP:
                continue
        found.append(Program(step, word, name))
    return tuple(found)
