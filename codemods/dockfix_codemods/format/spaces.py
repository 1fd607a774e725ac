"""White space at the end of lines and of the file, and blank lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TypeAlias

from dockfix.edit.dockerfile import line_end, line_start
from dockfix.rule import Edit
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Blank, Comment, Directive, Dockerfile, From, Instruction, Node
from dockfix_codemods.format.unchanged import means_the_same

Place: TypeAlias = tuple[Span, tuple[Edit, ...]]
"""Where something is, and the edits that format it."""


def trailing_space(dockerfile: Dockerfile) -> Iterator[Place]:
    """White space at the end of lines, by instruction; not in heredocs."""
    for node in dockerfile.nodes:
        if isinstance(node, Directive) and not node.value.strip():
            continue  # without its blank it would be a comment
        edits = tuple(each for at in _lines(dockerfile, node) for each in _at_end(dockerfile, at))
        if edits and (not isinstance(node, Instruction) or means_the_same(dockerfile, node, edits)):
            yield edits[0].span, edits


def _lines(dockerfile: Dockerfile, node: Node) -> list[int]:
    """An offset in each line of a node that is no content of a heredoc."""
    if not isinstance(node, Instruction):
        return [node.span.start]
    starts = [piece.start for piece in node.logical.pieces] + [each.span.start for each in node.trivia]
    return sorted({line_start(dockerfile, start) for start in starts})


def _at_end(dockerfile: Dockerfile, at: int) -> Iterator[Edit]:
    """Remove the spaces and tabs at the end of a line.

    Not after a carriage return: builders drop those at the end of a line, but not between spaces.
    """
    line = dockerfile.text[at : line_end(dockerfile, at)].rstrip("\r\n")
    kept = line.rstrip(" \t")
    if len(kept) < len(line) and not kept.endswith("\r"):
        yield Edit(at + len(kept), at + len(line), "")


def blank_lines(dockerfile: Dockerfile) -> Iterator[Place]:
    """Blank lines at the ends of the file, and those of which one is enough; two are kept above a stage."""
    first = dockerfile.instructions[0] if dockerfile.instructions else None
    groups = [list(group) for _, group in groupby(dockerfile.nodes, key=lambda node: isinstance(node, Blank))]
    for index, blanks in enumerate(groups[: len(groups) if len(groups) > 1 else 0]):
        if not isinstance(blanks[0], Blank):
            continue
        below = groups[index + 1] if index + 1 < len(groups) else []
        if index == 0:
            kept = len(blanks) if _may_be_directive(below[0]) else 0
        elif not below:
            kept = 0
        else:
            headed = next((node for node in below if not isinstance(node, Comment)), None)
            kept = 2 if isinstance(headed, From) and headed is not first else 1
        if gone := blanks[kept:]:
            start, end = line_start(dockerfile, gone[0].span.start), line_end(dockerfile, gone[-1].span.start)
            yield Span(start, start), (Edit(start, end, ""),)


def _may_be_directive(node: Node) -> bool:
    """Whether a comment is a directive, or `#!` that a directive follows, once no blank line is above it."""
    return isinstance(node, Comment) and ("=" in node.text or node.text.startswith("!"))


def final_newline(dockerfile: Dockerfile) -> Iterator[Place]:
    """The end of a file whose last line has no line end; a blank line is none that needs one."""
    end = len(dockerfile.text)
    if dockerfile.nodes and not isinstance(dockerfile.nodes[-1], Blank) and not dockerfile.text.endswith("\n"):
        start = line_start(dockerfile, end)
        if dockerfile.text[start:].strip(" \t\r"):
            yield Span(start, end), (Edit(end, end, dockerfile.newline),)
