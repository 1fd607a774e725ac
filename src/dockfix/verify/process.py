"""Runs a command line with limits of time and output. No shell is involved."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from msgspec import Struct

__all__ = ["MAX_LOG", "Completed", "Running", "run"]

MAX_LOG: Final = 4 * 1024 * 1024
"""How many bytes of output are kept; more is cut in the middle."""

_KILL_AFTER: Final = 10.0
"""Seconds that a program gets to end after SIGTERM."""


class Completed(Struct, frozen=True):
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
    process = _popen(argv, cwd, env)
    log = _Log(on_line)
    with _pipe(process) as pipe:
        try:
            timed_out = not _finishes(process, pipe, log, started + timeout)
        except BaseException:
            _stop(process, pipe)
            raise
        if timed_out:
            _stop(process, pipe, log)
    code = process.wait()
    log.end()
    return Completed(code, log.text(), time.monotonic() - started, timed_out)


class Running:
    """A program that runs while others do, in a process group of its own. Leaving its context stops the group."""

    def __init__(self, argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start the program.

        Args:
            argv: the program and its arguments.
            cwd: the working directory.
            env: variables in addition to the environment.

        Raises:
            OSError: the program cannot be run.
        """
        self._process = _popen(argv, cwd, env)
        self._log, self._stopped = _Log(), False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None if the program still runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """What it has printed to standard output and error."""
        if self.code is not None:
            self._reader.join(1.0)  # the last words of a program that has ended
        return self._log.text()

    def stop(self, patience: float = _KILL_AFTER) -> None:
        """End the program and its children, with force after some seconds. May be called twice."""
        if not self._stopped:  # later, its number may be that of another program
            self._stopped = True
            _stop(self._process, patience=patience)
            self._reader.join(1.0)

    def _read(self) -> None:
        with _pipe(self._process) as pipe:
            while data := os.read(pipe.fileno(), 65536):
                self._log.add(data)


def _popen(argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, **env} if env else None,
        start_new_session=True,
        umask=0o022,  # with 077 a user other than root can read nothing in the images of buildah and podman
    )


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    return process.stdout


def _finishes(process: subprocess.Popen[bytes], pipe: IO[bytes], log: _Log, deadline: float) -> bool:
    """Read the output of a program until it ends; false if it does not end before the deadline."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if not selector.select(min(left, 1.0)):
                if process.poll() is not None:
                    return True  # a child of the program keeps the pipe open
                continue
            data = os.read(pipe.fileno(), 65536)
            if not data:
                return _ends(process, deadline - time.monotonic())
            log.add(data)


def _ends(process: subprocess.Popen[bytes], patience: float) -> bool:
    """Whether a program ends within some seconds."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, patience))
        return True
    return False


class _Log:
    """The first and the last bytes of an output."""

    def __init__(self, on_line: Callable[[str], None] | None = None) -> None:
        self.first, self.last, self.cut = bytearray(), bytearray(), 0
        self._on_line, self._line = on_line, b""

    def add(self, data: bytes) -> None:
        room = MAX_LOG // 2 - len(self.first)
        self.first += data[: max(0, room)]
        self.last += data[max(0, room) :]
        over = len(self.last) - MAX_LOG // 2
        if over > MAX_LOG // 4:
            del self.last[:over]
            self.cut += over
        if self._on_line is not None:
            *lines, rest = (self._line + data).split(b"\n")
            self._line = rest[-65536:]
            for each in lines:
                self._on_line(each.decode("utf-8", "replace").rstrip("\r"))

    def end(self) -> None:
        """Report a last line that has no line end."""
        line, self._line = self._line, b""
        if self._on_line is not None and line:
            self._on_line(line.decode("utf-8", "replace").rstrip("\r"))

    def text(self) -> str:
        middle = f"\n[... {self.cut} bytes left out ...]\n".encode() if self.cut else b""
        return (bytes(self.first) + middle + bytes(self.last)).decode("utf-8", "replace")


def _stop(
    process: subprocess.Popen[bytes],
    pipe: IO[bytes] | None = None,
    log: _Log | None = None,
    patience: float = _KILL_AFTER,
) -> None:
    """End a program and its children.

    The pipe is read on: a program that cannot print dies of it, and would not clean up.
    """
    try:
        _signal(process, signal.SIGTERM)
        if pipe is None:
            _ends(process, patience)
        else:
            _finishes(process, pipe, log or _Log(), time.monotonic() + patience)
    finally:
        _signal(process, signal.SIGKILL)  # children that outlived it, too
        _ends(process, _KILL_AFTER)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
