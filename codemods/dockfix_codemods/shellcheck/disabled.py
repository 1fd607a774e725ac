"""`# shellcheck disable=SC2086` in a comment of the Dockerfile, which ShellCheck itself never sees.

Above an instruction it is for all of its text, between the lines of a continued one for the next command. In a heredoc
ShellCheck reads it itself.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dockfix.syntax.tree import Comment, Dockerfile, Instruction

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands

__all__ = ["Disabled"]

_DIRECTIVE: Final = re.compile(r"shellcheck\s(?:.*\s)?disable=(\S+)")
_CODE: Final = re.compile(r"(?:SC)?([0-9]{4})(?:-(?:SC)?([0-9]{4}))?")


class Disabled:
    """The codes that comments of an instruction disable."""

    def __init__(self, dockerfile: Dockerfile, instruction: Instruction) -> None:
        self._above = [_codes(each) for each in dockerfile.above(instruction)]
        self._inside = [(each.span.start, _codes(each)) for each in instruction.comments]

    @cached_property
    def are_any(self) -> bool:
        """Whether a comment disables any code."""
        return any(self._above) or any(codes for _, codes in self._inside)

    def covers(self, code: int, at: int, commands: Commands) -> bool:
        """Whether a code is disabled at a place of the file; `commands` are those of the instruction."""
        if any(code in codes for each in self._above for codes in each):
            return True
        for start, ranges in self._inside:
            if start < at and any(code in codes for codes in ranges) and at < _end_of_next(commands, start):
                return True
        return False


def _codes(comment: Comment) -> list[range]:
    """The ranges of codes that a comment disables."""
    found = _DIRECTIVE.match(comment.text)
    if found is None:
        return []
    if found[1] == "all":
        return [range(10_000)]
    matches = [match for each in found[1].split(",") if (match := _CODE.fullmatch(each))]
    return [range(int(match[1]), int(match[2] or match[1]) + 1) for match in matches]


def _end_of_next(commands: Commands, at: int) -> int:
    """Where the command ends that begins first after a place of the file."""
    if commands.script is None:
        return commands.text.pieces[-1].end if commands.text.pieces else at
    spans = [commands.span(each) for each in (*commands.script.top_level, *commands.script.commands)]
    after = [each for each in spans if each.start > at]
    first = min((each.start for each in after), default=at)
    return max((each.end for each in after if each.start == first), default=at)
