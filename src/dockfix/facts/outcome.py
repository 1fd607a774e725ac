"""Whether the failure of a command ends the build.

A fix that makes a command succeed changes nothing about a build that succeeded if it had to succeed before.
"""

from __future__ import annotations

from typing import Final

from dockfix.facts.commands import Commands
from dockfix.syntax.shell import Context, shell_options

__all__ = ["tolerated"]

_UNSURE: Final = (
    Context.CONDITIONAL
    | Context.LOOP
    | Context.FUNCTION
    | Context.BACKGROUND
    | Context.PIPELINE
    | Context.SUBSHELL
    | Context.SUBSTITUTION
    | Context.GROUP
    | Context.NEGATED
)
"""Where a command may not run, or where what is around it decides about its failure."""


def tolerated(commands: Commands) -> frozenset[int]:
    """The starts of the commands of an instruction that may fail, or may not run, in a build that succeeds.

    A command that is not among them has run with success wherever the build did. Rules of lists, `&&`, `||` and
    errexit: POSIX.1-2017, XCU 2.9.3 and the `set` special built-in.
    """
    found: set[int] = set()
    exits = "errexit" in shell_options(commands.shell or ())
    goes_on = False
    for step in reversed(commands.steps):
        command = step.command
        may_fail = goes_on  # as the rest of the list: `a && b`
        match command.after.text if command.after is not None else "":
            case "":
                may_fail = goes_on = False
            case "&&":
                pass
            case "||":
                may_fail = goes_on = True
            case _:
                # errexit is about the last command of a list, which may not be reached
                first = command.before is None or command.before.text not in ("&&", "||")
                may_fail, goes_on = not (first and (exits or command.errexit)), True
        if may_fail or step.depth or command.context & _UNSURE:
            found.add(command.start)
    return frozenset(found)
