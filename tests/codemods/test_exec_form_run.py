"""Runs the commands that exec-form-variable writes in real shells: same words, same process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Cmd, Entrypoint
from dockfix_codemods.exec_form_variable import CODEMOD

RequireTool = Callable[[str], Path]

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
PROGRAM = "import json, os, sys\nprint(json.dumps([os.getpid(), sys.argv[1:]]))\n"

CASES: list[tuple[list[str], dict[str, str], list[str]]] = [
    (["$PORT"], {"PORT": "8000"}, ["8000"]),
    (["--port", "${PORT}"], {"PORT": "two words"}, ["--port", "two words"]),
    (["${PORT}"], {"PORT": ""}, [""]),
    (["${PORT:-80}", "${PORT-81}", "$NAME"], {"NAME": "*"}, ["80", "81", "*"]),
    (["it's", "a b", "", "*.py", "~", "{a,b}", "$NAME"], {"NAME": "x"}, ["it's", "a b", "", "*.py", "~", "{a,b}", "x"]),
    (["^a$", "$1", "$(id)", "`id`", "$$", "$NAME"], {"NAME": "x"}, ["^a$", "$1", "$(id)", "`id`", "$$", "x"]),
    (['"$NAME"', "\\d$NAME", "`$NAME`", "é\t$NAME\n"], {"NAME": "x"}, ['"x"', "\\dx", "`x`", "é\tx\n"]),
    (
        ["http://$HOST:${PORT}/a?b=$NAME&c#!d"],
        {"HOST": "h", "PORT": "1", "NAME": "$(id)"},
        ["http://h:1/a?b=$(id)&c#!d"],
    ),
    (["$APP_OPTS", "$NAME"], {"APP_OPTS": "-a -b", "NAME": "n"}, ["-a", "-b", "n"]),
    (["$APP_OPTS", "$NAME"], {"APP_OPTS": "", "NAME": "n"}, ["n"]),
    (["-a", "x=$NAME[0]", "-"], {"NAME": "n"}, ["-a", "x=n[0]", "-"]),
]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that prints its process id and its arguments; its own path needs quotes."""
    folder = tmp_path / "it's a $folder"
    folder.mkdir()
    path = folder / "show"
    path.write_text(f"#!{sys.executable}\n{PROGRAM}")
    path.chmod(0o755)
    return path


def fixed(keyword: str, argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a command after the fix."""
    outcome = run(
        target_from_text(f"FROM debian:12\n{keyword} {json.dumps(argv, ensure_ascii=False)}\n"), [CODEMOD], unsafe=True
    )
    assert outcome.defects == ()
    last = target_from_text(outcome.text).dockerfile.instructions[-1]
    assert isinstance(last, Cmd | Entrypoint)
    assert last.argv is not None
    assert last.argv[0] == "sh"
    return last.argv


def started(shell: str, argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The arguments of the program, which must run in the process that was started."""
    words = [*SHELLS[shell], *argv[1:]]
    env = {"PATH": os.environ["PATH"], **environment}
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    pid, seen = json.loads(out)
    assert pid == process.pid
    assert isinstance(seen, list)
    return seen


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("words", "environment", "meant"), CASES)
def test_the_program_receives_the_intended_words(
    require_tool: RequireTool,
    program: Path,
    shell: str,
    words: list[str],
    environment: dict[str, str],
    meant: list[str],
) -> None:
    require_tool(shell)
    argv = fixed("CMD", [str(program), *words])
    assert started(shell, argv, environment) == meant


@pytest.mark.parametrize("shell", SHELLS)
def test_an_entrypoint_passes_its_arguments_on(require_tool: RequireTool, program: Path, shell: str) -> None:
    require_tool(shell)
    argv = fixed("ENTRYPOINT", [str(program), "--port", "$PORT"])
    given = ["a b", "", "$PORT", "-c"]
    assert started(shell, [*argv, *given], {"PORT": "80"}) == ["--port", "80", *given]
    assert started(shell, argv, {"PORT": "80"}) == ["--port", "80"]
