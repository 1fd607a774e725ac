"""The end of a command that is interrupted or stuck: no temporary file and no process is left."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from dockfix.cli.errors import Ended

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def cleaned_up() -> Iterator[None]:
    """Let the first signal that would end the process raise `KeyboardInterrupt` or `Ended` instead, for clean-up.

    Later signals are ignored: they must not end the clean-up. Signals that the caller ignores or handles are not
    changed. A rule that is stuck in code that never returns to Python ends the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return

    from dockfix.engine.limits import ended_if_stuck  # noqa: PLC0415 - completion needs no engine

    ended_if_stuck()

    def end(number: int, _: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Ended(number)

    default = (signal.SIG_DFL, signal.default_int_handler)
    before = {each: signal.getsignal(each) for each in _SIGNALS if signal.getsignal(each) in default}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
