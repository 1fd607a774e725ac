"""A package manager command as a value: options, operands and action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct

from dockfix.facts.tables.commands import Action


class WordLike(Protocol):
    """A word of a shell command: its position, its spelling, and its value if that is known."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def text(self) -> str:
        """The raw spelling, with quotes."""

    @property
    def value(self) -> str | None:
        """The literal value; None if the word contains an expansion or a glob."""


class Option(Struct, frozen=True):
    """An option of a command.

    `name` is its canonical long name (`-r` is `--requirement`; Go's and Maven's single dashes are doubled). `value` is
    the word with the value, the text after `=` (raw if the word has an expansion), or None. `words` are the words that
    spell it; in a cluster (`-qy`) they are shared, and `shares_word` is set. An option that no table lists has `known`
    False: it is not known whether the next word is its value.
    """

    name: str
    value: WordLike | str | None
    words: tuple[WordLike, ...]
    known: bool = True
    shares_word: bool = False

    @property
    def literal(self) -> str | None:
        """The literal value, None if there is none or it is not known."""
        if isinstance(self.value, str):
            return self.value if all(word.value is not None for word in self.words) else None
        return self.value.value if self.value is not None else None


class PackageCommand(Struct, frozen=True):
    """A command of a package manager.

    `executable` is the program (`pip`, or `python` of `python -m pip`); `subcommand` is the word with the subcommand,
    the last one of two (`uv pip install`). `packages` are the operands after it. `wrappers` are the words before the
    program (sudo, env, assignments). `user_changed`: the command runs as another user than the shell.
    `unknown_operands`: the operands cannot be determined from the words (xargs, an expansion in place of options or a
    subcommand).
    """

    manager: str
    action: Action
    executable: WordLike
    subcommand: WordLike | None
    options: tuple[Option, ...]
    packages: tuple[WordLike, ...]
    wrappers: tuple[WordLike, ...]
    user_changed: bool
    words: tuple[WordLike, ...]
    verb: tuple[str, ...] = ()
    unknown_operands: bool = False

    def option(self, *names: str) -> Option | None:
        """The last option with any of these long names: in every manager here a later one overrides an earlier one."""
        return next((option for option in reversed(self.options) if option.name in names), None)

    def has(self, *names: str) -> bool:
        """Whether any of these options is given, and not as `--name=false`."""
        option = self.option(*names)
        return option is not None and option.literal != "false"

    def assignments(self) -> Mapping[str, str | None]:
        """Variables set for this command by its own words (`env A=1 pip`, `A=1 pip`); None: the value is unknown."""
        found: dict[str, str | None] = {}
        for word in self.wrappers:
            match = ASSIGNMENT.match(word.text)
            if match:
                found[match[1]] = word.value.partition("=")[2] if word.value is not None else None
        return found


ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
