"""The audit of a project as JSON, for programs.

A document is `{"version": 1, "check", "diffs", "verify"}`: `check` is the document of `dockfix check --format json`,
`diffs` are the fixes that `dockfix apply` would make, `{"path", "diff"}` for each file that would change, and `verify`
is the document of `dockfix verify --format json`, or null if nothing was built.
"""

from __future__ import annotations

from typing import Any

from dockfix.engine.results import RunResult
from dockfix.output.json import VERSION, result_json, valid
from dockfix.output.verify_json import verify_json
from dockfix.verify.model import VerifyResult

__all__ = ["report_json"]


def report_json(found: RunResult, fixed: RunResult, verified: VerifyResult | None = None) -> dict[str, Any]:
    """The report as JSON-ready data; the parameters are those of `dockfix.output.report_markdown`."""
    return {
        "version": VERSION,
        "check": result_json(found),
        "diffs": [{"path": valid(each.display), "diff": valid(each.diff)} for each in fixed.changed],
        "verify": None if verified is None else verify_json(verified),
    }
