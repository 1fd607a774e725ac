"""Reads `sed -i s/a/b/ FILE` as a substitution whose result a `grep` can check.

Sources: POSIX.1-2017 sed ("s/BRE/replacement/flags"); `-i` of GNU sed 4.9 and BusyBox. Tested: sed exits with status 0
if nothing matches.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from msgspec import Struct

from dockfix.facts.commands import Commands, Step
from dockfix.facts.model import Known
from dockfix.syntax.shell import Context, Word

_FLAGS: Final = frozenset("Erns")
_ENDINGS: Final = (".conf", ".cfg", ".cnf", ".ini", ".sample", ".yaml", ".yml", ".properties", ".sources", ".list")
_CHECKS: Final = frozenset(("grep", "egrep", "fgrep", "test", "[", "[[", "diff", "cmp", "if"))
_MIN_LENGTH: Final = 4
"""A shorter text occurs in almost any file."""


class Substitution(Struct, frozen=True):
    """The text that a `sed -i` writes to one file.

    `operator` joins a check to it so that a failure ends the script. `checked`: the next command already is a check.
    """

    file: Word
    written: str
    operator: str
    checked: bool

    @property
    def check(self) -> str:
        """The command that fails unless the file contains the new text."""
        quote = '"' if "'" in self.written else "'"
        dashes = "-- " if self.written.startswith("-") else ""
        return f"grep -qF {dashes}{quote}{self.written}{quote} {self.file.text}"


def substitution(commands: Commands, step: Step) -> Substitution | None:
    """A command as a substitution; None unless it writes one fixed text to one configuration file."""
    command = step.command
    script = commands.script
    if script is None or step.depth or command.name != "sed" or command.context & ~Context.GROUP or command.redirects:
        return None
    parsed = _operands(command.args)
    operator = _operator(commands, step)
    if parsed is None or operator is None:
        return None
    expression, file = parsed
    written = _written(expression.value or "")
    if written is None or not _is_config(file, step, script.assigned):
        return None
    return Substitution(file, written, operator, _is_checked(commands, step))


def _operands(words: tuple[Word, ...]) -> tuple[Word, Word] | None:
    """The only expression and the only file of a `sed -i`."""
    in_place = False
    expressions: list[Word] = []
    operands: list[Word] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        value = word.value if word.value is not None else word.text
        if value in ("-e", "--expression") and rest:
            expressions.append(rest.pop(0))
        elif value.startswith("--in-place"):
            in_place = True
        elif value.startswith("--"):
            if value not in ("--regexp-extended", "--separate"):
                return None
        elif value.startswith("-") and len(value) > 1:
            letters, mark, _ = value[1:].partition("i")
            if not set(letters) <= _FLAGS or "n" in letters:
                return None
            in_place = in_place or bool(mark)
        else:
            operands.append(word)
    if not expressions and operands:
        expressions.append(operands.pop(0))
    if not in_place or len(expressions) != 1 or len(operands) != 1:
        return None
    return expressions[0], operands[0]


def _written(expression: str) -> str | None:
    """The literal replacement of `s/pattern/replacement/g`; None for any other expression."""
    if len(expression) < 2 or expression[0] != "s" or expression[1].isalnum() or expression[1] in "\\ \n":
        return None
    mark = expression[1]
    parts: list[str] = [""]
    at = 2
    in_brackets = False
    while at < len(expression):
        char = expression[at]
        if char == "\\" and at + 1 < len(expression):
            parts[-1] += expression[at : at + 2]
            at += 2
            continue
        if len(parts) == 1 and char in "[]":
            in_brackets = char == "["
        if char == mark and in_brackets:
            return None  # implementations of sed differ here
        if char == mark:
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    if len(parts) != 3 or parts[2] not in ("", "g") or in_brackets:
        return None
    written = parts[1].replace(f"\\{mark}", mark) if mark != "&" else parts[1]
    if len(written.strip()) < _MIN_LENGTH or any(char in written for char in "\\&\n"):
        return None
    if "'" in written and any(char in written for char in '$`"'):
        return None  # neither kind of quotes can hold it
    # A text that is part of the pattern may be in the file although the pattern does not match.
    return None if written in parts[0].replace("\\", "") else written


def _is_config(file: Word, step: Step, assigned: frozenset[str]) -> bool:
    """Whether a word names one configuration file, literally or through variables that the script sets."""
    path = file.text.strip("\"'")
    if file.value is None and (not file.variables or not set(file.variables) <= assigned):
        return False
    if file.value is None and any(char in file.text for char in "*?[(`"):
        return False
    for name in file.variables:
        value = step.variables.get(name) or step.env.get(name)
        if isinstance(value, Known):
            path = path.replace(f"${{{name}}}", value.value).replace(f"${name}", value.value)
    return path.startswith("/etc/") or path.endswith(_ENDINGS)


def _operator(commands: Commands, step: Step) -> str | None:
    """The operator that joins a check to a command so that its failure ends the script; None if none does."""
    command, script = step.command, commands.script
    around = [each.text for each in (command.before, command.after) if each is not None]
    if script is None or not set(around) <= {"&&", ";", "\n"}:
        return None
    if not command.errexit:
        return "&&" if script.operators <= {"&&"} else None
    if command.after is not None and command.after.text == "&&":
        return None  # a failure before `&&` does not end a script under `set -e`
    if command.before is not None and command.before.text == "&&":
        return "&&"
    return around[-1] if around else "&&"


def _is_checked(commands: Commands, step: Step) -> bool:
    """Whether the next command checks the result."""
    script = commands.script
    if script is None:
        return False
    following = bisect_right(script.commands, step.command.end, key=lambda each: each.start)
    return following < len(script.commands) and script.commands[following].name in _CHECKS
