"""What has changed since an earlier report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dockfix.report.model import Change, Comparison, Report

__all__ = ["compared"]

_SEVERITIES: Final = ("info", "warning", "error")


def compared(report: Report, earlier: Mapping[str, Any]) -> Comparison:
    """A report against the document of an earlier one, as `dockfix.report.documents.read_report` gives it.

    Args:
        report: the report of today.
        earlier: the earlier document.
    """
    rules, old_rules = set(report.rules), set(earlier["rules"])
    now = {item.id: item for item in report.findings}
    old = {item["id"]: item for file in earlier["files"] for item in file["findings"]}
    scores = {file["path"]: file["score"] for file in earlier["files"]}
    here = {file.path for file in report.files}
    gone = {file["path"] for file in earlier["files"] if file["path"] not in here and file["score"] is not None}
    current = {file.path: file.score.points for file in report.files if file.score is not None}
    before = {path: score["points"] for path, score in scores.items() if score is not None}
    changes = (
        Change(path, before.get(path), current.get(path))
        for path in sorted((before.keys() | current.keys()) - gone)
        if before.get(path) != current.get(path)
    )
    return Comparison(
        new=tuple(name for name in now if name not in old),
        fixed=tuple(
            (item["rule"], item["path"], item["message"])
            for name, item in old.items()
            if name not in now and item["rule"] in rules and item["path"] not in gone
        ),
        worse=tuple(
            name
            for name, item in now.items()
            if name in old and _SEVERITIES.index(item.severity) > _SEVERITIES.index(old[name]["severity"])
        ),
        scores=tuple(changes),
        gone=tuple(sorted(gone)),
        added_rules=tuple(sorted(rules - old_rules)),
        removed_rules=tuple(sorted(old_rules - rules)),
    )
