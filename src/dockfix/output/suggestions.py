"""Fixes as review comments with suggestions, for the API of GitHub that creates a review of a pull request.

The document is the body of `POST /repos/OWNER/REPO/pulls/NUMBER/reviews`: `event`, `body`, and `comments` with `path`,
`line`, `side`, `body` and, for several lines, `start_line` and `start_side`. GitHub replaces the lines `start_line` to
`line` of the pull request's head by the lines of the suggestion.

- A comment has the whole fix: a fix of several places replaces all lines from the first to the last. Where a fix only
  inserts or deletes lines, the line before (or after) is part of the suggestion.
- Fixes whose lines overlap: those of one rule that do not change the same text are one comment, as dockfix applies
  them together. Of others the safe one, then the first, is a suggestion, and the second is a comment with its diff.
- A fix has a diff instead of a suggestion if it changes or creates other files; if its lines end with CRLF, since
  GitHub decides how a suggested line ends; if it changes the line end of the file's last line; or if its lines have
  control or invisible characters or invalid UTF-8, which a reader could not see.

GitHub refuses a review if a comment is not on a line of the pull request's diff: remove those first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from dockfix.engine.fixes import edits_by_file
from dockfix.engine.results import RunResult, is_unsafe
from dockfix.output.json import dumps, valid
from dockfix.output.line_changes import LineChange, anchored, hunks, line_change
from dockfix.output.links import rule_url
from dockfix.output.located import Located, located, parts
from dockfix.output.markdown import code, prose
from dockfix.output.measures import count
from dockfix.output.plain import UNPRINTABLE
from dockfix.output.verify_markdown import diff_block
from dockfix.rule import Edit, Fix, conflict
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Lines

__all__ = ["Comment", "comments", "review", "suggestions_json"]

_MAX_BODY: Final = 60_000
"""How many bytes a comment has at most; GitHub allows 65,536 characters."""
_MAX_LINES: Final = 200
"""How many lines a suggestion replaces at most."""

_MAX_JOINED: Final = 20
"""How many fixes a comment has at most."""


class _File(Struct, frozen=True):
    path: str
    text: str
    lines: Lines


class Comment(Struct, frozen=True):
    """A comment on fixes of one rule in one file.

    Args:
        file: the file that is changed.
        found: the fixes.
        edits: their edits of the file.
        change: the suggestion; None if the fixes are shown as a diff, for the reason `why`.
        why: why there is no suggestion.
    """

    file: _File
    found: tuple[Located, ...]
    edits: tuple[Edit, ...]
    change: LineChange | None
    why: str = ""


def suggestions_json(result: RunResult, registry: Registry) -> str:
    """The review as JSON text."""
    return dumps(review(result, registry))


def review(result: RunResult, registry: Registry) -> dict[str, Any]:
    """The review as JSON-ready data."""
    made = comments(result)
    number = sum(each.change is not None for each in made)
    summary = f"dockfix suggests {count(number, 'change', 'changes')}"
    if more := len(made) - number:
        summary += f", and has {count(more, 'fix', 'fixes')} that GitHub cannot apply as a suggestion"
    return {"event": "COMMENT", "body": f"{summary}.", "comments": [_comment(each, registry) for each in made]}


def comments(result: RunResult) -> list[Comment]:
    """The comments for the fixes of a check, in the order of files and lines."""
    found = [each for each in located(result) if isinstance(each.found.finding, Fix)]
    found.sort(key=lambda each: is_unsafe(each.found))
    files: dict[Path, _File] = {}
    sheets: dict[str, _Sheet] = {}
    made: list[Comment] = []
    for each in found:
        own = _own_file(each, result, files)
        if own is None:
            file = _File(each.path, each.text, each.lines)
            made.append(Comment(file, (each,), each.edits, None, "it changes several files, or creates one"))
        else:
            sheets.setdefault(own[0].path, _Sheet(own[0])).add(each, own[1])
    made += [comment for sheet in sheets.values() for comment in sheet.comments]
    order = {file.display: number for number, file in enumerate(result.files)}
    return sorted(made, key=lambda each: (order.get(each.found[0].path, 0), each.found[0].start))


def _own_file(each: Located, result: RunResult, files: dict[Path, _File]) -> tuple[_File, tuple[Edit, ...]] | None:
    """The one file that a fix edits, which need not be the one that it was found in."""
    edits = edits_by_file(each.found)
    if len(edits) != 1 or not all(edits.values()):
        return None
    ((path, own),) = edits.items()
    if path not in files:
        if path == each.found.path:
            files[path] = _File(each.path, each.text, each.lines)
        else:
            text = result.workspace.text_if_any(path)
            if text is None:
                return None
            files[path] = _File(result.workspace.display(path), text, Lines(text))
    return files[path], own


class _Sheet:
    """The comments on a file. No two suggestions replace the same line."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._diffs: list[Comment] = []
        self._by_line: dict[int, Comment] = {}

    @property
    def comments(self) -> list[Comment]:
        """The suggestions, and the comments with a diff."""
        return [*{id(each): each for each in self._by_line.values()}.values(), *self._diffs]

    def add(self, each: Located, edits: tuple[Edit, ...]) -> None:
        """Add a fix: as a suggestion, joined with suggestions of its rule, or as a diff."""
        why = self._place((each,), edits)
        if why:
            self._diffs.append(Comment(self._file, (each,), edits, None, why))

    def _place(self, found: tuple[Located, ...], edits: tuple[Edit, ...]) -> str:
        """Make a suggestion; returns why there can be none, or an empty text."""
        why = "it changes the line end of the last line"
        for change in anchored(
            line_change(self._file.text, self._file.lines, edits), self._file.text, self._file.lines
        ):
            why = _why_not(change)
            if why:
                continue
            old = self._on_lines(change)
            if not old:
                comment = Comment(self._file, found, edits, change)
                self._by_line.update(dict.fromkeys(range(change.start, change.end + 1), comment))
                return ""
            if self._joined(old, found, edits):
                return ""
            why = "another suggestion changes the same lines; apply that one first"
        return why

    def _on_lines(self, change: LineChange) -> list[Comment]:
        on_lines = (self._by_line.get(line) for line in range(change.start, change.end + 1))
        return list({id(each): each for each in on_lines if each is not None}.values())

    def _joined(self, old: list[Comment], found: tuple[Located, ...], edits: tuple[Edit, ...]) -> bool:
        """Join fixes with suggestions that replace the same lines, if the engine applies them together."""
        together = (*(one for each in old for one in each.found), *found)
        kinds = {(one.found.rule, is_unsafe(one.found)) for one in together}
        if len(kinds) > 1 or len(together) > _MAX_JOINED or any(conflict(each.edits, edits) for each in old):
            return False
        taken = {line: each for each in old if each.change for line in range(each.change.start, each.change.end + 1)}
        for line in taken:
            del self._by_line[line]
        if self._place(together, (*(edit for each in old for edit in each.edits), *edits)):
            self._by_line.update(taken)
            return False
        return True


