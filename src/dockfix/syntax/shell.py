"""Shell text (of RUN, CMD, HEALTHCHECK and heredoc scripts) as simple commands with spans.

Words, quoting, redirects, heredocs and comments are read by a scanner of our own, which follows POSIX.1-2017 XCU
chapter 2 and, where bash goes further, the GNU Bash manual. The grammar above them (lists, pipelines, compound
commands) is tree-sitter-bash's: it gets a skeleton of the script in which every simple command is one plain word.
tree-sitter-bash alone misreads what Dockerfiles are full of: ``\\<newline>`` inside a word, words after a redirect,
operators behind a heredoc, ``A=1 >x``, words that begin with an escape.

All offsets are half-open ``str`` indices into the text that was parsed. Nothing here runs anything.
"""

from __future__ import annotations

import enum
import re
import shlex
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Language, Node

__all__ = [
    "Assignment",
    "Compound",
    "Context",
    "Heredoc",
    "MappedText",
    "Nested",
    "Operator",
    "Redirect",
    "Script",
    "ShellKind",
    "SimpleCommand",
    "Statement",
    "Token",
    "Word",
    "expand_heredoc",
    "literal",
    "nested_script",
    "nested_scripts",
    "parse_shell",
    "quote",
    "shell_kind",
    "shell_options",
    "tokens",
]


class Context(enum.Flag):
    """What surrounds a simple command and so decides whether, how often and where it runs.

    ``CONDITIONAL``: in a condition or a branch of ``if`` or ``case``, in the condition of a loop, or right of a ``||``
    in its and-or list. A plain ``a && b`` is not conditional: in a RUN a failing ``a`` fails the build.
    ``SUBSTITUTION``: inside ``$( )``, backquotes or ``<( )``. ``NEGATED``: in a pipeline that begins with ``!``.
    A command has the flags of everything around it.
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


@dataclass(frozen=True, slots=True)
class Word:
    """One shell word as written.

    ``value`` is what the command receives when the word is a plain literal, quotes and escapes removed. It is None
    as soon as anything in it expands or may expand in some shell: ``$x``, ``${x}``, ``$(x)``, backquotes, ``$((1))``,
    ``<(x)``, an unquoted ``*``, ``?`` or ``[...]``, ``{a,b}`` (bash only), a leading ``~``, ``NAME=~`` (bash only),
    ``$'..'`` and ``$".."`` (plain text with a dollar in dash 0.5.12, quoting in bash).
    ``variables`` are the parameters expanded in it, also inside its substitutions, each once, in order.
    """

    start: int
    end: int
    text: str
    value: str | None
    quoted: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """``NAME=value`` before a command, on its own, or as an argument of ``export`` and its like (there a word too).

    ``value`` is None when nothing follows the ``=``; ``append`` is for ``+=``.
    """

    start: int
    end: int
    name: str
    value: Word | None
    append: bool = False


@dataclass(frozen=True, slots=True)
class Heredoc:
    """The body of a here-document: ``start`` to ``end`` covers its lines, without the line of the terminator.

    ``expand`` is false when any part of the terminator was quoted: then the body is taken as it stands.
    ``strip_tabs`` is true for ``<<-``. ``terminated`` is false when the text ended before the terminator.
    """

    start: int
    end: int
    name: str
    expand: bool
    strip_tabs: bool
    terminated: bool


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection; ``start`` includes its descriptor. For ``<<`` and ``<<-`` the target is the terminator's word.

    ``&>`` is read as bash does; dash takes it for ``&`` and then ``>``. ``heredoc`` is None for a here-document whose
    body is not in the text at all.
    """

    start: int
    end: int
    operator: str
    target: Word | None
    descriptor: str | None = None
    heredoc: Heredoc | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """A control operator: ``&&``, ``||``, ``;``, ``|``, ``|&``, ``&``, ``;;`` or a newline between two commands."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """A command with its words, from its first assignment, word or redirect to its last.

    ``[`` and ``[[`` are commands too, their brackets are words, and so are ``export``, ``local`` and ``unset``.
    ``before`` and ``after`` are the control operators that directly adjoin it. ``errexit`` says that an earlier
    ``set -e`` is certainly in force here; whether it takes effect also depends on the context (POSIX ``set -e``).
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
        """The command's name as it is called, None without words or when it is not literal."""
        return self.words[0].value if self.words else None

    @property
    def basename(self) -> str | None:
        """The name after its last ``/``."""
        name = self.name
        return None if name is None else name.rpartition("/")[2]

    @property
    def args(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]

    def values(self) -> tuple[str | None, ...]:
        """The literal values of all words, the name first."""
        return tuple(word.value for word in self.words)


@dataclass(frozen=True, slots=True)
class Compound:
    """A statement of the outermost list that is more than a simple command.

    ``kind`` is tree-sitter-bash's: ``pipeline``, ``if_statement``, ``for_statement``, ``while_statement`` (``until``
    too), ``case_statement``, ``subshell``, ``compound_statement`` (``{ }`` and ``(( ))``), ``function_definition``.
    ``commands`` are all simple commands in it. ``redirects`` are those that follow it as a whole (``{ a; } >x``).
    The span of a pipeline ends with its last command; a leading ``!`` is outside.
    """

    kind: str
    start: int
    end: int
    before: Operator | None
    after: Operator | None
    commands: tuple[SimpleCommand, ...]
    redirects: tuple[Redirect, ...] = ()


Statement = SimpleCommand | Compound


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed shell text.

    ``commands``: every simple command in source order, those in substitutions too. ``top_level``: the statements of
    the outermost list (``a && b; c | d`` has three). ``problems``: spans that do not parse; with any, the rest is a
    best guess. ``variables``: every parameter that the script expands, special ones (``@``, ``1``) too. ``assigned``:
    every name that it sets itself, by an assignment, ``for``, ``read``, ``export``, ``getopts`` and their like.
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

    @property
    def operators(self) -> frozenset[str]:
        """The operators between its top-level statements."""
        return frozenset(statement.after.text for statement in self.top_level[:-1] if statement.after)


MAX_LENGTH: Final = 1_000_000
"""Characters past which a script is not parsed."""


# Real scripts nest a handful of levels. The bounds keep hostile text from exhausting the stack (substitutions are
# read recursively, about six frames a level) or tree-sitter's error recovery (compound commands).
_MAX_SUBSTITUTIONS: Final = 40
_MAX_COMPOUNDS: Final = 200
# What is refused keeps any text below two seconds; the longest of 5,559 real scripts has 139 items.
_MAX_ITEMS: Final = 40_000
_MAX_PROBLEMS: Final = 1_000

_BLANKS: Final = re.compile(r"(?:[ \t]|\\\n)+")
_BARE: Final = re.compile(r"[^ \t\n;&|<>()'\"\\$`]+")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,^-]+(?=[ \t\n;&|)]|\Z)")
_DOUBLE: Final = re.compile(r"[^\"\\$`]+")
_HERE: Final = re.compile(r"[^\\$`]+")
_BRACED: Final = re.compile(r"[^}\"'\\$`]+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_BRACED_PARAMETER: Final = re.compile(
    r"\$\{(?P<prefix>[#!](?=[A-Za-z_0-9@*?$!-]))?(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])?"
    r"(?P<operator>:?[-=+?]|[#%/^,@:\[])?"
)
_ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]\n]*\])?(?P<operator>\+?=)")
_REDIRECT: Final = re.compile(r"(?P<fd>[0-9]*)(?P<operator><<<|<<-|<<|<>|<&|<|>>|>&|>\||>)|(?P<both>&>>?)")
_DESCRIPTOR: Final = re.compile(r"[0-9]+(?=[<>])")
_CONTROL: Final = re.compile(r";;&|;;|;&|&&|\|\||\|&|[;&|]")
_PARENTHESIS: Final = re.compile(r"[()]")
_EMPTY_PARENS: Final = re.compile(r"\([ \t]*\)")
_ARITHMETIC_NAME: Final = re.compile(r"(?<![A-Za-z0-9_#])[A-Za-z_][A-Za-z0-9_]*")
_CONTENT_OF_BACKQUOTES: Final = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL)
_ANSI_C: Final = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL)
_QUOTING: Final = re.compile(r"['\"\\]")

