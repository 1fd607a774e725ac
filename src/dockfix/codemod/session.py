"""A run over many files: everything that `dockfix apply` and `dockfix check` do, as functions of plain values.

`run_paths` finds files, runs the engine over each, then over all of them together, and writes what changed;
`check_paths` only looks. One file that cannot be used does not stop the others. Results are plain values, first the
Dockerfiles in the order of their paths, whatever ran in parallel, then the other files that have findings or changes.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from dockfix.codemod import engine
from dockfix.codemod.changeset import Judged, Mode, OtherFile, Settled, judge, settle
from dockfix.codemod.engine import Accept, Defect
from dockfix.codemod.inmemory import target_from_text
from dockfix.codemod.model import Codemod, Fix, Found, HasRemaining, Refusal, Safety, Severity
from dockfix.codemod.registry import Registry
from dockfix.codemod.suppress import Suppressions, mistakes_in_text
from dockfix.codemod.workspace import Workspace
from dockfix.project.discovery import discover, not_excluded
from dockfix.project.files import MAX_BYTES, FileText, Fingerprint, NewFile, read_file, write_files
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.target import BuildOptions, Project, Target, is_project_file_name, load_project, target_for
from dockfix.syntax.source import decode, encode

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

__all__ = ["STDIN", "FileOutcome", "RunResult", "Settings", "check_paths", "check_text", "run_paths", "run_text"]

PARALLEL_FROM: Final = 40
"""The number of files from which on it pays to start processes."""

_CHUNK: Final = 8

STDIN: Final = "<stdin>"
"""What a Dockerfile from standard input is called where no name is given for it."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many files are done, of how many."""


@dataclass(frozen=True)
class Settings:
    """What a run is asked to do, from the command line and the configuration.

    Args:
        rules: names of the rules to run; empty: all that are not opt-in.
        skip: names of rules not to run.
        unsafe: whether unsafe fixes are made too.
        exclude: gitignore patterns, relative to the root, of what a search leaves out.
        force_exclude: whether they leave out files and folders that are named, too.
        context: the build context of every file; relative to the root unless absolute.
        build_contexts: named contexts, as `docker build --build-context` takes them.
        use_project: whether compose files are read for how the files are built.
        respect_gitignore: whether a search leaves out what git ignores.
        jobs: processes to use where there are many files.
        base_images: images that extend the table of base images, each with the image that it is like.
        image_lock: digests of base images, as `project.imagelock` reads them.
        compose: the compose files to read, merged in this order, in place of all that a search finds.
        uid_map: the uid that a user of the project is to have in all images, by the user's name.
        recommended_env: by base image, the ENV variables that a stage on it is to have, with their values.
    """

    rules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    use_project: bool = True
    respect_gitignore: bool = True
    jobs: int = 1
    base_images: Mapping[str, str] = field(default_factory=dict)
    compose: tuple[Path, ...] = ()
    uid_map: Mapping[str, int] = field(default_factory=dict)
    image_lock: Mapping[str, str] = field(default_factory=dict)
    recommended_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def builds(self) -> BuildOptions:
        """What they say of how Dockerfiles are built."""
        return BuildOptions(
            context=self.context,
            build_contexts=self.build_contexts,
            use_project=self.use_project,
            base_images=self.base_images,
            compose=self.compose,
            uid_map=self.uid_map,
            image_lock=self.image_lock,
            recommended_env=self.recommended_env,
        )


