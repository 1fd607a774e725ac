"""The expansion of `$name` and `${name...}`, and the lexer that finds them: BuildKit's `shell.Lex`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct, field

from dockfix.syntax.words.gotext import GO_SPACES, scannable
from dockfix.syntax.words.patterns import (
    END,
    SubstitutionError,
    match_end,
    parse_pattern,
    replace_matches,
    reversed_pattern,
)
from dockfix.syntax.words.splitting import PLAIN, Piece

Lookup = Callable[[str], "str | None"]


def _nothing(_name: str) -> str | None:
    return None


class Lexer(Struct):
    """One run of BuildKit's `shell.Lex` over a text. Mutable and private."""

    text: str
    escape: str
    lookup: Lookup = _nothing
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    at: int = 0
    used: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    depth: int = 0
    # BuildKit shares one buffer for the word being built between a word and the `${...}` nested in it
    buffer: list[str] = field(default_factory=list)
    buffer_start: int = 0

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def next(self) -> str:
        char = self.peek()
        self.at += 1 if char else 0
        return char

    def until(self, stop: str, raw_escapes: bool) -> tuple[str, list[Piece]]:
        if self.depth > 100:
            raise SubstitutionError("substitutions are nested too deeply")
        self.depth += 1
        self.buffer.clear()
        result: list[str] = []
        words: list[Piece] = []
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        in_word = False

        def raw(piece: str, start: int) -> None:
            nonlocal in_word
            if piece:
                if not self.buffer:
                    self.buffer_start = start
                self.buffer.append(piece)
            in_word = True

        def flush() -> None:
            nonlocal in_word
            word = "".join(self.buffer)
            if word:
                words.append(Piece(word, self.buffer_start, self.at))
            self.buffer.clear()
            in_word = False

        def plain(char: str, start: int) -> None:
            if char not in GO_SPACES:
                raw(char, start)
            elif in_word and self.buffer:
                word = "".join(self.buffer)
                words.append(Piece(word, self.buffer_start, start))
                self.buffer.clear()

        try:
            while char := self.peek():
                start = self.at
                if not stop and (run := PLAIN.match(self.text, start)) is not None:
                    result.append(run[0])
                    raw(run[0], start)
                    self.at = run.end()
                    continue
                if stop and char == stop:
                    self.next()
                    flush()
                    return "".join(result), words
                if char == "$":
                    value = self.dollar()
                    result.append(value)
                    for piece in value if not GO_SPACES.isdisjoint(value) else (value,) if value else ():
                        plain(piece, start)
                elif char == "<":
                    value = self.heredoc()
                    result.append(value)
                    raw(value, start)
                elif char == "'":
                    value = self.single()
                    result.append(value)
                    raw(value, start)
                elif char == '"':
                    value = self.double()
                    result.append(value)
                    raw(value, start)
                else:
                    self.next()
                    if char == self.escape:
                        if raw_escapes:
                            raw(char, start)
                            result.append(char)
                        char = self.next()
                        if not char:
                            break
                        raw(char, start)
                    else:
                        plain(char, start)
                    result.append(char)
            if stop:
                raise SubstitutionError(f"unexpected end of statement while looking for matching {stop}")
            flush()
            return "".join(result), words
        finally:
            self.raw_escapes = outer
            self.depth -= 1

    def single(self) -> str:
        start = self.at
        end = self.text.find("'", start + 1)
        if end == -1:
            self.at = len(self.text)
            raise SubstitutionError("unexpected end of statement while looking for matching single-quote")
        self.at = end + 1
        return self.text[start : end + 1] if self.raw_quotes else self.text[start + 1 : end]

    def double(self) -> str:
        quote = self.next()
        result = [quote] if self.raw_quotes else []
        while True:
            char = self.peek()
            if not char:
                raise SubstitutionError("unexpected end of statement while looking for matching double-quote")
            if char == '"':
                self.next()
                return "".join([*result, char] if self.raw_quotes else result)
            if char == "$":
                result.append(self.dollar())
                continue
            self.next()
            if char == self.escape:
                if self.raw_escapes:
                    result.append(char)
                following = self.peek()
                if not following:
                    continue
                if following in ('"', "$", self.escape):
                    char = self.next()
            result.append(char)

    def heredoc(self) -> str:
        self.next()
        if self.peek() != "<":
            return "<"
        self.next()
        start = self.at
        while self.peek() and self.peek() in "\t\r ":
            self.next()
        return "<<" + self.text[start : self.at]

    def name(self) -> str:
        start = self.at
        char = self.peek()
        if char and _is_digit(char):
            while (char := self.peek()) and _is_digit(char):
                self.next()
        elif char and char in "@*#?-$!0":
            self.next()
        else:
            while (char := self.peek()) and (char.isalpha() or _is_digit(char) or char == "_"):
                self.next()
        return self.text[start : self.at]

    def get(self, name: str) -> str | None:
        value = self.lookup(name)
        (self.unset if value is None else self.used).append(name)
        return value

    def dollar(self) -> str:
        self.next()
        if self.peek() != "{":
            name = self.name()
            if not name:
                return "$"
            value = self.get(name)
            if value is None:
                return f"${name}" if self.keep_unset else ""
            return value
        self.next()
        if not self.peek():
            raise SubstitutionError("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise SubstitutionError("syntax error: bad substitution")
        name = self.name()
        char = self.next()
        if char == "}":
            value = self.get(name)
            if value is None:
                return f"${{{name}}}" if self.keep_unset else ""
            return value
        operator, null_is_unset = char, False
        if not char:
            operator = END
        elif char == ":":
            null_is_unset = True
            char = self.next()
            operator += char
        if char == "/" and not null_is_unset:
            return self.replacement(name)
        if not null_is_unset and (not char or char not in "+-?#%"):
            raise SubstitutionError(f"unsupported modifier ({operator}) in substitution")
        pattern = char in ("#", "%")
        if null_is_unset and pattern:
            raise SubstitutionError(f"unsupported modifier ({operator}) in substitution")
        word = self.argument("}", pattern, "syntax error: missing '}'")
        value = self.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}{operator}{word}}}"
        return _modified(name, char, operator, null_is_unset, word, value)

    def argument(self, stop: str, raw_escapes: bool, unended: str) -> str:
        try:
            return self.until(stop, raw_escapes)[0]
        except SubstitutionError as error:
            if self.peek():
                raise
            raise SubstitutionError(unended) from error

    def replacement(self, name: str) -> str:
        every = self.peek() == "/"
        if every:
            self.next()
        pattern = self.argument("/", True, "syntax error: missing '/' in ${}")
        new = self.argument("}", True, "syntax error: missing '}'")
        value = self.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}/{pattern}/{new}}}"
        return replace_matches(value or "", parse_pattern(pattern), new, every)


