"""Edits of `.dockerignore`: a comment after a pattern, which Docker reads as part of the pattern.

Source: moby/patternmatcher `ignorefile/ignorefile.go`: a line is a comment only if its very first character is `#`;
every other line, without the surrounding white space, is a pattern. A byte order mark before the first line is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dockfix.edit.text import Edit
from dockfix.syntax.source import BOM, GO_SPACE, Lines, Span

_MAX_LINE: Final = 64 * 1024
"""Go's `bufio.Scanner` fails on a longer line, and Docker rejects the file."""


class TrailingComment(Struct, frozen=True):
    """A line that looks like a pattern with a comment, and that Docker reads as one pattern.

    `line` counts from 1; `pattern` is the line without the comment, with its `!`; `comment` begins with `#`. `span` is
    from the pattern to the end of the comment.
    """

    line: int
    pattern: str
    comment: str
    span: Span

    @property
    def pattern_span(self) -> Span:
        """The span of the pattern."""
        return Span(self.span.start, self.span.start + len(self.pattern))


def trailing_comments(text: str) -> Iterator[TrailingComment]:
    """The lines that look like `PATTERN # comment`, in order.

    They are candidates: a file may have ` #` in its name, and then the line is correct. A space after a backslash is
    part of the pattern and begins no comment; an indented `# comment` without a pattern is left out.
    """
    for number, span in enumerate(Lines(text).spans(), start=1):
        if span.end - span.start >= _MAX_LINE:
            return
        found = _in_line(text, number, span)
        if found is not None:
            yield found


def split_comments(text: str, *lines: int) -> tuple[Edit, ...]:
    """The edits that move the comments of some lines to lines of their own above.

    A line without such a comment does not change. The pattern keeps its indentation, and the file its line ends.
    """
    wanted = frozenset(lines)
    edits: list[Edit] = []
    for number, span in enumerate(Lines(text).spans(), start=1):
        found = _in_line(text, number, span) if number in wanted else None
        if found is None or span.end - span.start >= _MAX_LINE:
            continue
        start = _start(text, span)
        end = span.end - len(_line_end(text, span))
        edits += (Edit(start, start, found.comment + _newline(text, span)), Edit(found.pattern_span.end, end, ""))
    return tuple(edits)


def _in_line(text: str, number: int, span: Span) -> TrailingComment | None:
    start = _start(text, span)
    if text.startswith("#", start):
        return None
    written = text[start : span.end]
    body = written.strip(GO_SPACE)
    start += len(written) - len(written.lstrip(GO_SPACE))
    at = body.find("#")
    while at >= 0:
        pattern = body[:at].rstrip(GO_SPACE)
        if len(pattern) < at and pattern not in {"", "!"}:
            slashes = len(pattern) - len(pattern.rstrip("\\"))
            if slashes % 2 == 0:
                return TrailingComment(number, pattern, body[at:], Span(start, start + len(body)))
        elif not pattern:
            return None
        at = body.find("#", at + 1)
    return None


def _start(text: str, span: Span) -> int:
    return span.start + (span.start == 0 and text.startswith(BOM))


def _line_end(text: str, span: Span) -> str:
    line = text[span.start : span.end]
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""


def _newline(text: str, span: Span) -> str:
    """The line end of a line; on a last line without one, that of the first."""
    own = _line_end(text, span)
    if own:
        return own
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
