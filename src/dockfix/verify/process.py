"""Runs a command line with limits of time and output. No shell is involved."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MAX_LOG", "Completed", "run"]

MAX_LOG: Final = 4 * 1024 * 1024
"""How many bytes of output are kept; more is cut in the middle."""

_KILL_AFTER: Final = 10.0
"""Seconds that a program gets to end after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended.

    Args:
        code: its exit code; negative for a signal.
        output: what it printed to standard output and error, decoded as UTF-8 with replacements.
        seconds: how long it ran.
        timed_out: whether it was stopped at its time limit.
    """

    code: int
    output: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0 and not self.timed_out


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Completed:
    """Run a program in a process group of its own, and stop the group at the time limit or if this call is interrupted.

    Args:
        argv: the program and its arguments.
        timeout: seconds.
        cwd: the working directory.
        env: variables in addition to the environment.
        on_line: called with each line of output.

    Raises:
        OSError: the program cannot be run.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, **env} if env else None,
        start_new_session=True,
    )
    try:
        output, timed_out = _read(process, started + timeout, on_line)
    except BaseException:
        _stop(process)
        raise
    if timed_out:
        _stop(process)
    code = process.wait()
    return Completed(code, _text(output), time.monotonic() - started, timed_out)


def _read(
    process: subprocess.Popen[bytes], deadline: float, on_line: Callable[[str], None] | None
) -> tuple[_Log, bool]:
    """The output of a program, and whether it reached its time limit."""
    log, line = _Log(), b""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with selectors.DefaultSelector() as selector, process.stdout as pipe:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return log, True
            if not selector.select(min(left, 1.0)):
                if process.poll() is not None:
                    return log, False  # a child of the program keeps the pipe open
                continue
            data = os.read(pipe.fileno(), 65536)
            if not data:
                return log, not _ends(process, deadline)
            log.add(data)
            if on_line is not None:
                *lines, line = (line + data).split(b"\n")
                for each in lines:
                    on_line(each.decode("utf-8", "replace").rstrip("\r"))
                line = line[-65536:]


def _ends(process: subprocess.Popen[bytes], deadline: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
        return True
    return False


class _Log:
    """The first and the last bytes of an output."""

    def __init__(self) -> None:
        self.first, self.last, self.cut = bytearray(), bytearray(), 0

    def add(self, data: bytes) -> None:
        room = MAX_LOG // 2 - len(self.first)
        self.first += data[: max(0, room)]
        self.last += data[max(0, room) :]
        over = len(self.last) - MAX_LOG // 2
        if over > MAX_LOG // 4:
            del self.last[:over]
            self.cut += over


def _text(log: _Log) -> str:
    middle = f"\n[... {log.cut} bytes left out ...]\n".encode() if log.cut else b""
    return (bytes(log.first) + middle + bytes(log.last)).decode("utf-8", "replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program and its children."""
    for number, patience in ((signal.SIGTERM, _KILL_AFTER), (signal.SIGKILL, _KILL_AFTER)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # children that outlived it