@dataclass(frozen=True, slots=True)
class FileOutcome(HasRemaining):
    """What became of one file, or of one text.

    `path` is as the user would write it, `display` relative to the root with `/`. `after` is the text with the fixes
    of `applied`; it is `before` if the file was only looked at, or could not be used or written. `remaining` holds
    the findings on `after`: fixes not made, refusals, advice; their lines are those of the file as it stands on disk,
    so of `before` if nothing was written. `written` tells whether the file on disk has changed. `created`: there was
    no such file, and `before` is empty. `is_dockerfile` is false for what a run finds or changes besides: compose,
    bake and ignore files, and new ones.
    """

    path: str
    display: str
    before: str
    after: str
    applied: tuple[Found, ...] = ()
    remaining: tuple[Found, ...] = ()
    defects: tuple[Defect, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    warnings: tuple[InputProblem, ...] = ()
    written: bool = False
    created: bool = False
    is_dockerfile: bool = True

    @property
    def changed(self) -> bool:
        """Whether there is a difference, written or not."""
        return self.before != self.after or self.created

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        from dockfix.codemod.difftext import unified_diff  # noqa: PLC0415 - only changes need it

        return unified_diff(None if self.created else self.before, self.after, self.display)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run. `problems` holds what could not be used, those of the files included, in order.

    `warnings` are about things that do not keep a file from being done: an unknown rule in an ignore comment.
    `seconds` is by the clock that the run was given. `survey_defects` are those of codemods that look at all files.
    """

    root: Path
    settings: Settings
    files: tuple[FileOutcome, ...]
    problems: tuple[InputProblem, ...] = ()
    warnings: tuple[InputProblem, ...] = ()
    seconds: float = 0.0
    survey_defects: tuple[Defect, ...] = ()

    @property
    def dockerfiles(self) -> tuple[FileOutcome, ...]:
        """The Dockerfiles among the files."""
        return tuple(each for each in self.files if each.is_dockerfile)

    @property
    def changed(self) -> tuple[FileOutcome, ...]:
        """The files that differ."""
        return tuple(each for each in self.files if each.changed)

    @property
    def applied(self) -> int:
        """How many fixes were made."""
        return sum(len(each.applied) for each in self.files)

    @property
    def fixable(self) -> int:
        """How many safe fixes were found and not made."""
        return sum(not _is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def fixable_unsafe(self) -> int:
        """How many unsafe fixes were found and not made."""
        return sum(_is_unsafe(found) for each in self.files for found in each.fixes)

    @property
    def actionable(self) -> bool:
        """Whether a person has something to do: all findings count but refusals of severity info, which say that
        something is as it should be.
        """
        return any(
            not isinstance(found.finding, Refusal) or found.severity is not Severity.INFO
            for each in self.files
            for found in each.remaining
        )

    @property
    def refused(self) -> int:
        """How many findings must not be touched."""
        return sum(len(each.refused) for each in self.files)

    @property
    def advice(self) -> int:
        """How many findings have no edit."""
        return sum(len(each.advice) for each in self.files)

    @property
    def defects(self) -> tuple[tuple[FileOutcome, Defect], ...]:
        """The codemods that were caught doing wrong, and where."""
        own = [(each, defect) for each in self.files for defect in each.defects]
        project = FileOutcome(".", ".", "", "")
        return (*own, *((project, defect) for defect in self.survey_defects))


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
        settings: what to do.
        root: the project; nothing outside it is read or written.
        registry: the codemods there are.
        write: whether files are written; if not, the result says what would be.
        accept: asked before each fix; then files are done one after another.
        progress: told of files that are done.
        clock: seconds, for `RunResult.seconds`.

    Raises:
        UnknownRuleError: the settings name a rule that there is none of.
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
    """Look for findings in the Dockerfiles that `paths` name; like `run_paths` without any change."""
    return _run(paths, settings, root, registry, Mode(fix=False), False, progress, clock)


def run_text(
    data: bytes, settings: Settings, *, root: Path, registry: Registry, path: Path | None = None, fix: bool = True
) -> RunResult:
    """Fix, or with `fix=False` only look at, a Dockerfile that comes from elsewhere than a file; nothing is written.

    Args:
        data: the Dockerfile's bytes.
        settings: what to do.
        root: the project that `path` is in.
        registry: the codemods there are.
        path: where the Dockerfile would be (it need not exist); None: nowhere, so that nothing of a build is known.
        fix: whether fixes are made.

    Raises:
        UnknownRuleError: the settings name a rule that there is none of.
    """
    codemods = registry.select(settings.rules, settings.skip)
    real_root = Path(os.path.realpath(root))
    if path is None:
        project, shown = Project(real_root), STDIN
    else:
        project, shown = _load(real_root, settings), str(path)
    work = _Work(project, settings, codemods, frozenset(registry.names), fix)
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // (1024 * 1024)} MiB and is not read"
        outcome = FileOutcome(shown, shown, "", "", problems=(InputProblem(shown, None, message),))
    elif path is None:
        target = target_from_text(decode(data), display=STDIN, root=real_root)
        outcome = _outcome_of_text(work, target, shown, data)
    else:
        real = Path(os.path.realpath(path))
        if not _wanted([path], settings, real_root):
            outcome = FileOutcome(shown, shown, decode(data), decode(data))
        elif not real.is_relative_to(real_root):
            problem = _outside(path, real_root)
            outcome = FileOutcome(shown, shown, decode(data), decode(data), problems=(problem,))
        else:
            file = FileText(path, real, data, decode(data), _no_fingerprint(data))
            outcome = _outcome_of_text(work, _target(work, file), shown, data)
    return RunResult(real_root, settings, (outcome,), (*project.problems, *outcome.problems), outcome.warnings)


def _outcome_of_text(work: _Work, target: Target, shown: str, data: bytes) -> FileOutcome:
    file = target.file or FileText(target.path, target.path, data, target.text, _no_fingerprint(data))
    outcome, judged = _judge(work, target, file, shown, None)
    return outcome if judged is None else _with_results(outcome, judged, written=False)


def check_text(
    data: bytes, settings: Settings, *, root: Path, registry: Registry, path: Path | None = None
) -> RunResult:
    """`run_text` that only looks."""
    return run_text(data, settings, root=root, registry=registry, path=path, fix=False)


@dataclass(frozen=True)
class _Work:
    """All that is needed to do a file; sent to the processes once."""

    project: Project
    settings: Settings
    codemods: tuple[Codemod, ...]
    names: frozenset[str]
    fix: bool
    alone: bool = True
    """Whether it is of one file."""


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
    codemods = registry.select(settings.rules, settings.skip)
    real_root = Path(os.path.realpath(root))
    inside, problems = _split(paths, real_root)
    project = _load(real_root, settings)
    scope, searched = _scope(_wanted(inside, settings, real_root), project)
    searched = _wanted(searched, settings, real_root)
    found, trouble = discover(
        searched,
        root=real_root,
        exclude=settings.exclude,
        respect_gitignore=settings.respect_gitignore,
        built=project.built,
    )
    problems += trouble
    files = [each.path for each in found]
    work = _Work(project, settings, codemods, frozenset(registry.names), mode.fix, alone=len(files) == 1)
    done: list[_Done] = []
    for each in _each(work, files, mode.accept):
        done.append(each)
        if progress is not None:
            progress(len(done), len(files))
    judged = [each for _, each in done if each is not None]
    workspace = Workspace(project, tuple(each.file for each in judged), settings.builds)
    settled = settle(workspace, judged, codemods, replace(mode, in_scope=lambda path: _is_in(path, scope)))
    outcomes = _outcomes(done, settled, real_root)
    about, others = _relevant(project, [each.file.real for each in judged], scope)
    others += _comment_mistakes(project, scope, work.names)
    if write:
        outcomes = _write(outcomes, settled)
    return RunResult(
        real_root,
        settings,
        tuple(outcomes.values()),
        (*problems, *about, *(problem for outcome in outcomes.values() for problem in outcome.problems)),
        (*others, *(warning for outcome in outcomes.values() for warning in outcome.warnings)),
        clock() - started,
        settled.defects,
    )


def _wanted(paths: list[Path], settings: Settings, real_root: Path) -> list[Path]:
    """The paths that the settings do not exclude although they are named."""
    return not_excluded(paths, root=real_root, exclude=settings.exclude) if settings.force_exclude else paths


def _load(real_root: Path, settings: Settings) -> Project:
    return load_project(real_root, use_project=settings.use_project, compose=settings.compose)


def _relevant(
    project: Project, files: Sequence[Path], scope: Sequence[Path]
) -> tuple[list[InputProblem], list[InputProblem]]:
    """The problems of compose and bake files that this run is about, and those of others, which are only told.

    A file has to do with the run if it was asked for, or lies in a folder of a Dockerfile of the run or above.
    """
    about: list[InputProblem] = []
    others: list[InputProblem] = []
    for problem in project.problems:
        path = project.root / problem.path
        concerned = _is_in(path, scope) or any(file.is_relative_to(path.parent) for file in files)
        (about if concerned else others).append(problem)
    return about, others


def _comment_mistakes(project: Project, scope: Sequence[Path], names: frozenset[str]) -> Iterator[InputProblem]:
    """What is wrong with comments for dockfix in the compose and bake files that the run is about."""
    files = {each.path for each in project.compose_files} | {each.path for each in project.bake_files}
    for path in sorted(files):
        if not _is_in(path, scope):
            continue
        try:
            text = project.files.original(path).text
        except InputError:
            continue  # that is told where it is read
        for line, message in mistakes_in_text(text, names):
            yield InputProblem(_shown(path), line, message)


def _shown(path: Path) -> str:
    """A path as a user would write it: from the current folder if it is below that."""
    shown = os.path.relpath(path)
    return shown if not shown.startswith("..") else str(path)


def _scope(paths: Sequence[Path], project: Project) -> tuple[tuple[Path, ...], list[Path]]:
    """Where findings count that stand in no Dockerfile (folders and files that were named), and what to search.

    A compose, bake or ignore file that is named is no Dockerfile, whatever its name makes of it: it stands for itself
    and for the Dockerfiles that it has a say in.
    """
    scope: list[Path] = []
    searched: list[Path] = []
    for path in paths:
        real = Path(os.path.realpath(path))
        if is_project_file_name(real.name) and real.is_file():
            scope.append(real)
            searched += [path.parent / os.path.relpath(each, real.parent) for each in project.built_by(real)]
            continue
        searched.append(path)
        if real.is_dir() and real.is_relative_to(project.root):
            scope.append(real)
    return tuple(scope), searched


def _is_in(path: Path, scope: Sequence[Path]) -> bool:
    return any(path.is_relative_to(each) for each in scope)


def _outcomes(done: Sequence[_Done], settled: Settled, real_root: Path) -> dict[Path, FileOutcome]:
    """What became of each file, by real path where it has one, else by its path."""
    results = {each.file.real: each for each in settled.files}
    outcomes: dict[Path, FileOutcome] = {}
    for outcome, judged in done:
        if judged is None:
            outcomes[Path(outcome.path)] = outcome
        else:
            outcomes[judged.file.real] = _with_results(outcome, results[judged.file.real], written=False)
    for other in settled.others:
        outcomes[other.path] = _other_outcome(other, real_root)
    return outcomes


def _with_results(outcome: FileOutcome, judged: Judged, *, written: bool) -> FileOutcome:
    remaining = judged.remaining
    if judged.text != outcome.before and not written:
        remaining = _with_lines_of(outcome.before, judged.text, remaining)
    return replace(outcome, after=judged.text, applied=judged.applied, remaining=remaining, defects=judged.defects)


def _other_outcome(other: OtherFile, real_root: Path) -> FileOutcome:
    display = other.path.relative_to(real_root).as_posix()
    before = other.before or ""
    remaining = _with_lines_of(before, other.after, other.remaining) if other.after != before else other.remaining
    return FileOutcome(
        _shown(other.path),
        display,
        before,
        other.after,
        other.applied,
        remaining,
        created=other.before is None,
        is_dockerfile=False,
    )


def _write(outcomes: Mapping[Path, FileOutcome], settled: Settled) -> dict[Path, FileOutcome]:
    """Write what changed: the files of a change set together or not at all, every other file by itself."""
    results = dict(outcomes)
    files = {each.file.real: each.file for each in settled.files}
    texts = {each.file.real: each for each in settled.files}
    changed = [path for path, outcome in outcomes.items() if outcome.changed]
    grouped = {path for group in settled.change_sets for path in group}
    groups = [[path for path in changed if path in group] for group in settled.change_sets]
    for group in [*groups, *([path] for path in changed if path not in grouped)]:
        try:
            write_files([(_original(path, files, outcomes, settled), encode(outcomes[path].after)) for path in group])
        except InputError as error:
            for path in group:
                results[path] = replace(outcomes[path], after=outcomes[path].before, applied=(), created=False)
            at = next((path for path in group if str(_path_of(path, files)) == error.path), group[0])
            results[at] = replace(results[at], problems=(*results[at].problems, error.problem))
            continue
        for path in group:
            written = replace(outcomes[path], written=True)
            # what is left to say is said of the file as it now stands
            results[path] = _with_results(written, texts[path], written=True) if path in texts else written
    return results


def _path_of(path: Path, files: Mapping[Path, FileText]) -> Path:
    return files[path].path if path in files else path


def _original(
    path: Path, files: Mapping[Path, FileText], outcomes: Mapping[Path, FileOutcome], settled: Settled
) -> FileText | NewFile:
    if path in files:
        return files[path]
    return NewFile(path, path) if outcomes[path].created else settled.workspace.project.files.original(path)


def _split(paths: Sequence[Path], real_root: Path) -> tuple[list[Path], list[InputProblem]]:
    """The paths inside the root, and a problem for each of the others."""
    inside: list[Path] = []
    problems: list[InputProblem] = []
    for path in paths:
        try:
            # The name itself counts, not what a symlink leads to: that is judged when the file is read.
            real = Path(os.path.realpath(path.parent), path.name) if path.name not in ("", "..") else path.resolve()
        except (OSError, ValueError, RuntimeError):
            inside.append(path)  # discovery says what is wrong with it
            continue
        if real.is_relative_to(real_root):
            inside.append(path)
        else:
            problems.append(_outside(path, real_root))
    return inside, problems


def _outside(path: Path, real_root: Path) -> InputProblem:
    return InputProblem(str(path), None, f"lies outside the project root {real_root}; give --root DIR to work there")


_Done: TypeAlias = tuple[FileOutcome, Judged | None]
"""What is known of a file after it was done by itself; no `Judged` for one that could not be used."""


def _each(work: _Work, files: Sequence[Path], accept: Accept | None) -> Iterator[_Done]:
    if accept is None and work.settings.jobs > 1 and len(files) >= PARALLEL_FROM and _can_be_sent(work):
        yield from _in_parallel(work, files)
        return
    for path in files:
        yield _do(work, path, accept)


def _can_be_sent(work: _Work) -> bool:
    """Whether processes can be given the work; a pack may have codemods that are no module-level functions."""
    import pickle  # noqa: PLC0415 - only large runs need it

    try:
        pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _in_parallel(work: _Work, files: Sequence[Path]) -> Iterator[_Done]:
    import multiprocessing  # noqa: PLC0415 - only large runs need it
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    method = "fork" if sys.platform == "linux" else None  # what is loaded already need not be loaded again
    chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
    pool = ProcessPoolExecutor(
        min(work.settings.jobs, len(chunks)),
        mp_context=multiprocessing.get_context(method),
        initializer=_start_worker,
    )
    try:
        futures = [pool.submit(_do_all, work, chunk) for chunk in chunks]
        for chunk, future in zip(chunks, futures, strict=True):
            try:
                yield from future.result()
            except BrokenProcessPool:
                yield from ((_crashed(path), None) for path in chunk)
    except BaseException:
        _abandon(pool, futures)
        raise
    pool.shutdown()


def _abandon(pool: ProcessPoolExecutor, futures: Sequence[Future[list[_Done]]]) -> None:
    for future in futures:
        future.cancel()
    pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """An interrupt is the parent's to handle; a worker finishes the file in hand, so that no write is half done."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do_all(work: _Work, files: Sequence[Path]) -> list[_Done]:
    return [_do(work, path, None) for path in files]


def _crashed(path: Path) -> FileOutcome:
    defect = Defect("dockfix", "crash", "the process that worked on this file died; run again with --jobs 1")
    return FileOutcome(str(path), path.as_posix(), "", "", defects=(defect,))


def _do(work: _Work, path: Path, accept: Accept | None) -> _Done:
    try:
        file = read_file(path, root=work.project.root)
    except InputError as error:
        return FileOutcome(str(path), path.as_posix(), "", "", problems=(error.problem,)), None
    return _judge(work, _target(work, file), file, str(path), accept)


def _target(work: _Work, file: FileText) -> Target:
    return target_for(work.project, file, work.settings.builds)


def _judge(work: _Work, target: Target, file: FileText, shown: str, accept: Accept | None) -> _Done:
    """Run the engine on a target; whatever goes wrong is this file's outcome and not the run's end."""
    blank = FileOutcome(shown, target.display, target.text, target.text)
    try:
        if not target.dockerfile.ok:
            return replace(blank, problems=(_refused_by_buildkit(target, shown),)), None
        mode = Mode(work.fix, work.settings.unsafe, accept, alone=work.alone)
        judged = judge(target, file, work.codemods, mode)
        return replace(blank, warnings=_ignore_warnings(work, target, judged, shown)), judged
    except Exception as error:  # a crash of ours on one odd file must not cost the others their fixes
        return replace(blank, defects=(Defect("dockfix", "crash", f"{type(error).__name__}: {error}"),)), None


def _with_lines_of(before: str, after: str, findings: tuple[Found, ...]) -> tuple[Found, ...]:
    """Findings on a text with the lines that they have in the text that it was made of."""
    from dockfix.codemod.difftext import original_lines  # noqa: PLC0415 - only changes need it

    lines = original_lines(before, after)

    def line(number: int) -> int:
        return lines[number - 1] if number <= len(lines) else number

    return tuple(replace(found, line=line(found.line), end_line=line(found.end_line)) for found in findings)


def _refused_by_buildkit(target: Target, shown: str) -> InputProblem:
    """The first problem, which is the one that BuildKit would show."""
    first, *others = sorted(target.dockerfile.problems, key=lambda problem: problem.line)
    more = f" (and {len(others)} more)" if others else ""
    return InputProblem(shown, max(first.line, 1), f"{first.message}{more}")


def _ignore_warnings(work: _Work, target: Target, judged: Judged, shown: str) -> tuple[InputProblem, ...]:
    """What is wrong with the comments of a Dockerfile that are for dockfix, and which of them ignore nothing."""
    if "dockfix" not in target.text.lower():
        return ()
    suppressions = Suppressions(target.dockerfile)
    warnings = suppressions.mistakes(work.names)
    unused = _unused_ignores(work, target)
    if unused and judged.text != target.text:  # a fix may have made work for a comment
        unused &= _unused_ignores(work, target.with_text(judged.text))
    for number, name in unused:
        line = suppressions.directives[number][0].line
        warnings.append((line, f"unused dockfix comment: {name} has no finding here"))
    return tuple(InputProblem(shown, line, message) for line, message in sorted(warnings))


def _unused_ignores(work: _Work, target: Target) -> set[tuple[int, str]]:
    """The ignore comments without effect, as far as this file by itself can tell: not those for rules over files."""
    suppressions = Suppressions(target.dockerfile)
    named = frozenset().union(*(directive.names for _, directive in suppressions.directives))
    concerned = [each for each in work.codemods if each.name in named and each.rewrite is not None]
    if not concerned:
        return set()
    found, defects = engine.findings(target.with_text(suppressions.disarmed()), concerned)
    complete = {each.name for each in concerned} - {defect.rule for defect in defects}
    return suppressions.unused(((each.rule, each.finding.at) for each in found), complete)


def _is_unsafe(found: Found) -> bool:
    return isinstance(found.finding, Fix) and found.finding.safety is Safety.UNSAFE


def _no_fingerprint(data: bytes) -> Fingerprint:
    """Of a text that no file holds: it is never written."""
    return Fingerprint(0, len(data), 0, 0, 0, hashlib.sha256(data).hexdigest())
