"""Runs retry loops in real shells, before and after the fix, with a command that fails a number of times."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.retry_loop import CODEMOD

RequireTool = Callable[[str], Path]

SHELLS = {"dash": "debian:12", "bash": "fedora:40", "busybox": "alpine:3.20"}
ERREXIT = {"": "", "set -e; ": "e", "set -eux; ": "e"}

LOOPS = {
    "for i in 1 2 3; do try && break || (echo again && sleep 0); done || exit 1": 3,
    "for i in 1 2 3; do try && break || { echo again; sleep 0; }; done; echo next": 3,
    "for i in 1 2 3; do try && break || sleep 0; done && echo next": 3,
    "for i in 1 2 3; do try && break; sleep 0; done": 3,
    "for i in $(seq 1 3); do if try; then break; fi; echo again; sleep 0; done; echo next": 3,
    "for i in $(seq 3); do if try; then break; else sleep 0; fi; done && echo a; echo b": 3,
    "n=0; until [ $n -ge 3 ]; do try && break; n=$((n+1)); sleep 0; done; echo next": 3,
    'n=0; until [ "$n" -eq 3 ]; do n=$((n+1)); try && break; sleep 0; done': 3,
    "n=1; while [ $n -lt 4 ]; do try && break || echo again; sleep 0; n=$((n + 1)); done || exit 3": 3,
    "echo first && for s in a b c; do try && break; echo again; sleep 0; done && echo next": 3,
}


def script(text: str) -> str:
    node = target_from_text(text).dockerfile.instructions[-1]
    assert isinstance(node, Run)
    assert node.script is not None
    return node.script.text


def fixed(text: str) -> str:
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    assert not outcome.defects
    return outcome.text


def execute(shell: str, text: str, fails: int, folder: Path) -> tuple[bool, int, str]:
    """Whether a script succeeds, how often it called `try`, and what it wrote."""
    calls = folder / "calls"
    calls.write_text("")
    stub = folder / "try"
    stub.write_text(f'#!/bin/sh\necho >> "{calls}"\n[ "$(wc -l < "{calls}")" -gt {fails} ]\n')
    stub.chmod(0o755)
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run([*argv, "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0, calls.read_text().count("\n"), done.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("start", ERREXIT)
@pytest.mark.parametrize("loop", LOOPS)
def test_only_the_last_failure_changes_the_result(
    require_tool: RequireTool, tmp_path: Path, loop: str, start: str, shell: str
) -> None:
    require_tool(shell)
    count = LOOPS[loop]
    text = f"FROM {SHELLS[shell]}\nRUN {start}{loop}\n"
    after = fixed(text)
    assert after != text
    for fails in (0, 1, 2, 3, 5):
        old = execute(shell, script(text), fails, tmp_path)
        new = execute(shell, script(after), fails, tmp_path)
        assert old[0], "the loop cannot fail"
        assert new[0] == (fails < count), after
        assert new[1] == old[1] == min(fails + 1, count)
        if fails < count:
            assert new[2] == old[2]
        else:
            assert "next" not in new[2]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "loop",
    [
        "for i in 1 2 3; do try && break; done",
        "for i in 1 2 3; do try && exit 0; sleep 0; done; exit 1",
        "for i in 1 2 3; do try && break || [ $i -lt 3 ]; done || exit 1",
        "for i in 1 2 3; do try && break || { sleep 0; false; }; done",
        "n=0; until try; do n=$((n+1)); [ $n -lt 3 ] || exit 1; sleep 0; done",
    ],
)
def test_a_loop_that_can_fail_is_left_alone(require_tool: RequireTool, tmp_path: Path, loop: str, shell: str) -> None:
    require_tool(shell)
    text = f"FROM {SHELLS[shell]}\nRUN {loop}\n"
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    assert outcome.text == text
    assert not outcome.remaining
    assert not execute(shell, script(text), 9, tmp_path)[0]
