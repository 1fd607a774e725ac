"""Splitting text into words: by white space, by quotes as ENV does, into leading flags."""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec import Struct

from dockfix.syntax.words.gotext import GO_SPACES, replace_invalid

ASCII_SPACE = re.compile(r"[\t\v\f\r ]+")
"""BuildKit's `reWhitespace`: what separates words of COPY, FROM and EXPOSE, and a keyword from its arguments."""


PLAIN = re.compile(r"[A-Za-z0-9_.,:/=@+-]+")
"""Characters that stand for themselves everywhere in a word, whatever the escape character is."""


class Piece(NamedTuple):
    """A word and its span in the text that it was split from; `text` may differ from the slice."""

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
        if text[at] in GO_SPACES:
            at += 1
            continue
        start, out, quote = at, [], ""
        while at < size:
            char = text[at]
            if not quote and char in GO_SPACES:
                break
            if (run := PLAIN.match(text, at)) is not None:
                out.append(run[0])
                at = run.end()
                continue
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


class FlagPiece(Struct, frozen=True):
    """A leading `--flag`: what BuildKit reads, and its position in the text after the keyword."""

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
