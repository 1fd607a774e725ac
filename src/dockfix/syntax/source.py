"""Text, spans and lines: the basis of every tree.

Text is `str` decoded as UTF-8 with `surrogateescape`, so that any bytes survive a round trip. Offsets are absolute
indices into that text and spans are half-open; lines and columns appear only in output.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

BOM = "\ufeff"

GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` calls white space; unlike `str.isspace` it excludes U+001C to U+001F."""


class Span(NamedTuple):
    """A half-open range `[start, end)` of offsets."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        """Whether `other` is within this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Whether the two share at least one offset."""
        return self.start < other.end and other.start < self.end


def decode(data: bytes) -> str:
    """Bytes of a file as text; invalid UTF-8 survives as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of `decode`, exact for whatever `decode` gave."""
    return text.encode("utf-8", "surrogateescape")


class Lines:
    """Maps offsets to 1-based lines and columns. Lines end at `\\n` only, as BuildKit's do."""

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        starts = [0]
        at = text.find("\n")
        while at != -1:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        self._starts = starts

    def line(self, offset: int) -> int:
        """The 1-based line that holds `offset`."""
        return bisect_right(self._starts, offset)

    def column(self, offset: int) -> int:
        """The 1-based column of `offset`, in characters."""
        return offset - self._starts[self.line(offset) - 1] + 1

    def start(self, line: int) -> int:
        """The offset at which the 1-based `line` begins."""
        return self._starts[line - 1]

    def content(self, line: int) -> str:
        """The text of the 1-based `line`, without its line end."""
        start = self._starts[line - 1]
        end = self._text.find("\n", start)
        return self._text[start : len(self._text) if end == -1 else end].removesuffix("\r")

    def spans(self) -> Iterator[Span]:
        """The physical lines, each with its line end; an empty last line is not listed."""
        for index, start in enumerate(self._starts):
            end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._text)
            if start < end:
                yield Span(start, end)


def _piece_start(piece: Span) -> int:
    return piece.start


class Mapped(Struct, frozen=True, dict=True):
    """Text joined from pieces of a source, with the mapping to the source.

    The logical line of an instruction is its physical lines without continuations, comments and blank lines; a script
    also has the bodies of its heredocs. `pieces` are the source spans that `text` is joined from, in order.
    """

    text: str
    pieces: tuple[Span, ...]

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts, at = [], 0
        for piece in self.pieces:
            starts.append(at)
            at += piece.end - piece.start
        return tuple(starts)

    def start(self, offset: int) -> int:
        """The source offset of the character at `offset`; at the end of the text, the end of the last piece."""
        if not self.pieces:
            return 0
        if offset >= len(self.text):
            return self.pieces[-1].end
        if len(self.pieces) == 1:  # most instructions have one line
            return self.pieces[0].start + offset
        index = bisect_right(self._starts, offset) - 1
        return self.pieces[index].start + (offset - self._starts[index])

    def end(self, offset: int) -> int:
        """The source offset directly after the character before `offset`."""
        return self.start(offset - 1) + 1 if offset > 0 else self.start(0)

    def span(self, start: int, end: int) -> Span:
        """The source span of `text[start:end]`, including the continuations and comments in it."""
        if start >= end:
            at = self.start(start)
            return Span(at, at)
        if len(self.pieces) == 1 and end <= len(self.text):
            base = self.pieces[0].start
            return Span(base + start, base + end)
        return Span(self.start(start), self.end(end))

    def offset(self, source: int) -> int | None:
        """The offset in `text` of a source offset; None if it is in a continuation, a comment or outside."""
        index = bisect_right(self.pieces, source, key=_piece_start) - 1
        if index < 0 or source >= self.pieces[index].end:
            return None
        return self._starts[index] + source - self.pieces[index].start

    def slice(self, start: int, end: int) -> Mapped:
        """The part `text[start:end]`, mapped to the source."""
        pieces = []
        for index in range(max(0, bisect_right(self._starts, start) - 1), len(self.pieces)):
            begin, piece = self._starts[index], self.pieces[index]
            if begin >= end:
                break
            low = max(start, begin)
            high = min(end, begin + piece.end - piece.start)
            if low < high:
                pieces.append(Span(piece.start + low - begin, piece.start + high - begin))
        if not pieces:
            at = self.start(start)
            pieces.append(Span(at, at))
        return Mapped(self.text[start:end], tuple(pieces))

    def slice_to(self, end: int) -> Mapped:
        """The part up to `end`; offsets do not change."""
        return self.slice(0, end)

    def contiguous(self, start: int, end: int) -> bool:
        """Whether `text[start:end]` appears in the source as it is, with no continuation inside."""
        span = self.span(start, end)
        return span.end - span.start == max(0, end - start)


def join(parts: Sequence[Mapped]) -> Mapped:
    """One mapped text after another."""
    return Mapped("".join(part.text for part in parts), tuple(piece for part in parts for piece in part.pieces))
