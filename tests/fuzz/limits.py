"""A limit of the processor time that an input may take."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooSlow(BaseException):
    """An input takes longer than it may. Not an `Exception`, which dockfix would report as a defect of a rule."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` after so much processor time of this process, however busy the machine is."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"takes more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
