"""The engine over many files: surveys, and fixes that change several files at once.

What a file needs by itself is done first, file by file (`judge`, in parallel if the caller likes). Then, codemod by
codemod in running order, fixes that reach over files are made to the workspace, each whole or not at all; the files
that they touch are judged again, and so on until nothing changes. Nothing here writes a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from dockfix.codemod import engine
from dockfix.codemod.concern import concerns_file, concerns_run
from dockfix.codemod.engine import MAX_ROUNDS, Accept, Defect, Proposal, changed_text
from dockfix.codemod.model import Codemod, Edit, EditError, Effect, Fix, Found, Safety, apply_edits, conflict
from dockfix.codemod.suppress import Suppressions, silences_in_text
from dockfix.codemod.workspace import Workspace, gather_key
from dockfix.project.files import FileText
from dockfix.project.problems import InputError
from dockfix.project.target import Target
from dockfix.syntax.source import Lines

__all__ = ["Judged", "OtherFile", "Settled", "judge", "settle"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one Dockerfile. `text` is what it should hold now; the rest is as in `engine.Outcome`."""

    file: FileText
    text: str
    applied: tuple[Found, ...] = ()
    remaining: tuple[Found, ...] = ()
    defects: tuple[Defect, ...] = ()
    gathered: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtherFile:
    """What became of a file that is no Dockerfile. `before` is `None` for one that is to be created."""

    path: Path
    before: str | None
    after: str
    applied: tuple[Found, ...] = ()
    remaining: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Settled:
    """What became of all files of a run.

    `change_sets` are the groups of files (real paths) that must be written together or not at all, because one fix
    changed them; `defects` are those of no single Dockerfile.
    """

    workspace: Workspace
    files: tuple[Judged, ...]
    others: tuple[OtherFile, ...]
    change_sets: tuple[frozenset[Path], ...]
    defects: tuple[Defect, ...]


@dataclass(frozen=True)
class Mode:
    """What is asked for: whether fixes are made, unsafe ones too, which a person wants, and in which files findings
    count that stand in no Dockerfile of the run.
    """

    fix: bool = True
    unsafe: bool = False
    accept: Accept | None = None
    in_scope: Callable[[Path], bool] = lambda _: True
    alone: bool = False
    """Whether the run is of one Dockerfile, so that a survey may turn out to have nothing to gather for."""


_EVERYTHING: Final = Mode()


def judge(target: Target, file: FileText, codemods: Sequence[Codemod], mode: Mode = _EVERYTHING) -> Judged:
    """Run the codemods on one Dockerfile, and gather what surveys will want to know of it."""
    if mode.fix:
        outcome = engine.run(target, codemods, unsafe=mode.unsafe, accept=mode.accept)
        judged = Judged(file, outcome.text, outcome.applied, outcome.remaining, outcome.defects)
    else:
        remaining, defects = engine.findings(target, codemods)
        judged = Judged(file, target.text, (), remaining, defects)
    # what is known of the text already need not be found out again
    now = target if judged.text == target.text else target.with_text(judged.text)
    lowered = judged.text.lower()
    gathered = {
        gather_key(codemod.gather): codemod.gather(now)
        for codemod in codemods
        if codemod.gather is not None
        and (concerns_file(codemod, now, lowered) if mode.alone else codemod.could_apply(lowered))
    }
    return replace(judged, gathered=gathered) if gathered else judged


def settle(
    workspace: Workspace, judged: Sequence[Judged], codemods: Sequence[Codemod], mode: Mode = _EVERYTHING
) -> Settled:
    """Make the fixes that reach over files, and run the surveys.

    Args:
        workspace: the project and the Dockerfiles as they were read.
        judged: what became of each of these by itself, in the same order.
        codemods: what to run, in order.
        mode: what is asked for.
    """
    run = _Run(workspace, judged, codemods, mode)
    if mode.fix:
        for _ in range(MAX_ROUNDS):
            before = run.workspace
            for codemod in codemods:
                run.pass_of(codemod)
            if run.workspace is before:
                break
            run.judge_again(before)
        else:
            run.give_up()
    return run.result()


