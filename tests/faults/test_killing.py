"""A run that is killed at any step of writing: each file is as before or as after, and the next run ends the work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLING = Path(__file__).with_name("killing.py")
SCENARIOS = ("single", "several", "document", "baseline", "split", "init")
TEMPORARY = re.compile(r"\.dockfix-[0-9a-f]{8}-")
SAID = "was changed by a run that was killed before it had changed"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What was there after each step, by scenario."""
    command = [sys.executable, str(KILLING), str(tmp_path_factory.mktemp("killed"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SCENARIOS}
    for line in done.stdout.splitlines():
        step = json.loads(line)
        found[step["scenario"]].append(step)
    return found


def without_temporary(state: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in state.items() if not TEMPORARY.search(name)}


@pytest.mark.slow
@pytest.mark.xdist_group("killing")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_file_is_as_before_or_as_after(killed: dict[str, list[dict[str, Any]]], scenario: str) -> None:
    *steps, last = killed[scenario]
    assert last["code"] in (0, 1)
    assert len(steps) >= 3
    assert {step["code"] for step in steps} == {-9}
    before, after = last["before"], last["after"]
    assert before != after == without_temporary(after)
    for step in steps:
        there = without_temporary(step["after"])
        assert there.keys() >= before.keys()
        for name, content in there.items():
            assert content in (before.get(name), after[name]), name
    # it is really killed before and after the change
    assert without_temporary(steps[0]["after"]) == before
    assert any(step["after"] != without_temporary(step["after"]) for step in steps)


@pytest.mark.slow
@pytest.mark.xdist_group("killing")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_next_run_ends_the_work_and_leaves_nothing(killed: dict[str, list[dict[str, Any]]], scenario: str) -> None:
    *steps, last = killed[scenario]
    final = last["after"]
    for step in steps:
        assert without_temporary(step["next"]) == step["next"]
        if step["next"] != final:  # the new folder or file is there already, and is not overwritten
            assert scenario in ("split", "init")
            assert step["again"] == 2
            assert step["next"] == without_temporary(step["after"])
        assert "Traceback" not in step["said"]


@pytest.mark.slow
@pytest.mark.xdist_group("killing")
def test_a_fix_that_is_half_written_is_undone_and_said(killed: dict[str, list[dict[str, Any]]]) -> None:
    *steps, last = killed["several"]
    before, after = last["before"], last["after"]
    half = [step for step in steps if without_temporary(step["after"]) not in (before, after)]
    assert len(half) == 2  # between two renames
    for step in steps:
        assert (SAID in step["said"]) == (step in half)
        assert step["next"] == after
