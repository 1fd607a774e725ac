"""Asks the user about each fix, as `git add -p` asks about each hunk."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from dockfix.cli.console import Console
from dockfix.engine.fixes import preview
from dockfix.output.diff import colour_diff, unified_diff
from dockfix.output.plain import printable
from dockfix.output.text import finding_details, finding_line
from dockfix.rule import Diagnostic, EditError
from dockfix.rule.workspace import Workspace

PROMPT: Final = "Apply this fix [y,n,q,a,d,?]? "
_HELP: Final = """\
y - apply this fix
n - do not apply this fix
q - quit, as Ctrl-C does: apply what was accepted so far, and nothing more
a - apply this fix and all later ones in the file
d - apply neither this fix nor any later one in the file
? - print help
"""


_Identity: TypeAlias = tuple[str, str, str, str]
"""What identifies a fix in a later pass, where its place may differ: its file, rule, message, and the text there."""


class Reviewer:
    """The user's answers, as the engine's `accept`.

    The engine runs until nothing changes and finds a declined fix again in the next pass; the user is not asked twice.
    Of several equal fixes in one text as many are declined without asking as were declined before: the others are
    applied already. An interrupt ends the questions; the fixes accepted before are applied.
    """

    def __init__(self, terminal: Console) -> None:
        self._terminal = terminal
        self._all: set[str] = set()
        self._none: set[str] = set()
        self._declined: Counter[_Identity] = Counter()
        self._batch: tuple[str, str, str] | None = None
        self._known: Counter[_Identity] = Counter()
        self._quit = False
        self._asking = False
        self._asked = False
        self._typed = b""
        self._woken: int | None = None
        self.interrupted = False

    @property
    def ended(self) -> bool:
        """Whether the questions ended before the user was asked about every fix."""
        return self._quit or self.interrupted

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within this context the first interrupt ends the questions, and the second one ends the run."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        # without it a signal just before the wait for an answer would be lost
        old_writer = signal.set_wakeup_fd(writer)
        old_handler = signal.signal(signal.SIGINT, self._interrupt)
        self._woken = reader
        try:
            yield
        finally:
            self._woken = None
            signal.signal(signal.SIGINT, old_handler)
            signal.set_wakeup_fd(old_writer)
            os.close(reader)
            os.close(writer)

    def _interrupt(self, *_: object) -> None:
        if self._asking or self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def __call__(self, workspace: Workspace, found: Diagnostic) -> bool:
        """Whether to apply the fix."""
        file = str(found.path)
        if self._quit or self.interrupted or file in self._none:
            return False
        if self._is_known(workspace, found):
            return False
        if file in self._all:
            return True
        self._show(workspace, found)
        answer = self._ask()
        self._quit = answer == "q"
        if answer == "a":
            self._all.add(file)
        elif answer == "d":
            self._none.add(file)
        elif answer == "n":
            self._declined[_identity(workspace, found)] += 1
        return answer in ("y", "a")

    def _is_known(self, workspace: Workspace, found: Diagnostic) -> bool:
        """Whether a fix was declined in an earlier text of its file."""
        batch = (str(found.path), found.rule, workspace.text_if_any(found.path) or "")
        if batch != self._batch:
            self._batch = batch
            self._known = Counter(self._declined)
        identity = _identity(workspace, found)
        if self._known[identity] > 0:
            self._known[identity] -= 1
            return True
        return False

    def _show(self, workspace: Workspace, found: Diagnostic) -> None:
        style = self._terminal.out_style
        lines = [
            finding_line(str(workspace.given(found.path)), found, style=style),
            *finding_details(found, style=style),
        ]
        try:
            diff = "".join(unified_diff(before, after, name) for name, before, after in preview(workspace, found))
        except EditError as error:
            diff = f"(no diff: {printable(str(error))})\n"  # the engine reports it
        start = "\n" if self._asked else ""  # an empty line between two fixes
        self._asked = True
        self._terminal.prose(start + "".join(f"{line}\n" for line in lines))
        self._terminal.out(colour_diff(diff, style))

    def _ask(self) -> str:
        """One of `y`, `n`, `q`, `a`, `d`; the end of input and an interrupt are `q`."""
        try:
            self._asking = True
            return self._answer()
        except KeyboardInterrupt:
            self.interrupted = True
            self._terminal.out("\n")
            return "q"
        finally:
            self._asking = False

    def _answer(self) -> str:
        while True:
            self._terminal.out(self._terminal.out_style("bold", PROMPT.rstrip()) + " ")
            line = self._line()
            if not line:
                self._terminal.out("\n")
                return "q"
            answer = line.strip().lower()[:1]
            if answer and answer in "ynqad":
                return answer
            self._terminal.out(_HELP)

    def _line(self) -> str:
        """A line of standard input; further input is kept for the next questions."""
        stdin = sys.stdin.fileno()
        while b"\n" not in self._typed:
            waits = [stdin] if self._woken is None else [stdin, self._woken]
            ready = select.select(waits, [], [])[0]
            if self._woken is not None and self._woken in ready:
                os.read(self._woken, 4096)
            if stdin not in ready:
                continue  # an interrupt is raised before the next wait
            data = os.read(stdin, 4096)
            if not data:
                break
            self._typed += data
        line, end, self._typed = self._typed.partition(b"\n")
        return (line + end).decode("utf-8", "replace")


def _identity(workspace: Workspace, found: Diagnostic) -> _Identity:
    at = found.finding.at
    text = workspace.text_if_any(found.path) or ""
    return str(found.path), found.rule, found.finding.message, text[at.start : at.end]
