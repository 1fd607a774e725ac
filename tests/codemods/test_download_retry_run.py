"""The fixes of download-retry, run by real shells with a downloader that fails a number of times."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.download_retry import CODEMOD
from dockfix_codemods.download_retry.program import add_retries

RequireTool = Callable[[str], Path]

SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}
STUB = """\
import os, pathlib
log = pathlib.Path(os.environ["CALLS"])
calls = len(log.read_text()) if log.exists() else 0
fails = int(os.environ["FAILS"])

def load_model(name):
    global calls
    assert name == 'it is "base"' or name == "base", name
    calls += 1
    log.write_text("x" * calls)
    if calls <= fails:
        raise OSError("no route to host")

def download(name, raise_on_error=False):
    try:
        load_model(name)
    except OSError as error:
        if raise_on_error:
            raise ValueError(str(error))
        return False
    return True
"""
SITE = """\
import os, time
def sleep(seconds):
    with open(os.environ["SLEPT"], "a") as log:
        log.write(f"{seconds} ")
time.sleep = sleep
"""


@dataclass(frozen=True)
class Ran:
    code: int
    calls: int
    slept: str
    output: str


def fixed(command: str, syntax: str) -> str:
    """The fixed script of a RUN."""
    outcome = run(target_from_text(f"{syntax}FROM debian:12\nRUN {command}\n"), [CODEMOD], unsafe=True)
    assert not outcome.defects
    assert outcome.changed
    node = target_from_text(outcome.text).dockerfile.instructions[-1]
    assert isinstance(node, Run)
    assert node.script is not None
    return node.script.text


def execute(shell: list[str], script: str, fails: int, folder: Path, *options: str) -> Ran:
    """Run a script with stubs of the downloader, of `time.sleep` and of `sleep`."""
    (folder / "whisper.py").write_text(STUB)
    (folder / "nltk.py").write_text(STUB)
    (folder / "sitecustomize.py").write_text(SITE)
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "sleep").write_text('#!/bin/sh\nprintf "%s " "$1" >> "$SLEPT"\n')
    (bin_ / "sleep").chmod(0o755)
    if not (bin_ / "python").exists():
        (bin_ / "python").symlink_to(sys.executable)
    log, slept = folder / "calls", folder / "slept"
    environment = {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "CALLS": str(log),
        "SLEPT": str(slept),
        "FAILS": str(fails),
    }
    # BusyBox has its own sleep, which a function replaces but PATH does not
    stub = f'sleep() {{ "{bin_}/sleep" "$1"; }}\n'
    done = subprocess.run(
        [*shell, *options, "-c", stub + script],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    calls = len(log.read_text()) if log.exists() else 0
    waited = slept.read_text().strip() if slept.exists() else ""
    return Ran(done.returncode, calls, waited, done.stdout + done.stderr)


HEREDOC = "# syntax=docker/dockerfile:1\n"
PROGRAMS = {
    "heredoc": (HEREDOC, """python -c "import whisper; whisper.load_model('base'); print('all is well')" """),
    "quotes": (HEREDOC, """python -c 'import whisper; whisper.load_model("it is \\"base\\""); print("all is well")'"""),
    "nltk": (HEREDOC, """python -c "import nltk; nltk.download('base'); print('all is well')" """),
    "nltk asserted": (HEREDOC, """python -c "import nltk; assert nltk.download('base'); print('all is well')" """),
    "loop": ("", """python -c "import whisper; whisper.load_model('base')" && echo all is well"""),
    "loop in a list": ("", """cd . && python -c "import whisper; whisper.load_model('base')" && echo all is well"""),
    "loop after ;": ("", """false; python -c "import whisper; whisper.load_model('base')"; echo all is well"""),
}


@pytest.mark.parametrize("errexit", [False, True], ids=["plain", "set -eu"])
@pytest.mark.parametrize("fails", [0, 1, 2, 3])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_download_is_tried_three_times_and_then_fails(
    require_tool: RequireTool, tmp_path: Path, shell: str, program: str, fails: int, errexit: bool
) -> None:
    require_tool(shell)
    syntax, command = PROGRAMS[program]
    if errexit:
        command = command.replace("false;", "true;")
    script = fixed(command, syntax)
    options = ["-eu"] if errexit else []
    ran = execute(SHELLS[shell], script, fails, tmp_path, *options)
    if fails < 3:
        assert (ran.code, ran.calls) == (0, fails + 1), ran.output
        assert "all is well" in ran.output
    else:
        assert (ran.code, ran.calls) == (1, 3), ran.output
        assert "all is well" not in ran.output
    assert ran.slept == ["", "10", "10 20", "10 20"][fails]
    if program in ("heredoc", "quotes") and fails == 3:
        assert "OSError: no route to host" in ran.output.splitlines()[-1]


def test_without_the_rule_one_failure_ends_the_build(tmp_path: Path, require_tool: RequireTool) -> None:
    require_tool("dash")
    assert execute(["dash"], PROGRAMS["heredoc"][1], 1, tmp_path).code == 1
    assert execute(["dash"], PROGRAMS["nltk"][1], 3, tmp_path).code == 0  # hence `raise_on_error`


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("import whisper as w\nw.load_model('''a\n  b''')\n", "w.load_model('''a\n  b''')"),
        ("from time import time\nimport whisper; m = whisper.load_model(\n    'x')  # c\n", "'x')  # c"),
        ("'''doc'''\nfrom __future__ import annotations\nimport torch\ntorch.hub.load('a', 'b')\n", "'''doc'''\nfrom"),
        ("import whisper\nif True:\n\twhisper.load_model('base')\n", "\tif True:\n\t\t\twhisper"),
        ("import spacy.cli, nltk\nspacy.cli.download('en')\n\nnltk.download('x',)\n", "nltk.download('x', raise_on"),
        ("import nltk\nassert nltk.download('a') and nltk.download('b')\n", "'b', raise_on_error=True)"),
        ("delay = error = 1; import whisper; whisper.load_model('x')", "for delay_ in"),
    ],
)
def test_the_program_parses_and_keeps_its_statements(source: str, kept: str) -> None:
    found = add_retries(source)
    assert found is not None
    ast.parse(found.source)
    assert kept in found.source
    assert add_retries(found.source) is None
    assert " \n" not in found.source
    words = [each.strip() for each in source.replace(";", "\n").splitlines() if "nltk.download(" not in each]
    assert all(each in found.source for each in words)
