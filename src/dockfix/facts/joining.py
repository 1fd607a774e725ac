"""Whether shell scripts can be joined into one, and with which operator.

Rules of lists, `&&`, `||` and errexit: POSIX.1-2017, XCU 2.9.3 and the `set` special built-in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Final

from dockfix.facts.commands import Commands
from dockfix.facts.model import Refused
from dockfix.syntax.shell import Compound, Context, Script, SimpleCommand, shell_options

_LIMITED: Final = Context.SUBSHELL | Context.PIPELINE | Context.SUBSTITUTION | Context.BACKGROUND
_CHANGES_SHELL: Final = frozenset(
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
"""Commands that change the shell that runs them (XCU 2.14, bash's manual), in addition to `set` and `exit`."""


def append_operator(commands: Commands) -> str:
    """The operator that appends a command to a script, so that it runs if and only if the script succeeds.

    Raises:
        Refused: no operator does that.
    """
    script = commands.script
    if script is None or not script.top_level:
        raise Refused(commands.why or "the script is empty")
    last = script.top_level[-1]
    if script.comments:
        raise Refused("a shell comment in the script would hide the commands that follow")
    if last.after is not None:
        raise Refused(f"its last command ends with `{last.after.text.strip() or 'a line break'}`")
    if any(_ends(command) for command in script.commands):
        raise Refused("the script may exit early")
    return ";" if _stops_by_itself(commands, script) else "&&"


def pair_operator(first: Commands, second: Commands, environment: Collection[str]) -> str:
    """The operator that joins two scripts, so that both do what they do in shells of their own.

    Args:
        first: the script that runs first.
        second: the one that follows it.
        environment: names in the environment of both; assigning one of these changes what commands see.

    Raises:
        Refused: no operator does that.
    """
    operator = append_operator(first)
    one, two = first.script, second.script
    if one is None or two is None or not two.top_level:
        raise Refused(second.why or "the script is empty")
    if not one.commands:
        raise Refused("the script only evaluates `((...))`, which may set what the next RUN reads")
    if first.shell != second.shell:
        raise Refused("the RUNs use different shells")
    _refuse_leaks(one, two, environment)
    operators = two.operators
    inherits = one.commands[-1].errexit and not _sets_errexit(two)
    if inherits and (operators - {"&&"} or any(isinstance(each, Compound) for each in two.top_level)):
        raise Refused("`set -e` would also apply to commands that it does not apply to today")
    if operator == "&&" and operators - {"&&"}:
        several = ", ".join(f"`{each.strip() or 'a line break'}`" for each in sorted(operators - {"&&"}))
        raise Refused(f"its commands are joined by {several}: a preceding `&&` would not apply to all of them")
    return operator


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


def _refuse_leaks(first: Script, second: Script, environment: Collection[str]) -> None:
    """Refuse if the first script changes something in its shell that the second would notice."""
    if any(isinstance(each, Compound) and each.kind == "function_definition" for each in first.top_level):
        raise Refused("the script defines a function")
    for command in first.commands:
        if command.context & _LIMITED:
            continue
        if command.name in _CHANGES_SHELL:
            raise Refused(f"its `{command.name}` would also affect the next RUN")
        if command.name == "set" and not all(_is_plain_set(word.value) for word in command.args):
            raise Refused("its `set` would also affect the next RUN")
    shared = sorted(first.assigned & (second.variables | frozenset(environment)))
    if shared:
        raise Refused(f"it sets `{shared[0]}`, which the next RUN reads")


def _is_plain_set(word: str | None) -> bool:
    return word is not None and word.startswith("-") and set(word[1:]) <= {"e", "x"}


def join_operator(scripts: Sequence[Commands], environment: Collection[str]) -> str:
    """The operator that joins all of several scripts; see `pair_operator`.

    Raises:
        Refused: there is no such operator.
    """
    operators = {pair_operator(first, second, environment) for first, second in combinations(scripts, 2)}
    if len(operators) == 1:
        return operators.pop()
    # `&&` also works after a list under errexit, as long as only `&&` follows.
    if all(each.script is not None and each.script.operators <= {"&&"} for each in scripts[1:]):
        return "&&"
    raise Refused("the scripts need different operators")