_OPENING: Final = frozenset({"if", "while", "until", "{"})
_MIDDLE: Final = frozenset({"then", "do", "else", "elif"})
_CLOSING: Final = frozenset({"fi", "done", "}"})
_RESERVED: Final = _OPENING | _MIDDLE | _CLOSING | {"for", "select", "case", "esac", "function", "in", "!", "[["}
_CASE_ENDS: Final = frozenset({";;", ";&", ";;&"})
_LIST_ENDS: Final = _MIDDLE | _CLOSING | _CASE_ENDS | {")", "esac"}
_LOOPS: Final = frozenset({"while", "until", "for", "select"})
# What must be open where a reserved word stands; `then`, `else` and `do` take the place of what opened their part.
_BELONGS_TO: Final = {
    "then": frozenset({"if"}),
    "elif": frozenset({"then"}),
    "else": frozenset({"then"}),
    "fi": frozenset({"then", "else"}),
    "do": _LOOPS,
    "done": frozenset({"do"}),
    "}": frozenset({"{"}),
    "esac": frozenset({"case"}),
}
_DECLARATIONS: Final = frozenset({"declare", "typeset", "local", "export", "readonly"})
# Commands that set the variables which their arguments name (POSIX.1-2017 XCU 4, GNU Bash manual 4.2), or unset them.
_SETTERS: Final = _DECLARATIONS | {"read", "getopts", "mapfile", "readarray", "unset"}


class _TooMuch(Exception):  # noqa: N818 - it ends the scan, the caller never sees it
    pass


class _State(enum.Enum):
    COMMAND = enum.auto()
    FOR_NAME = enum.auto()
    FOR_IN = enum.auto()
    FOR_LIST = enum.auto()
    CASE_WORD = enum.auto()
    CASE_IN = enum.auto()
    PATTERN = enum.auto()
    FUNCTION_NAME = enum.auto()


class _Kind(enum.Enum):
    COMMAND = enum.auto()  # a simple command
    ARITHMETIC = enum.auto()  # (( ... ))
    WORDS = enum.auto()  # words that are no command: a for list, a case subject or pattern, a function's name
    OPERATOR = enum.auto()
    RESERVED = enum.auto()  # reserved words and parentheses


@dataclass(slots=True)
class _DraftRedirect:
    start: int
    end: int
    operator: str
    target: Word | None
    descriptor: str | None
    heredoc: Heredoc | None = None
    substitutions: list[list[_Item]] = field(default_factory=list)


@dataclass(slots=True)
class _Item:
    """A token of the skeleton that tree-sitter is given."""

    kind: _Kind
    skeleton: str
    start: int
    end: int
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirects: list[_DraftRedirect] = field(default_factory=list)
    substitutions: list[list[_Item]] = field(default_factory=list)
    negated: bool = False
    closes: bool = False  # a statement can end here
    opens: bool = False  # a command must follow


