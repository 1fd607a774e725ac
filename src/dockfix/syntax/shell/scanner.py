"""The scanner: from shell text to words, redirects, heredocs, operators and reserved words.

It follows POSIX.1-2017 XCU chapter 2 and, where bash goes further, the GNU Bash manual. Its results are the items that
`commands` passes to tree-sitter-bash. `words` and `redirects` read the parts of a command; this module reads the
grammar of lists and compound commands, as far as needed to distinguish a reserved word from an argument.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from dockfix.syntax.shell.items import BELONGS_TO, MIDDLE, OPENING, RESERVED, Item, Kind
from dockfix.syntax.shell.model import Assignment, Word
from dockfix.syntax.shell.redirects import DESCRIPTOR, REDIRECT, read_heredocs, read_redirect
from dockfix.syntax.shell.words import (
    ASSIGNMENT,
    BLANKS,
    DECLARATIONS,
    MAX_COMPOUNDS,
    QUOTING,
    TooMuch,
    WordScanner,
)

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,^-]+(?=[ \t\n;&|)]|\Z)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL: Final = re.compile(r";;&|;;|;&|&&|\|\||\|&|[;&|]")
# Their operands in `[[ ]]` are arithmetic (GNU Bash manual 6.4).
_ARITHMETIC_TESTS: Final = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_EMPTY_PARENS: Final = re.compile(r"\([ \t]*\)")
# Commands that set or unset the variables that their arguments name (POSIX.1-2017 XCU 4, GNU Bash manual 4.2).
_SETTERS: Final = DECLARATIONS | {"read", "getopts", "mapfile", "readarray", "unset"}


class _State(enum.Enum):
    COMMAND = enum.auto()
    FOR_NAME = enum.auto()
    FOR_IN = enum.auto()
    FOR_LIST = enum.auto()
    CASE_WORD = enum.auto()
    CASE_IN = enum.auto()
    PATTERN = enum.auto()
    FUNCTION_NAME = enum.auto()


class Scanner(WordScanner):
    """Reads a text from left to right into items."""

    def items(self, closer: str | None, opened_at: int) -> list[Item]:
        """Read items up to the end of the text or, if `closer` is `)`, through the closing parenthesis."""
        return _ItemReader(self, closer, opened_at).read()


class _ItemReader:
    """Cuts one list of commands into items, and tracks where a word is the first of a command and may be reserved."""

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
            blanks = BLANKS.match(text, scanner.pos, scanner.end)
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
        return char == "&" or bool(DESCRIPTOR.match(scanner.text, scanner.pos, scanner.end))

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
        """Emit a reserved word or parenthesis and check that a list which must not be empty is not."""
        empty = bool(self.items) and self.items[-1].opens
        if (closes or text in MIDDLE) and (empty or self.negated):
            self.scanner.problems.append((start, end))
        self.emit(Item(Kind.RESERVED, text, start, end, opens=opens, closes=closes))

    def words_item(self, word: Word) -> None:
        self.emit(Item(Kind.WORDS, "w", word.start, word.end, [word]))

    def placeholder(self, skeleton: str) -> None:
        """Emit an item that the grammar requires and the source omits (`for x do`)."""
        position = self.scanner.pos
        self.emit(Item(Kind.WORDS, skeleton, position, position))

    def flush(self) -> None:
        """End the current simple command (or the list of a `for`)."""
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
        """The current simple command; a new one if there is none."""
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
            read_heredocs(scanner)

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
        """Read `(( ... ))` as bash does, if it is one."""
        scanner = self.scanner
        start = scanner.pos
        if not scanner.text.startswith("((", start) or not scanner.arithmetic(start + 2):
            return False
        kind = Kind.WORDS if self.state is _State.FOR_NAME else Kind.ARITHMETIC
        self.emit(Item(kind, "w", start, scanner.pos, closes=True))
        return True

    def close_parenthesis(self) -> bool:
        """Read a `)`; whether it ends this list."""
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
        match = REDIRECT.match(scanner.text, scanner.pos, scanner.end)
        if match is None:
            scanner.problems.append((scanner.pos, scanner.pos + 1))
            scanner.pos += 1
            return
        if self.state is not _State.COMMAND:
            scanner.problems.append((scanner.pos, match.end()))
        after_compound = self.run is None and self.can_end() and self.items[-1].kind is not Kind.OPERATOR
        draft = read_redirect(scanner, match)
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
            match = ASSIGNMENT.match(scanner.text, start, scanner.end)
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
        if self.state is _State.COMMAND and run is None and word.text in RESERVED:
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
        elif text in OPENING:
            self.nested(text)
            self.reserved("while" if text == "until" else text, start, end, opens=True)
        else:
            if not self.nest or self.nest[-1] not in BELONGS_TO[text]:
                self.scanner.problems.append((start, end))
            elif text in MIDDLE:
                self.nest[-1] = "if" if text == "elif" else text
            else:
                self.nest.pop()
            self.reserved(text, start, end, opens=text in MIDDLE, closes=text not in MIDDLE)

    def double_brackets(self, opening: Word) -> None:
        """Read `[[ ... ]]`, in which operators and parentheses are words of the test."""
        scanner = self.scanner
        run = self.current(opening.start)
        run.words.append(opening)
        while scanner.pos < scanner.end:
            blanks = BLANKS.match(scanner.text, scanner.pos, scanner.end)
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
            previous = run.words[-1]
            if word.text in _ARITHMETIC_TESTS:
                scanner.arithmetic_names(previous.start, previous.end)
            elif previous.text in _ARITHMETIC_TESTS:
                scanner.arithmetic_names(word.start, word.end)
            run.words.append(word)
            run.end = word.end
            if word.text == "]]":
                return
        scanner.unterminated(opening.start)

    def word_in_compound(self, word: Word) -> None:
        """Read a word of `for`, `case` or `function` that does not belong to a command."""
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
    """The names that a command like `export` or `read` sets; also records what it declares as its own assignments."""
    names: list[str] = []
    declares = item.words[0].value in DECLARATIONS
    for word in item.words[1:]:
        match = ASSIGNMENT.match(word.text) if declares else None
        if match is None:
            names += [word.text] if _NAME.fullmatch(word.text) else []
            continue
        names.append(match["name"])
        text, literal_value = word.text[match.end() :], None
        if word.value is not None and word.value.startswith(match.group()):
            literal_value = word.value[match.end() :]
        quoted = bool(QUOTING.search(text))
        start = word.start + match.end()
        value = Word(start, word.end, text, literal_value, quoted, word.variables) if text else None
        item.assignments.append(Assignment(word.start, word.end, match["name"], value, match["operator"] == "+="))
    return names
