"""Whether shell scripts can be joined into one, and what a script leaves behind for what would then follow it.

Rules of lists, `&&`, `||` and errexit: POSIX.1-2017, XCU 2.9.3 and the `set` special built-in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from dockfix.facts.commands import Commands
from dockfix.syntax.shell import Compound, Context, Script, SimpleCommand, shell_options

__all__ = ["JoinResult", "append_operator", "join_all", "join_result"]


@dataclass(frozen=True, slots=True)
class JoinResult:
    """How two scripts are joined: by `operator`, or not at all, because `why`."""

    operator: str
    why: str = ""


_LIMITED: Final = Context.SUBSHELL | Context.PIPELINE | Context.SUBSTITUTION | Context.BACKGROUND
_LEAKING: Final = frozenset(
    (
        "cd",
        "pushd",
        "popd",
        "export",
        "declare",
        "typeset",
        "local",
        "readonly",
        "umask",
        "trap",
        "exec",
        "source",
        ".",
        "eval",
        "shopt",
        "ulimit",
        "unset",
        "alias",
    )
)
"""Commands that change the shell that they run in (XCU 2.14, bash's manual), besides `set` and `exit`."""


def append_operator(commands: Commands) -> JoinResult:
    """How a command is put behind a script so that it runs if, and only if, the script has succeeded."""
    script = commands.script
    if script is None or not script.top_level:
        return JoinResult("", commands.why or "it runs nothing")
    last = script.top_level[-1]
    if script.comments:
        return JoinResult("", "a comment inside the shell text would hide what follows")
    if last.after is not None:
        return JoinResult("", f"its last command ends in {last.after.text!r}")
    if any(_ends(command) for command in script.commands):
        return JoinResult("", "it may leave its shell early")
    return JoinResult(";" if _stops_by_itself(commands, script) else "&&")


def join_result(first: Commands, second: Commands, environment: Collection[str]) -> JoinResult:
    """How a script is put behind another so that both do what they do in shells of their own.

    Args:
        first: the script that runs first.
        second: the one that follows it.
        environment: names that are in the environment of both; to set one of these changes what commands see.
    """
    one, two = first.script, second.script
    found = append_operator(first)
    if found.why or one is None:
        return found
    if two is None or not two.top_level:
        return JoinResult("", second.why or "it runs nothing")
    if first.shell != second.shell:
        return JoinResult("", "the two run in different shells")
    leak = _leak(one, two, environment)
    if leak:
        return JoinResult("", leak)
    operators = two.operators
    inherits = one.commands[-1].errexit and not _sets_errexit(two)
    if inherits and (operators - {"&&"} or any(isinstance(each, Compound) for each in two.top_level)):
        return JoinResult("", "`set -e` would then hold for commands that it does not hold for now")
    if found.operator == ";":
        return found
    if operators - {"&&"}:
        several = ", ".join(sorted(repr(each) for each in operators - {"&&"}))
        return JoinResult(
            "", f"its commands are joined by {several}, so that `&&` in front would not hold for all of them"
        )
    return found


def _ends(command: SimpleCommand) -> bool:
    """Whether a command may end the shell with success."""
    if command.context & (_LIMITED | Context.FUNCTION):
        return False
    if command.basename == "exec":
        return len(command.words) > 1
    return command.basename in ("exit", "return") and (len(command.args) != 1 or command.args[0].value in (None, "0"))


def _stops_by_itself(commands: Commands, script: Script) -> bool:
    """Whether errexit holds at the end, and also for the failure of the last statement.

    A failure left of `&&` does not end the shell, nor does one in a `!` pipeline (XCU, `set -e`).
    """
    last, before = script.top_level[-1], script.top_level[-1].before
    final = last if isinstance(last, SimpleCommand) else (last.commands[-1] if last.commands else None)
    errexit = "errexit" in shell_options(commands.shell or ()) or (final is not None and final.errexit)
    alone = before is not None and before.text in (";", "\n")
    return errexit and alone and isinstance(last, SimpleCommand) and not last.context & Context.NEGATED


def _sets_errexit(script: Script) -> bool:
    return len(script.commands) > 1 and script.commands[1].errexit


def _leak(first: Script, second: Script, environment: Collection[str]) -> str:
    """What the first script changes in its shell that the second would notice; empty if nothing."""
    if any(isinstance(each, Compound) and each.kind == "function_definition" for each in first.top_level):
        return "it defines a function"
    for command in first.commands:
        if command.context & _LIMITED:
            continue
        if command.name in _LEAKING:
            return f"its `{command.name}` would hold for the next RUN too"
        if command.name == "set" and not all(_is_plain_set(word.value) for word in command.args):
            return "its `set` would hold for the next RUN too"
    shared = sorted(first.assigned & (second.variables | frozenset(environment)))
    return f"it sets {shared[0]}, which the next RUN reads" if shared else ""


def _is_plain_set(word: str | None) -> bool:
    return word is not None and word.startswith("-") and set(word[1:]) <= {"e", "x"}


def join_all(scripts: Sequence[Commands], environment: Collection[str]) -> JoinResult:
    """How several scripts are put behind one another, with one operator between them all; see `join_result`."""
    found = {join_result(first, second, environment) for first, second in combinations(scripts, 2)}
    refused = next((each for each in sorted(found, key=str) if each.why), None)
    if refused is not None:
        return refused
    if len(found) == 1:
        return found.pop()
    # `&&` holds behind a list under errexit as well, as long as nothing but `&&` follows.
    chains = all(each.script is not None and each.script.operators <= {"&&"} for each in scripts[1:])
    return JoinResult("&&") if chains else JoinResult("", "they are lists of different kinds")
