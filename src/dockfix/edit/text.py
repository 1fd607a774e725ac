"""Edits of a text as values, applied together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from dockfix.syntax.source import Span


class Edit(Struct, frozen=True, order=True):
    """A replacement of `text[start:end]`; `start == end` inserts."""

    start: int
    end: int
    replacement: str

    @property
    def span(self) -> Span:
        """The replaced range."""
        return Span(self.start, self.end)


class Change(Struct, frozen=True):
    """What a fix does to a file other than the one with its finding.

    `path` is real (symlinks resolved) and inside the project. Either `edits` of an existing file, or `create`, the text
    of a new one in an existing folder.
    """

    path: Path
    edits: tuple[Edit, ...] = ()
    create: str | None = None

    def __post_init__(self) -> None:
        if bool(self.edits) == (self.create is not None):
            raise ValueError("a change either edits a file or creates one")


class EditError(ValueError):
    """Edits that cannot be applied: out of range or overlapping."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits applied. Insertions at the same place keep their order.

    Raises:
        EditError: an edit is out of range, or two overlap.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    out: list[str] = []
    at = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= len(text):
            raise EditError(f"edit {edit.start}-{edit.end} is out of range")
        if edit.start < at:
            raise EditError(f"edits overlap at {edit.start}")
        out += [text[at : edit.start], edit.replacement]
        at = edit.end
    out.append(text[at:])
    return "".join(out)


def conflict(first: Sequence[Edit], second: Sequence[Edit]) -> bool:
    """Whether two sets of edits overlap or touch, so that they must not be applied in one pass."""
    return any(a.start <= b.end and b.start <= a.end for a in first for b in second)
