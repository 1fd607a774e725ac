"""A whole run: what `dockfix apply` and `dockfix check` do, as functions of plain values.

`run_paths` finds files, runs the engine over each of them, then over the project, and writes the changed files.
`check_paths` does the same without changes. A file that cannot be used does not stop the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from msgspec.structs import replace

from dockfix.engine import inputs
from dockfix.engine.comment_findings import are_silenced, with_comment_findings, without_warnings
from dockfix.engine.generated import generated_warnings
from dockfix.engine.limits import timed
from dockfix.engine.nesting import rules_for
from dockfix.engine.other_comments import comment_mistakes, unused_comments
from dockfix.engine.project import run_project
from dockfix.engine.results import FileResult, RunResult, shown_path
from dockfix.engine.settings import Accept, Mode, Settings
from dockfix.engine.unmatched import unmatched_patterns
from dockfix.engine.workers import Done, Work, do_all, do_target
from dockfix.project.discovery import discover
from dockfix.project.files import MAX_BYTES, NOWHERE, FileText
from dockfix.project.journal import undo_interrupted
from dockfix.project.problems import InputProblem
from dockfix.project.target import Project, load_project, target_for, target_from_text
from dockfix.rule.model import Preset
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import decode

STDIN: Final = "<stdin>"
"""The name of a Dockerfile from standard input that has no other name."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of files that are done and the number of all files."""


def run_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    write: bool = True,
    accept: Accept | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> RunResult:
    """Fix the Dockerfiles that `paths` name.

    Args:
        paths: files, and folders to be searched.
        settings: what to run.
        root: the project; nothing outside it is read or written.
        registry: the installed codemods.
        write: whether files are written; else the result says what would be.
        accept: asked before each fix; then files are fixed one after another.
        progress: called after each file.
        clock: seconds, for `RunResult.seconds`.

    Raises:
        UnknownRuleError: the settings name a rule that does not exist.
    """
    mode = Mode(fix=True, unsafe=settings.unsafe, accept=accept)
    return _run(paths, settings, root, registry, mode, write, progress, clock)


def check_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> RunResult:
    """Find what the codemods find in the Dockerfiles that `paths` name; like `run_paths` without changes."""
    mode = Mode(fix=False, unsafe=settings.unsafe)
    return _run(paths, settings, root, registry, mode, False, progress, clock)


def run_text(
    data: bytes, settings: Settings, *, root: Path, registry: Registry, path: Path | None = None, fix: bool = True
) -> RunResult:
    """Fix a Dockerfile that is not read from a file, or with `fix=False` only check it; nothing is written.

    Args:
        data: the Dockerfile's bytes.
        settings: what to run.
        root: the project that `path` is in.
        registry: the installed codemods.
        path: where the Dockerfile would be (it need not exist); None: nothing is known of its build.
        fix: whether fixes are applied.

    Raises:
        UnknownRuleError: the settings name a rule that does not exist.
    """
    real_root = Path(os.path.realpath(root))
    project = Project(real_root) if path is None else _load(real_root, settings)
    mode = Mode(fix=fix, unsafe=settings.unsafe, single=True)
    rules = rules_for(settings, registry, [] if path is None else [path], real_root)
    work = Work(project, rules.options, rules.codemods, registry.rule_names, mode)
    if rules.problems and not rules.files:
        shown = STDIN if path is None else str(path)
        text = decode(data)
        result = FileResult(Path(shown), shown, shown, text, text, problems=rules.problems)
    else:
        with timed():
            result = _text_result(work, data, path, settings)
        if are_silenced(settings, registry):
            (result,) = without_warnings([result])
        elif not fix:
            (result,), _ = with_comment_findings([result], (), rules.codemods, Workspace(project, (), rules.options))
    return RunResult(
        Workspace(project, ()),
        (result.with_lines_before(),),
        unsafe=settings.unsafe,
        problems=(*project.input_problems, *(rules.problems if rules.files else ()), *result.problems),
        warnings=(*generated_warnings([result]), *result.warnings),
    )


