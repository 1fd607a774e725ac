"""Python in shell text: found, unquoted as the shell does it, mapped back, parsed without ever raising."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.syntax.python import is_python, parse_python, python_in_command, python_in_heredoc, python_on_stdin
from dockfix.syntax.shell import parse_shell, quote


def code(text: str) -> str | None:
    found = python_in_command(parse_shell(text).commands[-1])
    return None if found is None else found.source


@pytest.mark.parametrize("program", ["python", "python3", "python3.12", "/opt/x/bin/python", "pypy3", "python3.13t"])
def test_interpreters(program: str) -> None:
    assert is_python(program)
    assert code(f"{program} -c 'import x'") == "import x"


@pytest.mark.parametrize("program", ["pythonista", "ipython", "python-config", "/usr/bin/python3/x", "sh"])
def test_other_programs(program: str) -> None:
    assert not is_python(program)
    assert code(f"{program} -c 'import x'") is None


@pytest.mark.parametrize(
    "text",
    [
        "python -c 'import x'",
        'python -c "import x"',
        "python -u -W ignore -X dev -c 'import x' arg",
        "python -Wignore -Xdev -c 'import x'",
        "python -uBc 'import x'",
        "python -W ignore -X dev -Wignore -c 'import x'",
        "python -c 'import'\" x\"",
        'python -c "imp\\\nort x"',
        "python -c'import x'",
        "python -uc'import x'",
        "python --check-hash-based-pycs never -c 'import x'",
        "A=b exec python -c 'import x'",
        "/usr/bin/env A=b python -c 'import x'",
        "uv run python -c 'import x'",
        "a && poetry run python3 -c import\\ x",
    ],
)
def test_code_of_a_command(text: str) -> None:
    assert code(text) == "import x"


@pytest.mark.parametrize(
    "text",
    ["python -m pip -c 'x'", "python x.py -c 'x'", "python - -c 'x'", 'python -c "import $x"', "python -c `x`",
     "python -c", "$p -c 'x'"],
)  # fmt: skip
def test_commands_without_known_code(text: str) -> None:
    assert code(text) is None


def test_spans_lead_back_to_the_shell_text() -> None:
    text = "a; python -c 'import é; x(1)' && b"
    found = python_in_command(parse_shell(text).commands[1])
    assert found is not None
    assert found.one_to_one
    assert text[slice(*found.span_in_shell(10, 14))] == found.source[10:14] == "x(1)"
    assert text[found.start : found.end] == "'import é; x(1)'"

    text = r'python -c "print(\"a\", \$x, \\n, \q)"'
    found = python_in_command(parse_shell(text).commands[0])
    assert found is not None
    assert found.source == r'print("a", $x, \n, \q)'
    assert not found.one_to_one
    assert text[slice(*found.span_in_shell(6, 9))] == r"\"a\""
    assert text[slice(*found.span_in_shell(11, 13))] == r"\$x"

    text = "python -uc'x'"
    found = python_in_command(parse_shell(text).commands[0])
    assert found is not None
    assert text[slice(*found.span_in_shell(0, 1))] == "x"


@given(st.text(alphabet="abc\"'\\$`\n (){}é", max_size=30))
def test_quoted_code_is_unquoted(source: str) -> None:
    text = "python -c " + quote(source)
    found = python_in_command(parse_shell(text).commands[0])
    assert found is not None
    assert found.source == source


def test_code_is_what_the_interpreter_receives() -> None:
    text = r"""python -c "print(\"a\", '\\n', \`b\`)"' # c'\''d' """
    received = subprocess.run(
        ["sh", "-c", text.replace("python -c", "printf %s")], capture_output=True, check=True, text=True
    )
    assert code(text) == received.stdout


def test_heredocs() -> None:
    plain = python_in_heredoc("import x\n$y `z`\n", start=5)
    assert plain is not None
    assert plain.source == "import x\n$y `z`\n"
    assert plain.span_in_shell(0, 6) == (5, 11)
    assert python_in_heredoc("print('$y')", expand=True) is None
    tabs = python_in_heredoc("\tif x:\n\t  y\n", strip_tabs=True)
    assert tabs is not None
    assert tabs.source == "if x:\n  y\n"


def test_code_on_standard_input() -> None:
    text = "pip install x && python3 - <<'EOF' && y\nprint('$a')\nEOF\n"
    command = parse_shell(text).commands[1]
    found = python_on_stdin(text, command)
    assert found is not None
    assert found.source == "print('$a')\n"
    assert text[slice(*found.span_in_shell(0, 5))] == "print"
    for other in ("python x.py <<E\n1\nE", "python <<E\n$x\nE", "python <x", "cat <<E\n1\nE", "python -c 1 <<E\n1\nE"):
        assert python_on_stdin(other, parse_shell(other).commands[0]) is None


def test_imports() -> None:
    parsed = parse_python(
        "import a.b, c as d\nfrom e.f import g\nfrom . import h\ntry:\n    import i\nexcept E:\n    import a\n"
        "def k():\n    from l import m\n'import n'\nif x: import o\n"
    )
    assert parsed.ok
    assert parsed.imports == ("a", "c", "e", "i", "l", "o")
    assert parsed.module is not None
    assert parsed.module.code == parsed.source


def test_a_syntax_error_is_a_problem() -> None:
    parsed = parse_python("x = 1\nfor x in 1: pass; for y in 2: pass\n")
    assert not parsed.ok
    assert parsed.problems[0].line == 2
    assert parsed.problems[0].message
    assert parsed.imports == ()
    assert not parse_python("x = '\udcff'").ok
    assert not parse_python("print 'python 2'").ok


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5_000 + ")" * 5_000, "-" * 20_000 + "1", "not " * 20_000 + "x", "a" + "()" * 20_000,
        "f(1, " * 500 + ")" * 500,
        "x if y else " * 5_000 + "z", "if a:\n  pass\n" + "elif a:\n  pass\n" * 20_000,
        "\n".join(" " * depth + "if x:" for depth in range(1_000)), "[" * 5_000,
    ],
)  # fmt: skip
def test_deep_nesting_is_a_problem(source: str) -> None:
    assert not parse_python(source).ok


def test_long_flat_code_is_not_a_problem() -> None:
    assert parse_python("x = [" + "1, -2, f(3), " * 2_000 + "]\n" + "y()\n" * 1_000).ok


@given(st.text(alphabet="ab1 ()[]:=.,'\"\\\n\timport ifdef#", max_size=40))
def test_parsing_never_raises(source: str) -> None:
    parsed = parse_python(source)
    assert parsed.ok == (not parsed.problems)
