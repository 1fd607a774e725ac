"""Findings as Checkstyle XML, which most code review tools and CI plug-ins read."""

from __future__ import annotations

from dockfix.engine.results import RunResult
from dockfix.output.located import body, located, notices
from dockfix.output.xml_text import attributes, document, escaped

__all__ = ["findings_checkstyle"]


def findings_checkstyle(result: RunResult) -> str:
    """A `file` element for each file, with an `error` for each finding; `source` is `dockfix.` and the rule."""
    files: dict[str, list[str]] = {file.display: [] for file in result.files}
    for each in located(result):
        files[each.path].append(
            _error(each.start.line, each.start.column, each.found.severity.value, body(each.found), each.found.rule)
        )
    for notice in notices(result):
        error = _error(notice.line or 1, None, notice.severity.value, notice.message, notice.code)
        files.setdefault(notice.path, []).append(error)
    elements = [
        line
        for path, errors in files.items()
        for line in (f"  <file{attributes(name=path)}>", *errors, "  </file>")
        if errors
    ]
    return document('<checkstyle version="4.3">', *elements, "</checkstyle>")


def _error(line: int, column: int | None, severity: str, message: str, code: str) -> str:
    text = "&#10;".join(escaped(each) for each in message.split("\n"))
    place = attributes(line=line, column=column, severity=severity)
    return f'    <error{place} message="{text}"{attributes(source=f"dockfix.{code}")}/>'
