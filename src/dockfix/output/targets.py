"""The table of build targets, as text and JSON.

The JSON document is `{"version": 1, "root", "targets": [row], "problems"}`; a row has the fields of
`dockfix.project.listing.Row`. Only the names of arguments are shown: their values may be secrets from a `.env` file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from dockfix.output.json import VERSION, problem_json, valid
from dockfix.output.located import in_root
from dockfix.output.plain import PLAIN, Style, printable
from dockfix.project.listing import Row, Table

__all__ = ["targets_json", "targets_text"]

_HEADINGS = ("DOCKERFILE", "BUILT BY", "CONTEXT", "STAGE", "WITH")


def targets_json(table: Table) -> dict[str, Any]:
    """The table as JSON-ready data."""
    return {
        "version": VERSION,
        "root": valid(table.root.as_posix()),
        "targets": [_plain(asdict(row) | {"args": sorted(row.args)}) for row in table.rows],
        "problems": [problem_json(problem) for problem in in_root(table.problems, table.root)],
    }


def _plain(value: Any) -> Any:
    match value:
        case str():
            return valid(value)
        case dict():
            return {valid(key): _plain(each) for key, each in value.items()}
        case tuple() | list():
            return [_plain(each) for each in value]
        case _:
            return value


def targets_text(table: Table, *, style: Style = PLAIN) -> str:
    """The table in columns; empty if it has no rows."""
    rows = [tuple(map(printable, _cells(row))) for row in table.rows]
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    lines = [style("bold", _line(_HEADINGS, widths)), *(_line(row, widths) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    if row.dockerfile is None:
        dockerfile = "(in the file itself)" if row.inline else "?"
    else:
        dockerfile = row.dockerfile if row.exists else f"{row.dockerfile} (missing)"
    by = row.kind or "-" if row.source is None else f"{row.name} ({row.source}:{row.line})"
    context = row.context if row.context is not None else f"? {row.context_why}"
    extra = [f"args {', '.join(sorted(row.args))}"] if row.args else []
    extra += [f"{name}={value}" for name, value in row.contexts.items()]
    return dockerfile, by, context, row.stage or "-", "; ".join(extra)
