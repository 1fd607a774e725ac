"""Reads what buildah and podman print in a build: the steps, and the reason of a failure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from dockfix.verify.builders.common import one_line
from dockfix.verify.model import Step

__all__ = ["StepReader", "failure"]

_STEP: Final = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+(?:/\d+)?: (.*)")
_CACHED: Final = "--> Using cache"
_DONE: Final = re.compile(r"(?:\[\d+/\d+\] )?COMMIT(?: |$)")
_ERROR: Final = re.compile(r"[Ee]rror:? (.*)")
_EXIT: Final = re.compile(r'building at STEP "(.*)": (?:while running runtime: )?(exit status \d+)')
_AT_STEP: Final = re.compile(r'building at STEP "(.*?)": (.*)')
_NOISE: Final = re.compile(
    r'subprocess exited |container exited |process exited |time="|\[Warning\]|(?:\[\d+/\d+\] )?STEP |--> |[Ee]rror:? '
)
"""Lines that the program itself prints and that do not say why a command failed."""


class StepReader:
    """Collects the steps of a build from its lines. A step takes until the next one begins."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: list[Step] = []
        self._text, self._cached, self._since = "", False, 0.0

    def line(self, line: str) -> None:
        """Read a line."""
        if (match := _STEP.fullmatch(line)) is not None:
            self._end()
            self._text, self._cached, self._since = match[1], False, self._clock()
        elif line.startswith(_CACHED):
            self._cached = True
        elif _DONE.match(line):
            self._end()

    def steps(self) -> tuple[Step, ...]:
        """The steps of a build that has ended, without FROM."""
        self._end()
        return tuple(self._steps)

    def _end(self) -> None:
        text, self._text = self._text, ""
        if text and text.split(maxsplit=1)[0].upper() != "FROM":
            self._steps.append(Step(text, self._cached, self._clock() - self._since))


def failure(log: str, code: int) -> str:
    """Why a build failed, in one line: the error, and the last line that a failed command printed."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [match[1] for line in lines if (match := _ERROR.match(line)) is not None]
    if not errors:
        return one_line(lines[-1]) if lines else f"exit code {code}"
    error = errors[-1]
    if (at_step := _EXIT.fullmatch(error)) is not None:
        said = _last_words(lines)
        return f"`{one_line(at_step[1], 120)}`: {at_step[2]}" + (f": {one_line(said)}" if said else "")
    if (at_step := _AT_STEP.fullmatch(error)) is not None:
        return f"`{one_line(at_step[1], 120)}`: {one_line(at_step[2])}"
    return one_line(error)


def _last_words(lines: list[str]) -> str:
    """The last line that the failed step printed; empty if it printed nothing."""
    for line in reversed(lines):
        if _STEP.fullmatch(line):
            break
        if not _NOISE.match(line):
            return line
    return ""
