"""Shell text as data: words, redirects, simple commands, compound statements, scripts."""

from __future__ import annotations

import enum
from functools import cached_property
from typing import Final

from msgspec import Struct


class Context(enum.Flag):
    """What surrounds a simple command and decides whether, how often and where it runs.

    `CONDITIONAL`: in a condition or a branch of `if` or `case`, in the condition of a loop, or right of a `||` in its
    and-or list. A plain `a && b` is not conditional: in a RUN a failing `a` fails the build. `SUBSTITUTION`: inside `$(
    )`, backquotes or `<( )`. `NEGATED`: in a pipeline that begins with `!`. A command has the flags of everything
    around it.
    """

    NONE = 0
    CONDITIONAL = enum.auto()
    LOOP = enum.auto()
    SUBSHELL = enum.auto()
    PIPELINE = enum.auto()
    FUNCTION = enum.auto()
    SUBSTITUTION = enum.auto()
    BACKGROUND = enum.auto()
    NEGATED = enum.auto()
    GROUP = enum.auto()


class Word(Struct, frozen=True):
    """One shell word as written.

    `value` is what the command receives if the word is a plain literal, without quotes and escapes. It is None if
    anything in it expands or may expand in some shell: `$x`, `${x}`, `$(x)`, backquotes, `$((1))`, `<(x)`, an unquoted
    `*`, `?` or `[...]`, `{a,b}` (bash only), a leading `~`, `NAME=~` (bash only), `$'..'` and `$".."` (plain text with
    a dollar in dash 0.5.12, quoting in bash). `variables` are the parameters expanded in it, also inside its
    substitutions, each once, in order.
    """

    start: int
    end: int
    text: str
    value: str | None
    quoted: bool = False
    variables: tuple[str, ...] = ()


class Assignment(Struct, frozen=True):
    """`NAME=value` before a command, on its own, or as an argument of `export` and similar commands (where it is also a
    word).

    `value` is None if nothing follows the `=`; `append` is for `+=`.
    """

    start: int
    end: int
    name: str
    value: Word | None
    append: bool = False


class Heredoc(Struct, frozen=True):
    """The body of a here-document: `start` to `end` covers its lines, without the line of the terminator.

    `expand` is false if any part of the terminator was quoted: the body is then literal. `strip_tabs` is true for
    `<<-`. `terminated` is false if the text ended before the terminator.
    """

    start: int
    end: int
    name: str
    expand: bool
    strip_tabs: bool
    terminated: bool


class Redirect(Struct, frozen=True):
    """A redirection; `start` includes its descriptor. For `<<` and `<<-` the target is the word of the terminator.

    `&>` is read as bash does; dash reads it as `&` and then `>`. `heredoc` is None for a here-document whose body is
    not in the text at all.
    """

    start: int
    end: int
    operator: str
    target: Word | None
    descriptor: str | None = None
    heredoc: Heredoc | None = None


class Operator(Struct, frozen=True):
    """A control operator: `&&`, `||`, `;`, `|`, `|&`, `&`, `;;` or a newline between two commands."""

    start: int
    end: int
    text: str


class SimpleCommand(Struct, frozen=True):
    """A command with its words, from its first assignment, word or redirect to its last.

    `[` and `[[` are commands too, their brackets are words, and so are `export`, `local` and `unset`. `before` and
    `after` are the adjacent control operators. `errexit` says that an earlier `set -e` is certainly in effect here;
    whether it applies also depends on the context (POSIX `set -e`).
    """

    start: int
    end: int
    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    before: Operator | None
    after: Operator | None
    context: Context
    errexit: bool

    @property
    def name(self) -> str | None:
        """The command's name as called, None without words or if it is not literal."""
        return self.words[0].value if self.words else None

    @property
    def basename(self) -> str | None:
        """The name after its last `/`."""
        name = self.name
        return None if name is None else name.rpartition("/")[2]

    @property
    def args(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]

    def values(self) -> tuple[str | None, ...]:
        """The literal values of all words, the name first."""
        return tuple(word.value for word in self.words)


class Compound(Struct, frozen=True):
    """A statement of the outermost list that is more than a simple command.

    `kind` is tree-sitter-bash's: `pipeline`, `if_statement`, `for_statement`, `while_statement` (`until` too),
    `case_statement`, `subshell`, `compound_statement` (`{ }` and `(( ))`), `function_definition`. `commands` are all
    simple commands in it. `redirects` are those that follow it as a whole (`{ a; } >x`). The span of a pipeline ends
    with its last command; a leading `!` is outside.
    """

    kind: str
    start: int
    end: int
    before: Operator | None
    after: Operator | None
    commands: tuple[SimpleCommand, ...]
    redirects: tuple[Redirect, ...] = ()


Statement = SimpleCommand | Compound


class Script(Struct, frozen=True, dict=True):
    """A parsed shell text.

    `commands`: every simple command in source order, including those in substitutions. `top_level`: the statements of
    the outermost list (`a && b; c | d` has three). `problems`: spans that do not parse; if there are any, the rest is a
    best guess. `variables`: every parameter that the script expands, including special ones (`@`, `1`). `assigned`:
    every name that it sets itself, by an assignment, `for`, `read`, `export`, `getopts` and similar commands.
    """

    text: str
    commands: tuple[SimpleCommand, ...]
    top_level: tuple[Statement, ...]
    problems: tuple[tuple[int, int], ...]
    comments: tuple[tuple[int, int], ...]
    variables: frozenset[str]
    assigned: frozenset[str]

    @property
    def ok(self) -> bool:
        """Whether all of the text parsed."""
        return not self.problems

    @cached_property
    def operators(self) -> frozenset[str]:
        """The operators between its top-level statements."""
        return frozenset(statement.after.text for statement in self.top_level[:-1] if statement.after)


MAX_LENGTH: Final = 1_000_000
"""A script with more characters is not parsed."""