class _Broken(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, gate: str, message: str) -> None:
        super().__init__(message)
        self.gate = gate


@dataclass(frozen=True)
class _Placed:
    """A finding and the file that it stands in."""

    path: Path
    found: Found

    @property
    def fix(self) -> Fix | None:
        return self.found.finding if isinstance(self.found.finding, Fix) else None

    @cached_property
    def changes(self) -> dict[Path, tuple[Edit, ...]]:
        """The edits of each file; none for a file that is created."""
        if self.fix is None:
            return {}
        own = {self.path: self.fix.edits} if self.fix.edits else {}
        return own | {change.path: change.edits for change in self.fix.elsewhere}


class _Run:
    """The state of one `settle`."""

    def __init__(self, workspace: Workspace, judged: Sequence[Judged], codemods: Sequence[Codemod], mode: Mode) -> None:
        self.codemods, self.mode = codemods, mode
        self.files = {each.file.real: each for each in judged}
        self.start = _with_results(workspace, judged)
        self.workspace = self.start
        self.applied: list[_Placed] = []
        self.defects: dict[str, Defect] = {}
        self.declined: set[tuple[Path, str, str]] = set()
        self.surveyed: dict[str, tuple[Workspace, list[_Placed]]] = {}

    def pass_of(self, codemod: Codemod) -> None:
        """Make a codemod's fixes that reach over files, until it has no more; nothing if a gate fails."""
        if codemod.name in self.defects:
            return
        before, made = self.workspace, len(self.applied)
        try:
            for _ in range(MAX_ROUNDS):
                batch = self.batch(codemod)
                if not batch:
                    break
                self.make(batch)
            else:
                raise _Broken("stability", "the codemod goes on finding more to do to its own output")
            if self.workspace is not before:
                self.check(codemod, before)
        except _Broken as broken:
            self.workspace = before
            del self.applied[made:]
            self.defects[codemod.name] = Defect(codemod.name, broken.gate, str(broken))

    def batch(self, codemod: Codemod) -> list[_Placed]:
        """The codemod's next fixes that do not touch each other."""
        batch: list[_Placed] = []
        for each in self.candidates(codemod):
            if not any(_collide(each.changes, other.changes) for other in batch) and self.wanted(each):
                batch.append(each)
        return batch

    def candidates(self, codemod: Codemod) -> Iterator[_Placed]:
        """Its fixes that this run may make: those of a survey, and those of a rewrite that change other files."""
        found = self.survey(codemod) if codemod.survey is not None else self.reaching(codemod)
        for each in found:
            if each.fix is not None and (self.mode.unsafe or each.fix.safety is Safety.SAFE):
                yield each

    def reaching(self, codemod: Codemod) -> list[_Placed]:
        found: list[_Placed] = []
        for path, judged in self.files.items():
            hits = [each for each in judged.remaining if each.rule == codemod.name and _reaches(each)]
            if hits and self.workspace is not self.start:
                hits = [each for each in engine.findings(self.target(path), [codemod])[0] if _reaches(each)]
            found += [_Placed(path, each) for each in hits]
        return found

    def survey(self, codemod: Codemod) -> list[_Placed]:
        """The findings of a survey on the workspace as it is, which are kept until it changes."""
        known = self.surveyed.get(codemod.name)
        if known is not None and known[0] is self.workspace:
            return known[1]
        found = list(self.run_survey(codemod))
        self.surveyed[codemod.name] = (self.workspace, found)
        return found

    def run_survey(self, codemod: Codemod) -> Iterator[_Placed]:
        if codemod.survey is None:
            return
        concerned = self.workspace.only(codemod.could_apply)
        if not concerns_run(codemod, concerned):
            return
        try:
            results = list(codemod.survey(concerned))
        except Exception as error:
            # As in the engine: whatever a codemod raises is its defect and no reason to stop the run.
            raise _Broken("crash", f"{type(error).__name__}: {error}") from error
        for finding in results:
            if finding.file is None:
                raise _Broken("crash", "a survey's finding does not say which file it stands in")
            if finding.file in self.files:
                target = self.target(finding.file)
                if not Suppressions(target.dockerfile).silences(codemod, finding.at):
                    yield _Placed(finding.file, engine.locate_in(target, codemod, finding))
            elif self.mode.in_scope(finding.file):
                text = self.text(finding.file) or ""
                lines = Lines(text)
                if not silences_in_text(text, codemod.name, lines.line(finding.at.start)):
                    yield _Placed(
                        finding.file, engine.locate(codemod, finding, lines, text, self.workspace.project.secrets)
                    )

    def wanted(self, each: _Placed) -> bool:
        if self.mode.accept is None:
            return True
        identity = (each.path, each.found.rule, each.found.finding.message)
        if identity in self.declined:
            return False
        others = {path: (self.display(path), self.text(path)) for path in each.changes if path != each.path}
        proposal = Proposal(each.path, self.display(each.path), self.text(each.path) or "", others)
        if self.mode.accept(proposal, each.found):
            return True
        self.declined.add(identity)
        return False

    def make(self, batch: Sequence[_Placed]) -> None:
        texts: dict[Path, str] = {}
        edits: dict[Path, list[Edit]] = {}
        for each in batch:
            fix = each.fix
            if fix is None:
                continue
            try:
                for change in fix.elsewhere:
                    if change.create is not None:
                        texts[change.path] = changed_text(change, self.text(change.path))
            except EditError as error:
                raise _Broken("edits", str(error)) from error
            for path, own in each.changes.items():
                if path not in texts:
                    edits.setdefault(path, []).extend(own)
        for path, all_edits in edits.items():
            texts[path] = self.edited(path, all_edits)
        if all(self.text(path) == text for path, text in texts.items()):
            raise _Broken("stability", "a fix changes nothing")
        self.workspace = self.workspace.with_changes(texts)
        self.applied += batch

    def edited(self, path: Path, edits: Sequence[Edit]) -> str:
        from dockfix.codemod.gates import check_untouched  # noqa: PLC0415 - only changes need it

        before = self.text(path)
        if before is None:
            raise _Broken("edits", f"{path.name} is not there")
        try:
            after = apply_edits(before, edits)
        except EditError as error:
            raise _Broken("edits", str(error)) from error
        if complaints := check_untouched(before, after, edits):
            raise _Broken("bytes", complaints[0])
        return after

    def check(self, codemod: Codemod, before: Workspace) -> None:
        """The gates over all files that a codemod has changed."""
        from dockfix.codemod.filegates import check_other_file, effect_of  # noqa: PLC0415 - only changes need them
        from dockfix.codemod.gates import check_gates  # noqa: PLC0415 - where something changes

        old, new = before.project.files.changes, self.workspace.project.files.changes
        for path in (path for path in new if new[path] != old.get(path)):
            text = _text(before, path)
            if path in self.files and text is not None:
                file = self.files[path].file
                complaints = check_gates(codemod, before.target(file).dockerfile, self.target(path).dockerfile)
            elif text is None:
                complaints = [] if Effect.FILES in codemod.effects else [f"{path.name} was created undeclared"]
            elif effect_of(path) not in codemod.effects:
                complaints = [f"{path.name} was changed in an undeclared way"]
            else:
                complaints = check_other_file(path, text, new[path])
            if complaints:
                raise _Broken("gate", complaints[0])
        # a problem that was there may stand on another line now
        old_problems = Counter((each.path, each.message) for each in before.project.problems)
        fresh = Counter((each.path, each.message) for each in self.workspace.project.problems) - old_problems
        if fresh:
            where, message = min(fresh)
            raise _Broken("gate", f"{where}: {message}")

    def judge_again(self, before: Workspace) -> None:
        """Judge the Dockerfiles that fixes over files have touched, or all if the project around them is another."""
        whole = self.workspace.project.invocations != before.project.invocations or any(
            path not in self.files for path in _changed(before, self.workspace)
        )
        dirty = list(self.files) if whole else [path for path in self.files if path in _changed(before, self.workspace)]
        results = []
        for path in dirty:
            old = self.files[path]
            new = judge(self.target(path), old.file, self.codemods, self.mode)
            results.append(
                replace(new, applied=(*old.applied, *new.applied), defects=_merged(old.defects, new.defects))
            )
        self.files |= {each.file.real: each for each in results}
        self.workspace = _with_results(self.workspace, results)

    def give_up(self) -> None:
        names = ", ".join(sorted({each.found.rule for each in self.applied}))
        self.applied.clear()
        self.workspace = self.start
        self.defects[""] = Defect(names, "convergence", "the codemods go on changing each other's work")

    def result(self) -> Settled:
        found: dict[Path, list[Found]] = {}
        for codemod in self.codemods:
            if codemod.survey is not None and codemod.name not in self.defects:
                try:
                    placed = self.survey(codemod)
                except _Broken as broken:
                    self.defects[codemod.name] = Defect(codemod.name, broken.gate, str(broken))
                    continue
                for each in placed:
                    found.setdefault(each.path, []).append(each.found)
        made: dict[Path, list[Found]] = {}
        for each in self.applied:
            made.setdefault(each.path, []).append(each.found)
        changes = self.workspace.project.files.changes
        files = [
            replace(
                judged,
                text=changes.get(path, judged.text),
                applied=(*judged.applied, *made.get(path, ())),
                remaining=_sorted((*judged.remaining, *found.get(path, ()))),
            )
            for path, judged in self.files.items()
        ]
        others = sorted({*found, *made, *changes} - self.files.keys())
        return Settled(
            self.workspace,
            tuple(files),
            tuple(self.other(path, made.get(path, ()), found.get(path, ())) for path in others),
            _groups([frozenset(each.changes) for each in self.applied]),
            tuple(self.defects.values()),
        )

    def other(self, path: Path, applied: Sequence[Found], remaining: Sequence[Found]) -> OtherFile:
        before, after = _text(self.start, path), self.text(path)
        return OtherFile(path, before, after or "", tuple(applied), _sorted(remaining))

    def target(self, path: Path) -> Target:
        return self.workspace.target(self.files[path].file)

    def text(self, path: Path) -> str | None:
        return _text(self.workspace, path)

    def display(self, path: Path) -> str:
        root = self.workspace.project.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _with_results(workspace: Workspace, judged: Sequence[Judged]) -> Workspace:
    """The workspace with what became of its files, and with what is known of them."""
    changes = {each.file.real: each.text for each in judged if each.text != workspace.text(each.file.real)}
    moved = workspace.with_changes(changes) if changes else workspace
    known = {(key, each.file.real): value for each in judged for key, value in each.gathered.items()}
    return replace(moved, known={**moved.known, **known}) if known else moved


