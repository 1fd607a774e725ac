"""Style-preserving surgery: the only place that knows how an edit is fitted into a Dockerfile's text.

Every function returns edits and changes nothing. They keep the file's own line ends, escape character, indentation and
continuation style, and never drop a comment: a comment in a part that goes away stays where it is.
Functions that cannot do their work without harm return None, and the codemod refuses.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dockfix.edit.text import Edit
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.shell import Operator, Script, SimpleCommand
from dockfix.syntax.source import BOM, GO_SPACE, Mapped, Span
from dockfix.syntax.tree import Blank, Comment, Dockerfile, Flag, Instruction, Run, Word

MAX_LINE = 120
"""Columns past which a line that grows is broken."""

_OPERATORS = frozenset(("&&", "||", ";", "|"))
_BANNER = frozenset("#-=*~_+ \t─━═")
_SHELL_COMMENT = re.compile(r"(?:^|[\s;&|])#")


def replace(span: Span, text: str) -> Edit:
    """Put `text` in place of what stands at `span`."""
    return Edit(span.start, span.end, text)


def insert(at: int, text: str) -> Edit:
    """Put `text` in at a source offset."""
    return Edit(at, at, text)


def insert_text_before(text: Mapped, offset: int, new: str) -> Edit:
    """Put `new` directly before the character at `offset` of a mapped text (a script, a logical line)."""
    return insert(text.start(offset), new)


def insert_text_after(text: Mapped, offset: int, new: str) -> Edit:
    """Put `new` directly behind the character before `offset` of a mapped text."""
    return insert(text.end(offset), new)


def line_end(dockerfile: Dockerfile, offset: int) -> int:
    """The offset behind the `\\n` of the line that holds `offset`; the end of the text on the last line."""
    end = dockerfile.text.find("\n", offset)
    return len(dockerfile.text) if end == -1 else end + 1


def line_start(dockerfile: Dockerfile, offset: int) -> int:
    """The offset at which the line that holds `offset` begins; behind the byte order mark on the first line."""
    start = dockerfile.text.rfind("\n", 0, offset) + 1
    return len(BOM) if start == 0 and dockerfile.bom else start


def indent_of(dockerfile: Dockerfile, offset: int) -> str:
    """The white space with which the line that holds `offset` begins."""
    start = line_start(dockerfile, offset)
    end = start
    while end < len(dockerfile.text) and dockerfile.text[end] in " \t":
        end += 1
    return dockerfile.text[start:end]


def continuation_indent(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The indentation of an instruction's continuation lines: the smallest, since a list of operands may be further in;
    four spaces if there are none."""
    indents = [
        indent_of(dockerfile, piece.start)
        for piece in instruction.logical.pieces[1:]
        if dockerfile.text[piece.start : piece.end].strip(GO_SPACE)
    ]
    base = indent_of(dockerfile, instruction.span.start)
    return min((each for each in indents if each), key=len, default=indents[0] if indents else f"{base}    ")


def continuation(dockerfile: Dockerfile, instruction: Instruction, indent: str | None = None) -> str:
    """What breaks a line inside an instruction: a space, its escape character, its line end, its indentation."""
    inner = continuation_indent(dockerfile, instruction) if indent is None else indent
    return f" {instruction.escape}{instruction.newline}{inner}"


def _breaks_lines(instruction: Instruction) -> bool:
    return len(instruction.logical.pieces) > 1


def insert_flag(dockerfile: Dockerfile, instruction: Instruction, flag: str) -> Edit:
    """Put a flag behind the keyword and the flags that are there.

    On a line of its own if the instruction is written over several lines, so that one line of a diff is one mount;
    else on the same line.
    """
    keyword_end = instruction.keyword.span.end
    if not _breaks_lines(instruction):
        return insert(instruction.flags[-1].span.end if instruction.flags else keyword_end, f" {flag}")
    if instruction.flags:
        last = instruction.flags[-1].span
        on_own_line = line_start(dockerfile, last.start) != line_start(dockerfile, keyword_end)
        indent = indent_of(dockerfile, last.start) if on_own_line else continuation_indent(dockerfile, instruction)
        return insert(last.end, f" {instruction.escape}{instruction.newline}{indent}{flag}")
    start = instruction.text.start(0)
    if line_start(dockerfile, start) == line_start(dockerfile, keyword_end):
        return Edit(keyword_end, start, f" {flag}{continuation(dockerfile, instruction)}")
    indent = indent_of(dockerfile, start)  # `RUN \\` with the command below: the flag takes a line like the command's
    line = f"{flag} {instruction.escape}{instruction.newline}"
    below = line_end(dockerfile, keyword_end)
    if any(isinstance(node, Comment) and below <= node.span.start < start for node in instruction.trivia):
        return insert(below, f"{indent}{line}")  # a comment in between belongs to the command
    return insert(start, f"{line}{indent}")


