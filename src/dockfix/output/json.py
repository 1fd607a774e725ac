"""Results as JSON, for programs.

A document is `{"version": 1, "root", "files", "problems", "warnings", "summary"}`:

- `files`: `{"path", "dockerfile", "changed", "created", "written", "applied": [finding], "findings": [finding],
  "defects": [{"rule", "gate", "message", "traceback"}]}`; `path` is relative to `root`, with `/`. Files that are not
  Dockerfiles (compose, bake and ignore files, new files) are listed if they have findings or changes. `applied` are the
  fixes that were applied (or would be, if nothing is written), with their lines before the run; `findings` are the
  findings that are left.
- a finding: `{"rule", "severity", "kind": "fix" | "refusal" | "advice", "message", "start", "end"}`. A position is
  `{"line", "column", "offset"}`; lines and columns count from 1, offsets from 0, both in characters (a byte that is
  not valid UTF-8 is one character); `end` is exclusive. An applied fix has only `start.line`, `start.column` and
  `end.line`, since its offsets belong to a text between two passes. A fix has `"safety": "safe" | "unsafe"`, `"help"`
  (what it does), `"review"` (what to check before an unsafe fix is applied), and, if it was not applied, `"edits":
  [{"start", "end", "replacement"}]` with offsets in its file, and `"other_files": [{"path", "edits"} or {"path",
  "create"}]`, where `create` is the text of a new file. A refusal has `"note"`: why it is not fixed. Advice has a
  `"help"`, too: what a person can do, or an empty text. A finding with several places of one cause has `"also"`: the
  further ones, `[{"start", "end"}]`; its edits are those of all places. A finding of another tool has its `"code"`
  there, such as `"SC2086"`.
- `problems` and `warnings`: `{"path", "line" (or null), "message"}`.
- `summary`: `{"files", "changed", "applied", "fixable", "fixable_unsafe", "refused", "advice", "problems", "defects"}`;
  `fixable` and `fixable_unsafe` are the safe and the unsafe fixes that were not applied.

In text that is not valid UTF-8 the invalid bytes are escaped as `\\xNN`, except in a `replacement`, which is then
`{"b64": ...}`. Control and format characters, including those that change the direction of text, are written as JSON
escapes, so that the document can be shown on a terminal. Fields may be added within a version. The JSON schema of a
document is `dockfix/findings.schema.json`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dockfix.engine.results import Defect, FileResult, RunResult
from dockfix.output.located import in_root
from dockfix.output.plain import UNPRINTABLE
from dockfix.project.problems import InputProblem
from dockfix.rule import Advice, Change, Codemod, Diagnostic, Edit, Fix, Refusal
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Lines

VERSION: Final = 1
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def findings_json(result: RunResult) -> str:
    """A run as JSON text."""
    return dumps(result_json(result))


def result_json(result: RunResult) -> dict[str, Any]:
    """A run as JSON-ready data."""
    return {
        "version": VERSION,
        "root": valid(result.root.as_posix()),
        "files": [_file(outcome, result.root) for outcome in result.files],
        "problems": [problem_json(problem) for problem in in_root(result.problems, result.root)],
        "warnings": [problem_json(problem) for problem in in_root(result.warnings, result.root)],
        "summary": {
            "files": len(result.dockerfiles),
            "changed": len(result.changed),
            "applied": result.applied,
            "fixable": result.fixable,
            "fixable_unsafe": result.fixable_unsafe,
            "refused": result.refused,
            "advice": result.advice,
            "problems": len(result.problems),
            "defects": len(result.defects),
        },
    }


def rules_json(registry: Registry) -> dict[str, Any]:
    """The rules as JSON-ready data, in running order."""
    return {"version": VERSION, "rules": [_rule(codemod) for codemod in registry.codemods]}


def dumps(data: object, *, indent: int | None = 2) -> str:
    """JSON text with a final line end; without `indent` on one line."""
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    # outside strings JSON has no such character except the line end, and in strings the line end is already escaped
    return UNPRINTABLE.sub(lambda each: each[0] if each[0] == "\n" else json.dumps(each[0])[1:-1], text) + "\n"


def _file(outcome: FileResult, root: Path) -> dict[str, Any]:
    lines = Lines(outcome.text)
    return {
        "path": valid(outcome.display),
        "dockerfile": outcome.is_dockerfile,
        "changed": outcome.changed,
        "created": outcome.created,
        "written": outcome.written,
        "applied": [_applied(found) for found in outcome.applied],
        "findings": [finding_json(found, lines, root) for found in outcome.remaining],
        "defects": [defect_json(defect) for defect in outcome.defects],
    }


def defect_json(defect: Defect) -> dict[str, Any]:
    """A defect of a rule as JSON-ready data."""
    return {
        "rule": defect.rule,
        "gate": defect.gate,
        "message": valid(defect.message),
        "traceback": valid(defect.traceback),
    }


def _applied(found: Diagnostic) -> dict[str, Any]:
    return _finding(found, {"line": found.line, "column": found.column}, {"line": found.end_line})


def finding_json(found: Diagnostic, lines: Lines, root: Path) -> dict[str, Any]:
    """A finding that is left as JSON-ready data; `lines` are those of its file."""
    start, end = found.finding.at
    data = _finding(found, _position(lines, start), _position(lines, end))
    if isinstance(found.finding, Fix):
        data["edits"] = _edits(found.finding.edits)
        if found.finding.other_files:
            data["other_files"] = [_change(change, root) for change in found.finding.other_files]
    if found.also:
        spans = [each.finding.at for each in found.also]
        data["also"] = [{"start": _position(lines, at.start), "end": _position(lines, at.end)} for at in spans]
    return data


def _edits(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    return [{"start": edit.start, "end": edit.end, "replacement": _exact(edit.replacement)} for edit in edits]


def _change(change: Change, root: Path) -> dict[str, Any]:
    path = valid(change.path.relative_to(root).as_posix())
    if change.create is not None:
        return {"path": path, "create": _exact(change.create)}
    return {"path": path, "edits": _edits(change.edits)}


def _finding(found: Diagnostic, start: dict[str, int], end: dict[str, int]) -> dict[str, Any]:
    finding = found.finding
    data: dict[str, Any] = {
        "rule": found.rule,
        "severity": found.severity.value,
        "kind": type(finding).__name__.lower(),
        "message": valid(finding.message),
        "start": start,
        "end": end,
    }
    if finding.code is not None:
        data["code"] = valid(finding.code)
    match finding:
        case Fix():
            data["safety"] = finding.safety.value
            data["help"] = valid(finding.help)
            data["review"] = valid(finding.review)
        case Refusal():
            data["note"] = valid(finding.note)
        case Advice():
            data["help"] = valid(finding.help)
    return data


def _position(lines: Lines, offset: int) -> dict[str, int]:
    return {"line": lines.line(offset), "column": lines.column(offset), "offset": offset}


def problem_json(problem: InputProblem) -> dict[str, Any]:
    """A problem of the input as JSON-ready data."""
    return {"path": valid(problem.path), "line": problem.line, "message": valid(problem.message)}


def _rule(codemod: Codemod) -> dict[str, Any]:
    return {
        "name": codemod.name,
        "title": codemod.title,
        "severity": codemod.severity.value,
        "category": codemod.category.value,
        "effects": sorted(effect.value for effect in codemod.effects),
        "since": codemod.since,
        "preset": codemod.preset.value,
        "opt_in": codemod.opt_in,
        "needs_options": codemod.needs_options,
        "hadolint": sorted(codemod.hadolint),
        "checks": sorted(codemod.checks),
    }


def valid(text: str) -> str:
    """Text that any JSON reader accepts: lone surrogates, which are invalid bytes, are escaped."""
    return _SURROGATES.sub(lambda match: _byte(ord(match[0])), text)


def _byte(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _exact(text: str) -> Any:
    if _SURROGATES.search(text):
        return {"b64": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")}
    return text
