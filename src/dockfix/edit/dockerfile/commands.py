"""Edits of the commands in the shell text of a RUN."""

from __future__ import annotations

import re
from typing import Final

from dockfix.edit.dockerfile.lines import (
    breaks_lines,
    continuation_indent,
    indent_of,
    insert,
    insert_text_after,
    insert_text_before,
    line_start,
    offset_in_logical,
    replace,
)
from dockfix.edit.dockerfile.words import delete
from dockfix.edit.text import Edit
from dockfix.facts.model import Refused
from dockfix.syntax.shell import Operator, Script, SimpleCommand
from dockfix.syntax.source import Mapped, Span
from dockfix.syntax.tree import Comment, Dockerfile, Instruction, Run
from dockfix.syntax.words import NotStringsError, json_array

_HEREDOC: Final = re.compile(r"(?<!<)<<(?!<)")


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
    """Insert a command before the one that begins at `start` of the script `text`, in the style of its list.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        start: the offset in `text` of the command before which the new one is inserted.
        new: the new command, without operators.
        operator: the operator between the two: `&&`, or `;` where `set -e` is in effect.
        leading: whether the list writes operators at the beginning of lines (`&& b`) rather than at the end.
    """
    at = text.start(start)
    joined = f"{new} {operator}" if operator != ";" else f"{new};"
    if not breaks_lines(instruction) or offset_in_logical(instruction, text, start) is None:
        return insert(at, f"{joined} ")
    indent = continuation_indent(dockerfile, instruction)
    if leading and operator != ";":
        return insert(at, f"{new} {instruction.escape}{instruction.newline}{indent}{operator} ")
    return insert(at, f"{joined} {instruction.escape}{instruction.newline}{indent}")


def insert_in_list(dockerfile: Dockerfile, run: Run, text: Mapped, command: SimpleCommand, new: str) -> Edit:
    """Insert a command before another one of a list, so that the other runs only if the new one succeeds.

    They are joined by `;` or a newline if the list uses these under `set -e`, which ignores a failure before `&&`;
    otherwise by `&&`.
    """
    around = {each.text for each in (command.before, command.after) if each is not None}
    ends = command.errexit and "&&" not in around
    if ends and "\n" in around and ";" not in around:
        return insert_text_before(text, command.start, f"{new}\n{indent_of(dockerfile, text.start(command.start))}")
    operator = ";" if ends and ";" in around else "&&"
    adjacent = command.before or command.after
    leading = adjacent is not None and _starts_line(text, adjacent.start)
    if adjacent is None or (not leading and text.contiguous(*_between(adjacent, command))):
        return insert_text_before(text, command.start, f"{new}{'' if operator == ';' else ' '}{operator} ")
    return insert_command_before(dockerfile, run, text, command.start, new, operator, leading=leading)


def append_to_body(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, body: Span, done: int, new: str
) -> Edit:
    """Append a command to the body of a loop, on a line of its own if `done` begins a line.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        body: the body in `text`, up to and including the `;` or line end before `done`.
        done: the offset in `text` of `done`.
        new: the command, without operators.
    """
    line = line_start(dockerfile, text.start(done))
    own = not dockerfile.text[line : text.start(done)].strip(" \t")
    first = line_start(dockerfile, text.start(body.start))
    begins = own and not dockerfile.text[first : text.start(body.start)].strip(" \t")
    indent = indent_of(dockerfile, text.start(body.start)) if begins else f"{indent_of(dockerfile, line)}  "
    if text.text[body.end - 1] == "\n":
        return insert(line, f"{indent}{new}\n")  # a script's lines end in `\n`, even in a CRLF file
    if not own:
        return insert_text_after(text, body.end, f" {new};")
    if offset_in_logical(instruction, text, done) is None:
        return insert(line, f"{indent}{new};\n")
    return insert_text_after(text, body.end, f" {instruction.escape}{instruction.newline}{indent}{new};")