def _is_digit(char: str) -> bool:
    return char.isdecimal()


def _modified(name: str, char: str, operator: str, null_is_unset: bool, word: str, value: str | None) -> str:
    missing = value is None or (null_is_unset and value == "")
    if char == "-":
        return word if missing else value or ""
    if char == "+":
        return "" if missing else word
    if char == "?":
        if missing:
            default = "is not allowed to be unset" if value is None else "is not allowed to be empty"
            raise SubstitutionError(f"{name}: {word or default}")
        return value or ""
    if char not in ("#", "%"):
        raise SubstitutionError(f"unsupported modifier ({operator}) in substitution")
    greedy = word.startswith(char)
    pattern = word[1:] if greedy else word
    tokens = parse_pattern(pattern if char == "#" else reversed_pattern(pattern))
    text = (value or "") if char == "#" else (value or "")[::-1]
    end = match_end(tokens, text, 0, greedy) or 0
    return text[end:] if char == "#" else text[end:][::-1]


class Expansion(NamedTuple):
    """A word after expansion, and the names that were looked up."""

    text: str
    used: frozenset[str]
    unset: frozenset[str]


def expand(word: str, lookup: Lookup, escape: str = "\\") -> Expansion:
    """Expand `$NAME` and `${NAME...}` in a word and remove its quotes, as BuildKit does for ENV, COPY, FROM and others.

    Raises:
        SubstitutionError: BuildKit would reject the word.
    """
    lex = Lexer(scannable(word), escape, lookup)
    text, _ = lex.until("", False)
    return Expansion(text, frozenset(lex.used), frozenset(lex.unset))


class _TemplateLexer(Lexer):
    """A lexer that leaves expansions as written, between NUL characters."""

    def dollar(self) -> str:
        start = self.at
        super().dollar()
        raw = self.text[start : self.at]
        return raw if raw == "$" else f"\0{raw}\0"


def template(word: str, escape: str = "\\") -> tuple[str, ...]:
    """A word after quote removal: literal texts (at even places) and expansions as written (at odd ones).

    Two words with the same template have the same value, whatever the values of the variables.

    Raises:
        SubstitutionError: BuildKit would reject the word, or it contains a NUL character.
    """
    if "\0" in word:
        raise SubstitutionError("a NUL character")
    lex = _TemplateLexer(scannable(word), escape, keep_unset=True)
    return tuple(lex.until("", False)[0].split("\0"))


def expansion_end(word: str, start: int, escape: str = "\\") -> int:
    """The end of the expansion that begins with the `$` at an offset; the next offset if it is only a `$`.

    The text is that of a word without the characters that `scannable` replaces. A malformed expansion ends the word.
    """
    lex = Lexer(word, escape, keep_unset=True, at=start)
    try:
        lex.dollar()
    except SubstitutionError:
        return len(word)
    return lex.at


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """The names that a word expands; empty where the word is malformed."""
    if "$" not in word:
        return frozenset()
    lex = Lexer(scannable(word), escape, keep_unset=True)
    try:
        lex.until("", False)
    except SubstitutionError:
        return frozenset()
    return frozenset(lex.unset)
