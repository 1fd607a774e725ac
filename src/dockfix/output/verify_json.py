"""What real builds have shown, as JSON, for programs; and read back, for reports.

A document is `{"version": 1, "builder", "seconds", "clean", "targets", "problems", "defects", "summary"}`:

- `builder`: the name and version of the builder. `seconds`: how long all of it took. `clean`: how many Dockerfiles had
  nothing to fix.
- `targets`: one for each build of each Dockerfile that has fixes: `{"path", "build", "skipped", "fixes", "diff",
  "before", "after", "verdicts", "measurements", "differences", "culprits"}`. `path` is relative to the root of the
  project, with `/`; `build` says how the file is built; `skipped` says why it was not, and is empty if it was; `diff`
  is the unified diff of the fixes.
- `fixes`: `{"rule", "severity", "safety", "line", "message", "help", "review"}`; the lines are those before the fixes.
- `before` and `after`: null if there was no build, else `{"ok", "seconds", "timed_out", "reason", "steps": [{"text",
  "cached", "seconds" (or null)}], "log"}`. `log` has the last lines of a build that failed, and is empty for one that
  succeeded.
- `verdicts`: `{"rule", "promise", "state": "kept" | "broken" | "not shown", "evidence": [line]}`. `promise` is
  `builds`, `image`, `starts`, or what the rule claims: `smaller`, `source-edit`, `arg-change`, `cache-mount`,
  `healthy`, `repairs`.
- `measurements`: `{"what", "unit": "s" | "bytes" | ..., "before": [value], "after": [value]}`, one value for each run.
- `differences`: `{"kind": "config" | "added" | "removed" | "changed" | "package", "what", "before", "after",
  "reason"}`; `reason` says why a difference breaks no promise, and is empty if nothing does.
- `culprits`: `{"rule", "line", "message", "evidence"}`: the fixes that break a promise.
- `problems`: as in the document of `dockfix.output.json`.
- `defects`: `{"path", "rule", "gate", "message", "traceback"}`.
- `summary`: `{"targets", "skipped", "kept", "broken", "not_shown"}`.

Characters are escaped as in `dockfix.output.json`. Fields may be added within a version.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from dockfix.output.json import VERSION, problem_json, valid
from dockfix.output.measures import log_end
from dockfix.rule.model import Diagnostic, Fix
from dockfix.verify.model import (
    BuildOutcome,
    Culprit,
    Difference,
    Measurement,
    State,
    Step,
    TargetResult,
    Verdict,
    VerifyResult,
)

__all__ = ["read_verify_json", "verify_json"]


def verify_json(result: VerifyResult) -> dict[str, Any]:
    """What builds have shown as JSON-ready data."""
    states = Counter(verdict.state for target in result.targets for verdict in target.verdicts)
    return {
        "version": VERSION,
        "builder": valid(result.builder),
        "seconds": round(result.seconds, 3),
        "clean": result.clean,
        "targets": [_target(target) for target in result.targets],
        "problems": [problem_json(problem) for problem in result.problems],
        "defects": [_valid({"path": path, **asdict(defect)}) for path, defect in result.defects],
        "summary": {
            "targets": len(result.targets),
            "skipped": sum(bool(target.skipped) for target in result.targets),
            "kept": states[State.KEPT],
            "broken": states[State.BROKEN],
            "not_shown": states[State.NOT_SHOWN],
        },
    }


def _target(target: TargetResult) -> dict[str, Any]:
    return {
        "path": valid(target.display),
        "build": valid(target.build),
        "skipped": valid(target.skipped),
        "fixes": [_fix(found) for found in target.fixes],
        "diff": valid(target.diff),
        "before": _build(target.before),
        "after": _build(target.after),
        "verdicts": [_valid(asdict(each) | {"state": each.state.value}) for each in target.verdicts],
        "measurements": [_valid(asdict(each)) for each in target.measurements],
        "differences": [_valid(asdict(each)) for each in target.differences],
        "culprits": [_valid(asdict(each)) for each in target.culprits],
    }


def _fix(found: Diagnostic) -> dict[str, Any]:
    finding = found.finding
    data: dict[str, Any] = {
        "rule": found.rule,
        "severity": found.severity.value,
        "line": found.line,
        "message": valid(finding.message),
    }
    if isinstance(finding, Fix):
        data |= {"safety": finding.safety.value, "help": valid(finding.help), "review": valid(finding.review)}
    return data


def _build(build: BuildOutcome | None) -> dict[str, Any] | None:
    if build is None:
        return None
    return {
        "ok": build.ok,
        "seconds": round(build.seconds, 3),
        "timed_out": build.timed_out,
        "reason": valid(build.reason),
        "steps": [_valid(asdict(step)) for step in build.steps],
        "log": valid("\n".join(log_end(build))),
    }


def _valid(value: Any) -> Any:
    match value:
        case str():
            return valid(value)
        case float():
            return round(value, 3)
        case dict():
            return {key: _valid(each) for key, each in value.items()}
        case tuple() | list():
            return [_valid(each) for each in value]
        case _:
            return value


class _Build(Struct, frozen=True):
    ok: bool
    seconds: float
    timed_out: bool = False
    reason: str = ""
    steps: tuple[Step, ...] = ()
    log: str = ""


class _Target(Struct, frozen=True):
    path: str
    build: str = ""
    skipped: str = ""
    diff: str = ""
    before: _Build | None = None
    after: _Build | None = None
    verdicts: tuple[Verdict, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    differences: tuple[Difference, ...] = ()
    culprits: tuple[Culprit, ...] = ()


class _Document(Struct, frozen=True):
    version: int
    builder: str
    targets: tuple[_Target, ...]
    seconds: float = 0.0
    clean: int = 0


def read_verify_json(data: bytes) -> VerifyResult:
    """The result in a JSON document, without its fixes, problems and defects.

    Raises:
        ValueError: the document is not one of `dockfix verify --format json`.
    """
    try:
        found = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a document of `dockfix verify --format json`: {error}") from None
    if found.version != VERSION:
        raise ValueError(f"version {found.version} of the document is not known, only {VERSION}")
    return VerifyResult(found.builder, tuple(map(_read_target, found.targets)), found.clean, seconds=found.seconds)


def _read_target(each: _Target) -> TargetResult:
    return TargetResult(
        display=each.path,
        build=each.build,
        diff=each.diff,
        before=_read_build(each.before),
        after=_read_build(each.after),
        verdicts=each.verdicts,
        measurements=each.measurements,
        differences=each.differences,
        culprits=each.culprits,
        skipped=each.skipped,
    )


def _read_build(each: _Build | None) -> BuildOutcome | None:
    if each is None:
        return None
    return BuildOutcome(each.ok, each.seconds, each.steps, each.log, each.reason, each.timed_out)
