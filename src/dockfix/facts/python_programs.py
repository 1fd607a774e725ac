"""The Python programs inside a RUN: `python -c`, heredocs on standard input, scripts with a Python `#!` line."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dockfix.facts.commands import Commands, Step
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.syntax.python import (
    PythonCode,
    is_python,
    parse_python,
    python_in_command,
    python_in_heredoc,
    python_on_stdin,
)
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Run

_NEWER: Final = 3
"""How many minor versions newer than the running Python a program's version may be; the new syntax of these is handled
below."""
_LONGEST: Final = 100_000
_PYTHON2: Final = re.compile(
    r"Missing parentheses in call|multiple exception types must be|invalid (?:decimal|octal)|leading zeros"
)
"""The errors of Python 3 for Python 2's `print x`, `except A, b` and `0777`, where `python` may still be Python 2."""
_PYTHON2_WORDS: Final = ("raise ", "exec ", "<>", "ur'", 'ur"')
"""Possible Python 2 code for which Python 3 only reports "invalid syntax"."""


class PythonProgram(Struct, frozen=True):
    """A Python program whose whole source is known.

    `how` is `-c`, `stdin` (a heredoc that a command reads) or `script` (a heredoc that is the RUN's whole script, with
    a Python interpreter line; `step` is None then). Offsets of `code` and of the step are those of `commands.text`.
    """

    how: str
    code: PythonCode
    commands: Commands
    step: Step | None

    @property
    def interpreter(self) -> str:
        """The word that names the interpreter, as far as it is literal."""
        if self.step is None:
            return " ".join(self.commands.shell or ())
        words = (word.value or "" for word in self.step.command.words)
        return next((word for word in words if is_python(word)), "")

    def span(self, start: int, end: int) -> Span:
        """The span of `code.source[start:end]` in the Dockerfile."""
        return self.commands.text.span(*self.code.span_in_shell(start, end))


def python_programs(run: Run, commands: Commands) -> Iterator[PythonProgram]:
    """The Python programs of a RUN whose source the shell does not expand."""
    argv = commands.shell or ()
    if run.heredoc_script is not None and commands.script is None and any(is_python(each) for each in argv[:2]):
        code = python_in_heredoc(commands.text.text)
        if code is not None:
            yield PythonProgram("script", code, commands, None)
        return
    for step in commands.steps:
        code = python_in_command(step.command)
        if code is not None:
            yield PythonProgram("-c", code, commands, step)
            continue
        code = python_on_stdin(commands.text.text, step.command)
        if code is not None:
            yield PythonProgram("stdin", code, commands, step)


_NAMED: Final = re.compile(r"(?:python|pypy)([23])(?:\.([0-9]{1,9}))?")
_TAGGED: Final = re.compile(r"([23])(?:\.([0-9]{1,9}))?(?![\w])")


def python_version(program: PythonProgram, stage: Stage | None) -> tuple[int, int | None] | None:
    """The version of Python, major and minor, that runs a program; None if neither its name nor the image determines
    it.

    The image does for `python` in docker-library/python, by its tag; a program does by its name (`python3.12`). PyPy is
    Python 2.7 under its bare name, and the image of CPython does not contain it.
    """
    name = program.interpreter.rpartition("/")[2]
    named = _NAMED.match(name)
    if named is not None and named[2] is not None:
        return int(named[1]), int(named[2])
    ref = stage.base_ref if stage is not None else None
    image = parse_image_ref(ref.value) if isinstance(ref, Known) else None
    of_image = image is not None and image.repository == "library/python" and "/" not in program.interpreter
    if image is not None and of_image and name.startswith("python"):
        tagged = _TAGGED.match(image.tag or "")
        if tagged is not None and (named is None or named[1] == tagged[1]):
            return int(tagged[1]), int(tagged[2]) if tagged[2] is not None else None
    return (int(named[1]), None) if named is not None else None


class PythonSyntaxError(Struct, frozen=True):
    """The syntax error of a program; `offset` is its position in the source."""

    message: str
    offset: int


def python_syntax_error(source: str, version: tuple[int, int | None] | None) -> PythonSyntaxError | None:
    """Why no Python 3 accepts a program; None if one may, or if that is not known.

    Two parsers must agree: libcst's, whose grammar covers several versions, and that of the running Python. Neither can
    decide for a version that is newer than the running Python, nor for Python 2 (`version`: from `python_version`).
    """
    import ast  # noqa: PLC0415 - only needed for programs that libcst rejects

    if version is not None and (version[0] != 3 or (version[1] or 0) > sys.version_info.minor + _NEWER):
        return None
    parsed = parse_python(source)
    if parsed.ok or parsed.problems[0].line is None or len(source) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        if version is None and (_PYTHON2.search(error.msg) or any(each in source for each in _PYTHON2_WORDS)):
            return None
        if "multiple exception types" in error.msg and (version is None or (version[1] or 99) >= 14):
            return None  # Python 3.14 takes them without parentheses (PEP 758)
        lines = source.split("\n")
        line = min(max(error.lineno or 1, 1), len(lines))
        column = min(max((error.offset or 1) - 1, 0), len(lines[line - 1]))
        offset = sum(len(each) + 1 for each in lines[: line - 1]) + column
        return PythonSyntaxError(error.msg, min(offset, len(source)))
    except (ValueError, MemoryError, RecursionError):
        return None
    return None
