"""Fixes as changes of a workspace: which of them can be applied together, and the files after that."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dockfix.engine.calls import Failed
from dockfix.project.files import MAX_BYTES
from dockfix.rule import Change, Diagnostic, Edit, EditError, Fix, apply_edits
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span


def edits_by_file(found: Diagnostic) -> dict[Path, tuple[Edit, ...]]:
    """The edits that a fix makes to each file, by real path; none for a file that it creates."""
    fix = found.finding
    if not isinstance(fix, Fix):
        return {}
    own = {found.path: fix.edits} if fix.edits else {}
    return own | {change.path: change.edits for change in fix.other_files}


class Chosen:
    """The edits of fixes that are applied in one round. No two of them overlap or touch."""

    def __init__(self) -> None:
        self._spans: dict[Path, list[Span]] = {}
        self._whole: set[Path] = set()
        """The files that a fix has to itself, since it creates them."""

    def collides(self, own: Mapping[Path, Sequence[Edit]]) -> bool:
        """Whether a fix cannot be applied together with those that were added."""
        return any(
            path in self._whole
            or (not edits and path in self._spans)
            or any(self._touches(path, each) for each in edits)
            for path, edits in own.items()
        )

    def _touches(self, path: Path, edit: Edit) -> bool:
        spans = self._spans.get(path, [])
        index = bisect_right(spans, edit.end, key=_start)
        return index > 0 and spans[index - 1].end >= edit.start

    def add(self, own: Mapping[Path, Sequence[Edit]]) -> None:
        """Add the edits of a fix."""
        for path, edits in own.items():
            if not edits:
                self._whole.add(path)
            for edit in edits:
                insort(self._spans.setdefault(path, []), edit.span)


def _start(span: Span) -> int:
    return span.start


def preview(workspace: Workspace, found: Diagnostic) -> list[tuple[str, str | None, str]]:
    """The files that a fix changes: the name, the text (None if it does not exist) and the text after the fix.

    Raises:
        EditError: the edits do not fit the texts.
    """
    fix = found.finding
    if not isinstance(fix, Fix):
        return []
    changes = [*([Change(found.path, fix.edits)] if fix.edits else []), *fix.other_files]
    texts = [(change, workspace.text_if_any(change.path)) for change in changes]
    return [(workspace.display(change.path), text, _with_change(change, text)) for change, text in texts]


def fixed(workspace: Workspace, batch: Sequence[Diagnostic]) -> Workspace:
    """The workspace after a batch of fixes that do not collide.

    Raises:
        Failed: the edits do not fit, change what they do not name, or change nothing.
    """
    texts: dict[Path, str] = {}
    edits: dict[Path, list[Edit]] = {}
    for found in batch:
        if not isinstance(found.finding, Fix):
            continue
        try:
            for change in found.finding.other_files:
                if change.create is not None:
                    texts[change.path] = _with_change(change, workspace.text_if_any(change.path))
        except EditError as error:
            raise Failed("edits", str(error)) from error
        for path, own in edits_by_file(found).items():
            if path not in texts:
                edits.setdefault(path, []).extend(own)
    for path, all_edits in edits.items():
        texts[path] = _edited(workspace, path, all_edits)
    if any(len(text) > MAX_BYTES for text in texts.values()):
        raise Failed("edits", f"the result is larger than {MAX_BYTES // 1024**2} MiB")
    if all(workspace.text_if_any(path) == text for path, text in texts.items()):
        raise Failed("stability", "a fix changes nothing")
    return workspace.with_changes(texts)


def _with_change(change: Change, text: str | None) -> str:
    if change.create is not None:
        if text is not None:
            raise EditError(f"{change.path.name} already exists")
        return change.create
    if text is None:
        raise EditError(f"{change.path.name} does not exist")
    return apply_edits(text, change.edits)


def _edited(workspace: Workspace, path: Path, edits: Sequence[Edit]) -> str:
    from dockfix.engine.gates import check_untouched  # noqa: PLC0415 - only changes need it

    before = workspace.text_if_any(path)
    try:
        after = _with_change(Change(path, tuple(edits)), before)
    except EditError as error:
        raise Failed("edits", str(error)) from error
    if complaints := check_untouched(before or "", after, edits):
        raise Failed("bytes", complaints[0])
    return after


class Shift:
    """Where the places of a text were before edits."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._starts: list[int] = []
        self._edits: list[tuple[Edit, int]] = []
        shift = 0
        for edit in sorted(edits, key=lambda each: (each.start, each.end)):
            self._starts.append(edit.start + shift)
            self._edits.append((edit, shift))
            shift += len(edit.replacement) - (edit.end - edit.start)

    def before(self, offset: int) -> int:
        """The offset in the text before the edits of an offset in the text after them.

        A place inside a replacement has none of its own: it is where the edit starts.
        """
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return offset
        edit, shift = self._edits[index]
        if offset < self._starts[index] + len(edit.replacement):
            return edit.start
        return offset - shift - len(edit.replacement) + (edit.end - edit.start)


def groups(sets: Sequence[frozenset[Path]]) -> tuple[frozenset[Path], ...]:
    """Sets of files; those that share a file are joined."""
    joined: list[frozenset[Path]] = []
    for each in sets:
        touching = [group for group in joined if group & each]
        joined = [group for group in joined if not group & each]
        joined.append(each.union(*touching))
    return tuple(joined)
