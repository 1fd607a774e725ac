"""Which shell an argument vector starts, with which options, and the scripts that commands pass to shells."""

from __future__ import annotations

import enum
import re
import shlex
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from dockfix.syntax.shell.model import SimpleCommand, Word
from dockfix.syntax.shell.text import literal


class ShellKind(enum.Enum):
    """The family of a shell: which syntax it accepts."""

    POSIX = "posix"
    BASH = "bash"
    POWERSHELL = "powershell"
    CMD = "cmd"
    OTHER = "other"

    @property
    def readable(self) -> bool:
        """Whether `parse_shell` reads its language."""
        return self in (ShellKind.POSIX, ShellKind.BASH)


_SHELLS: Final = {
    **dict.fromkeys(("sh", "dash", "ash"), ShellKind.POSIX),
    **dict.fromkeys(("bash", "rbash", "zsh", "ksh", "ksh93", "mksh"), ShellKind.BASH),
    **dict.fromkeys(("powershell", "pwsh"), ShellKind.POWERSHELL),
    "cmd": ShellKind.CMD,
}


def _program(argv: Sequence[str]) -> tuple[str, int]:
    """The base name of the program that `argv` runs (`env` and `busybox` are skipped), and its index."""
    for index, argument in enumerate(argv):
        name = re.split(r"[/\\]", argument)[-1].lower().removesuffix(".exe")
        if name not in ("env", "busybox") and not (index and (argument.startswith("-") or "=" in argument)):
            return name, index
    return "", len(argv)


def shell_kind(argv: Sequence[str]) -> ShellKind:
    """The kind of shell that a SHELL instruction's (or a shebang's, split) argument vector runs."""
    return _SHELLS.get(_program(argv)[0], ShellKind.OTHER)


_LETTERS: Final = {"e": "errexit", "u": "nounset", "x": "xtrace"}
_OPTION_NAMES: Final = frozenset({"errexit", "nounset", "pipefail", "xtrace"})


def shell_options(argv: Sequence[str]) -> frozenset[str]:
    """The options among errexit, nounset, pipefail and xtrace that a shell's argument vector turns on."""
    _, index = _program(argv)
    options: set[str] = set()
    takes_name: str | None = None
    for argument in argv[index + 1 :]:
        names: set[str] = set()
        if takes_name is not None:
            names = {argument} & _OPTION_NAMES
            sign, takes_name = takes_name, None
        elif argument.startswith("--") or argument[:1] not in ("-", "+"):
            if not argument.startswith("--") or argument == "--":
                break
            continue
        else:
            sign = argument[0]
            names = {_LETTERS[letter] for letter in argument[1:] if letter in _LETTERS}
            if "o" in argument[1:].lower():
                takes_name = sign
        options = options | names if sign == "-" else options - names
    return frozenset(options)


def quote(value: str) -> str:
    """`value` as one shell word that any POSIX shell reads back as that value."""
    return shlex.quote(value)


class Nested(Struct, frozen=True):
    """A script inside a word (`sh -c '...'`).

    `offset` is its start in the text around it; None if it is not the same text, character by character.
    """

    word: Word
    text: str
    offset: int | None


def nested_scripts(command: SimpleCommand) -> tuple[Nested, ...]:
    """The literal scripts that a command passes to `sh -c`, `bash -lc` or another shell."""
    values = command.values()
    first = 0
    while first < len(values) and values[first] in ("exec", "command"):
        first += 1
    argv: list[str] = []
    for value in values[first:]:
        if value is None:
            break
        argv.append(value)
    name, index = _program(argv)
    if not _SHELLS.get(name, ShellKind.OTHER).readable:
        return ()
    position = index + 1
    has_script = False
    while position < len(argv) and argv[position][:1] in ("-", "+") and argv[position] not in ("-", "--"):
        option = argv[position]
        if not option.startswith("--"):
            has_script = has_script or (option[0] == "-" and "c" in option[1:])
            position += option[1:].lower().count("o")
        position += 1
    if has_script and position < len(argv) and argv[position] in ("-", "--"):
        position += 1
    if not has_script or first + position >= len(command.words):
        return ()
    nested = nested_script(command.words[first + position])
    return () if nested is None else (nested,)


def nested_script(word: Word) -> Nested | None:
    """The script in a literal word; None if the word expands."""
    mapped = literal(word)
    if mapped is None:
        return None
    return Nested(word, mapped.text, mapped.span(0, 0)[0] if mapped.one_to_one else None)
