"""Findings as SARIF 2.1.0, for GitHub code scanning, Azure DevOps, editors and security dashboards.

A result has its region, a fingerprint that survives moved lines, and for a fix the replacements of all files that it
changes. SARIF has no word for a new file: its content is inserted at the start of an artifact with the property
`created`. Paths are relative to `SRCROOT`, the root of the project. Positions are in characters, without a byte order
mark (section 3.30.2 of the standard).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

import dockfix
from dockfix.engine.results import RunResult
from dockfix.output.fingerprints import fingerprints
from dockfix.output.json import dumps, valid
from dockfix.output.line_changes import merged
from dockfix.output.links import HOME, rule_url
from dockfix.output.located import Located, Notice, body, located, notices, remedy
from dockfix.output.page import page, page_text
from dockfix.output.plain import printable
from dockfix.rule import Codemod, Edit, Fix, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.source import BOM, Lines

__all__ = ["findings_sarif"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE: Final = "SRCROOT"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEM: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_ABOUT: Final = re.compile(r"^## What it does\n+(.+?)(?=\n\n|\n#|\Z)", re.S | re.M)
"""Of a rule's page, the first paragraph of its first section."""
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")


def findings_sarif(result: RunResult, registry: Registry) -> str:
    """A log with one run. Its rules are those that found something."""
    found = list(located(result))
    names = {each.found.rule for each in found}
    rules = [rule for rule in registry.codemods if rule.name in names]
    index = {rule.name: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "dockfix",
                "version": dockfix.__version__,
                "semanticVersion": dockfix.__version__,
                "informationUri": HOME,
                "rules": [_rule(rule, registry) for rule in rules],
            }
        },
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the project."}}},
        "invocations": [_invocation(result)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, name, index, result) for each, name in zip(found, fingerprints(found), strict=True)],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Codemod, registry: Registry) -> dict[str, Any]:
    text = printable(page(rule), keep="\n")
    about = _ABOUT.search(text)
    data: dict[str, Any] = {
        "id": rule.name,
        "shortDescription": {"text": _message(rule.title)},
        "fullDescription": {"text": _message(" ".join((about[1] if about else rule.title).split()))},
        "help": {"text": page_text(rule), "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["dockerfile", rule.category.value],
            "problem.severity": _PROBLEM[rule.severity],
            "since": rule.since,
        },
    }
    if "-" in rule.name:  # a name that only repeats the id is not allowed
        data["name"] = "".join(word.capitalize() for word in rule.name.split("-"))
    if url := rule_url(rule.name, registry):
        data["helpUri"] = url
    return data


def _result(each: Located, fingerprint: str, rules: dict[str, int], result: RunResult) -> dict[str, Any]:
    found = each.found
    start, end = found.finding.at
    data: dict[str, Any] = {
        "ruleId": found.rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(body(found))},
        "locations": [{"physicalLocation": _location(each.path, _region(each.text, each.lines, start, end))}],
        "partialFingerprints": {"dockfix/v1": fingerprint},
        "properties": {"remedy": remedy(found)},
    }
    if found.also:
        data["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _message(other.finding.message)},
                "physicalLocation": _location(each.path, _region(each.text, each.lines, *other.finding.at)),
            }
            for number, other in enumerate(found.also, 1)
        ]
    if found.rule in rules:
        data["ruleIndex"] = rules[found.rule]
    if isinstance(found.finding, Fix):
        data["properties"] |= {"safety": found.finding.safety.value}
        if changes := _changes(each, found.finding, result):
            data["fixes"] = [{"description": {"text": _message(found.finding.help)}, "artifactChanges": changes}]
    return data


def _changes(each: Located, fix: Fix, result: RunResult) -> list[dict[str, Any]]:
    """The replacements in all files that a fix changes or creates."""
    found = [_change(each.path, each.text, each.lines, fix.edits)] if fix.edits else []
    for change in fix.other_files:
        path = result.workspace.display(change.path)
        if change.create is not None:
            new = _change(path, "", Lines(""), [Edit(0, 0, change.create)])
            found.append(new | {"properties": {"created": True}})
            continue
        text = result.workspace.text_if_any(change.path)
        if text is None:
            return []
        found.append(_change(path, text, Lines(text), change.edits))
    return found


def _change(path: str, text: str, lines: Lines, edits: Sequence[Edit]) -> dict[str, Any]:
    return {
        "artifactLocation": _artifact(path),
        "replacements": [
            {
                "deletedRegion": _region(text, lines, edit.start, edit.end),
                **({"insertedContent": _content(edit.replacement)} if edit.replacement else {}),
            }
            for edit in merged(edits)
        ],
    }


def _content(text: str) -> dict[str, str]:
    if valid(text) == text:
        return {"text": text}
    return {"binary": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")}


def _location(path: str, region: dict[str, int] | None = None) -> dict[str, Any]:
    return {"artifactLocation": _artifact(path), **({"region": region} if region else {})}


def _artifact(path: str) -> dict[str, str]:
    uri = quote(path.encode("utf-8", "surrogateescape"), safe="/-._~+@,=")
    if PurePath(path).is_absolute():
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": _BASE}


def _region(text: str, lines: Lines, start: int, end: int) -> dict[str, int]:
    first, column = _place(text, lines, start)
    last, end_column = _place(text, lines, end)
    return {"startLine": first, "startColumn": column, "endLine": last, "endColumn": end_column}


def _place(text: str, lines: Lines, offset: int) -> tuple[int, int]:
    line, column = lines.line(offset), lines.column(offset)
    if offset == len(text) and column == 1 and offset:
        # the end of the file is a place in its last line, after the line end
        line, column = lines.line(offset - 1), lines.column(offset - 1) + 1
    if line == 1 and column > 1 and text.startswith(BOM):
        column -= 1
    return line, column


def _invocation(result: RunResult) -> dict[str, Any]:
    found = list(notices(result))
    data: dict[str, Any] = {"executionSuccessful": all(each.severity is not Severity.ERROR for each in found)}
    if found:
        data["toolExecutionNotifications"] = [_notification(each) for each in found]
    return data


def _notification(notice: Notice) -> dict[str, Any]:
    region = {"startLine": notice.line} if notice.line is not None else None
    return {
        "level": _LEVELS[notice.severity],
        "message": {"text": _message(notice.message)},
        "descriptor": {"id": notice.code},
        "locations": [{"physicalLocation": _location(notice.path, region)}],
    }


def _message(text: str) -> str:
    """A message in plain text: it has no link and no placeholder (sections 3.11.5 and 3.11.6)."""
    return _PLACEHOLDER.sub(r"{{\1}}", printable(text, keep="\n").replace("](", "] ("))
