"""Findings in the diagnostic format of reviewdog, with a suggestion for each fix.

Source: reviewdog's `proto/rdf/reviewdog.proto`. Columns count UTF-8 bytes from 1, and ends are exclusive. A suggestion
replaces whole lines: reviewdog posts it as one block, so that a fix of several places is accepted as a whole.
"""

from __future__ import annotations

from typing import Any, Final

from dockfix.engine.results import RunResult
from dockfix.output.json import dumps, valid
from dockfix.output.line_changes import anchored, line_change
from dockfix.output.links import HOME, rule_url
from dockfix.output.located import Located, body, located, notices
from dockfix.output.plain import printable
from dockfix.rule.model import Fix, Severity
from dockfix.rule.registry import Registry

__all__ = ["findings_rdjson"]

_SEVERITIES: Final = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def findings_rdjson(result: RunResult, registry: Registry) -> str:
    """A `DiagnosticResult` with a diagnostic for each finding, and for what went wrong."""
    diagnostics = [_diagnostic(each, registry) for each in located(result)]
    for notice in notices(result):
        place: dict[str, Any] = {"path": valid(notice.path)}
        if notice.line is not None:
            place["range"] = {"start": {"line": notice.line}}
        diagnostics.append(
            {
                "message": printable(notice.message),
                "location": place,
                "severity": _SEVERITIES[notice.severity],
                "code": {"value": notice.code},
            }
        )
    return dumps({"source": {"name": "dockfix", "url": HOME}, "diagnostics": diagnostics})


def _diagnostic(each: Located, registry: Registry) -> dict[str, Any]:
    found = each.found
    start, end = found.finding.at
    url = rule_url(found.rule, registry)
    data: dict[str, Any] = {
        "message": body(found),
        "location": {"path": valid(each.path), "range": {"start": _position(each, start), "end": _position(each, end)}},
        "severity": _SEVERITIES[found.severity],
        "code": {"value": found.rule, **({"url": url} if url else {})},
    }
    if suggestion := _suggestion(each):
        data["suggestions"] = [suggestion]
    return data


def _position(each: Located, offset: int) -> dict[str, int]:
    line = each.lines.line(offset)
    before = each.text[each.lines.start(line) : offset]
    return {"line": line, "column": len(before.encode("utf-8", "surrogateescape")) + 1}


def _suggestion(each: Located) -> dict[str, Any] | None:
    """The fix, if it changes this file only; reviewdog knows no change of several files, and no invalid UTF-8."""
    if not each.edits or (isinstance(each.found.finding, Fix) and each.found.finding.other_files):
        return None
    change = next(anchored(line_change(each.text, each.lines, each.edits), each.text, each.lines), None)
    if change is None:
        return None
    # the range of whole lines ends before the line end of the last one
    text = "".join(change.new).removesuffix("\n").removesuffix("\r")
    if valid(text) != text:
        return None
    return {"range": {"start": {"line": change.start}, "end": {"line": change.end}}, "text": text}
