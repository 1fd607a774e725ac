"""A run over many files: everything that `dockfix apply` and `dockfix check` do, as functions of plain values.

`run_paths` finds files, runs the engine over each and writes what changed; `check_paths` only looks. One file that
cannot be used does not stop the others. Results are plain values in the order of the files, whatever ran in parallel.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from dockfix.codemod import engine
from dockfix.codemod.difftext import original_lines
from dockfix.codemod.engine import Accept, Defect
from dockfix.codemod.inmemory import target_from_text
from dockfix.codemod.model import Codemod, Fix, Found, HasRemaining, Refusal, Safety, Severity
from dockfix.codemod.registry import Registry
from dockfix.codemod.suppress import Suppressions
from dockfix.project.discovery import discover
from dockfix.project.files import MAX_BYTES, FileText, Fingerprint, read_file, write_files
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.target import BuildOptions, Project, Target, load_project, target_for
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
        context: the build context of every file; relative to the root unless absolute.
        build_contexts: named contexts, as `docker build --build-context` takes them.
        use_project: whether compose files are read for how the files are built.
        respect_gitignore: whether a search leaves out what git ignores.
        jobs: processes to use where there are many files.
        base_images: images that extend the table of base images, each with the image that it is like.
    """

    rules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    use_project: bool = True
    respect_gitignore: bool = True
    jobs: int = 1
    base_images: Mapping[str, str] = field(default_factory=dict)

    @property
    def builds(self) -> BuildOptions:
        """What they say of how Dockerfiles are built."""
        return BuildOptions(self.context, self.build_contexts, self.use_project, self.base_images)


@dataclass(frozen=True, slots=True)
class FileOutcome(HasRemaining):
    """What became of one file, or of one text.

    `path` is as the user would write it, `display` relative to the root with `/`. `after` is the text with the fixes
    of `applied`; it is `before` if the file was only looked at, or could not be used or written. `remaining` holds
    the findings on `after`: fixes not made, refusals, advice; their lines are those of the file as it stands on disk,
    so of `before` if nothing was written. `written` tells whether the file on disk has changed.
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

    @property
    def changed(self) -> bool:
        """Whether there is a difference, written or not."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run. `problems` holds what could not be used, those of the files included, in order.

    `warnings` are about things that do not keep a file from being done: a compose file that cannot be read, an unknown
    rule in an ignore comment. `seconds` is by the clock that the run was given.
    """

    root: Path
    settings: Settings
    files: tuple[FileOutcome, ...]
    problems: tuple[InputProblem, ...] = ()
    warnings: tuple[InputProblem, ...] = ()
    seconds: float = 0.0

    @property
    def changed(self) -> tuple[FileOutcome, ...]:
        """The files that differ."""
        return tuple(each for each in self.files if each.changed)

    @property
    def applied(self) -> int:
        """How many fixes were made."""
        return sum(len(each.applied) for each in self.files)

    @property
    def held_back(self) -> int:
        """How many unsafe fixes were not made because unsafe fixes were not asked for."""
        return 0 if self.settings.unsafe else sum(_is_unsafe(found) for each in self.files for found in each.fixes)

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
    def declined(self) -> int:
        """How many fixes were found that the settings allow, and that are not made."""
        return sum(len(each.fixes) for each in self.files) - self.held_back

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
        return tuple((each, defect) for each in self.files for defect in each.defects)


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
    mode = _Mode(fix=True, write=write)
    return _run(paths, settings, root, registry, mode, accept, progress, clock)


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
    return _run(paths, settings, root, registry, _Mode(fix=False, write=False), None, progress, clock)


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
        project, shown = load_project(real_root, use_project=settings.use_project), str(path)
    work = _Work(project, settings, codemods, frozenset(registry.names), _Mode(fix=fix, write=False))
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // (1024 * 1024)} MiB and is not read"
        outcome = FileOutcome(shown, shown, "", "", problems=(InputProblem(shown, None, message),))
    elif path is None:
        target = target_from_text(decode(data), display=STDIN, root=real_root)
        outcome = _judge(work, target, shown, None)
    else:
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(real_root):
            problem = _outside(path, real_root)
            outcome = FileOutcome(shown, shown, decode(data), decode(data), problems=(problem,))
        else:
            file = FileText(path, real, data, decode(data), _no_fingerprint(data))
            outcome = _judge(work, _target(work, file), shown, None)
    return RunResult(real_root, settings, (outcome,), outcome.problems, (*project.problems, *outcome.warnings))


def check_text(
    data: bytes, settings: Settings, *, root: Path, registry: Registry, path: Path | None = None
) -> RunResult:
    """`run_text` that only looks."""
    return run_text(data, settings, root=root, registry=registry, path=path, fix=False)


@dataclass(frozen=True, slots=True)
class _Mode:
    fix: bool
    write: bool


@dataclass(frozen=True)
class _Work:
    """All that is needed to do a file; sent to the processes once."""

    project: Project
    settings: Settings
    codemods: tuple[Codemod, ...]
    names: frozenset[str]
    mode: _Mode


def _run(
    paths: Sequence[Path],
    settings: Settings,
    root: Path,
    registry: Registry,
    mode: _Mode,
    accept: Accept | None,
    progress: Progress | None,
    clock: Callable[[], float],
) -> RunResult:
    started = clock()
    codemods = registry.select(settings.rules, settings.skip)
    real_root = Path(os.path.realpath(root))
    inside, problems = _split(paths, real_root)
    found, trouble = discover(
        inside, root=real_root, exclude=settings.exclude, respect_gitignore=settings.respect_gitignore
    )
    problems += trouble
    project = load_project(real_root, use_project=settings.use_project) if found else Project(real_root)
    work = _Work(project, settings, codemods, frozenset(registry.names), mode)
    files = [each.path for each in found]
    outcomes: list[FileOutcome] = []
    for outcome in _each(work, files, accept):
        outcomes.append(outcome)
        if progress is not None:
            progress(len(outcomes), len(files))
    return RunResult(
        real_root,
        settings,
        tuple(outcomes),
        (*problems, *(problem for outcome in outcomes for problem in outcome.problems)),
        (*project.problems, *(warning for outcome in outcomes for warning in outcome.warnings)),
        clock() - started,
    )


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


def _each(work: _Work, files: Sequence[Path], accept: Accept | None) -> Iterator[FileOutcome]:
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


def _in_parallel(work: _Work, files: Sequence[Path]) -> Iterator[FileOutcome]:
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
                yield from (_crashed(path) for path in chunk)
    except BaseException:
        _abandon(pool, futures)
        raise
    pool.shutdown()


def _abandon(pool: ProcessPoolExecutor, futures: Sequence[Future[list[FileOutcome]]]) -> None:
    for future in futures:
        future.cancel()
    pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """An interrupt is the parent's to handle; a worker finishes the file in hand, so that no write is half done."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do_all(work: _Work, files: Sequence[Path]) -> list[FileOutcome]:
    return [_do(work, path, None) for path in files]


