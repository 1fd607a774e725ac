"""Findings as a comment on a pull request: a folded section for each file, within the size that GitHub allows."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Final

from dockfix.engine.results import FileResult, RunResult
from dockfix.output.line_changes import hunks
from dockfix.output.links import rule_url
from dockfix.output.located import Located, located, message, notices, parts, remedy
from dockfix.output.markdown import code, prose, table
from dockfix.output.measures import count
from dockfix.output.plain import printable
from dockfix.output.text import check_summary
from dockfix.output.verify_markdown import diff_block, folded
from dockfix.rule.registry import Registry

__all__ = ["MARKER", "MAX_SIZE", "findings_markdown"]

MARKER: Final = "<!-- dockfix -->"
"""The first line, by which a program finds its earlier comment."""

MAX_SIZE: Final = 65_000
"""How many bytes a document has at most: a comment on GitHub has at most 65,536 characters."""

_ROOM: Final = 200
"""Of these, how many are kept for the line that says what is left out."""


def findings_markdown(result: RunResult, registry: Registry) -> str:
    """The comment. What does not fit is counted at its end."""
    lines = [MARKER, "### dockfix", "", f"{prose(check_summary(result))}."]
    size = _size(lines)
    left_out = 0
    found: dict[int, list[Located]] = {}
    for each in located(result):
        found.setdefault(id(each.file), []).append(each)
    for file in result.files:
        own = found.get(id(file), [])
        section = list(_section(file, own, registry, MAX_SIZE - _ROOM - size)) if own else []
        shown = _size(section)
        if own and (not section or size + shown > MAX_SIZE - _ROOM):
            left_out += len(own)
            continue
        lines += section
        size += shown
    for notice in notices(result):
        where = notice.path if notice.line is None else f"{notice.path}:{notice.line}"
        entry = ["", f"{code(where)}: {prose(notice.message)}"]
        if size + _size(entry) > MAX_SIZE - _ROOM:
            left_out += 1
            continue
        lines += entry
        size += _size(entry)
    if left_out:
        lines += ["", f"{left_out} more not shown; `dockfix check` shows all."]
    return "\n".join(lines) + "\n"


def _size(lines: list[str]) -> int:
    return sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)


def _section(file: FileResult, found: list[Located], registry: Registry, room: int) -> Iterator[str]:
    """The lines of a file: its findings as a table, then the changes that fixes make, as far as there is room."""
    name = html.escape(printable(file.display))
    title = f"<code>{name}</code>: {count(len(found), 'finding', 'findings')}"
    rows: list[tuple[str, ...]] = []
    room -= 2 * len(title) + 500
    for each in found:
        row = _row(each, registry)
        room -= _size([*row]) + 20
        if room < 0:
            break
        rows.append(row)
    if not rows:
        return
    heading = ("line", "severity", "rule", "finding", "what can be done")
    inner = list(table(heading, rows))
    if len(rows) < len(found):
        inner += ["", f"{len(found) - len(rows)} more findings in this file are not shown."]
    for each in found[: len(rows)]:
        if not each.edits:
            continue
        block = ["", f"{code(each.found.rule)}, line {each.start.line}:", "", *diff_block(_diff(each))]
        room -= _size(block)
        if room < 0:
            inner += ["", "The other changes are not shown; `dockfix apply --diff` shows them."]
            break
        inner += block
    yield ""
    yield from folded(title, iter(inner))


def _diff(each: Located) -> str:
    diff = hunks(each.text, each.lines, each.edits, each.path)
    return diff.split("\n", 2)[2]  # without the names of the file


def _row(each: Located, registry: Registry) -> tuple[str, ...]:
    found = each.found
    url = rule_url(found.rule, registry)
    named = f"[{code(found.rule)}]({url})" if url else code(found.rule)
    done = "; ".join(prose(text) if label == "help" else f"{label}: {prose(text)}" for label, text in parts(found))
    what = f"{remedy(found)}: {done}" if done and not done.startswith("not fixed") else done or "to fix by hand"
    return str(each.start.line), found.severity.value, named, prose(message(found)), what
