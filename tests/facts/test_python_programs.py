"""The Python programs of a RUN: which there are, for which version, and which no Python accepts."""

from __future__ import annotations

import ast

import pytest

from dockfix.facts.python_programs import python_programs, python_syntax_error, python_version
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run


@pytest.mark.parametrize(
    ("base", "command", "version"),
    [
        ("python:3.12-slim", "python -c 'x'", (3, 12)),
        ("python:3.12-slim", "python3 -c 'x'", (3, 12)),
        ("python:3.12-slim", "python3.9 -c 'x'", (3, 9)),
        ("python:3.12-slim", "python2 -c 'x'", (2, None)),
        ("python:3.12-slim", "/opt/venv/bin/python -c 'x'", None),
        ("python:2.7", "python -c 'x'", (2, 7)),
        ("python:latest", "python -c 'x'", None),
        ("python:3", "python -c 'x'", (3, None)),
        ("debian:12", "python3 -c 'x'", (3, None)),
        ("debian:12", "python -c 'x'", None),
        ("corp/python:3.1", "python -c 'x'", None),
    ],
)
def test_the_version_is_that_of_the_program_or_of_the_image(
    base: str, command: str, version: tuple[int, int | None] | None
) -> None:
    target = target_from_text(f"FROM {base}\nRUN {command}\n")
    stage = target.facts.graph.stages[0]
    run = stage.instructions[0]
    assert isinstance(run, Run)
    (program,) = python_programs(run, target.facts.commands(run))
    assert python_version(program, stage) == version


@pytest.mark.parametrize(
    "source",
    [
        "import time; for i in range(3): pass",
        "import x; try: y\nexcept: z",
        "print('a'",
        "def f():\nreturn 1",
        "x = = 1",
        "import x\\nprint(1)",
    ],
)
def test_programs_that_no_python_accepts(source: str) -> None:
    found = python_syntax_error(source, (3, 9))
    assert found is not None
    assert 0 <= found.offset <= len(source)
    with pytest.raises(SyntaxError, match=found.message[:10].replace("(", r"\(")):
        ast.parse(source)


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("print 1", None),
        ("print 1", (2, 7)),
        ("try:\n    x\nexcept A, b:\n    y\n", None),
        ("try:\n    x\nexcept A, b:\n    y\n", (3, 14)),
        ("x = 0777", None),
        ("raise A, 'b'", None),
        ("import x; print >>x.y, 1 <> 2", None),
        ("type X = int", (3, 12)),
        ("x = f'{'a'}'", (3, 12)),
        ("def f[T](x: T): pass", None),
        ("return 1", (3, 12)),
        ("(" * 500, None),
        ("x = '\udce9'", None),
        ("", None),
    ],
)
def test_programs_that_some_python_may_accept(source: str, version: tuple[int, int | None] | None) -> None:
    assert python_syntax_error(source, version) is None