def delete_flag(dockerfile: Dockerfile, instruction: Instruction, flag: Flag) -> tuple[Edit, ...]:
    """Take a flag away, and its line with it if it stood alone there; behind the keyword what follows moves up."""
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
    """Take `logical[start:end]` out of an instruction, with the white space that it leaves behind.

    Physical lines of which nothing remains go away whole; comment lines between them stay. If the last line goes, the
    one before it loses its continuation.
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
            above = index > 0 and not _solid(text[low:first])
            if above and not rest:
                dropped.add(index)
                left[index] = ""
            elif above and rest in _OPERATORS and start >= low and _solid(left[index - 1]):
                # `x && \` of which x goes: the operator moves up to what it follows now
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
    # A line of nothing but a continuation must not become the last one: it would be a blank line, and what follows it
    # a part of the instruction.
    if len(pieces) - 1 in dropped:
        tail = len(pieces) - 1
        while tail > 0 and not _solid(left[tail]):
            dropped.add(tail)
            tail -= 1
    elif start < end and (glued := _glued(text, left, ends, dropped, Span(start, end))) is not None:
        edits.append(insert(pieces[glued].end, " "))
    edits.extend(_drop_lines(dockerfile, instruction, dropped))
    return tuple(sorted(edits))


def _solid(text: str) -> bool:
    return bool(text.strip(GO_SPACE))


def _trim(text: str, piece: Span, cut: Span, final: bool) -> tuple[int, int]:
    """What to cut out of a line of which something stays, so that neither white space is doubled nor words join."""
    first, last = cut
    before, after = text[piece.start : first], text[last : piece.end]
    if _solid(after):
        if not _solid(before):
            # The line begins with something else now, and keeps its indentation.
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
        last = stop  # the white space in front of the continuation stays as it is
    if final or stop < piece.end:
        first -= len(before) - len(before.rstrip(" \t"))
    return first, last


def _glued(text: str, left: Sequence[str], ends: Sequence[int], dropped: set[int], cut: Span) -> int | None:
    """The line behind which a space is missing, since what stood between two words has gone with its line."""
    borders = text[max(0, cut.start - 1) : cut.start + 1] + text[cut.end - 1 : cut.end + 1]
    if not any(char in GO_SPACE for char in borders):
        return None  # a part of one word was cut out
    kept = [index for index in range(len(left)) if index not in dropped]
    for one, other in pairwise(kept):
        joins = other - one > 1 or cut.start <= ends[one] <= cut.end
        if joins and left[one][-1:].strip(GO_SPACE) and left[other][:1].strip(GO_SPACE):
            return one
    return None


def _drop_lines(dockerfile: Dockerfile, instruction: Instruction, dropped: set[int]) -> list[Edit]:
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
        # The file ends without a line end, and goes on doing so.
        start = lines.pop().start
        blanks = {node.span.end: node.span.start for node in instruction.trivia if isinstance(node, Blank)}
        while start in blanks or (lines and lines[-1].end == start):
            start = blanks[start] if start in blanks else lines.pop().start
        lines.append(Span(_before_line_end(dockerfile, start), len(dockerfile.text)))
    edits = [Edit(line.start, line.end, "") for line in lines]
    if len(pieces) - 1 in dropped:
        piece = pieces[max(index for index in range(len(pieces)) if index not in dropped)]
        body = dockerfile.text[piece.start : piece.end]
        stop = _before_line_end(dockerfile, line_end(dockerfile, piece.start))
        edits.append(Edit(piece.start + len(body.rstrip(" \t")), stop, ""))
    return edits


def _before_line_end(dockerfile: Dockerfile, offset: int) -> int:
    """The offset before the line end that stands directly before `offset`, if one does."""
    for newline in ("\r\n", "\n"):
        if dockerfile.text.endswith(newline, 0, offset):
            return offset - len(newline)
    return offset


def insert_command_before(
    dockerfile: Dockerfile,
    instruction: Instruction,
    text: Mapped,
    start: int,
    new: str,
    operator: str,
    *,
    leading: bool,
) -> Edit:
    """Put a command in front of the one that begins at `start` of the script `text`, in the style of its list.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        start: offset in `text` of the command that the new one goes before.
        new: the new command, without operators.
        operator: what separates the two: `&&`, or `;` where `set -e` holds.
        leading: whether the list writes its operators at the beginning of lines (`&& b`) rather than at the end.
    """
    at = text.start(start)
    joined = f"{new} {operator}" if operator != ";" else f"{new};"
    if not _breaks_lines(instruction) or _offset_in_logical(instruction, text) is None:
        return insert(at, f"{joined} ")
    indent = continuation_indent(dockerfile, instruction)
    if leading and operator != ";":
        return insert(at, f"{new} {instruction.escape}{instruction.newline}{indent}{operator} ")
    return insert(at, f"{joined} {instruction.escape}{instruction.newline}{indent}")


def insert_in_list(dockerfile: Dockerfile, run: Run, text: Mapped, command: SimpleCommand, new: str) -> Edit:
    """Put a command in front of another one of a list, so that the other runs only if the new one succeeds.

    Joined by `;` or a new line where the list is one of these under `set -e`, which does not see a failure in front of
    `&&`; else by `&&`; in the list's own style.
    """
    around = {each.text for each in (command.before, command.after) if each is not None}
    ends = command.errexit and "&&" not in around
    if ends and "\n" in around and ";" not in around:
        return insert_text_before(text, command.start, f"{new}\n{indent_of(dockerfile, text.start(command.start))}")
    operator = ";" if ends and ";" in around else "&&"
    beside = command.before or command.after
    leading = beside is not None and _starts_line(text, beside.start)
    if beside is None or (not leading and text.contiguous(*_between(beside, command))):
        return insert_text_before(text, command.start, f"{new}{'' if operator == ';' else ' '}{operator} ")
    return insert_command_before(dockerfile, run, text, command.start, new, operator, leading=leading)


def append_to_body(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, body: Span, done: int, new: str
) -> Edit:
    """Put a command behind the last one of a loop's body: on a line of its own if the word `done` begins one.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        body: the body in `text`, up to and with the `;` or line end in front of `done`.
        done: where `done` begins in `text`.
        new: the command, without operators.
    """
    line = line_start(dockerfile, text.start(done))
    own = not dockerfile.text[line : text.start(done)].strip(" \t")
    first = line_start(dockerfile, text.start(body.start))
    begins = own and not dockerfile.text[first : text.start(body.start)].strip(" \t")
    indent = indent_of(dockerfile, text.start(body.start)) if begins else f"{indent_of(dockerfile, line)}  "
    if text.text[body.end - 1] == "\n":
        return insert(line, f"{indent}{new}\n")  # a script's lines end in `\n`, whatever the file's do
    if not own:
        return insert_text_after(text, body.end, f" {new};")
    if _offset_in_logical(instruction, text) is None:
        return insert(line, f"{indent}{new};\n")
    return insert_text_after(text, body.end, f" {instruction.escape}{instruction.newline}{indent}{new};")


def insert_command_after(
    dockerfile: Dockerfile, run: Run, text: Mapped, command: SimpleCommand, new: str, operator: str
) -> Edit:
    """Put a command behind another one of a list, joined by `operator` (`&&`, `;` or a line end), in the list's style.

    On a line of its own if the operator beside the command stands at the beginning or the end of a line.
    """
    indent = indent_of(dockerfile, text.start(command.start))
    if operator == "\n":
        return insert_text_after(text, command.end, f"\n{indent}{new}")
    beside = command.after or command.before
    joined = f"{operator} " if operator == ";" else f" {operator} "
    if beside is None or _offset_in_logical(run, text) is None:
        return insert_text_after(text, command.end, f"{joined}{new}")
    leading = _starts_line(text, beside.start)
    following = len(text.text) - len(text.text[beside.end :].lstrip(" \t"))
    if not leading and text.contiguous(beside.end - 1, min(following + 1, len(text.text))):
        return insert_text_after(text, command.end, f"{joined}{new}")
    if not indent or not _starts_line(text, (command.before if leading and command.before else command).start):
        indent = continuation_indent(dockerfile, run)
    broken = f" {run.escape}{run.newline}{indent}"
    if leading and operator != ";":
        return insert_text_after(text, command.end, f"{broken}{operator} {new}")
    return insert_text_after(text, command.end, f"{joined.rstrip()}{broken}{new}")


def insert_word(dockerfile: Dockerfile, run: Run, text: Mapped, start: int, end: int, new: str) -> Edit:
    """Put words behind those at `text[start:end]`: on a line of their own if those have one, else on the same line."""
    after = text.text[end:].lstrip(" \t")[:1]
    following = text.text.find(after, end) if after else end
    if (
        _offset_in_logical(run, text) is not None
        and after
        and _starts_line(text, start)
        and not text.contiguous(end - 1, following + 1)
    ):
        new = f"{run.escape}{run.newline}{indent_of(dockerfile, text.start(start))}{new}"
    return insert_text_after(text, end, f" {new}")


def insert_pairs(dockerfile: Dockerfile, instruction: Instruction, pairs: Sequence[str]) -> Edit:
    """Put words behind the last argument of an ENV, LABEL or ARG: each on a line of its own if that one has one."""
    last = instruction.args[-1].span
    own_line = line_start(dockerfile, last.start) != line_start(dockerfile, instruction.keyword.span.start)
    if not own_line:
        return insert(last.end, "".join(f" {pair}" for pair in pairs))
    broken = continuation(dockerfile, instruction, indent_of(dockerfile, last.start))
    return insert(last.end, "".join(f"{broken}{pair}" for pair in pairs))


def _between(operator: Operator, command: SimpleCommand) -> tuple[int, int]:
    """From an operator to the command beside it, the last character of the one and the first of the other included."""
    if operator.start < command.start:
        return operator.start, command.start + 1
    return command.end - 1, operator.end


def _starts_line(text: Mapped, at: int) -> bool:
    """Whether nothing but white space stands before an offset on its physical line."""
    while at > 0 and text.text[at - 1] in " \t" and text.contiguous(at - 1, at + 1):
        at -= 1
    return at > 0 and not text.contiguous(at - 1, at + 1)


def delete_command(
    dockerfile: Dockerfile,
    instruction: Instruction,
    text: Mapped,
    command: Span,
    before: Span | None,
    after: Span | None,
) -> tuple[Edit, ...] | None:
    """Take a command out of a list with one of the operators beside it.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        command: the command's span in `text`.
        before: the operator in front of it, in `text`.
        after: the operator behind it, in `text`.

    Returns:
        The edits, or None if it is the only command, the script is a heredoc, what follows would become a flag, or a
        comment of the shell behind it would be left on a line of its own: BuildKit would take that for its own, and go
        on with the next instruction.
    """
    offset = _offset_in_logical(instruction, text)
    if offset is None or (before is None and after is None):
        return None
    if (
        after is None
        and before is not None
        and text.text[command.end :].lstrip(" \t").startswith("#")
        and any(_starts_line(text, at) for at in (before.start, command.start))
    ):
        return None
    if before is None and after is not None and text.text[after.end :].lstrip().startswith("--"):
        return None  # what is then first would be a flag of the instruction
    if before is not None and after is not None:
        joins = text.text[before.start : before.end], text.text[after.start : after.end]
        if joins[0] != "&&" and joins[1] == "&&":
            before = None  # `a; b && c` is `a; c` without b, and not `a && c`
    if before is not None and not (after is not None and _ends_line(text, before, command, after)):
        return delete(dockerfile, instruction, offset + before.start, offset + command.end)
    assert after is not None  # noqa: S101 - one of the two is there
    end = after.end
    while end < len(text.text) and text.text[end] in " \t":
        end += 1
    if (
        end < len(text.text)
        and not text.contiguous(command.start, end + 1)
        and not _crosses_comment(instruction, text, command.start, end)
    ):
        # `RUN first \\` / `&& second`: the next command moves up to where this one stood
        return (Edit(text.start(command.start), text.start(end), ""),)
    return delete(dockerfile, instruction, offset + command.start, offset + after.end)


def _ends_line(text: Mapped, before: Span, command: Span, after: Span) -> bool:
    """Whether the list has its operators at the ends of lines and both are the same, so that the second may go."""
    return (
        text.text[before.start : before.end] == text.text[after.start : after.end]
        and not text.contiguous(before.start, command.start + 1)
        and text.contiguous(command.end - 1, after.end)
    )


def _offset_in_logical(instruction: Instruction, text: Mapped) -> int | None:
    """How far into the logical line a script begins; None if the script is not a part of that line."""
    offset = instruction.logical.offset(text.start(0)) if text.text else None
    if offset is None or not instruction.logical.text.startswith(text.text, offset):
        return None
    return offset


def _crosses_comment(instruction: Instruction, text: Mapped, start: int, end: int) -> bool:
    span = text.span(start, end + 1)
    return any(isinstance(node, Comment) and span.overlaps(node.span) for node in instruction.trivia)


def is_banner(comment: Comment) -> bool:
    """Whether a comment is a rule or a heading set off by one (`# ---- build ----`), which speaks of a section."""
    text = comment.text.strip()
    return not text or set(text) <= _BANNER or (len(text) > 6 and set(text[:3]) <= _BANNER and len(set(text[:3])) == 1)


def own_comments(dockerfile: Dockerfile, instruction: Instruction) -> tuple[Comment, ...]:
    """The comments directly above an instruction that speak of it: none from a banner upwards."""
    own: list[Comment] = []
    for comment in reversed(dockerfile.above(instruction)):
        if is_banner(comment):
            break
        own.append(comment)
    return tuple(reversed(own))


def block(dockerfile: Dockerfile, instruction: Instruction) -> Span:
    """The lines of an instruction with the comments that speak of it."""
    comments = own_comments(dockerfile, instruction)
    first = comments[0].span if comments else instruction.span
    return Span(line_start(dockerfile, first.start), instruction.lines.end)


def _blank_at(dockerfile: Dockerfile, offset: int) -> Blank | None:
    """The blank line that begins at an offset."""
    index = bisect_left(dockerfile.nodes, offset, key=lambda node: node.span.start)
    node = dockerfile.nodes[index] if index < len(dockerfile.nodes) else None
    return node if isinstance(node, Blank) and node.span.start == offset else None


def delete_block(dockerfile: Dockerfile, span: Span) -> Edit:
    """Take whole lines away, and one of the two blank lines that would meet then, or begin or end the file."""
    start, end = span
    size = len(dockerfile.text)
    first = start == line_start(dockerfile, 0)
    before = _blank_at(dockerfile, line_start(dockerfile, start - 1)) if not first else None
    after = _blank_at(dockerfile, end)
    if after and (before or first):
        end = after.span.end
    elif before and end == size:
        start = before.span.start
    if end == size and not dockerfile.text.endswith("\n"):
        start = _before_line_end(dockerfile, start)
    return Edit(start, end, "")


def delete_for(dockerfile: Dockerfile, gone: Sequence[Instruction], heir: Instruction) -> tuple[Edit, ...] | None:
    """Take instructions away whose work another one further down does, and hand their comments on to that.

    A heading goes along if all that it stands over goes. None if a comment would be lost, or a pragma parted.
    """
    spans: list[Span] = []
    comments: list[Comment] = []
    for instruction in gone:
        own = dockerfile.above(instruction)
        end = instruction.lines.end
        headed = len(own) > len(own_comments(dockerfile, instruction))
        if headed and end < len(dockerfile.text) and _blank_at(dockerfile, end) is None:
            return None
        if instruction.comments or any(is_pragma(comment) for comment in own):
            return None
        first = own[0].span if own else instruction.span
        start = line_start(dockerfile, first.start)
        if spans and spans[-1].end == start:
            start = spans.pop().start
        spans.append(Span(start, end))
        comments += own
    target = block(dockerfile, heir).start
    if len(gone) == 1 and gone[0].lines.end == target:
        return (Edit(line_start(dockerfile, gone[0].span.start), target, ""),)  # the comments stand where they belong
    edits = tuple(delete_block(dockerfile, span) for span in spans)
    lines = "".join(
        f"{dockerfile.text[line_start(dockerfile, each.span.start) : each.span.end].rstrip()}{heir.newline}"
        for each in comments
    )
    return (*edits, insert(target, lines)) if lines else edits


def insert_above(dockerfile: Dockerfile, instruction: Instruction, line: str) -> Edit:
    """Put a line above an instruction and the comments that speak of it, with its indentation and line end."""
    at = block(dockerfile, instruction).start
    return insert(at, f"{indent_of(dockerfile, instruction.span.start)}{line}{instruction.newline}")


def insert_below(dockerfile: Dockerfile, instruction: Instruction, lines: str) -> Edit:
    """Put lines (without a final line end) directly below an instruction.

    A continuation that nothing follows, at the end of a file, goes: it would take the lines in.
    """
    data = instruction.logical.pieces[-1].end
    if dockerfile.text.startswith(instruction.escape, data):
        end = len(dockerfile.text[: line_end(dockerfile, data)].rstrip("\r\n"))
        return Edit(data, end, f"{instruction.newline}{lines}")
    at = instruction.lines.end
    if dockerfile.text.endswith("\n", 0, at):
        return insert(at, f"{lines}{instruction.newline}")
    return insert(at, f"{instruction.newline}{lines}")


def insert_instruction(dockerfile: Dockerfile, anchor: Instruction, head: str, tail: str, *, above: bool) -> Edit:
    """Put a new instruction above or below another one, in the style of the file.

    Args:
        dockerfile: the file.
        anchor: what it goes above (and above the comments that speak of that) or below.
        head: the instruction's first line, without a continuation.
        tail: what goes on a second line, indented as the file's other continuations are; on the same line if empty.
        above: which of the two. A blank line in front of `anchor` also parts the new instruction from it.
    """
    outer = indent_of(dockerfile, anchor.span.start)
    model = next((node for node in dockerfile.instructions if _breaks_lines(node)), anchor)
    inner = continuation(dockerfile, anchor, continuation_indent(dockerfile, model) or "    ") if tail else ""
    text = f"{head}{inner}{tail}"
    start = block(dockerfile, anchor).start
    apart = start > 0 and _blank_at(dockerfile, line_start(dockerfile, start - 1)) is not None
    gap = anchor.newline if apart else ""
    if above:
        return insert(start, f"{outer}{text}{anchor.newline}{gap}")
    return insert_below(dockerfile, anchor, f"{gap}{outer}{text}")


def move_below(dockerfile: Dockerfile, instruction: Instruction, anchor: Instruction) -> tuple[Edit, ...]:
    """Move an instruction, with the comments that speak of it, directly below another one further down."""
    span = block(dockerfile, instruction)
    lines = dockerfile.text[span.start : span.end].rstrip("\r\n")
    return delete_block(dockerfile, span), insert_below(dockerfile, anchor, lines)


def move_above(dockerfile: Dockerfile, instructions: Sequence[Instruction], anchor: Instruction) -> tuple[Edit, ...]:
    """Move instructions, with the comments that speak of them, directly above another one and its comments."""
    gone: list[Span] = []
    lines: list[str] = []
    for instruction in instructions:
        span = block(dockerfile, instruction)
        lines.append(dockerfile.text[span.start : span.end].rstrip("\r\n") + instruction.newline)
        if gone and gone[-1].end == span.start:
            span = Span(gone.pop().start, span.end)
        gone.append(span)
    deleted = tuple(delete_block(dockerfile, span) for span in gone)
    return *deleted, insert(block(dockerfile, anchor).start, "".join(lines))


def move_all_below(
    dockerfile: Dockerfile, pieces: Sequence[tuple[Instruction, Sequence[Word]]], anchor: Instruction
) -> tuple[Edit, ...]:
    """Move instructions, or some of their words, directly below another one further down, keeping their order.

    An instruction that moves as a whole takes along the comments that speak of it. One of which only some words move
    stays with its comments; they get a line of its kind, with its flags and its last word. The lines that arrive are
    set off by a blank line if the instruction that they come from was.

    Args:
        dockerfile: the file.
        pieces: instructions in order, each with the words that move, or none if it moves as a whole.
        anchor: what they go below.
    """
    edits: list[Edit] = []
    gone: list[Span] = []
    lines: list[str] = []
    moving = [instruction for instruction, words in pieces if not words]
    for instruction, words in pieces:
        if words:
            edits += _without(dockerfile, instruction, words)
            spans = [*(word.span for word in words), instruction.args[-1].span]
            lines.append(words_line(dockerfile, instruction, spans))
            continue
        span = _paragraph(dockerfile, instruction, moving)
        lines.append(dockerfile.text[span.start : span.end].rstrip("\r\n"))
        if gone and gone[-1].end == span.start:
            span = Span(gone.pop().start, span.end)
        gone.append(span)
    edits += [delete_block(dockerfile, span) for span in gone]
    start = gone[0].start if gone else block(dockerfile, pieces[0][0]).start
    last = anchor.lines.end == len(dockerfile.text)
    apart = _blank_at(dockerfile, line_start(dockerfile, start - 1)) and (
        last or _blank_at(dockerfile, anchor.lines.end)
    )
    text = anchor.newline.join(lines)
    edits.append(insert_below(dockerfile, anchor, f"{anchor.newline}{text}" if apart else text))
    return tuple(sorted(edits))


def _paragraph(dockerfile: Dockerfile, instruction: Instruction, moving: Sequence[Instruction]) -> Span:
    """The block of an instruction, with the heading above it if all that the heading stands over moves."""
    span = block(dockerfile, instruction)
    above = dockerfile.above(instruction)
    if not above or len(above) == len(own_comments(dockerfile, instruction)):
        return span
    end = instruction.lines.end
    for other in moving:
        if block(dockerfile, other).start == end:
            end = other.lines.end
    if end < len(dockerfile.text) and _blank_at(dockerfile, end) is None:
        return span
    return Span(line_start(dockerfile, above[0].span.start), span.end)


def replace_and_move_below(
    dockerfile: Dockerfile, instruction: Instruction, lines: Sequence[str], anchor: Instruction
) -> tuple[Edit, ...]:
    """Move an instruction and its comments directly below `anchor`, further down, and put lines where it stood."""
    span = block(dockerfile, instruction)
    text = dockerfile.text[span.start : span.end].rstrip("\r\n")
    kept = "".join(f"{line}{instruction.newline}" for line in lines)
    taken = Edit(span.start, span.end, kept) if lines else delete_block(dockerfile, span)
    return taken, insert_below(dockerfile, anchor, text)


def line_like(dockerfile: Dockerfile, instruction: Instruction, args: Sequence[str]) -> str:
    """A one-line instruction with the keyword and flags of another one, as spelled there, and other arguments."""
    return " ".join((words_line(dockerfile, instruction, ()), *args))


def _without(dockerfile: Dockerfile, instruction: Instruction, words: Sequence[Word]) -> list[Edit]:
    """Take words out of an instruction; those that stand side by side in one piece."""
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
    spelled = [_on_one_line(instruction, part, dockerfile) for part in parts]
    return indent_of(dockerfile, instruction.span.start) + " ".join(spelled)


def _on_one_line(instruction: Instruction, span: Span, dockerfile: Dockerfile) -> str:
    start = instruction.logical.offset(span.start)
    end = instruction.logical.offset(span.end - 1)
    if start is None or end is None:
        return dockerfile.text[span.start : span.end]
    return instruction.logical.text[start : end + 1]


def merge_runs(
    dockerfile: Dockerfile, first: Instruction, *others: Instruction, operator: str = "&&"
) -> tuple[Edit, ...] | None:
    """Join a RUN with the RUNs that directly follow it, which have no heredocs and no flags but its own.

    Comments between them stay, now inside the continuation; blank lines between them go, since BuildKit warns of
    them there. None if a shell comment might end one of them, or if a pragma would be parted from its instruction. The
    caller has shown that running all in one shell is the same, with `operator` (`&&` or `;`) between them.
    """
    behind, before = _separator(dockerfile, (first, *others), operator)
    edits: list[Edit] = []
    for one, two in pairwise((first, *others)):
        if not (isinstance(one, Run) and isinstance(two, Run)) or one.json or two.json or one.heredocs or two.heredocs:
            return None
        if two.flags and [flag.word.text for flag in two.flags] != [flag.word.text for flag in first.flags]:
            return None
        if _SHELL_COMMENT.search(one.text.text) or any(is_pragma(comment) for comment in dockerfile.above(two)):
            return None
        between = [
            node
            for node in dockerfile.nodes
            if not isinstance(node, Instruction) and one.lines.end <= node.span.start < two.lines.start
        ]
        end = one.text.end(len(one.text.text))
        edits.append(Edit(end, max(end, one.span.end), behind))
        edits += [Edit(node.span.start, node.span.end, "") for node in between if isinstance(node, Blank)]
        edits += _without_keyword(dockerfile, two, before)
    return tuple(edits)


def insert_flags(dockerfile: Dockerfile, instruction: Instruction, flags: Sequence[str]) -> Edit:
    """Put flags behind those that are there: each on a line of its own if the instruction has several lines, or would
    have one that is longer than `MAX_LINE` with them."""
    if not _breaks_lines(instruction):
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
    if instruction.flags:
        last = instruction.flags[-1].span.start
        if line_start(dockerfile, last) != line_start(dockerfile, instruction.keyword.span.end):
            indent = indent_of(dockerfile, last)
    return insert_flag(dockerfile, instruction, continuation(dockerfile, instruction, indent).join(flags))


def delete_words(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, start: int, end: int
) -> tuple[Edit, ...]:
    """Take the words at `[start, end)` of the script `text` away, with the white space that they leave behind."""
    offset = _offset_in_logical(instruction, text)
    if offset is not None:
        return delete(dockerfile, instruction, offset + start, offset + end)
    while start > 0 and text.text[start - 1] in " \t":
        start -= 1
    return (replace(text.span(start, end), ""),)


def delete_commands(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, first: SimpleCommand, last: SimpleCommand
) -> tuple[Edit, ...] | None:
    """Take neighbouring commands of a list away, from `first` to `last`; of a heredoc's, the lines that they fill.

    Returns:
        The edits, or None if nothing would be left, or if in a heredoc they share a line or an and-or list with others.
    """
    if _offset_in_logical(instruction, text) is not None:
        before, after = (
            None if operator is None else Span(operator.start, operator.end) for operator in (first.before, last.after)
        )
        return delete_command(dockerfile, instruction, text, Span(first.start, last.end), before, after)
    if any(each is not None and each.text.strip() not in ("", ";") for each in (first.before, last.after)):
        return None  # the lines around would be joined by what is left of the list
    start, end = first.start, last.end
    while start > 0 and text.text[start - 1] in " \t":
        start -= 1
    while end < len(text.text) and text.text[end] in " \t;":
        end += 1
    if (start > 0 and text.text[start - 1] != "\n") or text.text[end : end + 1] != "\n":
        return None
    return (replace(text.span(start, end + 1), ""),)


def insert_first(dockerfile: Dockerfile, instruction: Instruction, text: Mapped, script: Script, new: str) -> Edit:
    """Put a command in front of all others of a script but a leading `set`, in the style of the list."""
    first = script.top_level[0]
    if isinstance(first, SimpleCommand) and first.name == "set" and len(script.top_level) > 1:
        first = script.top_level[1]
    operator = first.after
    if _offset_in_logical(instruction, text) is None:
        line = text.text.rfind("\n", 0, first.start) + 1
        indent = text.text[line : first.start]
        return insert_text_before(text, first.start, f"{new}\n{indent if not indent.strip() else ''}")
    leading = operator is not None and not text.contiguous(first.end - 1, operator.end)
    joined = ";" if operator is not None and operator.text == ";" else "&&"
    if joined == ";" and not any(command.errexit for command in script.commands):
        joined = "&&"
    return insert_command_before(dockerfile, instruction, text, first.start, new, joined, leading=leading)


def _without_keyword(dockerfile: Dockerfile, run: Run, before: str) -> Iterator[Edit]:
    """Put `before` in place of a RUN's keyword and flags; comments between them and the command stay."""
    head = run.text.start(0)
    if line_start(dockerfile, head) == line_start(dockerfile, run.keyword.span.start):
        yield Edit(run.lines.start, head, before)
        return
    lines = sorted({line_start(dockerfile, span.start) for span in (run.keyword.span, *(f.span for f in run.flags))})
    on_last_line = line_start(dockerfile, head)
    yield from (Edit(start, line_end(dockerfile, start), "") for start in lines if start != on_last_line)
    if on_last_line in lines:
        yield Edit(on_last_line, head, before)
    else:
        yield insert(head, before.lstrip(" \t"))


