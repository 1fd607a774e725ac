"""The words of a shell text: quotes, expansions, substitutions, assignments.

POSIX.1-2017 XCU 2.2, 2.3 and 2.6, and the GNU Bash manual where bash goes further.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from dockfix.syntax.shell.items import DraftRedirect, Item
from dockfix.syntax.shell.model import Assignment, Word
from dockfix.syntax.shell.text import PARAMETER

# Real scripts nest a few levels. The bounds prevent hostile text from exhausting the stack (substitutions are
# read recursively, about six frames a level) or tree-sitter's error recovery (compound commands).
_MAX_SUBSTITUTIONS: Final = 40
MAX_COMPOUNDS: Final = 200
# With this bound no text takes two seconds; the longest of 5,559 real scripts has 139 items.
_MAX_ITEMS: Final = 40_000
_MAX_PROBLEMS: Final = 1_000

BLANKS: Final = re.compile(r"(?:[ \t]|\\\n)+")
_BARE: Final = re.compile(r"[^ \t\n;&|<>()'\"\\$`]+")
_DOUBLE: Final = re.compile(r"[^\"\\$`]+")
_BRACED: Final = re.compile(r"[^}\"'\\$`]+")
_BRACED_PARAMETER: Final = re.compile(
    r"\$\{(?P<prefix>[#!](?=[A-Za-z_0-9@*?$!-]))?(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])?"
    r"(?P<operator>:?[-=+?]|[#%/^,@:\[])?"
)
ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]\n]*\])?(?P<operator>\+?=)")
_PARENTHESIS: Final = re.compile(r"[()]")
_ARITHMETIC_NAME: Final = re.compile(r"(?<![A-Za-z0-9_#])[A-Za-z_][A-Za-z0-9_]*")
_CONTENT_OF_BACKQUOTES: Final = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL)
_ANSI_C: Final = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL)
QUOTING: Final = re.compile(r"['\"\\]")
DECLARATIONS: Final = frozenset({"declare", "typeset", "local", "export", "readonly"})


class TooMuch(Exception):  # noqa: N818 - it ends the scan, the caller never sees it
    """The text has more levels, items or problems than the scanner reads."""


class WordScanner(ABC):
    """Reads a text from left to right."""

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
        self.pending: list[DraftRedirect] = []
        self.substitutions: list[list[Item]] = []

    @abstractmethod
    def items(self, closer: str | None, opened_at: int) -> list[Item]:
        """Read items up to the end of the text or, if `closer` is `)`, through the closing parenthesis."""

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
                    # A backslash at the very end is literal.
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
        """Read a double-quoted part and add its literal text to `value`; whether anything in it expands."""
        start = self.pos
        self.pos += 1
        expands = self.expandable(value, _DOUBLE, '$`"\\')
        if self.pos < self.end and self.text[self.pos] == '"':
            self.pos += 1
        else:
            self.unterminated(start)
        return expands

    def expandable(self, value: list[str], plain: re.Pattern[str], escapable: str) -> bool:
        """Read text in which only `$`, backquote and some escapes are special, up to a `"` if that is special."""
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
        """Read what a `$` begins; false if the `$` is literal."""
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
        """Read `${...}`."""
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
        """Read an arithmetic expression from `start` through its `))`; false, with nothing read, if there is none."""
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
        """Read `$(...)`, `<(...)` or `>(...)` from its first character."""
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
        """Read the `(...)` of a bash array assignment."""
        start = self.pos
        self.pos += 1
        while self.pos < self.end:
            blanks = BLANKS.match(self.text, self.pos, self.end)
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
        """Count an item or redirect, and stop if there are too many."""
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
        self.arithmetic_names(match.end("name"), match.start("operator"))  # an index
        start, first_name = self.pos, len(self.names)
        self.assigned.add(match["name"])
        self.pos = value_start = match.end()
        if self.text.startswith("(", self.pos) and self.pos < self.end:
            self.array()
            variables = tuple(dict.fromkeys(self.names[first_name:]))
            text = self.text[value_start : self.pos]
            value: Word | None = Word(value_start, self.pos, text, None, bool(QUOTING.search(text)), variables)
        else:
            word = self.word()
            if word.value is not None and _tilde_in_value(word.text):
                word = Word(word.start, word.end, word.text, None, word.quoted, word.variables)
            value = word if word.text else None
        return Assignment(start, self.pos, match["name"], value, match["operator"] == "+=")

    def argument(self, command: str | None) -> Word:
        word = self.word()
        if (
            command in DECLARATIONS
            and self.pos < self.end
            and self.text[self.pos] == "("
            and ASSIGNMENT.fullmatch(word.text)
        ):
            first_name = len(self.names)
            self.array()
            text = self.text[word.start : self.pos]
            variables = tuple(dict.fromkeys(self.names[first_name:]))
            word = Word(word.start, self.pos, text, None, bool(QUOTING.search(text)), variables)
        return word


def _matching_parentheses(text: str) -> dict[int, int]:
    """The closing position of each parenthesis that contains no more than MAX_COMPOUNDS levels, inside or outside
    quotes."""
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
    """Whether unquoted characters (quoted parts shown as NUL) are a glob, a brace expansion or begin with `~`."""
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
    match = ASSIGNMENT.match(bare)
    return bool(match) and _tilde_in_value(bare[match.end() if match else 0 :])


def _tilde_in_value(text: str) -> bool:
    """POSIX 2.6.1: in the value of an assignment `~` expands at its start and after each `:`."""
    return text.startswith("~") or ":~" in text