def insert_command_after(
    dockerfile: Dockerfile, run: Run, text: Mapped, command: SimpleCommand, new: str, operator: str
) -> Edit:
    """Insert a command after another one of a list, joined by `operator` (`&&`, `;` or a line end), in the style of the
    list.

    The new command gets its own line if the adjacent operator is at the beginning or the end of a line.
    """
    indent = indent_of(dockerfile, text.start(command.start))
    if operator == "\n":
        return insert_text_after(text, command.end, f"\n{indent}{new}")
    adjacent = command.after or command.before
    joined = f"{operator} " if operator == ";" else f" {operator} "
    if adjacent is None or offset_in_logical(run, text, command.start) is None:
        return insert_text_after(text, command.end, f"{joined}{new}")
    leading = _starts_line(text, adjacent.start)
    following = len(text.text) - len(text.text[adjacent.end :].lstrip(" \t"))
    if not leading and text.contiguous(adjacent.end - 1, min(following + 1, len(text.text))):
        return insert_text_after(text, command.end, f"{joined}{new}")
    if not indent or not _starts_line(text, (command.before if leading and command.before else command).start):
        indent = continuation_indent(dockerfile, run)
    broken = f" {run.escape}{run.newline}{indent}"
    if leading and operator != ";":
        return insert_text_after(text, command.end, f"{broken}{operator} {new}")
    return insert_text_after(text, command.end, f"{joined.rstrip()}{broken}{new}")


def insert_word(dockerfile: Dockerfile, run: Run, text: Mapped, start: int, end: int, new: str) -> Edit:
    """Insert words after those at `text[start:end]`: on a line of their own if those have one, otherwise on the same
    line."""
    after = text.text[end:].lstrip(" \t")[:1]
    following = text.text.find(after, end) if after else end
    if (
        offset_in_logical(run, text, start) is not None
        and _starts_line(text, start)
        and not (after and text.contiguous(end - 1, following + 1))
    ):
        new = f"{run.escape}{run.newline}{indent_of(dockerfile, text.start(start))}{new}"
    return insert_text_after(text, end, f" {new}")


def _between(operator: Operator, command: SimpleCommand) -> tuple[int, int]:
    """The range between an operator and the adjacent command, including the last character of the first and the first
    of the second."""
    if operator.start < command.start:
        return operator.start, command.start + 1
    return command.end - 1, operator.end


def _starts_line(text: Mapped, at: int) -> bool:
    """Whether only white space precedes an offset on its physical line."""
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
) -> tuple[Edit, ...]:
    """Delete a command from a list, with one of the adjacent operators.

    Args:
        dockerfile: the file.
        instruction: the RUN that holds the script.
        text: the script, mapped to the source.
        command: the span of the command in `text`.
        before: the operator before it, in `text`.
        after: the operator after it, in `text`.

    Raises:
        Refused: it is the only command, it is in a heredoc or has one, the next command would become a flag or an exec
            form, an escaped blank would end a line, which is a continuation, or a shell comment after the command would
            be left on a line of its own: BuildKit would read that as its own comment and continue with the next
            instruction.
    """
    start = offset_in_logical(instruction, text, command.start)
    if start is None:
        raise Refused("the command is in a heredoc")
    offset = start - command.start
    _refuse_heredoc(text, command)
    if before is None and after is None:
        raise Refused("it is the only command of its list")
    if (
        after is None
        and before is not None
        and text.text[command.end :].lstrip(" \t").startswith("#")
        and any(_starts_line(text, at) for at in (before.start, command.start))
    ):
        raise Refused("the shell comment after the command would be left on a line of its own")
    if before is None and after is not None:
        following = text.text[after.end :].lstrip()
        if following.startswith("--"):
            raise Refused("the first word of the next command would become a flag of the instruction")
        if command.start == 0 and _is_exec_form(following):
            raise Refused("the next command would become an exec form")
    if before is not None and _ends_with_escaped_blank(text.text[: before.start]):
        raise Refused("the line would end with an escaped blank, which BuildKit reads as a continuation")
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
        # `RUN first \\` / `&& second`: the next command moves up to this position
        return (Edit(text.start(command.start), text.start(end), ""),)
    return delete(dockerfile, instruction, offset + command.start, offset + after.end)


