"""The scanner: from shell text to words, redirects, heredocs, operators and reserved words.

It follows POSIX.1-2017 XCU chapter 2 and, where bash goes further, the GNU Bash manual. What it makes of a text are the
items that `commands` lays out for tree-sitter-bash.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Final

from dockfix.syntax.shell.model import Assignment, Heredoc, Word
from dockfix.syntax.shell.text import PARAMETER, unquoted

__all__ = ["BELONGS_TO", "CASE_ENDS", "LIST_ENDS", "MAX_COMPOUNDS", "Item", "Kind", "Scanner", "TooMuch"]

# Real scripts nest a handful of levels. The bounds keep hostile text from exhausting the stack (substitutions are
# read recursively, about six frames a level) or tree-sitter's error recovery (compound commands).
_MAX_SUBSTITUTIONS: Final = 40
MAX_COMPOUNDS: Final = 200
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
CASE_ENDS: Final = frozenset({";;", ";&", ";;&"})
LIST_ENDS: Final = _MIDDLE | _CLOSING | CASE_ENDS | {")", "esac"}
_LOOPS: Final = frozenset({"while", "until", "for", "select"})
# What must be open where a reserved word stands; `then`, `else` and `do` take the place of what opened their part.
BELONGS_TO: Final = {
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


class TooMuch(Exception):  # noqa: N818 - it ends the scan, the caller never sees it
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


class Kind(enum.Enum):
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
    substitutions: list[list[Item]] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """A token of the skeleton that tree-sitter is given."""

    kind: Kind
    skeleton: str
    start: int
    end: int
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirects: list[_DraftRedirect] = field(default_factory=list)
    substitutions: list[list[Item]] = field(default_factory=list)
    negated: bool = False
    closes: bool = False  # a statement can end here
    opens: bool = False  # a command must follow


class Scanner:
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
        self.substitutions: list[list[Item]] = []

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
        match = PARAMETER.match(text, start + 1, self.end)
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
            raise TooMuch

    def count(self) -> None:
        """Counts an item or redirect, and gives up where there are too many."""
        self.item_count += 1
        if self.item_count > _MAX_ITEMS or len(self.problems) > _MAX_PROBLEMS:
            self.problems.append((self.pos, len(self.text)))
            raise TooMuch

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
            name = "".join(char for char, _, _ in unquoted(word.text, 0))
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

    def items(self, closer: str | None, opened_at: int) -> list[Item]:
        """Reads items up to the end of the text or, when ``closer`` is ``)``, through the parenthesis that closes."""
        return _ItemReader(self, closer, opened_at).read()


class _ItemReader:
    """Cuts one list of commands into items, knowing where a word is a command's first and so may be reserved."""

    def __init__(self, scanner: Scanner, closer: str | None, opened_at: int) -> None:
        self.scanner = scanner
        self.closer = closer
        self.opened_at = opened_at
        self.items: list[Item] = []
        self.run: Item | None = None
        self.state = _State.COMMAND
        self.nest: list[str] = []
        self.negated = False

    def read(self) -> list[Item]:
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

    def emit(self, item: Item) -> None:
        scanner = self.scanner
        if item.kind is Kind.OPERATOR:
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
        self.emit(Item(Kind.RESERVED, text, start, end, opens=opens, closes=closes))

    def words_item(self, word: Word) -> None:
        self.emit(Item(Kind.WORDS, "w", word.start, word.end, [word]))

    def placeholder(self, skeleton: str) -> None:
        """Emits what the grammar wants and the source leaves out (``for x do``)."""
        position = self.scanner.pos
        self.emit(Item(Kind.WORDS, skeleton, position, position))

    def flush(self) -> None:
        """Ends the simple command (or the list of a ``for``) that is being read."""
        run, self.run = self.run, None
        if run is not None:
            if run.words and run.words[0].value in _SETTERS and run.kind is Kind.COMMAND:
                self.scanner.assigned.update(_set_by(run))
            self.emit(run)
        if self.state is _State.FOR_LIST:
            if run is None:
                self.placeholder("w")
            self.state = _State.COMMAND

    def current(self, start: int) -> Item:
        """The simple command that is being read; a new one if there is none."""
        if self.run is None:
            if self.state is _State.FOR_LIST:
                self.run = Item(Kind.WORDS, "w", start, start, closes=True)
            else:
                if self.items and self.items[-1].closes:
                    self.scanner.problems.append((start, start + 1))
                self.run = Item(Kind.COMMAND, "w", start, start, closes=True)
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
                self.emit(Item(Kind.OPERATOR, "\n", start, start + 1))
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
            self.emit(Item(Kind.RESERVED, text, start, end))
            return
        if self.state is _State.FOR_IN and text == ";":
            self.placeholder("in")
            self.placeholder("w")
            self.emit(Item(Kind.OPERATOR, text, start, end))
            self.state = _State.COMMAND
            return
        in_list = self.state is _State.FOR_LIST
        self.flush()
        if text in (";;", ";&", ";;&"):
            if not self.nest or self.nest[-1] != "case":
                scanner.problems.append((start, end))
            else:
                self.state = _State.PATTERN
            self.emit(Item(Kind.RESERVED, text, start, end))
            return
        if self.state is not _State.COMMAND or not (self.can_end() or in_list) or (in_list and text != ";"):
            scanner.problems.append((start, end))
            self.state = _State.COMMAND
        self.emit(Item(Kind.OPERATOR, text, start, end, opens=text not in (";", "&")))

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
            run.kind, run.closes = Kind.WORDS, False
            self.flush()
            self.emit(Item(Kind.RESERVED, "( )", start, empty.end(), opens=True))
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
        kind = Kind.WORDS if self.state is _State.FOR_NAME else Kind.ARITHMETIC
        self.emit(Item(kind, "w", start, scanner.pos, closes=True))
        return True

    def close_parenthesis(self) -> bool:
        """Reads a ``)``; whether it ends this list."""
        scanner = self.scanner
        start = scanner.pos
        scanner.pos = start + 1
        if self.state is _State.PATTERN:
            self.emit(Item(Kind.RESERVED, ")", start, start + 1))
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
        if len(self.nest) > MAX_COMPOUNDS:
            self.scanner.problems.append((self.scanner.pos, len(self.scanner.text)))
            raise TooMuch

    def redirect(self) -> None:
        scanner = self.scanner
        match = _REDIRECT.match(scanner.text, scanner.pos, scanner.end)
        if match is None:
            scanner.problems.append((scanner.pos, scanner.pos + 1))
            scanner.pos += 1
            return
        if self.state is not _State.COMMAND:
            scanner.problems.append((scanner.pos, match.end()))
        after_compound = self.run is None and self.can_end() and self.items[-1].kind is not Kind.OPERATOR
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
            if not self.nest or self.nest[-1] not in BELONGS_TO[text]:
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


def _set_by(item: Item) -> list[str]:
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
    """Where each parenthesis closes that holds no more than MAX_COMPOUNDS levels, whatever quotes it stands in."""
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
            if height <= MAX_COMPOUNDS:
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
