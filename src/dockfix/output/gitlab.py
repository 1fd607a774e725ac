"""Findings as a code quality report of GitLab.

Source: "Code Quality report format" of GitLab's documentation, and its `codeclimate.json`, with which it checks each
entry. Of entries with one fingerprint GitLab keeps the last, so each fingerprint is unique.
"""

from __future__ import annotations

from typing import Any, Final

from dockfix.engine.results import RunResult
from dockfix.output.fingerprints import fingerprints
from dockfix.output.json import dumps, valid
from dockfix.output.links import rule_url
from dockfix.output.located import Located, Notice, body, located, message, notices
from dockfix.output.markdown import prose
from dockfix.output.plain import printable
from dockfix.rule.model import Category, Severity
from dockfix.rule.registry import Registry

__all__ = ["findings_gitlab"]

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}
_CATEGORIES: Final = {
    Category.CORRECTNESS: "Bug Risk",
    Category.CACHE: "Performance",
    Category.SIZE: "Performance",
    Category.SECURITY: "Security",
    Category.STYLE: "Style",
}


def findings_gitlab(result: RunResult, registry: Registry) -> str:
    """The report: a list of entries, one for each finding, and one for what went wrong."""
    found = list(located(result))
    entries = [_entry(each, name, registry) for each, name in zip(found, fingerprints(found), strict=True)]
    return dumps(entries + [_notice(each, number) for number, each in enumerate(notices(result))])


def _entry(each: Located, fingerprint: str, registry: Registry) -> dict[str, Any]:
    found = each.found
    category = next((_CATEGORIES[rule.category] for rule in registry.codemods if rule.name == found.rule), "Style")
    url = rule_url(found.rule, registry)
    lines = [prose(line) for line in body(found).split("\n")] + ([url] if url else [])
    return {
        "type": "issue",
        "description": printable(f"{found.rule}: {message(found)}"),
        "check_name": found.rule,
        "content": {"body": "\n\n".join(lines)},
        "categories": [category],
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[found.severity],
        "location": {"path": valid(each.path), "lines": {"begin": each.start.line, "end": each.end.line}},
    }


def _notice(notice: Notice, number: int) -> dict[str, Any]:
    import hashlib  # noqa: PLC0415 - few runs have such entries

    key = f"{notice.path}\0{notice.code}\0{notice.message}\0{number}".encode("utf-8", "backslashreplace")
    return {
        "type": "issue",
        "description": printable(f"dockfix: {notice.message}"),
        "check_name": f"dockfix-{notice.code}",
        "categories": ["Bug Risk"],
        "fingerprint": hashlib.sha256(key).hexdigest()[:32],
        "severity": "critical" if notice.severity is Severity.ERROR else "minor",
        "location": {"path": valid(notice.path), "lines": {"begin": notice.line or 1}},
    }