def _why_not(change: LineChange) -> str:
    """Why lines cannot be a suggestion; empty if they can."""
    text = "".join((*change.old, *change.new))
    if len(change.old) > _MAX_LINES or len(text.encode("utf-8", "backslashreplace")) > _MAX_BODY // 2:
        return "it changes too many lines"
    if "\r" in text:
        return "its lines end with CRLF, which a suggestion cannot keep"
    if any(match[0] not in "\t\n" for match in UNPRINTABLE.finditer(text)):
        return "its lines have control, invisible or invalid characters"
    return ""


def _comment(comment: Comment, registry: Registry) -> dict[str, Any]:
    change = comment.change
    if change is not None:
        start, end = change.start, change.end
    else:
        first = comment.found[0]
        start, end = first.start.line, first.end.line
        if comment.edits and comment.file.path != first.path:  # the comment is on the file that is edited
            start = end = comment.file.lines.line(comment.edits[0].start)
    place: dict[str, Any] = {"path": valid(comment.file.path)}
    if start != end:
        place |= {"start_line": start, "start_side": "RIGHT"}
    place |= {"line": end, "side": "RIGHT"}
    return {**place, "body": _body(comment, registry)}


def _body(comment: Comment, registry: Registry) -> str:
    lines: list[str] = []
    for each in comment.found:
        found = each.found
        url = rule_url(found.rule, registry)
        named = f"[{code(found.rule)}]({url})" if url else code(found.rule)
        lines += [f"**{named}** ({found.severity.value}): {prose(found.finding.message)}", ""]
        lines += [line for label, text in parts(found) for line in (f"- {label}: {prose(text)}",)]
        lines.append("")
    if comment.change is not None:
        return "\n".join((*lines, *_block(comment.change)))
    lines += [f"Not a suggestion: {prose(comment.why)}. `dockfix apply` makes the change:", ""]
    if comment.edits:
        diff = hunks(comment.file.text, comment.file.lines, comment.edits, comment.file.path)
        block = list(diff_block(diff))
        if len("\n".join((*lines, *block)).encode()) <= _MAX_BODY:
            return "\n".join((*lines, *block))
    return "\n".join(lines)


def _block(change: LineChange) -> Iterator[str]:
    """The suggestion; its fence is longer than any run of backticks in it."""
    new = [line.removesuffix("\n") for line in change.new]
    longest = max((len(run) for line in new for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}suggestion"
    yield from new
    yield fence