def _separator(dockerfile: Dockerfile, runs: Sequence[Instruction], operator: str) -> tuple[str, str]:
    """What stands at the end of a line and at the beginning of the next between two commands, in the style of RUNs."""
    model = next((run for run in runs if _breaks_lines(run)), runs[0])
    indent = continuation_indent(dockerfile, model)
    if operator == ";":
        return f"; {model.escape}", indent
    lines = [dockerfile.text[piece.start : piece.end].strip(GO_SPACE) for piece in model.logical.pieces]
    leading = [piece for piece, line in zip(model.logical.pieces, lines, strict=True) if line.startswith("&&")]
    if leading:
        indent = indent_of(dockerfile, leading[-1].start)
    elif any(line.endswith("&&") for line in lines):
        return f" && {model.escape}", indent
    else:  # the lines are arguments of one command, and may stand further in than a command does
        outer = indent_of(dockerfile, model.span.start)
        indent = min(indent, outer + ("\t" if indent[len(outer) :].startswith("\t") else "    "), key=len)
    return f" {model.escape}", f"{indent}&& "


def split_before(dockerfile: Dockerfile, instruction: Instruction, words: Sequence[Word]) -> tuple[Edit, ...]:
    """Begin a new instruction of the same kind at each of the words, none of which is the first.

    Comments that stood inside the continuation stay where they are, now between the instructions.
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
        end = _before_line_end(dockerfile, line_end(dockerfile, before))
        edits += [Edit(before, end, ""), Edit(line, start, keyword)]
    return tuple(edits)


def append_commands(
    dockerfile: Dockerfile, runs: Sequence[Instruction], commands: Sequence[str], operator: str
) -> tuple[Edit, ...]:
    """Put commands behind the last of a RUN, in the style of `runs`, of which it is the last.

    The others are those that it is merged with by the same fix. Each command takes a line of its own.
    """
    last = runs[-1]
    end = last.text.end(len(last.text.text))
    behind, before = _separator(dockerfile, runs, operator)
    text = "".join(f"{behind}{last.newline}{before}{command}" for command in commands)
    return (Edit(end, max(end, last.span.end), text),)
