"""Diffs for terminals; the diffs themselves are made by `dockfix.engine.difftext`."""

from __future__ import annotations

from dockfix.engine.difftext import split_lines, unified_diff
from dockfix.output.plain import PLAIN, Style, printable

__all__ = ["colour_diff", "unified_diff"]


def colour_diff(diff: str, style: Style = PLAIN) -> str:
    """A diff for a terminal: coloured, with control characters escaped."""
    out: list[str] = []
    for line in split_lines(diff):
        shown = printable(line.removesuffix("\n"), keep="\t")
        if line.startswith(("--- ", "+++ ")):
            kind = "bold"
        elif line.startswith("@@"):
            kind = "hunk"
        elif line.startswith("+"):
            kind = "added"
        elif line.startswith("-"):
            kind = "removed"
        else:
            out.append(shown + "\n")
            continue
        out.append(style(kind, shown) + "\n")
    return "".join(out)
