"""The engine over one Dockerfile, and over a project: both are passes of codemods over a workspace.

First each Dockerfile is fixed by itself, in a workspace of one file (`run_file`); the caller may do that in parallel.
Then come the fixes that change several files, and the rules that check the whole project (`run_project`). The
Dockerfiles that these change are run by themselves again, and so on until nothing changes. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dockfix.engine.calls import Failed, call
from dockfix.engine.findings import Findings, in_order, project_findings
from dockfix.engine.fixes import edits_by_file, groups
from dockfix.engine.passes import Passes
from dockfix.engine.relevance import may_apply
from dockfix.engine.results import Defect, FileResult, RunResult, shown_path, with_lines_of
from dockfix.engine.settings import Accept, Mode
from dockfix.project.target import Target
from dockfix.rule.model import Codemod, Diagnostic, Fix
from dockfix.rule.workspace import Workspace, changed_paths, collect_key

_EVERYTHING: Final = Mode()


def run(
    target: Target, codemods: Sequence[Codemod], *, unsafe: bool = False, accept: Accept | None = None
) -> FileResult:
    """Apply the codemods' fixes to one Dockerfile, in memory, except those that also change other files.

    Args:
        target: the file in its build. Its text must parse.
        codemods: what to run, in order.
        unsafe: whether unsafe fixes are also applied.
        accept: asked before each fix is applied.
    """
    return run_file(target, codemods, Mode(unsafe=unsafe, accept=accept))


def findings(target: Target, codemods: Sequence[Codemod]) -> tuple[tuple[Diagnostic, ...], tuple[Defect, ...]]:
    """The findings of the codemods in one Dockerfile, in the order of its lines, and the defects of the codemods."""
    result = run_file(target, codemods, Mode(fix=False))
    return result.remaining, result.defects


def run_file(target: Target, codemods: Sequence[Codemod], mode: Mode = _EVERYTHING) -> FileResult:
    """Run the codemods on one Dockerfile, and collect what they need from it for other files."""
    memory = Findings()
    lowered = memory.lowered(target.text)
    # a check does not change the text: a codemod that does not apply now will not apply later
    rules = [each for each in codemods if each.check is not None and (mode.fix or may_apply(each, target, lowered))]
    start = Workspace.of(target)
    real = target.real

    def own_fixes(codemod: Codemod, workspace: Workspace) -> Iterable[Diagnostic]:
        found = memory.of(codemod, workspace.targets[0])
        return [each for each in found if not _reaches(each)]

    passes = Passes(start, rules, mode, own_fixes)
    passes.run()
    now = passes.workspace.targets[0]
    defects = dict(passes.defects)
    remaining: list[Diagnostic] = []
    for codemod in rules:
        try:
            found = memory.of(codemod, now)
        except Failed as failed:
            defects.setdefault(codemod.name, failed.defect(codemod.name))
        else:
            remaining += [each for each in found if _reaches(each) or passes.offered(each)]
    collected: dict[str, object] = {}
    for codemod in _collecting(codemods, now, memory.lowered(now.text), single=mode.single):
        try:
            collected |= _collected(codemod, now)
        except Failed as failed:
            defects.setdefault(codemod.name, failed.defect(codemod.name))
    return FileResult(
        real,
        str(target.path),
        target.display,
        target.text,
        now.text,
        tuple(passes.applied),
        in_order(remaining),
        tuple(defects.values()),
        collected=collected,
    )


def _collecting(codemods: Sequence[Codemod], target: Target, lowered: str, *, single: bool) -> list[Codemod]:
    """The codemods that collect something from a Dockerfile."""
    return [
        codemod
        for codemod in codemods
        if codemod.collect is not None
        and (may_apply(codemod, target, lowered) if single else codemod.could_apply(lowered))
    ]


def _collected(codemod: Codemod, target: Target) -> Mapping[str, object]:
    collect = codemod.collect
    return {} if collect is None else {collect_key(collect): call(codemod.name, collect, target)}


def run_project(
    workspace: Workspace,
    codemods: Sequence[Codemod],
    mode: Mode = _EVERYTHING,
    results: Sequence[FileResult] | None = None,
) -> RunResult:
    """Run the codemods on a project.

    Args:
        workspace: the project and the Dockerfiles as they were read.
        codemods: what to run, in order.
        mode: whether fixes are applied, and which.
        results: the results of `run_file` for the files, in their order; by default it is run here.
    """
    if results is None:
        results = [run_file(target, codemods, mode) for target in workspace.targets]
    return _ProjectRun(workspace, results, codemods, mode).result()


class _ProjectRun:
    """The run over a project, after each of its Dockerfiles was run by itself; `files` has their results by path."""

    def __init__(
        self, workspace: Workspace, results: Sequence[FileResult], codemods: Sequence[Codemod], mode: Mode
    ) -> None:
        self.codemods, self.mode = codemods, mode
        self.files = {each.real: each for each in results}
        self.reaching = self._index()
        self.memory: tuple[Workspace, dict[Path, Findings]] | None = None
        self.project_findings: dict[str, tuple[Workspace, list[Diagnostic] | Failed]] = {}
        self.passes = Passes(_with_results(workspace, results), codemods, mode, self.found)

    def result(self) -> RunResult:
        """Run the passes, and collect the results."""
        start, files, passes = self.passes.start, self.files, self.passes
        passes.run(between=self.run_again)
        if passes.workspace is start:
            self.files = files  # the passes were undone
        found, defects = self.remaining()
        made: dict[Path, list[Diagnostic]] = {}
        for each in passes.applied:
            made.setdefault(each.path, []).append(each)
        changes = passes.workspace.project.files.changes
        dockerfiles = [
            replace(
                file,
                text=changes.get(path, file.text),
                applied=(*file.applied, *with_lines_of(file.before, start.text(path), made.get(path, ()))),
                remaining=self.shown(file.remaining, found.get(path, ())),
            )
            for path, file in self.files.items()
        ]
        others = sorted({*found, *made, *changes} - self.files.keys())
        return RunResult(
            passes.workspace,
            (*dockerfiles, *(self.other(path, made.get(path, ()), found.get(path, ())) for path in others)),
            groups([frozenset(edits_by_file(each)) for each in passes.applied]),
            tuple(defects.values()),
            unsafe=self.mode.unsafe,
        )

    def remaining(self) -> tuple[Mapping[Path, Sequence[Diagnostic]], Mapping[str, Defect]]:
        """The findings over the project that are left, by file, and all defects by codemod."""
        defects = dict(self.passes.defects)
        found: dict[Path, list[Diagnostic]] = {}
        for codemod in self.codemods:
            if codemod.check_project is None:
                continue
            try:
                left = self.check_project(codemod, self.passes.workspace)
            except Failed as failed:
                defects.setdefault(codemod.name, failed.defect(codemod.name))
                continue
            for each in filter(self.passes.offered, left):
                found.setdefault(each.path, []).append(each)
        return found, defects

    def found(self, codemod: Codemod, workspace: Workspace) -> Iterable[Diagnostic]:
        """The findings that are fixed over the project: those of project rules, and fixes that change other files."""
        if codemod.check_project is not None:
            return self.check_project(codemod, workspace)
        paths = self.reaching.get(codemod.name, ())
        if workspace is self.passes.start:
            return [each for path in paths for each in self.files[path].remaining if _is_of(each, codemod)]
        if self.memory is None or self.memory[0] is not workspace:
            self.memory = workspace, defaultdict(Findings)
        found = (self.memory[1][path].of(codemod, workspace.target(workspace.by_path[path])) for path in paths)
        return [each for some in found for each in some if _reaches(each)]

    def check_project(self, codemod: Codemod, workspace: Workspace) -> list[Diagnostic]:
        """The findings of a project rule, remembered until the workspace changes.

        Raises:
            Failed: the codemod raised an exception, in this call or the first one.
        """
        known = self.project_findings.get(codemod.name)
        if known is None or known[0] is not workspace:
            try:
                known = workspace, list(project_findings(codemod, workspace, self.mode))
            except Failed as failed:
                known = workspace, failed
            self.project_findings[codemod.name] = known
        if isinstance(known[1], Failed):
            raise known[1]
        return known[1]

    def run_again(self, before: Workspace) -> None:
        """Run the Dockerfiles that the last pass changed by themselves again; all of them if the project changed."""
        now = self.passes.workspace
        changed = changed_paths(before, now)
        whole = now.project.invocations != before.project.invocations or any(each not in self.files for each in changed)
        results = []
        for path in self.files if whole else [path for path in self.files if path in changed]:
            old, new = self.files[path], run_file(now.target(now.by_path[path]), self.codemods, self.mode)
            results.append(
                replace(
                    old,
                    text=new.text,
                    applied=(*old.applied, *with_lines_of(old.before, new.before, new.applied)),
                    remaining=new.remaining,
                    defects=tuple(dict.fromkeys((*old.defects, *new.defects))),
                    collected=new.collected,
                )
            )
        self.files = self.files | {each.real: each for each in results}
        self.reaching = self._index()
        self.passes.workspace = _with_results(now, results)

    def _index(self) -> dict[str, list[Path]]:
        """The Dockerfiles with fixes that also change other files, by rule."""
        index: dict[str, list[Path]] = {}
        for path, file in self.files.items():
            for rule in dict.fromkeys(each.rule for each in file.remaining if _reaches(each)):
                index.setdefault(rule, []).append(path)
        return index

    def shown(self, own: Sequence[Diagnostic], more: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        """The findings that are left in a Dockerfile, without fixes over several files that a gate rejected."""
        return in_order([*(each for each in own if not _reaches(each) or self.passes.offered(each)), *more])

    def other(self, path: Path, applied: Sequence[Diagnostic], remaining: Sequence[Diagnostic]) -> FileResult:
        before = self.passes.start.text_if_any(path)
        return FileResult(
            path,
            shown_path(path),
            self.passes.workspace.display(path),
            before or "",
            self.passes.workspace.text_if_any(path) or "",
            tuple(applied),
            in_order(remaining),
            created=before is None,
            is_dockerfile=False,
        )


def _with_results(workspace: Workspace, results: Sequence[FileResult]) -> Workspace:
    """The workspace with the results of its files, and with what is collected from them."""
    changes = {each.real: each.text for each in results if each.text != workspace.text(each.real)}
    moved = workspace.with_changes(changes) if changes else workspace
    known = {(key, each.real): value for each in results for key, value in each.collected.items()}
    return moved.with_known(known)


def _reaches(found: Diagnostic) -> bool:
    return isinstance(found.finding, Fix) and bool(found.finding.other_files)


def _is_of(found: Diagnostic, codemod: Codemod) -> bool:
    return found.rule == codemod.name and _reaches(found)
