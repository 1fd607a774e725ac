"""Where ShellCheck's own fix would change what the text evidently means."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Known, Refused
from dockfix.facts.packages import Action
from dockfix.facts.state import State
from dockfix.syntax.shell import Context
from dockfix_codemods.shellcheck.scripts import Script

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands, Step
    from dockfix.project.shellcheck_answer import Comment
    from dockfix.syntax.shell import Assignment, Operator, SimpleCommand

__all__ = ["Meaning"]

_UNQUOTED, _UNCHECKED, _NEGATED = 2086, 2164, 2251
_EXPANSION: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SEVERAL: Final = re.compile(
    r"(?:ARGS|ARGUMENTS|CMD|COMMAND|DEPENDENCIES|DEPS|EXTENSIONS|EXTRAS|FLAGS|MODULES|OPTIONS|OPTS|PACKAGES|PARAMS|PKGS"
    r"|PLUGINS|REQUIREMENTS)[0-9_]*$",
    re.I,
)
"""The ends of names of variables that hold several words."""

_SUBSTITUTION: Final = re.compile(r"\$\(\s*([^\s()]*)|`\s*([^\s`]*)")
_ONE_WORD: Final = frozenset({
    "arch", "basename", "cut", "date", "dirname", "dpkg", "dpkg-architecture", "getconf", "hostname", "id", "mktemp",
    "nproc", "pwd", "readlink", "realpath", "tr", "uname", "which", "whoami",
})  # fmt: skip
"""Programs whose output is usually one word."""


class Meaning:
    """What the commands of a script evidently mean."""

    def __init__(self, script: Script, commands: Commands) -> None:
        self._script = script
        self._commands = commands

    def check(self, comment: Comment) -> None:
        """Check that a correction does not change it.

        Raises:
            Refused: it does.
        """
        script = self._script
        start, end = script.offset(comment.line, comment.column), script.offset(comment.end_line, comment.end_column)
        if start is None or end is None:
            return
        step = self._step(start)
        if comment.code == _UNCHECKED and step is not None and _operator(step.command.before) == "&&":
            raise Refused("`|| exit` would also follow a failure of the command before `&&`")
        if comment.code == _NEGATED and (step is None or not self._is_followed(step.command)):
            raise Refused("the status of the command may be that of the text, and would no longer be reversed")
        if comment.code == _UNQUOTED and (found := _EXPANSION.fullmatch(script.text.text[start:end])):
            name = found[1] or found[2]
            _check_use(step, name, start, end)
            _check_value(script.state, step, name)
            self._check_assignments(name)

    def _is_followed(self, command: SimpleCommand) -> bool:
        """Whether a command is in no other one, and one comes after it whatever its status is."""
        outer = command.context & ~(Context.NEGATED | Context.PIPELINE)
        followed = _operator(command.after) in (";", "\n") and self._commands.steps[-1].command.start > command.end
        return outer == Context.NONE and followed

    def _step(self, at: int) -> Step | None:
        """The innermost command at an offset, or the first one after it in a pipeline that begins there with `!`."""
        steps = self._commands.steps
        index = bisect_right(steps, at, key=lambda step: step.command.start)
        found = next((each for each in reversed(steps[:index]) if at < each.command.end), None)
        if found is None and self._script.text.text.startswith("!", at) and index < len(steps):
            return steps[index]
        return found

    @cached_property
    def _assigned(self) -> Mapping[str, Sequence[Assignment]]:
        """What the script sets, by name."""
        found: dict[str, list[Assignment]] = {}
        for command in self._commands.script.commands if self._commands.script is not None else ():
            for assignment in command.assignments:
                found.setdefault(assignment.name, []).append(assignment)
        return found

    def _check_assignments(self, name: str) -> None:
        """Check what the script itself sets a variable to.

        Raises:
            Refused: it has blanks, or it is the output of a command that may be several words.
        """
        for assignment in self._assigned.get(name, ()):
            text = assignment.value.text if assignment.value is not None else ""
            programs = [match[1] or match[2] for match in _SUBSTITUTION.finditer(text)]
            if any(each.rpartition("/")[2] not in _ONE_WORD for each in programs):
                raise Refused(f"`${name}` is the output of a command, and in quotes it would be one argument")
            if assignment.append or (not programs and re.search(r"\s", text)):
                raise Refused(f"`${name}` is set to several words, and in quotes it would be one argument")


def _operator(found: Operator | None) -> str:
    return "" if found is None else found.text


def _check_use(step: Step | None, name: str, start: int, end: int) -> None:
    """Check that a variable is neither named nor used like one that holds several words.

    Raises:
        Refused: it is.
    """
    if _SEVERAL.search(name):
        raise Refused(f"`${name}` is named like several words, and in quotes it would be one argument")
    installs = step is not None and step.package is not None and step.package.action is Action.INSTALL
    if step is not None and installs and any((each.start, each.end) == (start, end) for each in step.command.words):
        raise Refused(f"`${name}` may name several packages, and in quotes it would be one argument")


def _check_value(state: State, step: Step | None, name: str) -> None:
    """Check that the value of a variable is one word, as far as it is known.

    Raises:
        Refused: it is several words, or none.
    """
    value = (step and (step.variables.get(name) or step.env.get(name))) or state.lookup(name)
    if isinstance(value, Known):
        if not value.value.strip():
            raise Refused(f"`${name}` is empty, and in quotes it would be an argument")
        if len(value.value.split()) > 1:
            raise Refused(f"`${name}` is set to several words, and in quotes it would be one argument")
