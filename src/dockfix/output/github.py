"""Findings as workflow commands of GitHub Actions, which become annotations of the changed files.

Source: `TryParseV2` in actions/runner's ActionCommand.cs, and its `ValidateLinesAndColumns`: columns are allowed only
for a range within one line.
"""

from __future__ import annotations

from typing import Final

from dockfix.engine.results import RunResult
from dockfix.output.located import Located, body, located, notices
from dockfix.output.plain import printable
from dockfix.rule.model import Severity

__all__ = ["findings_github"]

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def findings_github(result: RunResult) -> str:
    """A command for each finding, and for what went wrong."""
    lines = [_finding(each) for each in located(result)]
    for notice in notices(result):
        place = {"file": notice.path, "line": notice.line, "title": "dockfix"}
        lines.append(_command(notice.severity, place, printable(notice.message)))
    return "".join(f"{line}\n" for line in lines)


def _finding(each: Located) -> str:
    start, end, found = each.start, each.end, each.found
    place: dict[str, str | int | None] = {"file": each.path, "line": start.line, "endLine": end.line}
    if start.line == end.line:
        place |= {"col": start.column, "endColumn": max(start.column, end.column)}
    return _command(found.severity, {**place, "title": f"dockfix: {found.rule}"}, body(found))


def _command(severity: Severity, place: dict[str, str | int | None], message: str) -> str:
    given = ",".join(
        f"{name}={printable(str(value)).translate(_PROPERTY)}"
        for name, value in place.items()
        if value is not None and value != ""
    )
    return f"::{_COMMANDS[severity]} {given}::{message.translate(_DATA)}"