class _Scanner:
    """Reads one text from left to right into items; the position is its only interesting state."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.end = len(text)
        self.depth = 0
        self.names: list[str] = []
        self.assigned: set[str] = set()
        self.problems: list[tuple[int, int]] = []
        self.comments: list[tuple[int, int]] = []
        self.parentheses: dict[int, int] | None = None
        self.item_count = 0
        self.pending: list[_DraftRedirect] = []
        self.substitutions: list[list[_Item]] = []

    # Words

    def word(self) -> Word:
        """The word at the position, which must not be at a blank or an operator."""
        text, start, first_name = self.text, self.pos, len(self.names)
        value: list[str] = []
        bare: list[str] = []  # the unquoted characters, with a NUL for each quoted part
        expands = quoted = False
        while self.pos < self.end:
            char = text[self.pos]
            match = _BARE.match(text, self.pos, self.end)
            if match:
                value.append(match.group())
                bare.append(match.group())
                self.pos = match.end()
            elif char == "'":
                quoted = True
                close = text.find("'", self.pos + 1, self.end)
                if close < 0:
                    self.unterminated(self.pos)
                    close = self.end
                value.append(text[self.pos + 1 : close])
                bare.append("\0")
                self.pos = min(close + 1, self.end)
            elif char == '"':
                quoted = True
                bare.append("\0")
                expands |= self.double_quoted(value)
            elif char == "\\":
                quoted = True
                following = text[self.pos + 1 : min(self.pos + 2, self.end)]
                self.pos = min(self.pos + 2, self.end)
                if following != "\n":
                    # A backslash at the very end stands for itself.
                    value.append(following or "\\")
                    bare.append("\0")
            elif char == "$":
                if self.dollar(double=False):
                    expands = True
                else:
                    value.append("$")
                    bare.append("$")
            elif char == "`":
                self.backquoted()
                expands = True
            elif char in "<>" and text.startswith("(", self.pos + 1):
                if self.pos > start and char == ">" and not expands and not value:
                    break
                self.substitution(self.pos)
                expands = True
            else:
                break
        end = self.pos
        unquoted = "".join(bare)
        literal_value = None if expands or _may_expand(unquoted) else "".join(value)
        variables = tuple(dict.fromkeys(self.names[first_name:]))
        return Word(start, end, text[start:end], literal_value, quoted, variables)

    def double_quoted(self, value: list[str]) -> bool:
        """Reads a double-quoted part and adds its literal text to ``value``; whether anything in it expands."""
        start = self.pos
        self.pos += 1
        expands = self.expandable(value, _DOUBLE, '$`"\\')
        if self.pos < self.end and self.text[self.pos] == '"':
            self.pos += 1
        else:
            self.unterminated(start)
        return expands

    def expandable(self, value: list[str], plain: re.Pattern[str], escapable: str) -> bool:
        """Reads text in which only ``$``, backquote and some escapes are special, up to a ``"`` if that is special."""
        text, expands = self.text, False
        while self.pos < self.end:
            match = plain.match(text, self.pos, self.end)
            if match:
                value.append(match.group())
                self.pos = match.end()
                continue
            char = text[self.pos]
            if char == '"':
                break
            if char == "\\":
                following = text[self.pos + 1 : min(self.pos + 2, self.end)]
                if following == "\n":
                    pass
                elif following and following in escapable:
                    value.append(following)
                else:
                    value.append("\\" + following)
                self.pos = min(self.pos + 2, self.end)
            elif char == "$":
                if self.dollar(double=True):
                    expands = True
                else:
                    value.append("$")
            else:
                self.backquoted()
                expands = True
        return expands

    def dollar(self, *, double: bool) -> bool:
        """Reads what a ``$`` begins; false when the ``$`` stands for itself."""
        text, start = self.text, self.pos
        following = text[start + 1 : min(start + 2, self.end)]
        if following == "(":
            if text.startswith("((", start + 1) and self.arithmetic(start + 3):
                return True
            self.substitution(start)
            return True
        if following == "{":
            self.braced(double=double)
            return True
        match = _PARAMETER.match(text, start + 1, self.end)
        if match:
            self.names.append(match.group())
            self.pos = match.end()
            return True
        if following == "'" and not double:
            content = _ANSI_C.match(text, start + 2, self.end)
            self.pos = content.end() if content else self.end
            if self.pos >= self.end:
                self.unterminated(start)
            self.pos = min(self.pos + 1, self.end)
            return True
        self.pos = start + 1
        return (following == '"' and not double) or following == "["

    def braced(self, *, double: bool) -> None:
        """Reads ``${...}``."""
        text, start = self.text, self.pos
        self.deeper()
        match = _BRACED_PARAMETER.match(text, start, self.end)
        self.pos = match.end() if match else min(start + 2, self.end)
        operator = match["operator"] if match else None
        if match and match["name"]:
            self.names.append(match["name"])
        # POSIX 2.6.2: inside double quotes a ' is an ordinary character in ${x-word} but quotes in ${x#word}.
        single_quotes = not double or operator in ("#", "%", "/")
        while self.pos < self.end and text[self.pos] != "}":
            plain = _BRACED.match(text, self.pos, self.end)
            char = text[self.pos]
            if plain:
                self.pos = plain.end()
            elif char == "\\":
                self.pos = min(self.pos + 2, self.end)
            elif char == '"':
                self.double_quoted([])
            elif char == "'" and single_quotes:
                close = text.find("'", self.pos + 1, self.end)
                self.pos = self.end if close < 0 else close + 1
            elif char == "'":
                self.pos += 1
            elif char == "$":
                self.dollar(double=double)
            else:
                self.backquoted()
        if self.pos >= self.end:
            self.unterminated(start)
        else:
            self.pos += 1
        self.depth -= 1

    def arithmetic(self, start: int) -> bool:
        """Reads an arithmetic expression from ``start`` through its ``))``; false, and nothing read, if it is none."""
        if self.parentheses is None:
            self.parentheses = _matching_parentheses(self.text)
        position = self.parentheses.get(start - 2, self.end)
        if position >= self.end or position - 1 < start or self.parentheses.get(start - 1) != position - 1:
            return False
        self.deeper()
        saved_end, self.end, self.pos = self.end, position - 1, start
        bare_start = start
        while self.pos < self.end:
            char = self.text[self.pos]
            if char in "$`":
                self.arithmetic_names(bare_start, self.pos)
                if char == "`":
                    self.backquoted()
                else:
                    self.dollar(double=True)
                bare_start = self.pos
            else:
                self.pos += 1
        self.arithmetic_names(bare_start, self.end)
        self.end, self.pos = saved_end, position + 1
        self.depth -= 1
        return True

    def arithmetic_names(self, start: int, end: int) -> None:
        self.names.extend(_ARITHMETIC_NAME.findall(self.text[start:end]))

    def substitution(self, start: int) -> None:
        """Reads ``$(...)``, ``<(...)`` or ``>(...)`` from its first character."""
        self.deeper()
        outer, self.substitutions = self.substitutions, []
        self.pos = start + 2
        items = self.items(")", start)
        self.substitutions = outer
        self.substitutions.append(items)
        self.depth -= 1

    def backquoted(self) -> None:
        """Reads `` `...` ``. Its commands are known unless escapes make its text differ from what is written."""
        start = self.pos
        content = _CONTENT_OF_BACKQUOTES.match(self.text, start + 1, self.end)
        close = content.end() if content else self.end
        if close >= self.end:
            self.unterminated(start)
        inner = self.text[start + 1 : close]
        if "\\" in inner:
            self.names.extend(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", inner))
        else:
            self.deeper()
            outer, self.substitutions = self.substitutions, []
            saved_end, self.end, self.pos = self.end, close, start + 1
            items = self.items(None, start)
            self.end, self.substitutions = saved_end, outer
            self.substitutions.append(items)
            self.depth -= 1
        self.pos = min(close + 1, self.end)

    def array(self) -> None:
        """Reads the ``(...)`` of a bash array assignment."""
        start = self.pos
        self.pos += 1
        while self.pos < self.end:
            blanks = _BLANKS.match(self.text, self.pos, self.end)
            char = self.text[self.pos]
            if blanks:
                self.pos = blanks.end()
            elif char == "\n":
                self.pos += 1
            elif char == "#":
                self.comment()
            elif char == ")":
                self.pos += 1
                return
            else:
                before = self.pos
                self.word()
                if self.pos == before:
                    self.problems.append((before, before + 1))
                    self.pos += 1
        self.unterminated(start)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAX_SUBSTITUTIONS:
            self.problems.append((self.pos, len(self.text)))
            raise _TooMuch

    def count(self) -> None:
        """Counts an item or redirect, and gives up where there are too many."""
        self.item_count += 1
        if self.item_count > _MAX_ITEMS or len(self.problems) > _MAX_PROBLEMS:
            self.problems.append((self.pos, len(self.text)))
            raise _TooMuch

    def unterminated(self, start: int) -> None:
        self.problems.append((start, self.end))

    def comment(self) -> None:
        newline = self.text.find("\n", self.pos, self.end)
        end = self.end if newline < 0 else newline
        self.comments.append((self.pos, end))
        self.pos = end

    def assignment(self, match: re.Match[str]) -> Assignment:
        start, first_name = self.pos, len(self.names)
        self.assigned.add(match["name"])
        self.pos = value_start = match.end()
        if self.text.startswith("(", self.pos) and self.pos < self.end:
            self.array()
            variables = tuple(dict.fromkeys(self.names[first_name:]))
            text = self.text[value_start : self.pos]
            value: Word | None = Word(value_start, self.pos, text, None, bool(_QUOTING.search(text)), variables)
        else:
            word = self.word()
            if word.value is not None and _tilde_in_value(word.text):
                word = Word(word.start, word.end, word.text, None, word.quoted, word.variables)
            value = word if word.text else None
        return Assignment(start, self.pos, match["name"], value, match["operator"] == "+=")

    def argument(self, command: str | None) -> Word:
        word = self.word()
        if (
            command in _DECLARATIONS
            and self.pos < self.end
            and self.text[self.pos] == "("
            and _ASSIGNMENT.fullmatch(word.text)
        ):
            first_name = len(self.names)
            self.array()
            text = self.text[word.start : self.pos]
            variables = tuple(dict.fromkeys(self.names[first_name:]))
            word = Word(word.start, self.pos, text, None, bool(_QUOTING.search(text)), variables)
        return word

    def redirect(self, match: re.Match[str]) -> _DraftRedirect:
        self.count()
        start = self.pos
        operator = match["both"] or match["operator"]
        self.pos = match.end()
        blanks = _BLANKS.match(self.text, self.pos, self.end)
        if blanks:
            self.pos = blanks.end()
        word: Word | None = self.word()
        if word is not None and not word.text:
            word = None
            self.problems.append((start, match.end()))
        draft = _DraftRedirect(start, self.pos, operator, word, match["fd"] or None)
        if operator in ("<<", "<<-") and word is not None:
            self.pending.append(draft)
        return draft

    def heredocs(self) -> None:
        """Reads the bodies of the pending here-documents; the position is at the start of a line."""
        pending, self.pending = self.pending, []
        for draft in pending:
            word = draft.target
            if word is None:
                continue
            name = "".join(char for char, _, _ in _unquoted(word.text, 0))
            strip_tabs = draft.operator == "<<-"
            start = self.pos
            tabs = r"\t*" if strip_tabs else ""
            last = re.compile(f"^{tabs}{re.escape(name)}$", re.MULTILINE).search(self.text, start, self.end)
            if last is not None and last.end() < self.end and self.text[last.end()] != "\n":
                last = None
            terminated = last is not None
            position = self.end
            if last is not None:
                position, self.pos = last.start(), min(last.end() + 1, self.end)
            if not terminated:
                self.pos = self.end
                self.problems.append((start, self.end))
            expand = not word.quoted
            draft.heredoc = Heredoc(start, position, name, expand, strip_tabs, terminated)
            if expand:
                saved = self.pos, self.end, self.substitutions
                self.pos, self.end, self.substitutions = start, position, []
                self.expandable([], _HERE, "$`\\")
                draft.substitutions = self.substitutions
                self.pos, self.end, self.substitutions = saved

    # Commands

    def items(self, closer: str | None, opened_at: int) -> list[_Item]:
        """Reads items up to the end of the text or, when ``closer`` is ``)``, through the parenthesis that closes."""
        return _ItemReader(self, closer, opened_at).read()


class _ItemReader:
    """Cuts one list of commands into items, knowing where a word is a command's first and so may be reserved."""

    def __init__(self, scanner: _Scanner, closer: str | None, opened_at: int) -> None:
        self.scanner = scanner
        self.closer = closer
        self.opened_at = opened_at
        self.items: list[_Item] = []
        self.run: _Item | None = None
        self.state = _State.COMMAND
        self.nest: list[str] = []
        self.negated = False

    def read(self) -> list[_Item]:
        scanner = self.scanner
        text = scanner.text
        while True:
            blanks = _BLANKS.match(text, scanner.pos, scanner.end)
            if blanks:
                scanner.pos = blanks.end()
            if scanner.pos >= scanner.end:
                if self.closer:
                    scanner.unterminated(self.opened_at)
                break
            run = self.run
            if run is not None and run.words and (self.state is _State.COMMAND or self.state is _State.FOR_LIST):
                # Most words are arguments in which nothing is special.
                plain = _PLAIN.match(text, scanner.pos, scanner.end)
                if plain is not None:
                    found = plain.group()
                    start, run.end = plain.span()
                    scanner.pos = run.end
                    run.words.append(Word(start, run.end, found, found))
                    continue
            char = text[scanner.pos]
            if char == "\n":
                self.newline()
            elif char == "#":
                scanner.comment()
            elif char == ")":
                if self.close_parenthesis():
                    break
            elif char == "(":
                self.open_parenthesis()
            elif char in ";|&" and not text.startswith("&>", scanner.pos):
                self.operator()
            elif self.state is not _State.PATTERN and self.at_redirect(char):
                self.redirect()
            else:
                self.word()
        self.flush()
        unfinished = self.closer is None and self.nest
        if self.negated or unfinished or (self.items and self.items[-1].opens):
            scanner.problems.append((self.opened_at, scanner.pos))
        return self.items

    def at_redirect(self, char: str) -> bool:
        scanner = self.scanner
        if char in "<>":
            return not scanner.text.startswith("(", scanner.pos + 1)
        return char == "&" or bool(_DESCRIPTOR.match(scanner.text, scanner.pos, scanner.end))

    def emit(self, item: _Item) -> None:
        scanner = self.scanner
        if item.kind is _Kind.OPERATOR:
            if self.negated:
                scanner.problems.append((item.start, item.end))
        else:
            item.negated, self.negated = self.negated, False
        if scanner.substitutions:
            item.substitutions.extend(scanner.substitutions)
            scanner.substitutions = []
        self.items.append(item)
        scanner.count()

    def reserved(self, text: str, start: int, end: int, *, opens: bool = False, closes: bool = False) -> None:
        """Emits a reserved word or parenthesis and checks that a list which must not be empty is not."""
        empty = bool(self.items) and self.items[-1].opens
        if (closes or text in _MIDDLE) and (empty or self.negated):
            self.scanner.problems.append((start, end))
        self.emit(_Item(_Kind.RESERVED, text, start, end, opens=opens, closes=closes))

    def words_item(self, word: Word) -> None:
        self.emit(_Item(_Kind.WORDS, "w", word.start, word.end, [word]))

    def placeholder(self, skeleton: str) -> None:
        """Emits what the grammar wants and the source leaves out (``for x do``)."""
        position = self.scanner.pos
        self.emit(_Item(_Kind.WORDS, skeleton, position, position))

    def flush(self) -> None:
        """Ends the simple command (or the list of a ``for``) that is being read."""
        run, self.run = self.run, None
        if run is not None:
            if run.words and run.words[0].value in _SETTERS and run.kind is _Kind.COMMAND:
                self.scanner.assigned.update(_set_by(run))
            self.emit(run)
        if self.state is _State.FOR_LIST:
            if run is None:
                self.placeholder("w")
            self.state = _State.COMMAND

    def current(self, start: int) -> _Item:
        """The simple command that is being read; a new one if there is none."""
        if self.run is None:
            if self.state is _State.FOR_LIST:
                self.run = _Item(_Kind.WORDS, "w", start, start, closes=True)
            else:
                if self.items and self.items[-1].closes:
                    self.scanner.problems.append((start, start + 1))
                self.run = _Item(_Kind.COMMAND, "w", start, start, closes=True)
        return self.run

    def can_end(self) -> bool:
        return bool(self.items) and self.items[-1].closes

    def newline(self) -> None:
        scanner = self.scanner
        start = scanner.pos
        if self.state in (_State.COMMAND, _State.FOR_LIST):
            in_list = self.state is _State.FOR_LIST
            self.flush()
            if in_list or self.can_end():
                self.emit(_Item(_Kind.OPERATOR, "\n", start, start + 1))
        elif self.state in (_State.FOR_NAME, _State.CASE_WORD, _State.FUNCTION_NAME):
            scanner.problems.append((start, start + 1))
        scanner.pos = start + 1
        if scanner.pending:
            scanner.heredocs()

    def operator(self) -> None:
        scanner = self.scanner
        start = scanner.pos
        match = _CONTROL.match(scanner.text, start, scanner.end)
        text = match.group() if match else scanner.text[start]
        end = start + len(text)
        scanner.pos = end
        if self.state is _State.PATTERN:
            if text != "|":
                scanner.problems.append((start, end))
            self.emit(_Item(_Kind.RESERVED, text, start, end))
            return
        if self.state is _State.FOR_IN and text == ";":
            self.placeholder("in")
            self.placeholder("w")
            self.emit(_Item(_Kind.OPERATOR, text, start, end))
            self.state = _State.COMMAND
            return
        in_list = self.state is _State.FOR_LIST
        self.flush()
        if text in (";;", ";&", ";;&"):
            if not self.nest or self.nest[-1] != "case":
                scanner.problems.append((start, end))
            else:
                self.state = _State.PATTERN
            self.emit(_Item(_Kind.RESERVED, text, start, end))
            return
        if self.state is not _State.COMMAND or not (self.can_end() or in_list) or (in_list and text != ";"):
            scanner.problems.append((start, end))
            self.state = _State.COMMAND
        self.emit(_Item(_Kind.OPERATOR, text, start, end, opens=text not in (";", "&")))

    def open_parenthesis(self) -> None:
        scanner = self.scanner
        start = scanner.pos
        if self.state is _State.PATTERN:
            scanner.pos += 1
            return
        if self.state is _State.FOR_NAME and self.arithmetic():
            self.placeholder("in")
            self.placeholder("w")
            self.items[-1].closes = True
            self.state = _State.COMMAND
            return
        empty = _EMPTY_PARENS.match(scanner.text, start, scanner.end)
        run = self.run
        if run is not None and empty and len(run.words) == 1 and not (run.assignments or run.redirects):
            # A function's name, as it turns out.
            run.kind, run.closes = _Kind.WORDS, False
            self.flush()
            self.emit(_Item(_Kind.RESERVED, "( )", start, empty.end(), opens=True))
            scanner.pos = empty.end()
            return
        if run is None and empty and len(self.items) > 1 and self.items[-2].skeleton == "function":
            scanner.pos = empty.end()
            return
        if run is None and self.state is _State.COMMAND and not self.can_end():
            if self.arithmetic():
                return
        else:
            scanner.problems.append((start, start + 1))
            self.flush()
        self.nested("(")
        scanner.pos = start + 1
        self.reserved("(", start, start + 1, opens=True)
        self.state = _State.COMMAND

    def arithmetic(self) -> bool:
        """Reads ``(( ... ))`` as bash does, when it is one."""
        scanner = self.scanner
        start = scanner.pos
        if not scanner.text.startswith("((", start) or not scanner.arithmetic(start + 2):
            return False
        kind = _Kind.WORDS if self.state is _State.FOR_NAME else _Kind.ARITHMETIC
        self.emit(_Item(kind, "w", start, scanner.pos, closes=True))
        return True

    def close_parenthesis(self) -> bool:
        """Reads a ``)``; whether it ends this list."""
        scanner = self.scanner
        start = scanner.pos
        scanner.pos = start + 1
        if self.state is _State.PATTERN:
            self.emit(_Item(_Kind.RESERVED, ")", start, start + 1))
            self.state = _State.COMMAND
            return False
        self.flush()
        if "(" in self.nest:
            while self.nest.pop() != "(":
                scanner.problems.append((start, start + 1))
            self.reserved(")", start, start + 1, closes=True)
        elif self.closer == ")":
            if self.nest:
                scanner.problems.append((self.opened_at, start + 1))
            return True
        else:
            scanner.problems.append((start, start + 1))
        return False

    def nested(self, opener: str) -> None:
        self.nest.append(opener)
        if len(self.nest) > _MAX_COMPOUNDS:
            self.scanner.problems.append((self.scanner.pos, len(self.scanner.text)))
            raise _TooMuch

    def redirect(self) -> None:
        scanner = self.scanner
        match = _REDIRECT.match(scanner.text, scanner.pos, scanner.end)
        if match is None:
            scanner.problems.append((scanner.pos, scanner.pos + 1))
            scanner.pos += 1
            return
        if self.state is not _State.COMMAND:
            scanner.problems.append((scanner.pos, match.end()))
        after_compound = self.run is None and self.can_end() and self.items[-1].kind is not _Kind.OPERATOR
        draft = scanner.redirect(match)
        if after_compound:
            self.items[-1].redirects.append(draft)
            self.items[-1].substitutions.extend(scanner.substitutions)
            scanner.substitutions = []
            return
        run = self.current(draft.start)
        run.redirects.append(draft)
        run.end = draft.end

    def word(self) -> None:
        scanner = self.scanner
        start = scanner.pos
        run = self.run
        if self.state is _State.COMMAND and (run is None or not run.words):
            match = _ASSIGNMENT.match(scanner.text, start, scanner.end)
            if match:
                item = self.current(start)
                item.assignments.append(scanner.assignment(match))
                item.end = scanner.pos
                return
        name = run.words[0].value if run is not None and run.words else None
        word = scanner.argument(name)
        if not word.text:
            scanner.problems.append((start, start + 1))
            scanner.pos = start + 1
            return
        if self.state is _State.COMMAND and run is None and word.text in _RESERVED:
            self.reserved_word(word)
        elif self.state in (_State.COMMAND, _State.FOR_LIST):
            item = self.current(start)
            item.words.append(word)
            item.end = word.end
        else:
            self.word_in_compound(word)

    def reserved_word(self, word: Word) -> None:
        text, start, end = word.text, word.start, word.end
        if text == "!":
            if self.items and self.items[-1].skeleton in ("|", "|&"):
                self.scanner.problems.append((start, end))
            self.negated = True
        elif text == "in":
            self.scanner.problems.append((start, end))
            self.current(start)
        elif text == "[[":
            self.double_brackets(word)
        elif text in ("for", "select"):
            self.nested(text)
            self.reserved("for", start, end)
            self.state = _State.FOR_NAME
        elif text == "case":
            self.nested(text)
            self.reserved(text, start, end)
            self.state = _State.CASE_WORD
        elif text == "function":
            self.reserved(text, start, end)
            self.state = _State.FUNCTION_NAME
        elif text in _OPENING:
            self.nested(text)
            self.reserved("while" if text == "until" else text, start, end, opens=True)
        else:
            if not self.nest or self.nest[-1] not in _BELONGS_TO[text]:
                self.scanner.problems.append((start, end))
            elif text in _MIDDLE:
                self.nest[-1] = "if" if text == "elif" else text
            else:
                self.nest.pop()
            self.reserved(text, start, end, opens=text in _MIDDLE, closes=text not in _MIDDLE)

    def double_brackets(self, opening: Word) -> None:
        """Reads ``[[ ... ]]``, in which operators and parentheses are words of the test."""
        scanner = self.scanner
        run = self.current(opening.start)
        run.words.append(opening)
        while scanner.pos < scanner.end:
            blanks = _BLANKS.match(scanner.text, scanner.pos, scanner.end)
            if blanks:
                scanner.pos = blanks.end()
                continue
            start = scanner.pos
            if scanner.text[start] == "\n":
                scanner.pos += 1
                continue
            word = scanner.word()
            if not word.text:
                operator = re.compile(r"&&|\|\||[()<>|&;]").match(scanner.text, start, scanner.end)
                scanner.pos = operator.end() if operator else start + 1
                text = scanner.text[start : scanner.pos]
                word = Word(start, scanner.pos, text, text)
            run.words.append(word)
            run.end = word.end
            if word.text == "]]":
                return
        scanner.unterminated(opening.start)

    def word_in_compound(self, word: Word) -> None:
        """Reads a word of ``for``, ``case`` or ``function`` that is no command's."""
        text, start, end = word.text, word.start, word.end
        if self.state is _State.FOR_NAME:
            if not _NAME.fullmatch(text):
                self.scanner.problems.append((start, end))
            else:
                self.scanner.assigned.add(text)
            self.words_item(word)
            self.state = _State.FOR_IN
        elif self.state is _State.FOR_IN and text == "in":
            self.reserved("in", start, end)
            self.state = _State.FOR_LIST
        elif self.state is _State.FOR_IN and text == "do":
            self.placeholder("in")
            self.placeholder("w")
            self.placeholder(";")
            self.nest[-1] = "do"
            self.reserved("do", start, end, opens=True)
            self.state = _State.COMMAND
        elif self.state is _State.CASE_WORD:
            self.words_item(word)
            self.state = _State.CASE_IN
        elif self.state is _State.CASE_IN and text == "in":
            self.reserved("in", start, end)
            self.state = _State.PATTERN
        elif self.state is _State.PATTERN:
            previous = self.items[-1].skeleton
            if text == "esac" and previous in ("in", ";;", ";&", ";;&"):
                if self.nest:
                    self.nest.pop()
                self.reserved("esac", start, end, closes=True)
                self.state = _State.COMMAND
            else:
                self.words_item(word)
        elif self.state is _State.FUNCTION_NAME:
            self.words_item(word)
            self.items[-1].opens = True
            self.state = _State.COMMAND
        else:
            self.scanner.problems.append((start, end))
            self.state = _State.COMMAND


def _set_by(item: _Item) -> list[str]:
    """The names that a command like ``export`` or ``read`` sets; notes what it declares as assignments of its own."""
    names: list[str] = []
    declares = item.words[0].value in _DECLARATIONS
    for word in item.words[1:]:
        match = _ASSIGNMENT.match(word.text) if declares else None
        if match is None:
            names += [word.text] if _NAME.fullmatch(word.text) else []
            continue
        names.append(match["name"])
        text, literal_value = word.text[match.end() :], None
        if word.value is not None and word.value.startswith(match.group()):
            literal_value = word.value[match.end() :]
        quoted = bool(_QUOTING.search(text))
        start = word.start + match.end()
        value = Word(start, word.end, text, literal_value, quoted, word.variables) if text else None
        item.assignments.append(Assignment(word.start, word.end, match["name"], value, match["operator"] == "+="))
    return names


def _matching_parentheses(text: str) -> dict[int, int]:
    """Where each parenthesis closes that holds no more than _MAX_COMPOUNDS levels, whatever quotes it stands in."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    heights = [0]
    for match in _PARENTHESIS.finditer(text):
        if match.group() == "(":
            opened.append(match.start())
            heights.append(0)
        elif opened:
            start, height = opened.pop(), heights.pop() + 1
            heights[-1] = max(heights[-1], height)
            if height <= _MAX_COMPOUNDS:
                closing[start] = match.start()
    return closing


def _may_expand(bare: str) -> bool:
    """Whether unquoted characters (quoted parts shown as NUL) are a glob, a brace expansion or begin with ``~``."""
    if "*" in bare or "?" in bare or bare.startswith("~"):
        return True
    opening, closing = bare.find("["), bare.rfind("]")
    if opening >= 0 and closing > opening + 1:
        return True
    opening, closing = bare.find("{"), bare.rfind("}")
    if 0 <= opening < closing:
        inside = bare[opening:closing]
        if "," in inside or ".." in inside:
            return True
    match = _ASSIGNMENT.match(bare)
    return bool(match) and _tilde_in_value(bare[match.end() if match else 0 :])


def _tilde_in_value(text: str) -> bool:
    """POSIX 2.6.1: in the value of an assignment ``~`` expands at its start and after each ``:``."""
    return text.startswith("~") or ":~" in text


_Character = tuple[str, int, int]  # a character that the shell keeps, and the span that it was written as


def _unquoted(text: str, base: int) -> list[_Character]:
    """The characters of a literal word without its quoting; ``text`` has no expansion and starts at ``base``."""
    characters: list[_Character] = []
    position, quote_mark = 0, ""
    while position < len(text):
        char = text[position]
        width = 1
        if quote_mark == "'":
            if char == "'":
                quote_mark = ""
            else:
                characters.append((char, base + position, base + position + 1))
        elif char == "\\" and position + 1 < len(text):
            following = text[position + 1]
            if quote_mark and following not in '$`"\\\n':
                characters.append((char, base + position, base + position + 1))
            else:
                width = 2
                if following != "\n":
                    characters.append((following, base + position, base + position + 2))
        elif char == quote_mark:
            quote_mark = ""
        elif char in "'\"" and not quote_mark:
            quote_mark = char
        else:
            characters.append((char, base + position, base + position + 1))
        position += width
    return characters


@dataclass(frozen=True, slots=True)
class MappedText:
    """Text that the shell makes of other text, with the way back.

    ``text[i]`` was written as ``starts[i]`` to ``ends[i]`` of the text around it (an escaped character with its
    backslash). ``empty_at`` is where the text would stand if it is empty.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    empty_at: int

    @property
    def one_to_one(self) -> bool:
        """Whether the text is a slice of its source, with nothing removed within."""
        return not self.text or self.ends[-1] - self.starts[0] == len(self.text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the source behind ``text[start:end]``; IndexError when that is not within the text."""
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(f"no span {start}..{end} in a text of {len(self.text)} characters")
        if start < end:
            return self.starts[start], self.ends[end - 1]
        if start < len(self.text):
            return self.starts[start], self.starts[start]
        position = self.ends[-1] if self.ends else self.empty_at
        return position, position


def _mapped(characters: list[_Character], empty_at: int) -> MappedText:
    return MappedText(
        "".join(char for char, _, _ in characters),
        tuple(start for _, start, _ in characters),
        tuple(end for _, _, end in characters),
        empty_at,
    )


def literal(word: Word) -> MappedText | None:
    """The value of a literal word with the source of each of its characters; None if the word expands."""
    if word.value is None:
        return None
    return _mapped(_unquoted(word.text, word.start), word.start + (1 if word.quoted else 0))


def expand_heredoc(body: str, *, expand: bool, strip_tabs: bool = False, start: int = 0) -> MappedText | None:
    """What a command reads from a here-document; None when something in its body expands.

    ``start`` is the offset of the body, ``expand`` whether its terminator is unquoted, ``strip_tabs`` whether it came
    with ``<<-``. POSIX 2.7.4: then ``\\$``, ``\\` `` and ``\\\\`` lose their backslash, ``\\<newline>`` joins lines.
    """
    characters: list[_Character] = []
    position, at_line_start = 0, True
    while position < len(body):
        char = body[position]
        if at_line_start and strip_tabs and char == "\t":
            position += 1
            continue
        at_line_start = char == "\n"
        if expand and char == "\\" and body[position + 1 : position + 2] in ("$", "`", "\\", "\n"):
            if body[position + 1] != "\n":
                characters.append((body[position + 1], start + position, start + position + 2))
            position += 2
            continue
        if expand and (char == "`" or (char == "$" and _expands_at(body, position))):
            return None
        characters.append((char, start + position, start + position + 1))
        position += 1
    return _mapped(characters, start)


def _expands_at(text: str, dollar: int) -> bool:
    return text.startswith(("(", "{"), dollar + 1) or bool(_PARAMETER.match(text, dollar + 1))


# From items to commands


def _skeleton(items: list[_Item]) -> tuple[bytes, list[int]]:
    """The script that tree-sitter reads (ASCII, so its bytes are its characters) and where each item starts in it."""
    starts: list[int] = []
    parts: list[str] = []
    position = 0
    closed = False
    for item in items:
        text = ";" if item.skeleton == "\n" else item.skeleton
        if closed and item.kind is _Kind.RESERVED and text in _BELONGS_TO:
            # `if (a) then`, `{ (a) }`: a reserved word may follow another directly, which tree-sitter-bash refuses.
            text = f"; {text}"
        closed = item.closes and item.kind is _Kind.RESERVED
        starts.append(position)
        parts.append(text)
        position += len(text) + 1
    return " ".join(parts).encode("ascii"), starts


@lru_cache(maxsize=1)
def _bash() -> Language:
    import tree_sitter  # noqa: PLC0415 - loaded on first use
    import tree_sitter_bash  # noqa: PLC0415

    return tree_sitter.Language(tree_sitter_bash.language())


def _parse_skeleton(skeleton: bytes) -> Node:
    import tree_sitter  # noqa: PLC0415 - loaded on first use

    return tree_sitter.Parser(_bash()).parse(skeleton).root_node


_COMPOUNDS: Final = frozenset(
    {
        "pipeline",
        "if_statement",
        "for_statement",
        "while_statement",
        "case_statement",
        "subshell",
        "compound_statement",
        "function_definition",
    }
)
_CONTEXTS: Final = {
    "if_statement": Context.CONDITIONAL,
    "elif_clause": Context.CONDITIONAL,
    "else_clause": Context.CONDITIONAL,
    "case_item": Context.CONDITIONAL,
    "while_statement": Context.LOOP,
    "subshell": Context.SUBSHELL,
    "compound_statement": Context.GROUP,
    "function_definition": Context.FUNCTION,
    "pipeline": Context.PIPELINE,
}


class _Scope(enum.Enum):
    """How far ``set -e`` reaches out of a part of the script."""

    SAME = enum.auto()
    MAYBE = enum.auto()  # the part may not run: it can end errexit for what follows, not begin it
    OWN = enum.auto()  # a process of its own


@dataclass(slots=True)
class _Errexit:
    on: bool
    off_inside: bool = False


@dataclass(slots=True)
class _Leave:
    scope: _Scope


class _Builder:
    """Walks the trees of a script and of its substitutions, and collects commands."""

    def __init__(self, scanner: _Scanner) -> None:
        self.scanner = scanner
        self.commands: list[SimpleCommand] = []

    def build(self, items: list[_Item], context: Context, *, errexit: bool) -> tuple[Node | None, _Level]:
        level = _Level(items)
        if not items:
            return None, level
        skeleton, level.starts = _skeleton(items)
        root = _parse_skeleton(skeleton)
        scopes = [_Errexit(errexit)]
        stack: list[tuple[Node, Context, _Scope] | _Leave] = [(root, context, _Scope.SAME)]
        while stack:
            entry = stack.pop()
            if isinstance(entry, _Leave):
                inner = scopes.pop()
                if entry.scope is _Scope.MAYBE and inner.off_inside:
                    scopes[-1].on = False
                    scopes[-1].off_inside = True
                continue
            node, around, scope = entry
            self.check(node, level)
            if node.is_missing:
                continue
            around |= self.own_context(node, level)
            scope = _widest(scope, node.type)
            if scope is not _Scope.SAME:
                scopes.append(_Errexit(scopes[-1].on))
                stack.append(_Leave(scope))
            children = node.children
            if children:
                stack.extend(reversed(_children(node, children, around)))
            else:
                self.leaf(node, level, around, scopes[-1])
        for index, item in enumerate(items):
            # What tree-sitter skipped in an error is still there to be seen.
            if index not in level.seen:
                self.item(index, item, level, context, scopes[0])
        return root, level

    def check(self, node: Node, level: _Level) -> None:
        if node.is_error or node.is_missing:
            first, last = level.span(node)
            start = level.items[first].start
            self.scanner.problems.append((start, max(start, level.items[last].end)))

    def own_context(self, node: Node, level: _Level) -> Context:
        context = _CONTEXTS.get(node.type, Context.NONE)
        if node.type not in ("program", "list") and node.is_named and node.end_byte > node.start_byte:
            first, _ = level.span(node)
            # In `! a && b` the list starts at a negated item too, but only the pipeline `a` is negated.
            if level.items[first].negated:
                context |= Context.NEGATED
        return context

    def leaf(self, node: Node, level: _Level, context: Context, errexit: _Errexit) -> None:
        first, last = level.span(node)
        for index in range(first, last + 1):
            if index not in level.seen:
                self.item(index, level.items[index], level, context, errexit)

    def item(self, index: int, item: _Item, level: _Level, context: Context, errexit: _Errexit) -> None:
        level.seen.add(index)
        substitutions = [*item.substitutions]
        for draft in item.redirects:
            substitutions.extend(draft.substitutions)
        for inner in substitutions:
            # GNU Bash manual, "Command Substitution": -e is not inherited, unless in POSIX mode.
            self.build(inner, context | Context.SUBSTITUTION, errexit=False)
        if item.kind is not _Kind.COMMAND:
            return
        command = SimpleCommand(
            start=item.start,
            end=item.end,
            words=tuple(item.words),
            assignments=tuple(item.assignments),
            redirects=_redirects(item),
            before=level.operator(index - 1),
            after=level.operator(index + 1),
            context=context,
            errexit=errexit.on,
        )
        level.commands[index] = command
        self.commands.append(command)
        change = _errexit_change(command)
        if change is not None:
            errexit.on = change
            errexit.off_inside = errexit.off_inside or not change


@dataclass(slots=True)
class _Level:
    items: list[_Item]
    starts: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    commands: dict[int, SimpleCommand] = field(default_factory=dict)

    def span(self, node: Node) -> tuple[int, int]:
        """The first and the last item of a node."""
        first = max(bisect_right(self.starts, node.start_byte) - 1, 0)
        last = max(bisect_left(self.starts, node.end_byte) - 1, first)
        return first, last

    def operator(self, index: int) -> Operator | None:
        """The operator that the item at an index is; a newline is one only if a command follows it in the same list."""
        if not 0 <= index < len(self.items):
            return None
        item = self.items[index]
        if item.kind is not _Kind.OPERATOR and item.skeleton not in _CASE_ENDS:
            return None
        if item.skeleton == "\n":
            following = self.items[index + 1] if index + 1 < len(self.items) else None
            if following is None or (following.kind is _Kind.RESERVED and following.skeleton in _LIST_ENDS):
                return None
        return Operator(item.start, item.end, item.skeleton)


def _redirects(item: _Item) -> tuple[Redirect, ...]:
    return tuple(
        Redirect(draft.start, draft.end, draft.operator, draft.target, draft.descriptor, draft.heredoc)
        for draft in item.redirects
    )


def _widest(scope: _Scope, node_type: str) -> _Scope:
    if scope is _Scope.OWN or node_type == "subshell":
        return _Scope.OWN
    maybe = _CONTEXTS.get(node_type, Context.NONE) & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
    return _Scope.MAYBE if maybe or scope is _Scope.MAYBE else _Scope.SAME


def _flat_list(node: Node) -> list[Node]:
    """The operands and operators of an and-or list, which tree-sitter nests to the left."""
    flat: list[Node] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if top.type == "list":
            stack.extend(reversed(top.children))
        else:
            flat.append(top)
    return flat


def _children(node: Node, children: list[Node], context: Context) -> list[tuple[Node, Context, _Scope]]:
    """The children of a node, each with its context."""
    entries: list[tuple[Node, Context, _Scope]] = []
    if node.type == "list":
        alternative = False
        for index, child in enumerate(_flat_list(node)):
            alternative = alternative or child.type == "||"
            around = context | Context.CONDITIONAL if alternative else context
            entries.append((child, around, _Scope.MAYBE if index else _Scope.SAME))
        return entries
    for index, child in enumerate(children):
        around, scope = context, _Scope.SAME
        if index + 1 < len(children) and children[index + 1].type == "&":
            around, scope = context | Context.BACKGROUND, _Scope.OWN
        if node.type == "pipeline":
            scope = _Scope.OWN
        elif node.type == "for_statement" and child.type in ("do_group", "compound_statement"):
            # The words of a `for`, like the subject of a `case`, are expanded once and in any case.
            around, scope = context | Context.LOOP, _Scope.MAYBE
        elif node.type == "while_statement" and node.field_name_for_child(index) == "condition":
            around |= Context.CONDITIONAL
        entries.append((child, around, scope))
    return entries


def _errexit_change(command: SimpleCommand) -> bool | None:
    """Whether a ``set`` switches errexit on (True) or off (False, also when it might), None if it does neither."""
    if command.name != "set":
        return None
    change: bool | None = None
    expects_option: bool | None = None
    for value in command.values()[1:]:
        if value is None:
            return False
        if expects_option is not None:
            if value == "errexit":
                change = expects_option
            expects_option = None
        elif value in ("--", "-") or value[:1] not in ("-", "+"):
            break
        else:
            switches_on = value[0] == "-"
            if "e" in value[1:]:
                change = switches_on
            if "o" in value[1:]:
                expects_option = switches_on
    return change


def _top_level(root: Node, level: _Level, commands: Sequence[SimpleCommand]) -> list[Statement]:
    starts = [command.start for command in commands]
    statements: list[Statement] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in ("program", "list", "ERROR"):
            stack.extend(reversed(_flat_list(node) if node.type == "list" else node.children))
            continue
        if not node.is_named or node.is_missing or node.end_byte <= node.start_byte:
            continue
        first, last = level.span(node)
        kind = node.type
        if level.items[first].kind is _Kind.ARITHMETIC and kind not in _COMPOUNDS:
            kind = "compound_statement"
        if kind not in _COMPOUNDS:
            statements.extend(level.commands[index] for index in range(first, last + 1) if index in level.commands)
            continue
        start = level.items[first].start
        closing = level.items[last]
        redirects = () if kind == "pipeline" else _redirects(closing)
        end = max([closing.end, *(draft.end for draft in closing.redirects)])
        inside = commands[bisect_left(starts, start) : bisect_left(starts, end)]
        before, after = level.operator(first - 1), level.operator(last + 1)
        statements.append(Compound(kind, start, end, before, after, tuple(inside), redirects))
    return statements


@lru_cache(maxsize=4096)
def parse_shell(text: str, *, errexit: bool = False) -> Script:
    """Parses POSIX shell or bash, never raises; ``errexit`` says that the shell was started with ``-e``. Cached."""
    if len(text) > MAX_LENGTH:
        return Script(text, (), (), ((0, len(text)),), (), frozenset(), frozenset())
    scanner = _Scanner(text)
    try:
        items = scanner.items(None, 0)
    except _TooMuch:
        problems = tuple(sorted(set(scanner.problems)))
        return Script(
            text, (), (), problems, tuple(scanner.comments), frozenset(scanner.names), frozenset(scanner.assigned)
        )
    builder = _Builder(scanner)
    root, level = builder.build(items, Context.NONE, errexit=errexit)
    commands = tuple(sorted(builder.commands, key=lambda command: (command.start, -command.end)))
    return Script(
        text=text,
        commands=commands,
        top_level=tuple(_top_level(root, level, commands)) if root is not None else (),
        problems=tuple(sorted(set(scanner.problems))),
        comments=tuple(sorted(scanner.comments)),
        variables=frozenset(scanner.names),
        assigned=frozenset(scanner.assigned),
    )


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a script's outermost level, for what reads the grammar of loops and branches itself.

    `text` is a reserved word, a parenthesis or an operator as it is spelled, and empty for a simple command, for the
    words of a `for` and for what else consists of `words` and `assignments`.
    """

    start: int
    end: int
    text: str
    words: tuple[Word, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    redirected: bool = False
    negated: bool = False


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a script, without those inside its substitutions; none if it does not parse."""
    scanner = _Scanner(text)
    try:
        items = scanner.items(None, 0) if len(text) <= MAX_LENGTH else []
    except _TooMuch:
        return ()
    if scanner.problems:
        return ()
    spelled = (_Kind.OPERATOR, _Kind.RESERVED)
    return tuple(
        Token(
            item.start,
            item.end,
            text[item.start : item.end] if item.kind in spelled else "",
            tuple(item.words),
            tuple(item.assignments),
            bool(item.redirects),
            item.negated,
        )
        for item in items
    )


# Shells


class ShellKind(enum.Enum):
    """The family of a shell: what syntax it takes."""

    POSIX = "posix"
    BASH = "bash"
    POWERSHELL = "powershell"
    CMD = "cmd"
    OTHER = "other"

    @property
    def readable(self) -> bool:
        """Whether :func:`parse_shell` reads its language."""
        return self in (ShellKind.POSIX, ShellKind.BASH)


_SHELLS: Final = {
    **dict.fromkeys(("sh", "dash", "ash"), ShellKind.POSIX),
    **dict.fromkeys(("bash", "rbash", "zsh", "ksh", "ksh93", "mksh"), ShellKind.BASH),
    **dict.fromkeys(("powershell", "pwsh"), ShellKind.POWERSHELL),
    "cmd": ShellKind.CMD,
}


def _program(argv: Sequence[str]) -> tuple[str, int]:
    """The base name of the program that ``argv`` runs, seen through ``env`` and ``busybox``, and its index."""
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
    """Which of errexit, nounset, pipefail and xtrace a shell's argument vector switches on."""
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
    """``value`` as one shell word that any POSIX shell reads back as that value."""
    return shlex.quote(value)


@dataclass(frozen=True, slots=True)
class Nested:
    """A script that a word holds (``sh -c '...'``).

    ``offset`` is where it begins in the text around it; None if that is not the same text, character by character.
    """

    word: Word
    text: str
    offset: int | None


def nested_scripts(command: SimpleCommand) -> tuple[Nested, ...]:
    """The literal script that a command hands to ``sh -c``, ``bash -lc`` or another shell, if it does."""
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
    """The script that a literal word holds; None if the word expands."""
    mapped = literal(word)
    if mapped is None:
        return None
    return Nested(word, mapped.text, mapped.span(0, 0)[0] if mapped.one_to_one else None)
