"""A report as JSON, for programs and for `dockfix report --compare`.

The document has the fields of `dockfix.report.model.Report`, under the same names; a value of an enumeration is its
text, a tuple a list. `version` is that of the document, `measured` the document of `dockfix verify --format json`, or
null if nothing was built. Nothing in it depends on the time, the machine or the folder of the project, unless builds
were measured. Fields may be added within a version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from dockfix.output.json import dumps, valid
from dockfix.output.verify_json import verify_json
from dockfix.report.model import Report
from dockfix.verify.model import VerifyResult

__all__ = ["VERSION", "read_report", "report_json"]

VERSION: Final = 3
_NEEDED: Final = ("rule", "path", "message", "severity")


def report_json(report: Report) -> str:
    """A report as JSON text."""
    return dumps({"version": VERSION, **_plain(report)})


def _plain(value: Any) -> Any:
    if isinstance(value, VerifyResult):
        return verify_json(value)
    if isinstance(value, Struct):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return valid(value) if isinstance(value, str) else value


def read_report(path: Path) -> Mapping[str, Any]:
    """The document of an earlier report, as far as a comparison needs it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not such a document; the message says why.
    """
    try:
        data = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("not a document of `dockfix report --format json`: too deeply nested") from None
    except ValueError as error:
        raise ValueError(f"invalid JSON: {error}") from None
    fault = _fault(data)
    if fault:
        raise ValueError(f"not a document of `dockfix report --format json`: {fault}")
    found: Mapping[str, Any] = data
    return found


def _fault(data: Any) -> str:
    """Why a value is not a document that can be compared with; empty if it is one."""
    if not isinstance(data, dict) or "rules" not in data or "files" not in data:
        return "it has no `rules` or no `files`"
    if data.get("version") != VERSION:
        return f"version {VERSION} is expected"
    if not _texts(data["rules"]) or not isinstance(data["files"], list):
        return "`rules` or `files` is not a list"
    for number, file in enumerate(data["files"]):
        if not isinstance(file, dict) or not isinstance(file.get("path"), str) or "score" not in file:
            return f"file {number} has no path or no score"
        score = file["score"]
        if score is not None and not (isinstance(score, dict) and isinstance(score.get("points"), int)):
            return f"the score of {file['path']} is not valid"
        items = file.get("findings")
        if not isinstance(items, list) or not all(map(_is_item, items)):
            return f"a finding of {file['path']} is not valid"
    return ""


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and all(isinstance(item.get(name), str) for name in _NEEDED)
        and item["severity"] in ("error", "warning", "info")
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
