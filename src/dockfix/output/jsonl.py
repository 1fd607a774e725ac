"""Findings as JSON Lines: an object on each line, for `jq`, log collectors and programs that read while dockfix runs.

An object has a `type` and a `path`. A `finding` is one of the `json` format, a `problem` or `warning` has `line` and
`message`, a `defect` has `rule`, `gate`, `message` and `traceback`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockfix.engine.results import RunResult
from dockfix.output.json import defect_json, dumps, finding_json, problem_json, valid
from dockfix.output.located import in_root, located

__all__ = ["findings_jsonl"]


def findings_jsonl(result: RunResult) -> str:
    """A line for each finding, then for each problem, warning and defect."""
    return "".join(dumps(each, indent=None) for each in _objects(result))


def _objects(result: RunResult) -> Iterator[dict[str, Any]]:
    for each in located(result):
        yield {
            "type": "finding",
            "path": valid(each.path),
            **finding_json(each.found, each.lines, result.root),
        }
    for problem in in_root(result.problems, result.root):
        yield {"type": "problem", **problem_json(problem)}
    for warning in in_root(result.warnings, result.root):
        yield {"type": "warning", **problem_json(warning)}
    for file, defect in result.defects:
        yield {"type": "defect", "path": valid(file.display), **defect_json(defect)}
