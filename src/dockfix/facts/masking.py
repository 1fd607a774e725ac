"""Installs whose failure is thrown away by what stands behind `||`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.facts.commands import Commands, Step
from dockfix.facts.packages import Action
from dockfix.syntax.shell import Context, Script, SimpleCommand

__all__ = ["Masked", "masked_installs"]

_INSTALLS: Final = frozenset((Action.INSTALL, Action.SYNC))
_SUCCEEDS: Final = frozenset(("true", ":", "echo", "printf"))
_LEAVES: Final = frozenset(("break", "continue", "exit", "return", "false"))
_ELSEWHERE: Final = Context.LOOP | Context.FUNCTION | Context.SUBSTITUTION | Context.BACKGROUND | Context.PIPELINE


@dataclass(frozen=True, slots=True)
class Masked:
    """An install, and the command that runs in place of its failure."""

    step: Step
    instead: SimpleCommand


def masked_installs(commands: Commands) -> Iterator[Masked]:
    """The installs after whose failure a script goes on because of `|| true`, `|| :` or `|| echo ...`."""
    script = commands.script
    if script is None or "||" not in script.text:
        return
    for step in commands.packages:
        package = step.package
        if package is None or package.action not in _INSTALLS or step.depth or step.command.context & _ELSEWHERE:
            continue
        instead = _instead(script, step.command)
        if instead is not None:
            yield Masked(step, instead)


def _instead(script: Script, command: SimpleCommand) -> SimpleCommand | None:
    """What runs where a command fails, if that succeeds and nothing fails the script behind it."""
    following = [each for each in script.commands if each.start > command.start]
    at = command
    for each in following:
        operator = at.after
        if operator is None or each.before is None or each.before.start != operator.start:
            return None  # a group or a subshell, or a command inside a word
        if operator.text == "&&":
            if each.name in _LEAVES:
                return None
            at = each
            continue
        if operator.text != "||" or each.name not in _SUCCEEDS:
            return None
        behind = next((other for other in following if other.start > each.start), None)
        fails = each.after is not None and each.after.text == "&&" and behind is not None and behind.name in _LEAVES
        return None if fails else each
    return None
