"""Edits of the flags, arguments and words of one instruction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from dockfix.edit.dockerfile.lines import (
    MAX_LINE,
    before_line_end,
    breaks_lines,
    continuation,
    continuation_indent,
    indent_of,
    insert,
    line_end,
    line_start,
)
from dockfix.edit.text import Edit
from dockfix.facts.model import Refused
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.source import GO_SPACE, Span
from dockfix.syntax.tree import Blank, Comment, Dockerfile, Flag, Instruction, Word

_OPERATORS = frozenset(("&&", "||", ";", "|"))


def insert_flag(dockerfile: Dockerfile, instruction: Instruction, flag: str) -> Edit:
    """Insert a flag after the keyword and the existing flags.

    If the instruction spans several lines, the flag gets a line of its own, so that a diff shows one mount per line.
    """
    keyword_end = instruction.keyword.span.end
    if not breaks_lines(instruction):
        return insert(instruction.flags[-1].span.end if instruction.flags else keyword_end, f" {flag}")
    if instruction.flags:
        last = instruction.flags[-1].span
        on_own_line = line_start(dockerfile, last.start) != line_start(dockerfile, keyword_end)
        indent = indent_of(dockerfile, last.start) if on_own_line else continuation_indent(dockerfile, instruction)
        return insert(last.end, f" {instruction.escape}{instruction.newline}{indent}{flag}")
    start = instruction.text.start(0)
    if line_start(dockerfile, start) == line_start(dockerfile, keyword_end):
        return Edit(keyword_end, start, f" {flag}{continuation(dockerfile, instruction)}")
    indent = indent_of(
        dockerfile, start
    )  # `RUN \\` with the command below: the flag gets a line with the indentation of the command
    line = f"{flag} {instruction.escape}{instruction.newline}"
    below = line_end(dockerfile, keyword_end)
    if any(isinstance(node, Comment) and below <= node.span.start < start for node in instruction.trivia):
        return insert(below, f"{indent}{line}")  # a comment in between belongs to the command
    return insert(start, f"{line}{indent}")


def replace_keyword(dockerfile: Dockerfile, instruction: Instruction, keyword: str) -> Edit:
    """Replace the keyword. Arguments that several spaces align with other instructions stay in their column.

    Raises:
        Refused: a pragma above the instruction may be about its kind.
    """
    refuse_pragma(dockerfile, instruction)
    start, end = instruction.keyword.span
    column = end
    while dockerfile.text.startswith(" ", column):
        column += 1
    if column - end < 2:
        return Edit(start, end, keyword)
    return Edit(start, column, keyword.ljust(max(column - start, len(keyword) + 1)))


def refuse_pragma(dockerfile: Dockerfile, instruction: Instruction) -> None:
    """Refuse to make an instruction of another kind of one with a pragma above it."""
    if any(is_pragma(comment) for comment in dockerfile.above(instruction)):
        raise Refused(f"the comment above is for a tool, which may mean `{instruction.name}`")


def delete_flag(dockerfile: Dockerfile, instruction: Instruction, flag: Flag) -> tuple[Edit, ...]:
    """Delete a flag, and its line if it is alone there; if it follows the keyword directly, the next word moves up."""
    start, end = flag.word.start, flag.word.end
    rest = instruction.logical.text[end:]
    follows = end + len(rest) - len(rest.lstrip(GO_SPACE))
    line = line_start(dockerfile, flag.span.start)
    alone = dockerfile.text[line : flag.span.start].strip(" \t").lower() == instruction.keyword.text.lower()
    if alone and follows < len(instruction.logical.text) and not instruction.logical.contiguous(start, follows + 1):
        after = instruction.logical.start(follows)
        if not any(isinstance(node, Comment) and node.span.start < after for node in instruction.trivia):
            return (Edit(flag.span.start, after, ""),)
    return delete(dockerfile, instruction, start, end)


def delete(dockerfile: Dockerfile, instruction: Instruction, start: int, end: int) -> tuple[Edit, ...]:
    """Delete `logical[start:end]` of an instruction, and the white space around it.

    Physical lines that would be empty are deleted; comment lines between them are kept. If the last line is deleted,
    the one before it loses its continuation.

    Raises:
        Refused: a comment or blank line would be the first line of a heredoc.
    """
    edits: list[Edit] = []
    dropped: set[int] = set()
    left: list[str] = []
    ends: list[int] = []
    pieces = instruction.logical.pieces
    text = instruction.logical.text
    low = 0
    for index, piece in enumerate(pieces):
        high = low + piece.end - piece.start
        first, last = max(start, low), min(end, high)
        left.append(text[low:high])
        ends.append(high)
        if first < last:
            rest = text[last:high].strip(GO_SPACE)
            above = index > 0 and not _has_text(text[low:first])
            if above and not rest:
                dropped.add(index)
                left[index] = ""
            elif above and rest in _OPERATORS and start >= low and _has_text(left[index - 1]):
                # `x && \` without x: the operator moves up to the command that it now follows
                dropped.add(index)
                left[index] = ""
                end_above = pieces[index - 1].start + len(left[index - 1].rstrip(" \t"))
                edits.append(insert(end_above, rest if rest == ";" else f" {rest}"))
            else:
                first, last = _trim(text, Span(low, high), Span(first, last), index == len(pieces) - 1)
                if first < last:
                    edits.append(Edit(piece.start + first - low, piece.start + last - low, ""))
                left[index] = text[low:first] + text[last:high]
        low = high
    # A line with only a continuation must not become the last one: it would be a blank line, and the next line would
    # become part of the instruction.
    if len(pieces) - 1 in dropped:
        tail = len(pieces) - 1
        while tail > 0 and not _has_text(left[tail]):
            dropped.add(tail)
            tail -= 1
        if instruction.heredocs and any(node.span.start > pieces[tail].start for node in instruction.trivia):
            raise Refused("a comment or blank line would become a part of the heredoc")
    elif start < end and (glued := _missing_space(text, left, ends, dropped, Span(start, end))) is not None:
        edits.append(insert(pieces[glued].end, " "))
    edits.extend(_delete_lines(dockerfile, instruction, dropped))
    return tuple(sorted(edits))


def _has_text(text: str) -> bool:
    return bool(text.strip(GO_SPACE))


def _trim(text: str, piece: Span, cut: Span, final: bool) -> tuple[int, int]:
    """The range to delete from a line that keeps some text, so that white space is not doubled and words are not
    joined."""
    first, last = cut
    before, after = text[piece.start : first], text[last : piece.end]
    if _has_text(after):
        if not _has_text(before):
            # The line keeps its indentation.
            while first < last and text[first] in " \t":
                first += 1
            last += len(after) - len(after.lstrip(" \t"))
        elif before[-1] in GO_SPACE:
            last += len(after) - len(after.lstrip(" \t"))
        return first, last
    stop = piece.end
    while stop > first and text[stop - 1] in " \t":
        stop -= 1
    if not final:
        last = stop  # the white space before the continuation is kept
    if final or stop < piece.end:
        first -= len(before) - len(before.rstrip(" \t"))
    return first, last


def _missing_space(text: str, left: Sequence[str], ends: Sequence[int], dropped: set[int], cut: Span) -> int | None:
    """The line that needs a trailing space, because the text between two words was deleted with its line."""
    borders = text[max(0, cut.start - 1) : cut.start + 1] + text[cut.end - 1 : cut.end + 1]
    if not any(char in GO_SPACE for char in borders):
        return None  # a part of one word was cut out
    kept = [index for index in range(len(left)) if index not in dropped]
    for one, other in pairwise(kept):
        joins = other - one > 1 or cut.start <= ends[one] <= cut.end
        if joins and left[one][-1:].strip(GO_SPACE) and left[other][:1].strip(GO_SPACE):
            return one
    return None


def _delete_lines(dockerfile: Dockerfile, instruction: Instruction, dropped: set[int]) -> list[Edit]:
    pieces = instruction.logical.pieces
    if not dropped:
        return []
    lines: list[Span] = []
    for index in sorted(dropped):
        start, end = line_start(dockerfile, pieces[index].start), line_end(dockerfile, pieces[index].start)
        if lines and lines[-1].end == start:
            start = lines.pop().start
        lines.append(Span(start, end))
    if lines[-1].end == len(dockerfile.text) and not dockerfile.text.endswith("\n"):
        # A file without a final line end stays so.
        start = lines.pop().start
        blanks = {node.span.end: node.span.start for node in instruction.trivia if isinstance(node, Blank)}
        while start in blanks or (lines and lines[-1].end == start):
            start = blanks[start] if start in blanks else lines.pop().start
        lines.append(Span(before_line_end(dockerfile, start), len(dockerfile.text)))
    edits = [Edit(line.start, line.end, "") for line in lines]
    if len(pieces) - 1 in dropped:
        piece = pieces[max(index for index in range(len(pieces)) if index not in dropped)]
        body = dockerfile.text[piece.start : piece.end]
        stop = before_line_end(dockerfile, line_end(dockerfile, piece.start))
        edits.append(Edit(piece.start + len(body.rstrip(" \t")), stop, ""))
    return edits


def insert_pairs(dockerfile: Dockerfile, instruction: Instruction, pairs: Sequence[str]) -> Edit:
    """Append words to an ENV, LABEL or ARG: each on a line of its own if the last argument has one."""
    last = instruction.args[-1].span
    own_line = line_start(dockerfile, last.start) != line_start(dockerfile, instruction.keyword.span.start)
    if not own_line:
        return insert(last.end, "".join(f" {pair}" for pair in pairs))
    broken = continuation(dockerfile, instruction, indent_of(dockerfile, last.start))
    return insert(last.end, "".join(f"{broken}{pair}" for pair in pairs))


def one_line_like(dockerfile: Dockerfile, instruction: Instruction, args: Sequence[str]) -> str:
    """A one-line instruction with the keyword and flags of another one, as spelled there, and other arguments."""
    return " ".join((words_line(dockerfile, instruction, ()), *args))


def delete_arguments(dockerfile: Dockerfile, instruction: Instruction, words: Sequence[Word]) -> list[Edit]:
    """Delete arguments of an instruction; adjacent ones together."""
    edits: list[Edit] = []
    rows: list[list[Word]] = []
    order = {word.start: index for index, word in enumerate(instruction.args)}
    for word in words:
        if rows and order[rows[-1][-1].start] + 1 == order[word.start]:
            rows[-1].append(word)
        else:
            rows.append([word])
    for row in rows:
        edits += delete(dockerfile, instruction, row[0].start, row[-1].end)
    return edits


def words_line(dockerfile: Dockerfile, instruction: Instruction, words: Sequence[Span]) -> str:
    """A one-line instruction with the keyword and flags of another one, as spelled there, and the given words."""
    parts = [instruction.keyword.span, *(flag.span for flag in instruction.flags), *words]
    spelled = [_spelling(instruction, part, dockerfile) for part in parts]
    return indent_of(dockerfile, instruction.span.start) + " ".join(spelled)


def _spelling(instruction: Instruction, span: Span, dockerfile: Dockerfile) -> str:
    start = instruction.logical.offset(span.start)
    end = instruction.logical.offset(span.end - 1)
    if start is None or end is None:
        return dockerfile.text[span.start : span.end]
    return instruction.logical.text[start : end + 1]


def insert_flags(
    dockerfile: Dockerfile, instruction: Instruction, flags: Sequence[str], deleted: Iterable[Edit] = ()
) -> Edit:
    """Insert flags after the existing ones: each on a line of its own if the instruction has several lines, or if one
    line would be longer than `MAX_LINE`.

    `deleted` are other edits of the fix: if they leave nothing else on the line of the keyword, the first flag goes
    there.
    """
    if not breaks_lines(instruction):
        joined = " ".join(flags)
        line = instruction.lines.end - instruction.lines.start if not instruction.heredocs else 0
        if line + len(joined) <= MAX_LINE or not instruction.text.text:
            return insert_flag(dockerfile, instruction, joined)
        broken = continuation(dockerfile, instruction)
        return Edit(
            (instruction.flags[-1].span if instruction.flags else instruction.keyword.span).end,
            instruction.text.start(0),
            f" {broken.join(flags)}{broken}",
        )
    indent = continuation_indent(dockerfile, instruction)
    keyword_end = instruction.keyword.span.end
    if not instruction.flags and any(keyword_end <= edit.start < instruction.text.start(0) for edit in deleted):
        return insert(keyword_end, f" {continuation(dockerfile, instruction, indent).join(flags)}")
    if instruction.flags:
        last = instruction.flags[-1].span.start
        if line_start(dockerfile, last) != line_start(dockerfile, instruction.keyword.span.end):
            indent = indent_of(dockerfile, last)
    return insert_flag(dockerfile, instruction, continuation(dockerfile, instruction, indent).join(flags))


def split_before(dockerfile: Dockerfile, instruction: Instruction, words: Sequence[Word]) -> tuple[Edit, ...]:
    """Start a new instruction of the same kind at each of the words, which must not include the first.

    Comments inside the continuation keep their place, now between the instructions.
    """
    keyword = f"{indent_of(dockerfile, instruction.span.start)}{instruction.keyword.text} "
    edits: list[Edit] = []
    for word in words:
        start = word.span.start
        line = line_start(dockerfile, start)
        before = instruction.logical.end(len(instruction.logical.text[: word.start].rstrip(GO_SPACE)))
        if before > line:
            edits.append(Edit(before, start, f"{instruction.newline}{keyword}"))
            continue
        end = before_line_end(dockerfile, line_end(dockerfile, before))
        edits += [Edit(before, end, ""), Edit(line, start, keyword)]
    return tuple(edits)
