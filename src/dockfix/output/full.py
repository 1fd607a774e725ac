"""Findings for people, each with its source, its parts, the change that a fix makes, and its page.

No line begins with text from a file, so that a CI system takes none for a command.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dockfix.engine.results import RunResult, is_unsafe
from dockfix.engine.session import STDIN
from dockfix.output.diff import colour_diff
from dockfix.output.excerpt import excerpt
from dockfix.output.line_changes import hunks
from dockfix.output.links import rule_url
from dockfix.output.located import Located, located, message, parts, remedy
from dockfix.output.places import Places
from dockfix.output.plain import PLAIN, Style, printable, without_commands
from dockfix.rule import Change, EditError, Fix
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Lines

__all__ = ["findings_full"]


def findings_full(result: RunResult, registry: Registry, *, style: Style = PLAIN, columns: int | None = None) -> str:
    """The findings, with an empty line after each; `columns` is the width of the terminal, if it is known."""
    places = Places(result.root)
    return "".join(
        f"{without_commands(line)}\n"
        for each in located(result)
        for line in (*_finding(each, result, registry, places, style, columns), "")
    )


def _finding(
    each: Located, result: RunResult, registry: Registry, places: Places, style: Style, columns: int | None
) -> Iterator[str]:
    found = places.found(each.found)
    kind = found.severity.value
    tag = style("dim", f"[{remedy(found)}]")
    yield f"{style(kind, f'{kind}[{found.rule}]')}: {style('bold', printable(message(found)))} {tag}"
    yield f"{style('dim', ' -->')} {printable(each.file.path)}:{found.line}:{found.column}"
    yield from excerpt(each.text, each.lines, found.finding.at, kind, style, columns=columns)
    for label, text in parts(found):
        yield f"{_label(label, style)} {printable(text)}"
    if isinstance(found.finding, Fix):
        yield f"{_label('fix', style)} `{printable(_command(each))}` makes this change"
        for line in _hunks(each, found.finding, result, style):
            yield f"{style('dim', '  |')} {line}"
    url = rule_url(found.rule, registry)
    yield f"{_label('page', style)} {url or f'dockfix explain {found.rule}'}"


def _command(each: Located) -> str:
    """The command that makes the changes of a rule in a file, also if the rule does not run by default."""
    words = ["dockfix", "apply", "--rule", each.found.finding.code or each.found.rule]
    if is_unsafe(each.found):
        words.append("--unsafe")
    if each.file.is_dockerfile:
        path = each.file.path
        words.append("-" if path == STDIN else f"./{path}" if path.startswith("-") else path)
    return shlex.join(words)


def _label(label: str, style: Style) -> str:
    return f"  = {style('bold', f'{label}:')}"


def _hunks(each: Located, fix: Fix, result: RunResult, style: Style) -> Iterator[str]:
    """The change as a diff; the names of files are shown if it is not of the finding's file alone."""
    named = bool(fix.other_files)
    if fix.edits:
        diff = hunks(each.text, each.lines, fix.edits, each.path, context=1)
        yield from _shown(diff, named, style)
    for change in fix.other_files:
        yield from _shown(_diff(change, result), named, style)


def _diff(change: Change, result: RunResult) -> str:
    from dockfix.engine.difftext import unified_diff  # noqa: PLC0415 - few fixes create a file

    path, text = result.workspace.display(change.path), result.workspace.text_if_any(change.path)
    if change.create is not None:
        return unified_diff(None, change.create, path)
    try:
        return hunks(text or "", Lines(text or ""), change.edits, path, context=1)
    except EditError:  # the file has changed since it was read
        return ""


def _shown(diff: str, named: bool, style: Style) -> list[str]:
    lines = colour_diff(diff, style).removesuffix("\n").split("\n")
    return lines if named or not diff else lines[2:]
