"""Limits of the work of one rule, so that a rule that never ends, or fills the memory, does not stop a run.

A timer ticks while rules run. Each tick counts, and interrupts a rule that has had too many. Ticks, not seconds: a
process that is stopped and continued gets one tick for all the time between. Code that does not return to Python is not
interrupted; a process that has used much more time than a rule may, without a single tick, is ended by the system.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from msgspec import Struct, field

__all__ = ["LIMITS", "LimitError", "Limits", "ended_if_stuck", "limited", "timed", "timed_worker"]


class Limits(Struct):
    """What one rule may use in one file, or once over the project.

    The longest that a built-in rule may take are the 30 seconds that it waits for ShellCheck.
    """

    ticks: int = 60
    seconds: float = 1.0
    """The time between two ticks."""
    stuck: float = 90.0
    """The processor time without a tick after which a process is ended."""
    memory: int = 2 * 1024**3
    """By how many bytes the memory of the process may grow."""


LIMITS: Final = Limits()


class LimitError(BaseException):
    """A rule exceeds a limit. Not an Exception, so that no rule catches it."""


class _Work(Struct):
    """The work of this process. A timer belongs to the process, and so does this: its signal finds it nowhere else."""

    thread: int = 0
    """The thread that is timed; 0 for none."""
    rule: str = ""
    """The rule that runs; empty for none."""
    ticks: int = 0
    peak: int = 0
    """The memory of the process at the first tick of the rule."""
    stopped: dict[str, str] = field(default_factory=dict)
    """The rules that were stopped in this process, and why; they are not run again."""
    ends_if_stuck: bool = False
    note: Callable[[str], None] | None = None
    """Told each rule before it runs, for a parent that wants to know which one a process died of."""


_work = _Work()


class limited:  # noqa: N801 - used like a function
    """The work of a rule, which `LimitError` interrupts if it exceeds a limit. It has no effect outside of `timed`."""

    def __init__(self, rule: str) -> None:
        self._rule = rule

    def __enter__(self) -> None:
        if threading.get_ident() != _work.thread:
            return
        if self._rule in _work.stopped:
            raise LimitError(f"{_work.stopped[self._rule]} in an earlier file and was not run again")
        if _work.note is not None:
            _work.note(self._rule)
        _work.ticks, _work.rule = 0, self._rule

    def __exit__(self, *_: object) -> None:
        if threading.get_ident() == _work.thread:
            _work.rule = ""


@contextmanager
def timed() -> Iterator[None]:
    """Let `limited` work meanwhile, if this is the main thread and nothing else uses the timer."""
    if not _is_free():
        yield
        return
    _start()
    try:
        yield
    finally:
        _work.thread, _work.rule = 0, ""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if _work.ends_if_stuck:
            signal.setitimer(signal.ITIMER_PROF, 0)


def timed_worker(note: Callable[[str], None] | None) -> None:
    """Let `limited` work in this process, which does nothing else, until it ends; see `ended_if_stuck`.

    Args:
        note: told each rule before it runs.
    """
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # without a message: the parent has one
        _work.note, _work.ends_if_stuck = note, True
        _start()


def ended_if_stuck() -> None:
    """Let the system end this process if code that does not return to Python runs too long in `timed`.

    Standard error then says where. Not for a process that is not ours.
    """
    if hasattr(signal, "SIGPROF") and signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
        import faulthandler  # noqa: PLC0415 - not for a run without rules

        with suppress(AttributeError, OSError, RuntimeError, ValueError):  # standard error is closed
            faulthandler.register(signal.SIGPROF, chain=True)
        _work.ends_if_stuck = True


def _is_free() -> bool:
    """Whether the timer can be used."""
    return (
        hasattr(signal, "setitimer")  # not on Windows
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    )


def _start() -> None:
    _work.thread, _work.rule = threading.get_ident(), ""
    _work.stopped.clear()
    signal.signal(signal.SIGALRM, _tick)
    signal.setitimer(signal.ITIMER_REAL, LIMITS.seconds, LIMITS.seconds)
    _rearm()


def _tick(_: int, __: FrameType | None) -> None:
    _rearm()
    if not _work.rule:
        return
    _work.ticks += 1
    memory = _memory()
    if _work.ticks == 1:
        _work.peak = memory
    if _work.ticks > LIMITS.ticks:
        _stop(f"took more than {LIMITS.ticks * LIMITS.seconds:g} seconds")
    if memory - _work.peak > LIMITS.memory:
        _stop(f"used more than {LIMITS.memory // 1024**2} MiB of memory")


def _stop(reason: str) -> None:
    _work.stopped[_work.rule] = reason
    raise LimitError(reason)


def _rearm() -> None:
    if _work.ends_if_stuck:
        signal.setitimer(signal.ITIMER_PROF, LIMITS.stuck)


def _memory() -> int:
    """The largest memory that this process has had, in bytes."""
    import resource  # noqa: PLC0415 - a short run has no tick

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
