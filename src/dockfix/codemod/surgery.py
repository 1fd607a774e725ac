"""Style-preserving surgery: the only place that knows how an edit is fitted into a Dockerfile's text.

Every function returns edits and changes nothing. They keep the file's own line ends, escape character, indentation and
continuation style, and never drop a comment: a comment in a part that goes away stays where it is.
Functions that cannot do their work without harm return None, and the codemod refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockfix.codemod.model import Edit
from dockfix.syntax.source import GO_SPACE, Mapped, Span
from dockfix.syntax.tree import Blank, Comment, Dockerfile, Flag, From, Instruction

_BANNER = frozenset("#-=*~_+ \t")


def replace(span: Span, text: str) -> Edit:
    """Put `text` in place of what stands at `span`."""
    return Edit(span.start, span.end, text)


def insert(at: int, text: str) -> Edit:
    """Put `text` in at a source offset."""
    return Edit(at, at, text)


def insert_before(text: Mapped, offset: int, new: str) -> Edit:
    """Put `new` directly before the character at `offset` of a mapped text (a script, a logical line)."""
    return insert(text.start(offset), new)


def insert_after(text: Mapped, offset: int, new: str) -> Edit:
    """Put `new` directly behind the character before `offset` of a mapped text."""
    return insert(text.end(offset), new)


def line_end(dockerfile: Dockerfile, offset: int) -> int:
    """The offset behind the `\\n` of the line that holds `offset`; the end of the text on the last line."""
    end = dockerfile.text.find("\n", offset)
    return len(dockerfile.text) if end == -1 else end + 1


def line_start(dockerfile: Dockerfile, offset: int) -> int:
    """The offset at which the line that holds `offset` begins."""
    return dockerfile.text.rfind("\n", 0, offset) + 1


def indent_of(dockerfile: Dockerfile, offset: int) -> str:
    """The white space with which the line that holds `offset` begins."""
    start = line_start(dockerfile, offset)
    end = start
    while end < len(dockerfile.text) and dockerfile.text[end] in " \t":
        end += 1
    return dockerfile.text[start:end]


def continuation_indent(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The indentation of an instruction's continuation lines: that of the first one, four spaces if there is none."""
    for piece in instruction.logical.pieces[1:]:
        if dockerfile.text[piece.start : piece.end].strip(GO_SPACE):
            return indent_of(dockerfile, piece.start)
    return indent_of(dockerfile, instruction.span.start) + "    "


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
    return insert(start, f"{flag} {instruction.escape}{instruction.newline}{indent}")


def delete_flag(dockerfile: Dockerfile, instruction: Instruction, flag: Flag) -> tuple[Edit, ...]:
    """Take a flag away, and its line with it if it stood alone there."""
    return delete(dockerfile, instruction, flag.word.start, flag.word.end)


def delete(dockerfile: Dockerfile, instruction: Instruction, start: int, end: int) -> tuple[Edit, ...]:
    """Take `logical[start:end]` out of an instruction, with the white space that it leaves behind.

    Physical lines of which nothing remains go away whole; comment lines between them stay. If the last line goes, the
    one before it loses its continuation.
    """
    edits: list[Edit] = []
    dropped: set[int] = set()
    pieces = instruction.logical.pieces
    text = instruction.logical.text
    low = 0
    for index, piece in enumerate(pieces):
        high = low + piece.end - piece.start
        first, last = max(start, low), min(end, high)
        if first < last:
            before, after = text[low:first], text[last:high]
            if index > 0 and not before.strip(GO_SPACE) and not after.strip(GO_SPACE):
                dropped.add(index)
            else:
                if after.strip(GO_SPACE):
                    last += len(after) - len(after.lstrip(" \t"))
                else:
                    first -= len(before) - len(before.rstrip(" \t"))
                edits.append(Edit(piece.start + first - low, piece.start + last - low, ""))
        low = high
    edits.extend(_drop_lines(dockerfile, instruction, dropped))
    return tuple(sorted(edits))


def _drop_lines(dockerfile: Dockerfile, instruction: Instruction, dropped: set[int]) -> Iterable[Edit]:
    pieces = instruction.logical.pieces
    if not dropped:
        return
    kept = max(index for index in range(len(pieces)) if index not in dropped)
    for index in sorted(dropped):
        start, end = line_start(dockerfile, pieces[index].start), line_end(dockerfile, pieces[index].start)
        if end == len(dockerfile.text) and not dockerfile.text.endswith("\n"):
            # The file ends without a line end, and goes on doing so.
            start -= len(instruction.newline) if dockerfile.text.endswith(instruction.newline, 0, start) else 0
        yield Edit(start, end, "")
    if len(pieces) - 1 in dropped:
        piece = pieces[kept]
        body = dockerfile.text[piece.start : piece.end]
        stop = line_end(dockerfile, piece.start)
        while stop > piece.end and dockerfile.text[stop - 1] in "\r\n":
            stop -= 1
        yield Edit(piece.start + len(body.rstrip(" \t")), stop, "")