def _text(workspace: Workspace, path: Path) -> str | None:
    """The text of a file, `None` if it cannot be read or is not there."""
    try:
        return workspace.text(path)
    except InputError:
        return None


def _changed(before: Workspace, after: Workspace) -> set[Path]:
    old, new = before.project.files.changes, after.project.files.changes
    return {path for path in new if new[path] != old.get(path)}


def _reaches(found: Found) -> bool:
    return isinstance(found.finding, Fix) and bool(found.finding.elsewhere)


def _collide(one: Mapping[Path, Sequence[Edit]], other: Mapping[Path, Sequence[Edit]]) -> bool:
    """Whether two change sets must not be made in one round."""
    return any(not one[path] or not other[path] or conflict(one[path], other[path]) for path in one.keys() & other)


def _merged(old: Sequence[Defect], new: Sequence[Defect]) -> tuple[Defect, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _sorted(found: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(sorted(found, key=lambda each: (each.line, each.column, each.rule)))


def _groups(sets: Sequence[frozenset[Path]]) -> tuple[frozenset[Path], ...]:
    """Sets of files with those put together that share one."""
    groups: list[frozenset[Path]] = []
    for each in sets:
        joined = [group for group in groups if group & each]
        groups = [group for group in groups if not group & each]
        groups.append(each.union(*joined))
    return tuple(groups)
