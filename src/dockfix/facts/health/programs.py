"""The programs that a health check calls."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from msgspec import Struct

from dockfix.facts.commands import Commands, Step
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.tables.tools import SYSTEM_FOLDERS
from dockfix.syntax.shell import Context, SimpleCommand, Word

_WRAPPERS: Final = frozenset(("exec", "command", "env", "nice", "time", "nohup", "timeout"))
"""Programs that run the program in their operands."""

_GIVES_UP: Final = frozenset(("exit", "false", "return", "kill"))


def program_of(command: SimpleCommand) -> Word | None:
    """The word that names the program of a command, after `exec`, `env`, `timeout 5` and other wrappers."""
    words = iter(command.words)
    skip_operand = False
    for word in words:
        value = word.value
        if value is None:
            return None
        name = value.rpartition("/")[2]
        if name in _WRAPPERS:
            skip_operand = name == "timeout"
        elif value.startswith("-") or re.fullmatch(r"[A-Za-z_]\w*=.*", value, re.DOTALL):
            continue
        elif skip_operand:
            skip_operand = False
        else:
            return word
    return None


class Program(Struct, frozen=True):
    """A program that a check requires: the step that calls it, the word that names it, and its name."""

    step: Step
    word: Word
    name: str


def programs(commands: Commands, *, all_of_them: bool = False) -> tuple[Program, ...]:
    """The programs that a check requires, except shell builtins.

    Programs after `||`, in branches, or with a fallback are included only with `all_of_them`.
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