def insert_command(
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
    if not _breaks_lines(instruction) or not text.contiguous(max(0, start - 1), start):
        return insert(at, f"{joined} ")
    indent = continuation_indent(dockerfile, instruction)
    if leading and operator != ";":
        return insert(at, f"{new} {instruction.escape}{instruction.newline}{indent}{operator} ")
    return insert(at, f"{joined} {instruction.escape}{instruction.newline}{indent}")


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
        The edits, or None if it is the only command or the script is a heredoc.
    """
    offset = _offset_in_logical(instruction, text)
    if offset is None or (before is None and after is None):
        return None
    if before is not None:
        return delete(dockerfile, instruction, offset + before.start, offset + command.end)
    assert after is not None  # noqa: S101 - one of the two is there
    end = after.end
    while end < len(text.text) and text.text[end] in " \t":
        end += 1
    if not text.contiguous(command.start, end):
        # `RUN first \\` / `&& second`: the next command moves up to where this one stood
        return (
            (Edit(text.start(command.start), text.start(end), ""),)
            if not _crosses_comment(instruction, text, command.start, end)
            else None
        )
    return delete(dockerfile, instruction, offset + command.start, offset + end)


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
    start = line_start(dockerfile, comments[0].span.start) if comments else instruction.lines.start
    return Span(start, instruction.lines.end)


def _neighbours(dockerfile: Dockerfile, span: Span) -> tuple[Blank | None, Blank | None, bool]:
    """The blank lines directly before and behind a block of lines, and whether the file ends behind it."""
    before = after = None
    for node in dockerfile.nodes:
        if isinstance(node, Blank):
            if node.span.end == span.start:
                before = node
            elif node.span.start == span.end:
                after = node
    return before, after, span.end == len(dockerfile.text)


def delete_block(dockerfile: Dockerfile, span: Span) -> Edit:
    """Take whole lines away, and one of the two blank lines that would meet then."""
    before, after, last = _neighbours(dockerfile, span)
    if before and after:
        return Edit(span.start, after.span.end, "")
    if last and not dockerfile.text.endswith("\n") and span.start > 0:
        start = span.start - len("\r\n" if dockerfile.text.endswith("\r\n", 0, span.start) else "\n")
        return Edit(start, span.end, "")
    return Edit(span.start, span.end, "")


def insert_above(dockerfile: Dockerfile, instruction: Instruction, line: str) -> Edit:
    """Put a line above an instruction and the comments that speak of it, with its indentation and line end."""
    at = block(dockerfile, instruction).start
    return insert(at, f"{indent_of(dockerfile, instruction.span.start)}{line}{instruction.newline}")


def insert_below(dockerfile: Dockerfile, instruction: Instruction, lines: str) -> Edit:
    """Put lines (without a final line end) directly below an instruction."""
    at = instruction.lines.end
    if dockerfile.text.endswith("\n", 0, at):
        return insert(at, f"{lines}{instruction.newline}")
    return insert(at, f"{instruction.newline}{lines}")


def move_below(dockerfile: Dockerfile, instruction: Instruction, anchor: Instruction) -> tuple[Edit, ...]:
    """Move an instruction, with the comments that speak of it, directly below another one further down."""
    span = block(dockerfile, instruction)
    lines = dockerfile.text[span.start : span.end].rstrip("\r\n")
    return delete_block(dockerfile, span), insert_below(dockerfile, anchor, lines)


def move_above(dockerfile: Dockerfile, instruction: Instruction, anchor: Instruction) -> tuple[Edit, ...]:
    """Move an instruction, with the comments that speak of it, directly above another one and its comments."""
    span = block(dockerfile, instruction)
    lines = dockerfile.text[span.start : span.end].rstrip("\r\n")
    return delete_block(dockerfile, span), insert(block(dockerfile, anchor).start, f"{lines}{instruction.newline}")


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


def merge_runs(dockerfile: Dockerfile, first: Instruction, second: Instruction) -> tuple[Edit, ...] | None:
    """Join a RUN with the next instruction, a RUN without flags or heredocs, by `&&`.

    Comments between the two stay, now inside the continuation; blank lines between them go, since BuildKit warns of
    them there. The caller has shown that running both in one shell is the same.
    """
    if first.heredocs or second.heredocs or second.flags or first.json or second.json or isinstance(second, From):
        return None
    between = [
        node
        for node in dockerfile.nodes
        if not isinstance(node, Instruction) and first.lines.end <= node.span.start < second.lines.start
    ]
    indent = continuation_indent(dockerfile, first if _breaks_lines(first) else second)
    edits = [insert(first.span.end, f" {first.escape}")]
    edits += [Edit(node.span.start, node.span.end, "") for node in between if isinstance(node, Blank)]
    head = second.text.start(0)
    if line_start(dockerfile, head) != line_start(dockerfile, second.keyword.span.start):
        edits.append(Edit(line_start(dockerfile, second.keyword.span.start), line_start(dockerfile, head), ""))
        edits.append(insert(head, "&& "))
    else:
        edits.append(Edit(second.lines.start, head, f"{indent}&& "))
    return tuple(edits)
