"""healthcheck-pgrep against real shells and pgrep: checks run before and after the fix."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.rule.model import Advice
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_pgrep import CODEMOD

RequireTool = Callable[[str], Path]

SHELLS = {"dash": "debian:12", "bash": "fedora:40", "busybox": "alpine:3.20"}
"""Each shell with an image that has it as /bin/sh."""


def text_of(check: str, base: str) -> str:
    return f"FROM {base}\nHEALTHCHECK CMD {check}\n"


def fixed(check: str, base: str) -> str:
    """A check after the fix."""
    outcome = run(target_from_text(text_of(check, base)), [CODEMOD], unsafe=True)
    assert not outcome.defects
    node = last(outcome.text)
    assert node.script is not None
    return node.script.text.removeprefix("CMD ")


def last(text: str) -> Healthcheck:
    node = target_from_text(text).dockerfile.instructions[-1]
    assert isinstance(node, Healthcheck)
    return node


def findings(check: str, base: str) -> list[type]:
    """The kinds of the findings, without advice."""
    outcome = run(target_from_text(text_of(check, base)), [CODEMOD])
    return [type(found.finding) for found in outcome.remaining if not isinstance(found.finding, Advice)]


def code(shell: str, check: str) -> int:
    """The exit code of a check in a shell."""
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    environment = {"PATH": os.environ["PATH"]}  # COLUMNS would cut what ps shows
    return subprocess.run(
        [*argv, "-c", check], env=environment, capture_output=True, check=False, timeout=60
    ).returncode


@contextmanager
def process(*words: str) -> Iterator[None]:
    """A process with these words on its command line."""
    started = subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        started.communicate(b"\n", timeout=60)


@pytest.fixture
def name() -> str:
    """A name that is on no command line of this machine."""
    return f"zq{uuid.uuid4().hex}"


ALWAYS_HEALTHY = [
    'pgrep -f "NAME.main" > /dev/null || exit 1',
    "pgrep -f NAME.main || exit 1",
    "pgrep -fa 'NAME' >/dev/null 2>&1 && exit 0 || exit 1",
    "pgrep -f 'NAME.main|NAME.beat' || exit 1",
    "pgrep -f 'NAME.*\\.py|NAME' || exit 1",
    "if pgrep -f NAME; then exit 0; else exit 1; fi",
    "pkill -0 -f NAME || exit 1",
    "pgrep -f NAME | grep -q . || exit 1",
    "ps aux | grep NAME || exit 1",
    "ps -ef | grep -q 'NAME.main'",
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("check", ALWAYS_HEALTHY)
def test_a_check_that_finds_itself_is_fixed(require_tool: RequireTool, name: str, check: str, shell: str) -> None:
    for tool in (shell, "pgrep"):
        require_tool(tool)
    before = check.replace("NAME", name)
    after = fixed(before, SHELLS[shell])
    assert after != before
    assert code(shell, before) == 0
    assert code(shell, after) != 0
    with process(f"a {name}.main {name} x.py"):
        assert code(shell, after) == 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "check",
    [
        "pgrep -f '[z]NAME' || exit 1",
        "pgrep -f '^NAME' || exit 1",
        "pgrep -f 'NAME$' || exit 1",
        "pgrep -f 'NAME\\.main' || exit 1",
        "pgrep -fx NAME || exit 1",
        "exec pgrep -f NAME",
        "ps aux | grep NAME | grep -v grep || exit 1",
    ],
)
def test_a_check_that_is_left_alone_can_fail(require_tool: RequireTool, name: str, check: str, shell: str) -> None:
    for tool in (shell, "pgrep"):
        require_tool(tool)
    written = check.replace("NAME", name)
    assert findings(written, SHELLS[shell]) == []
    assert code(shell, written) != 0


@pytest.mark.parametrize("shell", ["dash", "bash"])  # busybox' sh runs its own ps, which shows more than procps'
def test_ps_that_shows_names_alone_is_left_alone(require_tool: RequireTool, name: str, shell: str) -> None:
    for tool in (shell, "pgrep"):
        require_tool(tool)
    written = f"ps -e | grep {name} || exit 1"
    assert findings(written, "debian:12") == []
    assert code(shell, written) != 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "check",
    ["pgrep -f NAME", "true; pgrep -f NAME", "true && pgrep -f NAME", "pgrep -f NAME > /dev/null"],
)
def test_the_last_command_is_reported_if_the_shell_does_not_replace_itself(
    require_tool: RequireTool, name: str, check: str, shell: str
) -> None:
    for tool in (shell, "pgrep"):
        require_tool(tool)
    written = check.replace("NAME", name)
    assert bool(findings(written, SHELLS[shell])) is (code(shell, written) == 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_bracket_would_not_help_a_search_that_is_refused(require_tool: RequireTool, name: str, shell: str) -> None:
    for tool in (shell, "pgrep"):
        require_tool(tool)
    check = f"pgrep -f {name} || {{ echo no {name}; exit 1; }}"
    assert fixed(check, SHELLS[shell]) == check
    assert code(shell, check.replace(f"-f {name}", f"-f '[z]{name[1:]}'")) == 0
