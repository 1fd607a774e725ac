"""Merging RUN instructions, and adding commands to the end of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dockfix.edit.dockerfile.lines import breaks_lines, continuation_indent, indent_of, insert, line_end, line_start
from dockfix.edit.text import Edit
from dockfix.facts.model import Refused
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.source import GO_SPACE
from dockfix.syntax.tree import Blank, Dockerfile, Instruction, Run

_SHELL_COMMENT = re.compile(r"(?:^|[\s;&|])#")


def merge_runs(
    dockerfile: Dockerfile, first: Instruction, *others: Instruction, operator: str = "&&"
) -> tuple[Edit, ...]:
    """Merge a RUN with the RUNs that directly follow it, which have no heredocs and no flags other than those of the
    first.

    Comments between them are kept, inside the continuation; blank lines between them are deleted, since BuildKit warns
    about them there. The caller has shown that running all commands in one shell, joined by `operator` (`&&` or `;`),
    is the same.

    Raises:
        Refused: they are not such RUNs, a shell comment could end one of them, or a pragma would be separated from its
            instruction.
    """
    line_end_text, line_start_text = _separator(dockerfile, (first, *others), operator)
    edits: list[Edit] = []
    for one, two in pairwise((first, *others)):
        if not (isinstance(one, Run) and isinstance(two, Run)):
            raise Refused("only RUN instructions can be merged")
        if one.json or two.json or one.heredocs or two.heredocs:
            raise Refused("a heredoc or exec form cannot be joined with `&&`")
        if two.flags and [flag.word.text for flag in two.flags] != [flag.word.text for flag in first.flags]:
            raise Refused("the RUNs have different flags")
        if _SHELL_COMMENT.search(one.text.text) or any(is_pragma(comment) for comment in dockerfile.above(two)):
            raise Refused("a comment or a pragma is in the way")
        between = [
            node
            for node in dockerfile.nodes
            if not isinstance(node, Instruction) and one.lines.end <= node.span.start < two.lines.start
        ]
        end = one.text.end(len(one.text.text))
        edits.append(Edit(end, max(end, one.span.end), line_end_text))
        edits += [Edit(node.span.start, node.span.end, "") for node in between if isinstance(node, Blank)]
        edits += _replace_keyword(dockerfile, two, line_start_text)
    return tuple(edits)


def _replace_keyword(dockerfile: Dockerfile, run: Run, before: str) -> Iterator[Edit]:
    """Replace the keyword and flags of a RUN by `before`.

    Comments between them and the command are kept, also those above the keyword, after a line with only a continuation.
    """
    head, first = run.text.start(0), line_start(dockerfile, run.keyword.span.start)
    above = (*run.logical.pieces, *(node.span for node in run.trivia if isinstance(node, Blank)))
    starts = {line_start(dockerfile, span.start) for span in above if span.start < first}
    yield from (Edit(start, line_end(dockerfile, start), "") for start in sorted(starts))
    if line_start(dockerfile, head) == first:
        yield Edit(first, head, before)
        return
    lines = sorted({line_start(dockerfile, span.start) for span in (run.keyword.span, *(f.span for f in run.flags))})
    on_last_line = line_start(dockerfile, head)
    yield from (Edit(start, line_end(dockerfile, start), "") for start in lines if start != on_last_line)
    if on_last_line in lines:
        yield Edit(on_last_line, head, before)
    else:
        yield insert(head, before.lstrip(" \t"))


def _separator(dockerfile: Dockerfile, runs: Sequence[Instruction], operator: str) -> tuple[str, str]:
    """The text at the end of a line and at the beginning of the next between two commands, in the style of the RUNs."""
    model = next((run for run in runs if breaks_lines(run)), runs[0])
    indent = continuation_indent(dockerfile, model)
    if operator == ";":
        return f"; {model.escape}", indent
    lines = [dockerfile.text[piece.start : piece.end].strip(GO_SPACE) for piece in model.logical.pieces]
    leading = [piece for piece, line in zip(model.logical.pieces, lines, strict=True) if line.startswith("&&")]
    if leading:
        indent = indent_of(dockerfile, leading[-1].start)
    elif any(line.endswith("&&") for line in lines):
        return f" && {model.escape}", indent
    else:  # the lines are arguments of one command, which may be indented further than a command
        outer = indent_of(dockerfile, model.span.start)
        indent = min(indent, outer + ("\t" if indent[len(outer) :].startswith("\t") else "    "), key=len)
    return f" {model.escape}", f"{indent}&& "


def append_commands(
    dockerfile: Dockerfile, runs: Sequence[Instruction], commands: Sequence[str], operator: str
) -> tuple[Edit, ...]:
    """Append commands to a RUN, the last of `runs`, in the style of all of these. Each command gets a line of its own.

    The other `runs` are those that the same fix merges with it.
    """
    last = runs[-1]
    end = last.text.end(len(last.text.text))
    line_end_text, line_start_text = _separator(dockerfile, runs, operator)
    text = "".join(f"{line_end_text}{last.newline}{line_start_text}{command}" for command in commands)
    # at the end of a file, an instruction may end in a backslash, with comments below it
    kept = any(comment.span.start >= end for comment in last.comments)
    return (Edit(end, end if kept else max(end, last.span.end), text),)