def _refuse_heredoc(text: Mapped, commands: Span) -> None:
    """Refuse to delete commands with a heredoc, whose body is on the lines below."""
    if _HEREDOC.search(text.text, *commands):
        raise Refused("the body of its heredoc would be left")


def _is_exec_form(text: str) -> bool:
    """Whether BuildKit reads the text of a RUN as a JSON array, valid or not."""
    try:
        return json_array(text) is not None
    except NotStringsError:
        return True


def _ends_with_escaped_blank(text: str) -> bool:
    words = text.rstrip(" \t")
    return len(words) < len(text) and (len(words) - len(words.rstrip("\\"))) % 2 == 1


def _ends_line(text: Mapped, before: Span, command: Span, after: Span) -> bool:
    """Whether the operators are at the ends of lines and both are the same, so that the second can be deleted."""
    return (
        text.text[before.start : before.end] == text.text[after.start : after.end]
        and not text.contiguous(before.start, command.start + 1)
        and text.contiguous(command.end - 1, after.end)
    )


def _crosses_comment(instruction: Instruction, text: Mapped, start: int, end: int) -> bool:
    span = text.span(start, end + 1)
    return any(isinstance(node, Comment) and span.overlaps(node.span) for node in instruction.trivia)


def delete_words(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, start: int, end: int
) -> tuple[Edit, ...]:
    """Delete the words at `[start, end)` of the script `text`, and the white space around them."""
    first = offset_in_logical(instruction, text, start)
    if first is not None:
        return delete(dockerfile, instruction, first, first + end - start)
    if not text.text[end : end + 1].strip(" \t\n;&|)"):  # otherwise they separate the words around
        while start > 0 and text.text[start - 1] in " \t":
            start -= 1
    return (replace(text.span(start, end), ""),)


def delete_commands(
    dockerfile: Dockerfile, instruction: Instruction, text: Mapped, first: SimpleCommand, last: SimpleCommand
) -> tuple[Edit, ...]:
    """Delete the adjacent commands of a list from `first` to `last`; in a heredoc, the lines that they fill.

    Raises:
        Refused: nothing would be left, `delete_command` refuses, one of them has a heredoc, or in a heredoc they share
            a line or an and-or list with others.
    """
    if offset_in_logical(instruction, text, first.start) is not None:
        before, after = (
            None if operator is None else Span(operator.start, operator.end) for operator in (first.before, last.after)
        )
        return delete_command(dockerfile, instruction, text, Span(first.start, last.end), before, after)
    if any(each is not None and each.text.strip() not in ("", ";") for each in (first.before, last.after)):
        raise Refused("the remaining operator would join the lines around the commands")
    start, end = first.start, last.end
    _refuse_heredoc(text, Span(start, end))
    while start > 0 and text.text[start - 1] in " \t":
        start -= 1
    while end < len(text.text) and text.text[end] in " \t;":
        end += 1
    if (start > 0 and text.text[start - 1] != "\n") or text.text[end : end + 1] != "\n":
        raise Refused("the commands share a line with others")
    return (replace(text.span(start, end + 1), ""),)


def insert_first(dockerfile: Dockerfile, instruction: Instruction, text: Mapped, script: Script, new: str) -> Edit:
    """Insert a command before all others of a script except a leading `set`, in the style of the list."""
    first = script.top_level[0]
    if isinstance(first, SimpleCommand) and first.name == "set" and len(script.top_level) > 1:
        first = script.top_level[1]
    operator = first.after
    if offset_in_logical(instruction, text, first.start) is None:
        line = text.text.rfind("\n", 0, first.start) + 1
        indent = text.text[line : first.start]
        return insert_text_before(text, first.start, f"{new}\n{indent if not indent.strip() else ''}")
    leading = operator is not None and not text.contiguous(first.end - 1, operator.end)
    joined = ";" if operator is not None and operator.text == ";" else "&&"
    if joined == ";" and not any(command.errexit for command in script.commands):
        joined = "&&"
    return insert_command_before(dockerfile, instruction, text, first.start, new, joined, leading=leading)
