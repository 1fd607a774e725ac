"""The Dockerfiles of a run, each by itself: one after another, or in several processes if there are many.

An error in one file is its own result, and does not stop the run. The processes only read: they may be killed at any
time, and they end when the process that started them ends. If one dies, the files that it may have died of are done
again, each in a process of its own.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.calls import Failed, call, crash_texts
from dockfix.engine.inputs import first_problem, ignore_warnings
from dockfix.engine.limits import timed_worker
from dockfix.engine.project import run_file
from dockfix.engine.relevance import may_apply
from dockfix.engine.results import Defect, FileResult
from dockfix.engine.settings import Mode
from dockfix.project import tracing
from dockfix.project.files import FileText, read_file
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.target import BuildOptions, Project, Target, target_for
from dockfix.rule import Codemod, LazyFunction
from dockfix.rule.naming import RuleNames

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

PARALLEL_FROM: Final = 40
"""The number of files from which starting processes saves time."""

_CHUNK: Final = 8

Done: TypeAlias = tuple[FileResult, FileText | None]
"""The result of a file, and the file as it was read; None if it could not be used."""


class Work(Struct, frozen=True):
    """Everything needed to run the codemods on a file; `names` has the names of all installed rules."""

    project: Project
    options: BuildOptions
    codemods: tuple[Codemod, ...]
    names: RuleNames
    mode: Mode


def do_all(work: Work, files: Sequence[Path], jobs: int) -> Iterator[Done]:
    """Run the codemods on files, in up to `jobs` processes; yields the results in the order of the files."""
    if jobs > 1 and work.mode.accept is None and len(files) >= PARALLEL_FROM and _can_be_sent(work):
        yield from _in_parallel(work, files, jobs)
    else:
        yield from _do_some(work, files)


def _do_some(work: Work, files: Sequence[Path]) -> Iterator[Done]:
    size = _CHUNK if any(each.prepare for each in work.codemods) else 1
    for at in range(0, len(files), size):
        read = [_read(work, path) for path in files[at : at + size]]
        _prepare(work, [each[0] for each in read if isinstance(each, tuple)])
        for path, each in zip(files[at : at + size], read, strict=True):
            if isinstance(each, InputProblem):
                yield FileResult(path, str(path), path.as_posix(), "", "", problems=(each,)), None
            else:
                yield do_target(work, *each, str(path))


def _read(work: Work, path: Path) -> tuple[Target, FileText] | InputProblem:
    try:
        file = read_file(path, root=work.project.root)
    except InputError as error:
        return error.problem
    return target_for(work.project, file, work.options), file


def _prepare(work: Work, targets: Sequence[Target]) -> None:
    """Let the codemods prepare for several files, as far as they may find something in them."""
    if len(targets) < 2:
        return
    for codemod in work.codemods:
        if codemod.prepare is None:
            continue
        concerned = [
            each
            for each in targets
            if not each.own_options.policy.ignores(codemod.name, each.display)
            and may_apply(codemod, each, each.text.lower())
            and each.dockerfile.ok
        ]
        if len(concerned) > 1:
            with contextlib.suppress(Failed):  # reported when the codemod is run
                call(codemod.name, codemod.prepare, concerned)


def do_target(work: Work, target: Target, file: FileText, shown: str) -> Done:
    """Run the codemods on one Dockerfile by itself; `shown` is its path as the user wrote it."""
    unused = FileResult(file.real, shown, target.display, target.text, target.text)
    try:
        if not target.dockerfile.ok:
            return replace(unused, problems=(first_problem(target, shown),)), None
        result = run_file(target, work.codemods, work.mode)
        warnings = ignore_warnings(target, result, work.codemods, work.names, shown)
        return replace(result, path=shown, warnings=warnings), file
    except Exception as error:  # a crash of dockfix on one file must not stop the others
        return replace(unused, defects=(Defect("dockfix", "crash", *crash_texts(error)),)), None


def _can_be_sent(work: Work) -> bool:
    """Whether the work can be sent to processes; a pack may have codemods that are not module-level functions."""
    import pickle  # noqa: PLC0415 - only large runs need it

    try:
        pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _in_parallel(work: Work, files: Sequence[Path], jobs: int) -> Iterator[Done]:
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - only large runs need it

    chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
    if sys.platform == "linux":
        _load(work.codemods)
    while chunks:
        with _pool(min(jobs, len(chunks))) as pool:
            futures = [pool.submit(_do_chunk, work, chunk) for chunk in chunks]
            for future in futures:
                chunk, *chunks = chunks
                try:
                    done, asked = future.result()
                    tracing.add(asked)
                    yield from done
                except BrokenProcessPool:  # all other futures have this error, too
                    for path in chunk:
                        one, fatal = _alone(work, path)
                        work = replace(work, codemods=tuple(each for each in work.codemods if each.name != fatal))
                        yield one
                    break
                except Exception:  # a rule has collected what cannot be sent
                    yield from _do_some(work, chunk)


def _alone(work: Work, path: Path) -> tuple[Done, str | None]:
    """The result of a file in a process of its own, and the rule that ran when the process died, if it did."""
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above
    from multiprocessing import RawArray  # noqa: PLC0415 - as above

    last = RawArray("c", 100)
    with _pool(1, last) as pool:
        try:
            (done,), asked = pool.submit(_do_chunk, work, [path]).result()
            tracing.add(asked)
            return done, None
        except BrokenProcessPool:
            rule = last.value.decode("utf-8", "replace")
            return (_crashed(path, rule), None), rule


@contextlib.contextmanager
def _pool(size: int, last: Any = None) -> Iterator[ProcessPoolExecutor]:
    """Processes that are killed if they are not needed any more: they write nothing, so their work can be dropped.

    Args:
        size: how many.
        last: where a process writes the name of the rule that it runs.
    """
    import multiprocessing  # noqa: PLC0415 - only large runs need it
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    method = "fork" if sys.platform == "linux" else None  # keeps the modules that are already loaded
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context(method)
    pool = ProcessPoolExecutor(
        size, mp_context=context, initializer=_start_worker, initargs=(tracing.is_recording(), last)
    )
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _load(codemods: Sequence[Codemod]) -> None:
    """Load the modules of the codemods once, not in each process: with many files most of them are needed."""
    for codemod in codemods:
        for function in (codemod.check, codemod.collect, codemod.prepare):
            if isinstance(function, LazyFunction):
                with contextlib.suppress(Exception):  # reported when the codemod is run
                    function.resolve()


def _start_worker(records: bool, last: Any) -> None:
    """Ignore interrupts, which the parent handles; end on other signals, when the parent ends, and when stuck.

    Args:
        records: whether what the files of the project are asked is recorded.
        last: where to write the name of each rule before it runs; None for nowhere.
    """
    import gc  # noqa: PLC0415 - with what follows, of workers only
    import signal  # noqa: PLC0415
    from threading import Thread  # noqa: PLC0415

    if records:
        tracing.start()
    gc.freeze()  # what is loaded stays loaded, and need not be traversed again
    gc.set_threshold(10_000)  # as in the parent, where the command line sets it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    timed_worker(None if last is None else lambda rule: setattr(last, "value", rule.encode()[:99]))


def _end_with_parent() -> None:
    """Wait until the parent has ended, and end this process."""
    import os  # noqa: PLC0415 - of workers only
    import signal  # noqa: PLC0415
    from multiprocessing import parent_process  # noqa: PLC0415

    parent = parent_process()
    if parent is not None:
        parent.join()  # returns too if the parent is killed: it waits for a pipe that closes then
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _do_chunk(work: Work, files: Sequence[Path]) -> tuple[list[Done], tracing.Taken | None]:
    return list(_do_some(work, files)), tracing.take()


def _crashed(path: Path, rule: str) -> FileResult:
    """The result of a file whose process died while it ran a rule."""
    defect = Defect(rule or "dockfix", "crash", "the process that checked this file died")
    return FileResult(path, str(path), path.as_posix(), "", "", defects=(defect,))
