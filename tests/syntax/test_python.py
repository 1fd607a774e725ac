"""Python inside shell text is found, read, and mapped back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dockfix.syntax.python import PythonCode, parse_python, python_in_command, python_in_heredoc, runs_standard_input
from dockfix.syntax.shell import parse_shell


def code(text: str) -> PythonCode | None:
    return python_in_command(parse_shell(text).commands[0])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("python -c 'import a'", "import a"),
        ('python3 -c "import a; print(\\"x\\")"', 'import a; print("x")'),
        ("/opt/venv/bin/python3.12 -u -c 'x'", "x"),
        ("python -W ignore -c 'x'", "x"),
        ("python -Bsc 'x'", "x"),
        ("python -X dev -Wignore -c 'x = 1'", "x = 1"),
        ("python -c \"price = '5 $'\"", "price = '5 $'"),
        ('python -c "a\\\nb"', "ab"),
    ],
)
def test_code_of_a_command(text: str, source: str) -> None:
    found = code(text)
    assert found is not None
    assert found.source == source


@pytest.mark.parametrize(
    "text",
    [
        "python script.py -c x",
        "python -m pip -c 'x'",
        'python -c "print($X)"',
        'python -c "print(`id`)"',
        "python -c $CODE",
        "node -c 'x'",
        "python",
        "python -c",
        "python -c 'a'\"b\"",
    ],
)
def test_no_code(text: str) -> None:
    assert code(text) is None


def test_the_code_is_what_a_shell_would_pass() -> None:
    text = '''"import sys; sys.stdout.write(\\"a\\\\\\\\n \\$x 'q' \\\\t\\")"'''
    found = code(f"python -c {text}")
    assert found is not None
    shown = subprocess.run(["sh", "-c", f"printf %s {text}"], capture_output=True, check=True, text=True).stdout
    assert found.source == shown
    subprocess.run([sys.executable, "-c", found.source], check=True, capture_output=True)


def test_spans_lead_back() -> None:
    text = 'python -c "print(\\"hi\\"); done()"'
    found = code(text)
    assert found is not None
    start = found.source.index("done")
    low, high = found.span_in_shell(start, start + len("done()"))
    assert text[low:high] == "done()"
    low, high = found.span_in_shell(0, len('print("hi")'))
    assert text[low:high] == 'print(\\"hi\\")'


def test_heredocs() -> None:
    body = "import os\nprint('$x')\n"
    plain = python_in_heredoc(body, 10, expand=False)
    assert plain is not None
    assert (plain.source, plain.span_in_shell(0, 6)) == (body, (10, 16))
    assert python_in_heredoc(body, 10, expand=True) is None
    escaped = python_in_heredoc("print('\\$x')", 3, expand=True)
    assert escaped is not None
    assert escaped.source == "print('$x')"
    assert runs_standard_input(parse_shell("python3 -u <<EOF\nx\nEOF\n").commands[0])
    assert not runs_standard_input(parse_shell("python3 app.py").commands[0])


def test_parsing_never_raises() -> None:
    parsed = parse_python("import os.path as p, json\nfrom a.b import c\nfrom . import d\nimport os\n")
    assert parsed.imports == ("os", "json", "a")
    assert parsed.module is not None
    assert parsed.module.code == parsed.source
    broken = parse_python("for i in range(3):   try:     x()")
    assert broken.module is None
    assert broken.problem is not None
    assert broken.problem.line == 1
    for source in ("(" * 50_000, "x = " + "-" * 300 + "1", "\udc80", "a\0b", "if 1:\n" + " " * 4 + "if 1:\n"):
        parse_python(source)