def _text_result(work: Work, data: bytes, path: Path | None, settings: Settings) -> FileResult:
    root = work.project.root
    if len(data) > MAX_BYTES:
        shown = STDIN if path is None else str(path)
        message = f"is larger than {MAX_BYTES // (1024 * 1024)} MiB and is not read"
        return FileResult(Path(shown), shown, shown, "", "", problems=(InputProblem(shown, None, message),))
    text = decode(data)
    if path is None:
        target = replace(target_from_text(text, display=STDIN, root=root), build_options=work.options)
        return do_target(work, target, FileText(target.path, target.real, data, text, NOWHERE), STDIN)[0]
    real = Path(os.path.realpath(path))
    if not inputs.wanted([path], settings, root):
        return FileResult(real, str(path), str(path), text, text)
    if not real.is_relative_to(root):
        return FileResult(real, str(path), str(path), text, text, problems=(inputs.outside(path, root),))
    file = FileText(path, real, data, text, NOWHERE)
    return do_target(work, target_for(work.project, file, work.options), file, str(path))[0]


def check_text(
    data: bytes, settings: Settings, *, root: Path, registry: Registry, path: Path | None = None
) -> RunResult:
    """`run_text` that only checks."""
    return run_text(data, settings, root=root, registry=registry, path=path, fix=False)


def _run(
    paths: Sequence[Path],
    settings: Settings,
    root: Path,
    registry: Registry,
    mode: Mode,
    write: bool,
    progress: Progress | None,
    clock: Callable[[], float],
) -> RunResult:
    started = clock()
    real_root = Path(os.path.realpath(root))
    inside, problems = inputs.split(paths, real_root)
    left = undo_interrupted(real_root, only_say=not write)
    project = _load(real_root, settings)
    counted, searched = inputs.scope(inputs.wanted(inside, settings, real_root), project)
    searched = inputs.wanted(searched, settings, real_root)
    found, trouble = discover(
        searched,
        root=real_root,
        exclude=settings.exclude,
        respect_gitignore=settings.respect_gitignore,
        built=project.built,
    )
    problems += trouble
    rules = rules_for(settings, registry, [each.path for each in found], real_root)
    codemods, files = rules.codemods, list(rules.files)
    problems += rules.problems
    # the mode is sent to workers: what cannot be sent is added afterwards
    mode = replace(mode, single=len(files) == 1)
    work = Work(project, rules.options, codemods, registry.rule_names, mode)
    done: list[Done] = []
    with timed():
        for each in do_all(work, files, settings.jobs):
            done.append(each)
            if progress is not None:
                progress(len(done), len(files))
        used = [(result, file) for result, file in done if file is not None]
        workspace = Workspace(project, tuple(file for _, file in used), rules.options)
        mode = replace(mode, in_scope=lambda path: inputs.is_in(path, counted))
        run = run_project(workspace, codemods, mode, [result for result, _ in used])
    results = _merged(done, run)
    if write:
        from dockfix.engine.writing import write_results  # noqa: PLC0415 - only `apply` writes

        results = write_results(results, run.workspace, run.change_sets)
    about, others = inputs.relevant(project, [file.real for _, file in used], counted)
    others += [*rules.warnings, *(replace(each, path=shown_path(Path(each.path))) for each in left)]
    others += unmatched_patterns(rules.configs, project, [each.path for each in found], counted)
    comments = list(comment_mistakes(workspace, counted, work.names))
    if not run.changed:  # a fix may have created what a comment ignores
        all_rules = {each.name for each in registry.in_preset(Preset.RECOMMENDED)} <= {each.name for each in codemods}
        comments += unused_comments(run.workspace, codemods, mode, counted, work.names, all_rules=all_rules)
    if are_silenced(settings, registry):
        results, comments = without_warnings(results), []
    elif not mode.fix:
        results, comments = with_comment_findings(results, comments, codemods, workspace)
    return replace(
        run,
        files=tuple(each if each.written else each.with_lines_before() for each in results),
        problems=(*problems, *about, *(problem for each in results for problem in each.problems)),
        warnings=_by_place(
            [
                *others,
                *comments,
                *generated_warnings(results),
                *(warning for each in results for warning in each.warnings),
            ]
        ),
        seconds=clock() - started,
    )


def _by_place(warnings: Sequence[InputProblem]) -> tuple[InputProblem, ...]:
    """Warnings by file, in the order of their first ones, and by line."""
    order = {path: number for number, path in enumerate(dict.fromkeys(each.path for each in warnings))}
    return tuple(sorted(warnings, key=lambda each: (order[each.path], each.line or 0)))


def _load(real_root: Path, settings: Settings) -> Project:
    return load_project(real_root, use_project=settings.use_project, compose=settings.compose)


def _merged(done: Sequence[Done], run: RunResult) -> list[FileResult]:
    """The results of all files: the Dockerfiles in their order, used or not, then the other files."""
    results = {result.real: result for result, _ in done}
    results.update({each.real: each for each in run.files})
    return list(results.values())