def _crashed(path: Path) -> FileOutcome:
    defect = Defect("dockfix", "crash", "the process that worked on this file died; run again with --jobs 1")
    return FileOutcome(str(path), path.as_posix(), "", "", defects=(defect,))


def _do(work: _Work, path: Path, accept: Accept | None) -> FileOutcome:
    try:
        file = read_file(path, root=work.project.root)
    except InputError as error:
        return FileOutcome(str(path), path.as_posix(), "", "", problems=(error.problem,))
    target = _target(work, file)
    outcome = _judge(work, target, str(path), accept)
    if not work.mode.write or not outcome.changed:
        return outcome
    try:
        write_files([(file, encode(outcome.after))])
    except InputError as error:
        return replace(outcome, after=outcome.before, applied=(), problems=(*outcome.problems, error.problem))
    return replace(outcome, written=True)


def _target(work: _Work, file: FileText) -> Target:
    return target_for(work.project, file, work.settings.builds)


def _judge(work: _Work, target: Target, shown: str, accept: Accept | None) -> FileOutcome:
    """Run the engine on a target; whatever goes wrong is this file's outcome and not the run's end."""
    blank = FileOutcome(shown, target.display, target.text, target.text)
    try:
        if not target.dockerfile.ok:
            return replace(blank, problems=(_refused_by_buildkit(target, shown),))
        warnings = _unknown_rules(work, target, shown)
        if not work.mode.fix:
            remaining, defects = engine.findings(target, work.codemods)
            return replace(blank, remaining=remaining, defects=defects, warnings=warnings)
        outcome = engine.run(target, work.codemods, unsafe=work.settings.unsafe, accept=accept)
    except Exception as error:  # a crash of ours on one odd file must not cost the others their fixes
        return replace(blank, defects=(Defect("dockfix", "crash", f"{type(error).__name__}: {error}"),))
    remaining = outcome.remaining
    if outcome.changed and not work.mode.write:
        remaining = _with_lines_of(target.text, outcome.text, remaining)
    return replace(
        blank,
        after=outcome.text,
        applied=outcome.applied,
        remaining=remaining,
        defects=outcome.defects,
        warnings=warnings,
    )


def _with_lines_of(before: str, after: str, findings: tuple[Found, ...]) -> tuple[Found, ...]:
    """Findings on a text with the lines that they have in the text that it was made of."""
    lines = original_lines(before, after)

    def line(number: int) -> int:
        return lines[number - 1] if number <= len(lines) else number

    return tuple(replace(found, line=line(found.line), end_line=line(found.end_line)) for found in findings)


def _refused_by_buildkit(target: Target, shown: str) -> InputProblem:
    """The first problem, which is the one that BuildKit would show."""
    first, *others = sorted(target.dockerfile.problems, key=lambda problem: problem.line)
    more = f" (and {len(others)} more)" if others else ""
    return InputProblem(shown, max(first.line, 1), f"{first.message}{more}")


def _unknown_rules(work: _Work, target: Target, shown: str) -> tuple[InputProblem, ...]:
    if "dockfix" not in target.text.lower():
        return ()
    warnings = []
    for line, name in Suppressions(target.dockerfile).unknown_rules(work.names):
        close = get_close_matches(name, sorted(work.names), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        warnings.append(InputProblem(shown, line, f"unknown rule {name!r} in a dockfix comment{hint}"))
    return tuple(warnings)


def _is_unsafe(found: Found) -> bool:
    return isinstance(found.finding, Fix) and found.finding.safety is Safety.UNSAFE


def _no_fingerprint(data: bytes) -> Fingerprint:
    """Of a text that no file holds: it is never written."""
    return Fingerprint(0, len(data), 0, 0, 0, hashlib.sha256(data).hexdigest())
