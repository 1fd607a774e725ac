"""A progress display for builds: one line on the terminal, rewritten each second."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from dockfix.cli.console import CLEAR, Console, shown

if TYPE_CHECKING:
    from dockfix.verify.session import Event

__all__ = ["BuildProgress"]

_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
"""Without line wrapping, a line that is too wide for the terminal can be rewritten, too."""


class BuildProgress:
    """Shows what is done now and for how long, if standard error is a terminal; the context removes the line."""

    def __init__(self, terminal: Console) -> None:
        self._shows = terminal.shows_progress
        self._style = terminal.err_style
        self._phase: tuple[str, str] | None = None
        self._detail = ""
        self._since = 0.0
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> BuildProgress:
        if self._shows:
            self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def __call__(self, event: Event) -> None:
        """Show another phase, or another detail of the same one."""
        if not self._shows:
            return
        with self._lock:
            phase = (event.target, event.what)
            if phase != self._phase:
                self._phase, self._since = phase, time.monotonic()
            self._detail = event.detail
        self._draw()

    def end(self) -> None:
        """Remove the line; nothing is shown from now on."""
        if self._shows and not self._done.is_set():
            self._done.set()
            self._ticker.join()
            self._write(CLEAR)

    def _tick(self) -> None:
        while not self._done.wait(1.0):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            if self._phase is None or self._done.is_set():
                return
            target, what = self._phase
            detail = f"  {self._style('dim', shown(self._detail)[:200])}" if self._detail else ""
            seconds = time.monotonic() - self._since
            self._write(f"{CLEAR}{_NO_WRAP}{shown(target)}: {shown(what)} {seconds:.0f} s{detail}{_WRAP}")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
