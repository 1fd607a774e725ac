"""Installs whose failure is thrown away by what stands behind `||`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.facts.commands import Commands, Step
from dockfix.facts.packages import Action
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import Compound, Context, Script, SimpleCommand

__all__ = ["Masked", "masked_installs"]

_INSTALLS: Final = frozenset((Action.INSTALL, Action.SYNC))
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
        instead = _instead(script, step.command) or _behind_group(script, step.command)
        if instead is not None:
            yield Masked(step, instead)


def _behind_group(script: Script, command: SimpleCommand) -> SimpleCommand | None:
    """What runs where a `( ... )` or `{ ...; }` of the outermost list fails of which the command is a link of `&&`."""
    for group in script.top_level:
        if not isinstance(group, Compound) or group.kind not in ("subshell", "compound_statement"):
            continue
        if not (group.start < command.start and command.end < group.end):
            continue
        behind = [each for each in group.commands if each.start >= command.start]
        linked = all(one.after is not None and one.after.text == "&&" for one in behind[:-1])
        if not linked or group.after is None or group.after.text != "||":
            return None
        following = [each for each in script.commands if each.start > group.end]
        if not following or following[0].before != group.after or not _succeeds(following[0]):
            return None
        after = following[0].after
        leaves = len(following) > 1 and following[1].name in _LEAVES
        return None if after is not None and after.text == "&&" and leaves else following[0]
    return None


def _succeeds(command: SimpleCommand) -> bool:
    if command.name == "exit":
        return [word.value for word in command.args] == ["0"]
    return has_trait(command.basename, Trait.NO_OP, Trait.PRINTS)


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
        if operator.text != "||" or not _succeeds(each):
            return None
        behind = next((other for other in following if other.start > each.start), None)
        fails = each.after is not None and each.after.text == "&&" and behind is not None and behind.name in _LEAVES
        return None if fails else each
    return None
