"""Which commands must have succeeded in a build that succeeded; the truth is what dash says."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.facts.outcome import tolerated
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run


def may_fail(script: str, head: str = "") -> list[str]:
    target = target_from_text(f"FROM debian:12\n{head}RUN {script}\n")
    run = next(each for each in target.dockerfile.instructions if isinstance(each, Run))
    commands = target.facts.commands(run)
    starts = tolerated(commands)
    return [step.command.name or "" for step in commands.steps if step.command.start in starts]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("a && b && c", []),
        ("a; b; c", ["a", "b"]),
        ("a && b; c && d", ["a", "b"]),
        ("a && b || c", ["a", "b", "c"]),
        ("set -e; a; b && c; d", ["b", "c"]),
        ("if a; then b; fi; c", ["a", "b"]),
        ("a | b", ["a", "b"]),
        ("(a && b) && c", ["a", "b"]),
        ("sh -c 'a' && b", ["a"]),
        ("! a", ["a"]),
    ],
)
def test_commands_that_may_fail(script: str, found: list[str]) -> None:
    assert [name for name in may_fail(script) if name not in ("set", "sh")] == found


def test_errexit_of_the_shell() -> None:
    assert may_fail("a; b", 'SHELL ["/bin/bash", "-ec"]\n') == []


COMMANDS = st.lists(st.sampled_from(["&&", "||", ";"]), min_size=0, max_size=4)


@given(COMMANDS, st.booleans(), st.integers(min_value=0, max_value=31))
def test_a_command_that_is_not_listed_has_succeeded(joints: list[str], errexit: bool, statuses: int) -> None:
    names = [f"c{number}" for number in range(len(joints) + 1)]
    parts = [names[0]]
    for joint, name in zip(joints, names[1:], strict=True):
        parts += [joint, name]
    script = ("set -e; " if errexit else "") + " ".join(parts)
    functions = "".join(
        f"{name}() {{ echo {name}; return {statuses >> number & 1}; }}; " for number, name in enumerate(names)
    )
    done = subprocess.run(["sh", "-c", functions + script], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        ran = done.stdout.split()
        for number, name in enumerate(names):
            if name not in may_fail(script):
                assert name in ran
                assert not statuses >> number & 1
