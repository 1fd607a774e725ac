"""How many findings each rule has, for `dockfix check --statistics`."""

from __future__ import annotations

from collections import Counter
from typing import Final

from dockfix.engine.results import RunResult, is_unsafe
from dockfix.output.json import VERSION, dumps
from dockfix.rule.model import Diagnostic, Fix, Refusal

__all__ = ["statistics_json", "statistics_text"]

_KINDS: Final = ("safe", "unsafe", "refused", "advice")


def statistics_text(result: RunResult) -> str:
    """A table of the rules, those with most findings first; empty if there are none."""
    rows = _rows(result)
    if not rows:
        return ""
    width = max(len("rule"), *(len(rule) for rule, _ in rows))
    columns = [("findings", [sum(counts.values()) for _, counts in rows])]
    columns += [(kind, [counts[kind] for _, counts in rows]) for kind in _KINDS]
    sizes = [max(len(name), len(str(max(values)))) for name, values in columns]
    names = [f"{name:>{size}}" for (name, _), size in zip(columns, sizes, strict=True)]
    lines = ["  ".join([f"{'rule':{width}}", *names])]
    for number, (rule, _) in enumerate(rows):
        cells = [f"{values[number]:>{size}}" for (_, values), size in zip(columns, sizes, strict=True)]
        lines.append("  ".join([f"{rule:{width}}", *cells]))
    return "".join(f"{line}\n" for line in lines)


def statistics_json(result: RunResult) -> str:
    """The same as JSON: `{"version", "statistics": [{"rule", "findings", "safe", "unsafe", "refused", "advice"}]}`."""
    rows = [
        {"rule": rule, "findings": sum(counts.values()), **{kind: counts[kind] for kind in _KINDS}}
        for rule, counts in _rows(result)
    ]
    return dumps({"version": VERSION, "statistics": rows})


def _rows(result: RunResult) -> list[tuple[str, Counter[str]]]:
    counted: dict[str, Counter[str]] = {}
    for outcome in result.files:
        for found in outcome.remaining:
            counted.setdefault(found.rule, Counter())[_kind(found)] += 1
    return sorted(counted.items(), key=lambda each: (-sum(each[1].values()), each[0]))


def _kind(found: Diagnostic) -> str:
    match found.finding:
        case Fix():
            return "unsafe" if is_unsafe(found) else "safe"
        case Refusal():
            return "refused"
        case _:
            return "advice"
