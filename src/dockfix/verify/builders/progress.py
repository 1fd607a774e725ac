"""Reads what BuildKit prints with `--progress=plain`: steps, their output, and why a build failed.

Every line that belongs to a step begins with its number, and a line that a container printed has its time after the
number: `#7 0.234 text`. So a container cannot print a line that is read as the state of a step.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field

from dockfix.verify.builders.common import one_line
from dockfix.verify.model import BuildOutcome, Step
from dockfix.verify.process import Completed

__all__ = ["Progress", "outcome", "read_progress"]

_NUMBERED: Final = re.compile(r"#(\d+) (.*)")
_OUTPUT: Final = re.compile(r"\d+\.\d+(?: (.*))?")
_DONE: Final = re.compile(r"DONE(?: (\d+(?:\.\d+)?)s)?")
_STEP: Final = re.compile(r"\[(?:([^\]]*) )? *(\d+)/\d+\] (.*)")
"""The name of a step of the Dockerfile, for example `[build 2/5] COPY . .`."""
_EXIT_CODE: Final = re.compile(r"exit code: (\d+)$")
_ERROR: Final = re.compile(r"(?:error|ERROR): (.*)")
_WRAPPERS: Final = re.compile(r"(?:failed to build: |failed to solve: |rpc error: code = \w+ desc = )+")
_SUMMARY: Final = "------"
"""The line after which the failed step is repeated, without numbers."""
_SHOWN: Final = 100
"""How many characters of an instruction are shown in the reason of a failure."""


class Progress(Struct, frozen=True):
    """What the output of a build says.

    Args:
        steps: the steps, ordered by their position within each stage. FROM is left out: it is not run.
        output: the lines that the steps printed, without numbers and times.
        reason: why the build failed, in one line; empty if no error was printed.
    """

    steps: tuple[Step, ...]
    output: tuple[str, ...]
    reason: str


class _Vertex(Struct):
    name: str
    cached: bool = False
    seconds: float | None = None
    error: str = ""
    last_line: str = ""


class _Reader(Struct):
    vertices: dict[str, _Vertex] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)

    def add(self, number: str, text: str) -> None:
        vertex = self.vertices.get(number)
        if vertex is None:
            self.vertices[number] = _Vertex(text)
        elif found := _OUTPUT.fullmatch(text):
            line = found[1] or ""
            self.output.append(line)
            vertex.last_line = line.rstrip().rpartition("\r")[2].strip() or vertex.last_line
        elif found := _DONE.fullmatch(text):
            vertex.seconds = float(found[1]) if found[1] else None
        elif text == "CACHED":
            vertex.cached = True
        elif text.startswith("ERROR: "):
            vertex.error = text.removeprefix("ERROR: ")


def read_progress(log: str) -> Progress:
    """What the output of `docker buildx build` or `buildctl build` with `--progress=plain` says."""
    reader, numbered, error = _Reader(), True, ""
    for line in log.split("\n"):
        if numbered and (found := _NUMBERED.fullmatch(line)):
            reader.add(found[1], found[2])
        elif line == _SUMMARY:
            numbered = False
        elif found := _ERROR.fullmatch(line):
            error = _WRAPPERS.sub("", found[1], count=1)
    return Progress(_steps(reader), tuple(reader.output), _reason(reader, error))


def outcome(completed: Completed, progress: Progress, timeout: float) -> BuildOutcome:
    """What came of a build, given how the builder ended."""
    reason = ""
    if completed.timed_out:
        reason = f"stopped at the time limit of {timeout:g} s"
    elif not completed.ok:
        reason = progress.reason or _last_line(completed.output) or f"exit code {completed.code}"
    return BuildOutcome(
        completed.ok, completed.seconds, progress.steps, completed.output, one_line(reason), completed.timed_out
    )


def _steps(reader: _Reader) -> tuple[Step, ...]:
    """The steps of the Dockerfile. BuildKit prints cached ones in any order, so they are sorted within their stage."""
    stages: dict[str, list[tuple[int, Step]]] = {}
    for vertex in reader.vertices.values():
        found = _STEP.fullmatch(vertex.name)
        if found is not None and not found[3].upper().startswith("FROM "):
            step = Step(found[3], vertex.cached, None if vertex.cached else vertex.seconds)
            stages.setdefault(found[1] or "", []).append((int(found[2]), step))
    return tuple(step for steps in stages.values() for _, step in sorted(steps, key=lambda each: each[0]))


def _reason(reader: _Reader, error: str) -> str:
    """Why a build failed: the instruction, its exit code and the last line that it printed; or the final error."""
    for vertex in reader.vertices.values():
        found = _STEP.fullmatch(vertex.name)
        if vertex.error and found is not None:
            code = _EXIT_CODE.search(vertex.error)
            said = f"exit code {code[1]}" if code is not None else vertex.error
            parts = [_shortened(found[3]), said, vertex.last_line if code is not None else ""]
            return ": ".join(part for part in parts if part)
    return error


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.split("\n") if line.strip()]
    return lines[-1] if lines else ""
