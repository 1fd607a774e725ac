"""BuildKit's words: its word splitting, its `$variable` expansion, its JSON arrays, its CSV fields.

A faithful port of what matters of moby/buildkit `frontend/dockerfile/shell/lex.go`, `parser/line_parsers.go`,
`parser/split_command.go` and tonistiigi/go-csvvalue. Where Go would write U+FFFD for invalid UTF-8, so do we.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dockfix.syntax.source import BOM, GO_SPACE

ASCII_SPACE = re.compile(r"[\t\v\f\r ]+")
"""BuildKit's `reWhitespace`: what separates words of COPY, FROM and EXPOSE, and a keyword from its arguments."""

_GO_SPACES = frozenset(GO_SPACE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_invalid(text: str) -> str:
    """What Go's rune-wise copying makes of invalid UTF-8: one U+FFFD a byte."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", rejoin(text))


def rejoin(text: str) -> str:
    """Text in which the halves of a character that a continuation had split are one character again."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def go_lower(text: str) -> str:
    """Go's `strings.ToLower`, which maps character by character: `İ` becomes a plain `i`."""
    return text.lower() if text.isascii() else "".join(_GO_LOWER.get(char, char.lower()) for char in text)


_GO_LOWER = {"\u0130": "i"}  # the one character whose full lower case, which `str.lower` gives, is two characters
_GO_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def go_quote(text: str) -> str:
    """Text as Go's `%q` writes it, which is how BuildKit quotes it in messages."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        elif char in _GO_ESCAPES:
            out.append(_GO_ESCAPES[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        elif "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


class Piece(NamedTuple):
    """A word and where it stands in the text that it was split from; `text` may differ from the slice."""

    text: str
    start: int
    end: int


def split_ascii_space(text: str) -> list[Piece]:
    """Words separated by `[\\t\\v\\f\\r ]+`; `text` has no such characters at its ends."""
    words, at = [], 0
    for gap in ASCII_SPACE.finditer(text):
        words.append(Piece(text[at : gap.start()], at, gap.start()))
        at = gap.end()
    words.append(Piece(text[at:], at, len(text)))
    return words


def split_quoted(text: str, escape: str) -> list[Piece]:
    """Words as ENV, LABEL and ARG split them: quotes group and stay, the escape character protects and stays."""
    words: list[Piece] = []
    at, size = 0, len(text)
    while at < size:
        if text[at] in _GO_SPACES:
            at += 1
            continue
        start, out, quote = at, [], ""
        while at < size:
            char = text[at]
            if not quote and char in _GO_SPACES:
                break
            if char == escape and quote != "'":
                if at + 1 == size:  # a lone escape at the very end is dropped
                    at += 1
                    break
                out.append(char)
                at += 1
                char = text[at]
            elif quote:
                if char == quote:
                    quote = ""
            elif char in "'\"":
                quote = char
            out.append(char)
            at += 1
        word = replace_invalid("".join(out))
        if word:
            words.append(Piece(word, start, at))
    return words


@dataclass(frozen=True, slots=True)
class FlagPiece:
    """A leading `--flag`: what BuildKit reads, and where it stands in the text behind the keyword."""

    text: str
    start: int
    end: int
    verbatim: bool  # spelled without quotes or escapes, so that offsets in `text` are offsets in the source


def split_flags(text: str, escape: str) -> tuple[list[FlagPiece], int]:
    """The leading `--flags` of an instruction and the offset at which its arguments begin.

    BuildKit walks bytes here: each byte of a UTF-8 character is written as a character of its own, and the bytes
    0x85 and 0xA0 count as white space even inside one. So do we.
    """
    head = text.lstrip(_BYTE_SPACE + "\udc85\udca0")
    if not head.startswith("--"):
        return [], len(text) - len(head)
    if text.isascii():
        return _split_flags(text, escape, range(len(text) + 1))
    raw, offsets = _bytewise(text)
    return _split_flags(raw, escape, offsets)


_BYTE_SPACE = "\t\n\v\f\r "
_BYTE_SPACES = _BYTE_SPACE + "\x85\xa0"


def _bytewise(text: str) -> tuple[str, list[int]]:
    """The UTF-8 bytes of a text, each as a character of its own, and the offset in `text` of each."""
    offsets = [index for index, char in enumerate(text) for _ in char.encode("utf-8", "surrogateescape")]
    offsets.append(len(text))
    return text.encode("utf-8", "surrogateescape").decode("latin-1"), offsets


def split_first_word(text: str) -> tuple[Piece | None, Piece]:
    """The first word, as HEALTHCHECK splits it off, and the rest.

    BuildKit walks bytes here too, so that the bytes 0x85 and 0xA0 end the word even inside a character.
    """
    raw, offsets = (text, range(len(text) + 1)) if text.isascii() else _bytewise(text)
    end = 0
    while end < len(raw) and raw[end] not in _BYTE_SPACES:
        end += 1
    start = end
    while start < len(raw) and raw[start] in _BYTE_SPACES:
        start += 1
    if text.isascii():
        word, rest = text[:end], text[start:]
    else:
        word, rest = (part.encode("latin-1").decode("utf-8", "surrogateescape") for part in (raw[:end], raw[start:]))
    return (Piece(word, 0, offsets[end]) if end else None), Piece(rest, offsets[start], len(text))


def _split_flags(text: str, escape: str, offsets: range | list[int]) -> tuple[list[FlagPiece], int]:
    flags: list[FlagPiece] = []
    at, size = 0, len(text)
    while True:
        while at < size and text[at] in _BYTE_SPACES:
            at += 1
        if at == size or not text.startswith("--", at):
            return flags, offsets[at]
        start, out, quote, blank_ok, verbatim = at, [], "", False, True
        while at < size:
            char = text[at]
            if not quote and char in _BYTE_SPACES:
                break
            if char == quote and quote:
                quote = ""
                at += 1
                continue
            if not quote and char in "'\"":
                quote, blank_ok, verbatim = char, True, False
                at += 1
                continue
            if char == escape:
                verbatim = False
                at += 1
                if at == size:
                    break
                char = text[at]
            out.append(char)
            at += 1
        word = "".join(out)
        if word == "--":
            return flags, offsets[at]
        if word or blank_ok:
            verbatim = verbatim and word.isascii()
            flags.append(FlagPiece(word, offsets[start], offsets[at], verbatim))


_JSON_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_JSON_NAME = re.compile(r"true|false|null")
_JSON_DEPTH = 10_000  # `maxNestingDepth` of Go's encoding/json
_JSON_GAP = re.compile(r"[ \t\r\n]*")


class NotStringsError(ValueError):
    """A JSON array that holds something other than strings, which BuildKit refuses."""


def json_array(text: str) -> list[Piece] | None:
    """The strings of a JSON array with the spans of their literals; None if `text` is no JSON array at all.

    Raises:
        NotStringsError: `text` is a JSON array with an element that is no string.
    """
    start = len(text) - len(text.lstrip(GO_SPACE))
    if not text.startswith("[", start):
        return None
    items: list[Piece] = []
    at = _skip_gap(text, start + 1)
    if text.startswith("]", at):
        return items if _skip_gap(text, at + 1) == len(text) else None
    while True:
        match = _JSON_STRING.match(text, at)
        if match is None:
            if _is_json(text, start):
                raise NotStringsError("when using JSON array syntax, arrays must be comprised of strings only")
            return None
        items.append(Piece(_json_string(match.group()), match.start(), match.end()))
        at = _skip_gap(text, match.end())
        if text.startswith("]", at):
            return items if _skip_gap(text, at + 1) == len(text) else None
        if not text.startswith(",", at):
            return None
        at = _skip_gap(text, at + 1)


def _skip_gap(text: str, at: int) -> int:
    match = _JSON_GAP.match(text, at)
    return match.end() if match else at


def _json_string(literal: str) -> str:
    value = json.loads(replace_invalid(literal))
    return _SURROGATE.sub("\ufffd", str(value))  # escaped halves of a pair, too


def _is_json(text: str, at: int) -> bool:
    """Whether Go's `json.Unmarshal` takes `text[at:]`. Without recursion, so that no depth of nesting can hurt."""
    closers: list[str] = []
    expect_key = False
    while True:
        at = _skip_gap(text, at)
        char = text[at : at + 1]
        if expect_key:
            match = _JSON_STRING.match(text, at)
            at = _skip_gap(text, match.end()) if match else at
            if match is None or not text.startswith(":", at):
                return False
            at, expect_key = at + 1, False
            continue
        if char and char in "[{":
            closers.append("]" if char == "[" else "}")
            if len(closers) > _JSON_DEPTH:
                return False
            at = _skip_gap(text, at + 1)
            if not text.startswith(closers[-1], at):
                expect_key = char == "{"
                continue
        else:
            value = _JSON_STRING.match(text, at) or _JSON_NAME.match(text, at)
            if value is None:
                value = _JSON_NUMBER.match(text, at)
                # A number that no float64 holds makes Go give up, and BuildKit fall back to the shell form.
                if value is None or math.isinf(float(value.group())):
                    return False
            at = value.end()
        at = _skip_gap(text, at)
        while closers and text.startswith(closers[-1], at):
            closers.pop()
            at = _skip_gap(text, at + 1)
        if not closers:
            return at == len(text)
        if not text.startswith(",", at):
            return False
        at, expect_key = at + 1, closers[-1] == "}"


def csv_fields(text: str) -> list[Piece] | None:
    """The comma-separated fields of a mount, each with its span; None where BuildKit reports bad quoting."""
    fields: list[Piece] = []
    at, size = 0, len(text)
    if size == 0:
        return None
    while True:
        if not text.startswith('"', at):
            comma = text.find(",", at)
            end = size if comma == -1 else comma
            if '"' in text[at:end]:
                return None
            fields.append(Piece(text[at:end], at, end))
            if comma == -1:
                return fields
            at = comma + 1
            continue
        start, out = at, []
        at += 1
        while True:
            quote = text.find('"', at)
            if quote == -1:
                return None
            out.append(text[at:quote])
            at = quote + 1
            if text.startswith('"', at):
                out.append('"')
                at += 1
                continue
            break
        fields.append(Piece("".join(out), start, at))
        if at == size:
            return fields
        if text[at] != ",":
            return None
        at += 1


def csv_error(text: str) -> str:
    """Why `csv_fields` gave None, in the words of go-csvvalue; columns are counted in bytes from 1."""
    at, size = 0, len(text)
    while at < size:
        if text[at] != '"':
            comma = text.find(",", at)
            end = size if comma == -1 else comma
            quote = text.find('"', at, end)
            if quote != -1:
                return _csv_complaint(text, quote, 'bare " in non-quoted field')
            at = end + 1
            continue
        at += 1
        while (quote := text.find('"', at)) != -1 and text.startswith('"', quote + 1):
            at = quote + 2
        if quote == -1 or text[quote + 1 : quote + 2] not in ("", ","):
            return _csv_complaint(text, at if quote == -1 else quote, 'extraneous or missing " in quoted-field')
        at = quote + 2
    return "EOF"


def _csv_complaint(text: str, at: int, complaint: str) -> str:
    column = len(text[:at].encode("utf-8", "surrogateescape")) + 1
    return f"parse error on line 1, column {column}: {complaint}"


class SubstitutionError(ValueError):
    """A word that BuildKit's lexer refuses: an open quote, a bad `${...}`, a required variable that is unset."""


Lookup = Callable[[str], "str | None"]


def _nothing(_name: str) -> str | None:
    return None


@dataclass
class _Lex:
    """One run of BuildKit's `shell.Lex` over a text. Mutable by nature, private by choice."""

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
            if char not in _GO_SPACES:
                raw(char, start)
            elif in_word and self.buffer:
                word = "".join(self.buffer)
                words.append(Piece(word, self.buffer_start, start))
                self.buffer.clear()

        try:
            while char := self.peek():
                start = self.at
                if stop and char == stop:
                    self.next()
                    flush()
                    return "".join(result), words
                if char == "$":
                    value = self.dollar()
                    result.append(value)
                    for piece in value:
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
            operator = _END
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
        return _replace(value or "", _pattern(pattern), new, every)


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
    tokens = _pattern(pattern if char == "#" else _reversed_pattern(pattern))
    text = (value or "") if char == "#" else (value or "")[::-1]
    end = _match_end(tokens, text, 0, greedy) or 0
    return text[end:] if char == "#" else text[end:][::-1]


_ANY_RUN, _ANY_ONE = object(), object()
_END = "\ufffd"  # how Go prints the end of the text as a character


def _reversed_pattern(pattern: str) -> str:
    """A pattern read backwards, escapes kept in front of what they escape; a lone one at the end is not."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(reversed(parts))


def _pattern(pattern: str) -> list[object]:
    """A shell pattern of `*`, `?` and literals; BuildKit has no `[...]`."""
    tokens: list[object] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            tokens.append(_ANY_RUN)
        elif char == "?":
            tokens.append(_ANY_ONE)
        elif char == "\\":
            following = pattern[at : at + 1]
            if following not in ("}", "/", "*", "?", "\\"):
                complaint = f"invalid escape '\\{following or _END}'"
                raise SubstitutionError(f"invalid pattern ({pattern}) in substitution: {complaint}")
            if following in ("*", "?", "\\"):
                tokens.append(following)
                at += 1
        else:
            tokens.append(char)
    return tokens


_MOST_PATTERN_STEPS = 1_000_000  # of matching, so that no Dockerfile can make us hang


def _match_end(tokens: list[object], value: str, start: int, greedy: bool) -> int | None:
    """Where a match that begins at `start` ends: the longest if greedy, else the shortest. Never exponential."""
    if len(tokens) * len(value) > _MOST_PATTERN_STEPS:
        raise SubstitutionError("the value is too long to match a pattern against")
    ends = {start}
    for token in tokens:
        if token is _ANY_RUN:
            ends = _run_ends(value, ends)
        elif token is _ANY_ONE:
            ends = {end + 1 for end in ends if end < len(value) and value[end] != "\n"}
        else:
            ends = {end + 1 for end in ends if end < len(value) and value[end] == token}
        if not ends:
            return None
    return max(ends) if greedy else min(ends)


def _run_ends(value: str, ends: set[int]) -> set[int]:
    """Where a run of any characters but newlines can end that begins at one of `ends`."""
    reached: set[int] = set()
    for end in ends:
        at = end
        while at not in reached:
            reached.add(at)
            if at == len(value) or value[at] == "\n":
                break
            at += 1
    return reached


_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def _replace(value: str, tokens: list[object], new: str, every: bool) -> str:
    """Replace the first match, or as Go's `Regexp.ReplaceAllString` every one."""
    if len(tokens) * len(value) ** 2 > 10 * _MOST_PATTERN_STEPS:
        raise SubstitutionError("the value is too long to match a pattern against")
    out, at, start = [], 0, 0
    while start <= len(value):
        end = _match_end(tokens, value, start, greedy=True)
        if end is None:
            start += 1
            continue
        if not every:
            return value[:start] + new + value[end:]
        out.append(value[at:start])
        if end > at or start == 0:  # an empty match right behind another is none
            out.append(_from_template(new, value[start:end]))
        at = end
        start = end if end > start else start + 1
    out.append(value[at:])
    return "".join(out)


def _from_template(template: str, match: str) -> str:
    """Go's `Regexp.Expand`: `$0` is the match, other names are groups, of which there are none, `$$` is a dollar."""

    def one(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        return match if (found.group(2) or found.group(3)).strip("0") == "" else ""

    return _TEMPLATE.sub(one, template)


class Expansion(NamedTuple):
    """A word after expansion, and the names that were looked up."""

    text: str
    used: frozenset[str]
    unset: frozenset[str]


def expand(word: str, lookup: Lookup, escape: str = "\\") -> Expansion:
    """Expand `$NAME` and `${NAME...}` in a word and remove its quotes, as BuildKit does for ENV, COPY, FROM and so on.

    Raises:
        SubstitutionError: BuildKit would refuse the word.
    """
    lex = _Lex(_scannable(word), escape, lookup)
    text, _ = lex.until("", False)
    return Expansion(text, frozenset(lex.used), frozenset(lex.unset))


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """The names that a word expands; empty where the word is malformed."""
    lex = _Lex(_scannable(word), escape, keep_unset=True)
    try:
        lex.until("", False)
    except SubstitutionError:
        return frozenset()
    return frozenset(lex.unset)


def _scannable(text: str) -> str:
    # Go's text/scanner drops a BOM at the very beginning and reads each invalid byte as U+FFFD.
    # Offsets must stay, so the halves of a split character stay apart.
    return (text if text.isascii() else _SURROGATE.sub("\ufffd", text)).removeprefix(BOM)


_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z")


_MOST_FD = 2**64 - 1  # Go's `ParseUint` stops there
_MOST_DIGITS = len(str(_MOST_FD))


class HeredocMark(NamedTuple):
    """A `<<NAME` word of an instruction."""

    name: str
    fd: int
    expand: bool
    chomp: bool
    start: int  # of the word, in the logical line
    end: int


def heredoc_mark(word: str, start: int = 0, end: int = 0) -> HeredocMark | None:
    """What `<<NAME` in a whole word means to BuildKit, or None.

    Raises:
        SubstitutionError: the name cannot be read (an open quote in it).
    """
    match = _HEREDOC.match(word)
    if match is None or not match.group(3):
        return None
    rest = match.group(3)
    plain = _Lex(_scannable(rest), "\\", keep_unset=True).until("", False)[1]
    if len(plain) != 1:
        return None
    raw = _Lex(_scannable(rest), "\\", keep_unset=True, raw_quotes=True).until("", False)[1]
    if len(raw) != 1:
        raise SubstitutionError(f"internal lexing of heredoc produced inconsistent results: {rest}")
    quotes = [sum(piece.text.count(quote) for quote in "'\"") for piece in (plain[0], raw[0])]
    digits = match.group(1)
    fd = min(int(digits[-_MOST_DIGITS:] or "0"), _MOST_FD) if len(digits.lstrip("0")) <= _MOST_DIGITS else _MOST_FD
    return HeredocMark(plain[0].text, fd, quotes[0] == quotes[1], match.group(2) == "-", start, end)


def heredoc_marks(line: str) -> list[HeredocMark]:
    """The heredocs that a logical line opens, in order; none if the line cannot be split into words.

    Raises:
        SubstitutionError: as `heredoc_mark`.
    """
    text = _scannable(line)
    lex = _Lex(text, "\\", raw_quotes=True, raw_escapes=True, keep_unset=True)
    try:
        words = lex.until("", True)[1]
    except SubstitutionError:
        return []
    shift = len(line) - len(text)
    marks = (heredoc_mark(word.text, word.start + shift, word.end + shift) for word in words)
    return [mark for mark in marks if mark is not None]


def name_value(words: list[Piece]) -> Iterator[tuple[str, str]]:
    """The `name=value` halves of words that all hold a `=`."""
    for word in words:
        name, _, value = word.text.partition("=")
        yield name, value
