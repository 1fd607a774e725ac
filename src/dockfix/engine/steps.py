"""The fixes of a run one after another: what each of them changes in the files as the fixes before it left them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from dockfix.engine.fixes import edits_by_file
from dockfix.engine.results import RunResult
from dockfix.rule import Change, Diagnostic, Edit, Fix, apply_edits
from dockfix.rule.workspace import Workspace

__all__ = ["Recorder", "Step", "steps"]


class Step(Struct, frozen=True):
    """What a fix changes.

    Args:
        found: the fix; None for a difference that no single fix explains.
        changes: the texts of each file before and after, by real path; None before a file exists.
    """

    found: Diagnostic | None
    changes: Mapping[Path, tuple[str | None, str]]


class Recorder(Struct):
    """An `accept` for `run_paths` that takes each fix and notes it with the files that it was found in."""

    asked: list[tuple[Workspace, Diagnostic]] = field(default_factory=list)

    def __call__(self, workspace: Workspace, found: Diagnostic) -> bool:
        """Note a fix; all are accepted."""
        self.asked.append((workspace, found))
        return True


def steps(run: RunResult, recorder: Recorder) -> Iterator[Step]:
    """The fixes that a run has applied, in order. After the last, the files are as the run left them.

    Args:
        run: the run; nothing may have been written.
        recorder: its `accept`.
    """
    before = {file.real: None if file.created else file.before for file in run.files}
    applied = {id(found.finding) for file in run.files for found in file.applied}
    taken = [(workspace, found) for workspace, found in recorder.asked if id(found.finding) in applied]
    now: dict[Path, str | None] = dict(before)
    for workspace, batch in _batches(taken):
        for found, texts in _one_by_one(workspace, batch):
            changes = {path: (now.get(path), text) for path, text in texts.items() if now.get(path) != text}
            now.update(texts)
            if changes:
                yield Step(found, {path: (old, new) for path, (old, new) in changes.items()})
    rest = {file.real: (now.get(file.real), file.text) for file in run.changed if now.get(file.real) != file.text}
    if rest:
        yield Step(None, rest)


def _batches(taken: Sequence[tuple[Workspace, Diagnostic]]) -> Iterator[tuple[Workspace, list[Diagnostic]]]:
    """The fixes that the engine applied together: those of one rule in one state of the files."""
    batch: list[Diagnostic] = []
    state: Workspace | None = None
    for workspace, found in taken:
        if batch and (workspace is not state or found.rule != batch[0].rule) and state is not None:
            yield state, batch
            batch = []
        state = workspace
        batch.append(found)
    if batch and state is not None:
        yield state, batch


def _one_by_one(workspace: Workspace, batch: Sequence[Diagnostic]) -> Iterator[tuple[Diagnostic, dict[Path, str]]]:
    """The texts of the files that each fix of a batch changes, after it and those before it."""
    edits: dict[Path, list[Edit]] = {}
    for found in batch:
        texts: dict[Path, str] = {}
        for path, own in edits_by_file(found).items():
            if own:
                edits.setdefault(path, []).extend(own)
                texts[path] = apply_edits(workspace.text_if_any(path) or "", edits[path])
        texts.update({change.path: change.create for change in _created(found) if change.create is not None})
        yield found, texts


def _created(found: Diagnostic) -> tuple[Change, ...]:
    return found.finding.other_files if isinstance(found.finding, Fix) else ()
