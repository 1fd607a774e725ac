"""Checks in real shells what shell-pipefail says about shells and pipes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.rule.model import Refusal
from dockfix_codemods.shell_pipefail import CODEMOD

RequireTool = Callable[[str], Path]

SHELLS = {"dash": ["dash"], "bash": ["bash"], "ash": ["busybox", "ash"]}


def code(argv: list[str], script: str) -> int:
    return subprocess.run([*argv, "-c", script], capture_output=True, check=False, timeout=60).returncode


def test_only_dash_rejects_pipefail(require_tool: RequireTool) -> None:
    for tool in ("dash", "bash", "busybox"):
        require_tool(tool)
    assert code(["dash", "-o", "pipefail"], "true") == 2
    assert code(SHELLS["dash"], "set -euxo pipefail; true") == 2
    assert code(SHELLS["dash"], "set -o pipefail || true") == 2
    for argv in (["bash", "-o", "pipefail"], ["busybox", "ash", "-eo", "pipefail"]):
        assert code(argv, "true") == 0
        assert code(argv, "false | cat") == 1
        assert code(argv[:-2], "false | cat") == 0


@pytest.mark.parametrize(
    "script",
    [
        "yes | head -n 1",
        "yes | grep -q y",
        "yes | sed 1q",
        "yes | awk '{exit}'",
        "echo a | grep b | sort",
        "yes | true",
    ],
)
def test_a_refused_pipe_fails_under_pipefail(require_tool: RequireTool, script: str) -> None:
    for argv in (["bash"], ["busybox", "ash"]):
        require_tool(argv[0])
        assert code(argv, script) == 0
        assert code([*argv, "-o", "pipefail"], script) != 0
    text = f"FROM debian:12\nRUN curl -f https://example.org/x | sh\nRUN {script}\n"
    (found,) = run(target_from_text(text), [CODEMOD], unsafe=True).remaining
    assert isinstance(found.finding, Refusal)


def test_a_refused_echo_prints_something_else_in_bash(require_tool: RequireTool) -> None:
    require_tool("dash")
    wrote = [subprocess.check_output([shell, "-c", 'echo "a\\nb"']) for shell in ("dash", "bash")]
    assert wrote[0] != wrote[1]
