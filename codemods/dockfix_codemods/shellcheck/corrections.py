"""ShellCheck's own fixes as edits of the Dockerfile, where the instruction then has exactly the text that it means."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dockfix.edit.dockerfile import edited
from dockfix.facts.model import Refused
from dockfix.rule import Edit, EditError, apply_edits, conflict
from dockfix.syntax.tree import Cmd, Dockerfile, Entrypoint, Healthcheck, Onbuild, Run
from dockfix_codemods.shellcheck.scripts import Script

if TYPE_CHECKING:
    from dockfix.project.shellcheck_answer import Comment, Replacement

__all__ = ["Corrections"]

_BACKTICKS: Final = 2006


class Corrections:
    """The corrections of the comments on one script.

    All of them are tried at once, and one by one only if that fails: a script may have thousands.
    """

    def __init__(self, dockerfile: Dockerfile, script: Script) -> None:
        self._dockerfile = dockerfile
        self._script = script
        self._all_fit: bool | None = None

    def edits(self, comment: Comment, others: Sequence[Comment]) -> tuple[Edit, ...]:
        """The edits of the file that make the correction of a comment.

        Args:
            comment: one with a correction.
            others: all comments on the script.

        Raises:
            Refused: the Dockerfile cannot have the corrected text, or it would mean something else.
        """
        own = self._in_text(comment)
        if self._all_fit is None:
            self._all_fit = self._fit(self._apart(others))
        if not self._all_fit and not self._fit(own):
            raise Refused("its place in the Dockerfile has other text, or a continuation")
        return tuple(source for _, source in own)

    def _in_text(self, comment: Comment) -> list[tuple[Edit, Edit]]:
        """The edits of the script, each with that of the file, in their order."""
        if not self._script.fixable:
            raise Refused("the text is in a JSON string")
        replacements = comment.fix.replacements if comment.fix is not None else ()
        found = sorted((self._edit(each) for each in replacements), key=lambda each: each[0])
        if not found or any(conflict([first[0]], [second[0]]) for first, second in pairwise(found)):
            raise Refused("its parts touch each other")
        start, end = found[0][0].start, found[-1][0].end
        if comment.code == _BACKTICKS and "\\" in self._script.text.text[start:end]:
            raise Refused("a backslash has another meaning in backticks than in `$(...)`")
        return found

    def _edit(self, each: Replacement) -> tuple[Edit, Edit]:
        text = self._script.text
        start = self._script.offset(each.line, each.column)
        end = self._script.offset(each.end_line, each.end_column)
        if start is None or end is None or start > end:
            raise Refused("its place in the Dockerfile is unknown")
        if not text.contiguous(start, end):
            raise Refused("the text that it replaces has a continuation in it")
        if start < end:
            at, stop = text.span(start, end)
        else:
            # what belongs to the text after it must not end up before a continuation, and the other way around
            at = stop = text.start(start) if each.insertion_point == "afterEnd" else text.end(start)
        return Edit(start, end, each.replacement), Edit(at, stop, each.replacement)

    def _apart(self, comments: Sequence[Comment]) -> list[tuple[Edit, Edit]]:
        """The edits of all corrections that can be made together."""
        made: list[tuple[Edit, Edit]] = []
        taken: set[int] = set()
        for comment in comments:
            if comment.fix is None:
                continue
            try:
                own = self._in_text(comment)
            except Refused:
                continue
            places = {place for edit, _ in own for place in range(edit.start, edit.end + 1)}
            if not places & taken:
                made += own
                taken |= places
        return made

    def _fit(self, edits: Sequence[tuple[Edit, Edit]]) -> bool:
        """Whether the instruction has the corrected text after the edits of the file, and all its comments."""
        from dockfix.syntax.shell import parse_shell  # noqa: PLC0415 - loads the parser

        script = self._script
        try:
            wanted = apply_edits(script.text.text, [each for each, _ in edits])
            after = edited(self._dockerfile, script.owner, [source for _, source in edits])
        except EditError:
            return False
        if after is None or [each.text for each in after.comments] != [each.text for each in script.owner.comments]:
            return False
        inner = after.child if isinstance(after, Onbuild) else after
        if not isinstance(inner, Run | Cmd | Entrypoint | Healthcheck) or inner.script is None or inner.json:
            return False
        return inner.script.text == wanted and parse_shell(wanted).ok
