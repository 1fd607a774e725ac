"""Text to tree, as BuildKit reads it. Parsing never fails: what BuildKit would reject is a `Problem`.

Follows moby/buildkit `frontend/dockerfile/parser/parser.go`; the checks of `instructions.Parse` are in `check.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from dockfix.syntax.check import check_instruction, check_order
from dockfix.syntax.source import BOM, GO_SPACE, Mapped, Span
from dockfix.syntax.tree import (
    TYPES,
    Blank,
    Comment,
    Directive,
    Dockerfile,
    Flag,
    From,
    Heredoc,
    Instruction,
    Node,
    Onbuild,
    Problem,
    Shape,
    Unknown,
    Word,
)
from dockfix.syntax.words import (
    ASCII_SPACE,
    HeredocMark,
    NotStringsError,
    Piece,
    SubstitutionError,
    go_lower,
    go_quote,
    heredoc_marks,
    json_array,
    split_ascii_space,
    split_first_word,
    split_flags,
    split_quoted,
)

MAX_LINE_BYTES = 65_536
"""A physical line with its `\\n` may be this long (Go's `bufio.MaxScanTokenSize`); one less without a final newline."""

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=")
_REGEXP_SPACE = "\t\n\f\r "  # Go's `\s`
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC_HOSTS = frozenset({"run", "copy", "add"})
_ONBUILD_DEPTH = 20  # BuildKit rejects the second level; children are created a few levels further


class _Line(Struct, frozen=True, gc=False):
    """A physical line: its offsets, and those of its text, without the line end and the BOM of the first line."""

    start: int
    first: int
    last: int
    end: int


def parse(text: str) -> Dockerfile:
    """Parse a Dockerfile. Never raises; `Dockerfile.problems` lists what BuildKit would reject, in order."""
    return _Parser(text).run()


def _physical_lines(text: str) -> Iterator[_Line]:
    at, size = 0, len(text)
    while at < size:
        end = text.find("\n", at) + 1 or size
        start = at + 1 if at == 0 and text.startswith(BOM) else at
        stop = end
        while stop > start and text[stop - 1] in "\r\n":
            stop -= 1
        yield _Line(at, start, stop, end)
        at = end


class _Parser:
    """The state of one parse: the lines, the position, and the nodes and problems so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = list(_physical_lines(text))
        self.at = 0
        self.escape = "\\"
        self.nodes: list[Node] = []
        self.problems: list[Problem] = []

    def run(self) -> Dockerfile:
        too_long = self.overlong_line()
        directives = self.read_directives()
        while self.at < len(self.lines):
            line = self.lines[self.at]
            start = _skip_space(self.text, line.first, line.last)
            if directive := directives.get(self.at + 1):
                self.nodes.append(directive)
                self.at += 1
            elif start == line.last:
                self.nodes.append(Blank(Span(line.start, line.end), self.at + 1))
                self.at += 1
            elif self.text[start] == "#":
                self.nodes.append(self.comment(line, start, self.at + 1))
                self.at += 1
            else:
                self.instruction(start)
        instructions = [node for node in self.nodes if isinstance(node, Instruction)]
        if too_long:
            self.stop_reading(too_long, instructions)
        elif not instructions:
            self.reject("file with no instructions", max(1, len(self.lines)))
        self.problems.extend(check_order(instructions))
        if instructions and not self.problems and not any(isinstance(node, From) for node in instructions):
            first = instructions[0].start_line
            self.problems.append(Problem("dockerfile contains no stages to build", first, "build"))
        self.problems.sort(key=lambda problem: (problem.stage != "parser", problem.line))
        return Dockerfile(self.text, tuple(self.nodes), tuple(self.problems), self.escape)

    def reject(self, message: str, line: int) -> None:
        """Record an error that stops BuildKit's parser; only the first one is reported, as in BuildKit."""
        self.problems.append(Problem(message, line, "parser"))

    def overlong_line(self) -> int:
        """The number of the first line that BuildKit's scanner cannot hold, or 0."""
        for number, line in enumerate(self.lines, 1):
            if (line.end - line.start) * 4 < MAX_LINE_BYTES:
                continue
            raw = self.text[line.start : line.end]
            limit = MAX_LINE_BYTES if raw.endswith("\n") else MAX_LINE_BYTES - 1
            if len(raw.encode("utf-8", "surrogateescape")) > limit:
                return number
        return 0

    def stop_reading(self, number: int, instructions: list[Instruction]) -> None:
        """Report what BuildKit does when its scanner stops before an overlong line.

        BuildKit checks the scanner's error last, so an open heredoc or a file without an instruction is reported
        instead.
        """
        self.problems = [problem for problem in self.problems if problem.line < number]
        before = [node for node in instructions if node.start_line < number]
        heredoc = before[-1].heredocs[-1] if before and before[-1].heredocs else None
        if not before:
            self.reject("file with no instructions", number)
        elif heredoc and heredoc.terminator.start >= self.lines[number - 1].start:
            self.reject("unterminated heredoc", before[-1].start_line)
        else:
            self.reject(f"dockerfile line greater than max allowed size of {MAX_LINE_BYTES - 1}", number)

    def comment(self, line: _Line, start: int, number: int) -> Comment:
        text = self.text[start + 1 : line.last].strip(GO_SPACE)
        return Comment(text, Span(start, line.last), number)

    def read_directives(self) -> dict[int, Directive]:
        """The effective directives, by line number; also sets `escape`.

        BuildKit reads them twice. Its parser looks for `escape`, and allows leading white space; a separate pass looks
        for `syntax` and `check`, allows none, but skips a first line with `#!`.
        """
        found: dict[int, Directive] = {}
        seen: set[str] = set()
        for number, line in enumerate(self.lines, 1):
            start = _skip_space(self.text, line.first, line.last)
            directive = self.directive(line, start, number)
            if directive is None:
                break
            if directive.name in seen:
                self.reject(f"only one {directive.name} parser directive can be used", number)
                break
            seen.add(directive.name)
            if directive.name != "escape":
                continue
            found[number] = directive
            if directive.value not in ("`", "\\"):
                self.reject(f"invalid escape token '{directive.value}' does not match ` or \\", number)
                break
            self.escape = directive.value
        seen.clear()
        first = 1 if self.lines and self.text.startswith("#!", self.lines[0].first) else 0
        for number, line in enumerate(self.lines[first:], first + 1):
            directive = self.directive(line, line.first, number)
            if directive is None or directive.name in seen:
                break
            seen.add(directive.name)
            if directive.name != "escape":
                found[number] = directive
        return found

    def directive(self, line: _Line, start: int, number: int) -> Directive | None:
        text = self.text[start : line.last]
        if not text.startswith("#"):
            return None
        text = text[1:].lstrip(GO_SPACE)
        match = _DIRECTIVE.match(text)
        if match is None or match.group(1).lower() not in _DIRECTIVES:
            return None
        # BuildKit's expression requires at least one character: of blanks alone, the last one is the value.
        value = text[match.end() :].strip(_REGEXP_SPACE) or text[match.end() :][-1:]
        return Directive(match.group(1).lower(), value, Span(start, line.last), number) if value else None

    def instruction(self, start: int) -> None:
        first = self.at
        pieces: list[Span] = []
        trivia: list[Comment | Blank] = []
        end, more = self.strip_continuation(start, self.lines[first].last)
        pieces.append(Span(start, end))
        self.at += 1
        while more and self.at < len(self.lines):
            line = self.lines[self.at]
            begin = _skip_space(self.text, line.start, line.last)
            if begin < line.last and self.text[begin] == "#":
                trivia.append(self.comment(line, begin, self.at + 1))
            elif begin >= line.last:
                trivia.append(Blank(Span(line.start, line.end), self.at + 1))
            else:
                end, more = self.strip_continuation(line.start, line.last)
                pieces.append(Span(line.start, end))
            self.at += 1
        logical = Mapped("".join(self.text[a:b] for a, b in pieces), tuple(pieces))
        problems = len(self.problems)
        shape = self.shape(logical, 0, first + 1)
        heredocs = self.heredocs(logical, shape, first + 1)
        last_line = self.lines[self.at - 1]
        keyword = shape.keyword
        start_of_span = keyword.span.start if keyword.text else start
        node = self.build(
            shape,
            logical,
            Span(start_of_span, max(last_line.last, start_of_span)),
            Span(self.lines[first].start, last_line.end),
            first + 1,
            tuple(trivia),
            tuple(heredocs),
        )
        self.nodes.append(node)
        if len(self.problems) == problems:
            self.problems.extend(check_instruction(node))

    def strip_continuation(self, start: int, end: int) -> tuple[int, bool]:
        """The end of a line's data, and whether the line continues."""
        stop = end
        while stop > start and self.text[stop - 1] in " \t":
            stop -= 1
        if stop == start or self.text[stop - 1] != self.escape:
            return end, False
        if stop - 1 > start and self.text[stop - 2] == self.escape:
            return end, False
        return stop - 1, True

    def build(
        self,
        shape: Shape,
        logical: Mapped,
        span: Span,
        lines: Span,
        number: int,
        trivia: tuple[Comment | Blank, ...],
        heredocs: tuple[Heredoc, ...],
    ) -> Instruction:
        kind = TYPES.get(go_lower(shape.keyword.text), Unknown)
        end_line = max(number, self.at)
        ended = self.lines[number - 1].end
        if number > 1 and not self.text.endswith("\n", 0, ended):
            ended = self.lines[number - 2].end  # no end of its own: that of the line above
        newline = "\r\n" if self.text.endswith("\r\n", 0, ended) else "\n"
        if kind is not Onbuild:
            return kind(logical, shape, span, lines, number, end_line, trivia, heredocs, self.escape, newline)
        child = None
        if shape.child is not None:
            inner = Span(shape.child.keyword.span.start, span.end)
            child = self.build(shape.child, logical, inner, lines, number, trivia, heredocs)
        return Onbuild(logical, shape, span, lines, number, end_line, trivia, heredocs, self.escape, newline, child)

    def shape(self, logical: Mapped, start: int, number: int, depth: int = 0) -> Shape:
        """Split `logical.text[start:]` into keyword, flags and arguments (BuildKit's `newNodeFromLine`)."""
        text = logical.text
        original = text[start:]
        low = start + len(original) - len(original.lstrip(GO_SPACE))
        high = max(low, len(text.rstrip(GO_SPACE)))
        gap = ASCII_SPACE.search(text, low, high)
        keyword_end = gap.start() if gap else high
        keyword = Word(text[low:keyword_end], logical.span(low, keyword_end), low, keyword_end)
        flags: tuple[Flag, ...] = ()
        args_start = high
        if gap:
            found, offset = split_flags(text[gap.end() : high], self.escape)
            args_start = gap.end() + offset
            flags = tuple(
                _flag(
                    logical,
                    piece.text,
                    gap.end() + piece.start,
                    gap.end() + piece.end,
                    piece.verbatim,
                )
                for piece in found
            )
        args_start += len(text[args_start:high]) - len(text[args_start:high].lstrip(GO_SPACE))
        base = Shape(keyword, flags, (), False, text_span=(args_start, high), original=original)
        return self.arguments(base, logical, number, depth)

    def arguments(self, base: Shape, logical: Mapped, number: int, depth: int) -> Shape:
        low, high = base.text_span
        rest = logical.text[low:high]
        command = (low, high)
        json_form = False
        child: Shape | None = None
        separators: tuple[str, ...] = ()
        pieces: list[Piece] = []
        keyword = go_lower(base.keyword.text)
        try:
            match keyword:
                case "run" | "cmd" | "entrypoint" | "shell":
                    pieces, json_form = _maybe_json(rest)
                case "copy" | "add" | "volume":
                    pieces, json_form = _maybe_json_list(rest)
                case "from" | "expose":
                    pieces = split_ascii_space(rest) if rest else []
                case "env" | "label":
                    pieces, separators = self.key_values(rest, keyword.upper(), number)
                case "arg":
                    pieces = split_quoted(rest, self.escape)
                case "user" | "workdir" | "stopsignal" | "maintainer":
                    pieces = [Piece(rest, 0, len(rest))] if rest else []
                case "healthcheck":
                    kind, after = split_first_word(rest)
                    offset = after.start
                    tail, json_form = _maybe_json(after.text)
                    moved = [Piece(text, start + offset, end + offset) for text, start, end in tail]
                    pieces = [kind, *moved] if kind else []
                    command = (low + offset, high)
                case "onbuild":
                    if rest and depth < _ONBUILD_DEPTH:
                        child = self.shape(logical.slice_to(high), low, number, depth + 1)
        except NotStringsError as error:
            self.reject(str(error), number)
        words = tuple(
            Word(text, logical.span(low + start, low + end), low + start, low + end) for text, start, end in pieces
        )
        return Shape(
            base.keyword, base.flags, words, json_form, separators, base.text_span, command, child, base.original
        )

    def key_values(self, rest: str, name: str, number: int) -> tuple[list[Piece], tuple[str, ...]]:
        words = split_quoted(rest, self.escape)
        if not words:
            return [], ()
        if "=" not in words[0].text:
            gap = ASCII_SPACE.search(rest)
            if gap is None:
                self.reject(f"{name} must have two arguments", number)
                return [], ()
            key = Piece(rest[: gap.start()], 0, gap.start())
            return [key, Piece(rest[gap.end() :], gap.end(), len(rest))], ("",)
        for word in words:
            if "=" not in word.text:
                message = f"Syntax error - can't find = in {go_quote(word.text)}. Must be of the form: name=value"
                self.reject(message, number)
                return [], ()
        return words, ("=",) * len(words)

    def heredocs(self, logical: Mapped, shape: Shape, number: int) -> list[Heredoc]:
        host = shape.child if go_lower(shape.keyword.text) == "onbuild" and shape.child else shape
        if go_lower(host.keyword.text) not in _HEREDOC_HOSTS or host.json or "<<" not in logical.text:
            return []
        try:
            marks = heredoc_marks(logical.text)
        except SubstitutionError as error:
            self.reject(str(error), number)
            return []
        return [found for mark in marks if (found := self.heredoc(mark, logical, number))]

    def heredoc(self, mark: HeredocMark, logical: Mapped, number: int) -> Heredoc | None:
        start = self.lines[self.at - 1].end
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            # The BOM of the first line cannot be here, so this is the raw line without its end.
            possible = self.text[line.first : line.last]
            if mark.chomp:
                possible = possible.lstrip("\t")
            if possible == mark.name:
                body = Span(start, line.start)
                marker = logical.span(mark.start, mark.end)
                content = self.text[body.start : body.end]
                return Heredoc(
                    mark.name, mark.fd, mark.expand, mark.chomp, content, marker, body, Span(line.first, line.last)
                )
        self.reject("unterminated heredoc", number)
        return None


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start] in GO_SPACE:
        start += 1
    return start


def _flag(logical: Mapped, text: str, start: int, end: int, verbatim: bool) -> Flag:
    name, equals, value = text[2:].partition("=")
    value_span = None
    if verbatim and equals:
        value_span = logical.span(end - len(value), end)
    return Flag(name, value if equals else None, Word(text, logical.span(start, end), start, end), value_span)


def _maybe_json(rest: str) -> tuple[list[Piece], bool]:
    if not rest:
        return [], False
    items = json_array(rest)
    if items is not None:
        return items, True
    return [Piece(rest, 0, len(rest))], False


def _maybe_json_list(rest: str) -> tuple[list[Piece], bool]:
    items = json_array(rest)
    if items is not None:
        return items, True
    return (split_ascii_space(rest) if rest else []), False
