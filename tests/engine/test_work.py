"""The work of a run over the example project, in calls of Python functions: a guard against slow changes.

Calls are counted, not seconds: the numbers are the same on every machine, and nearly the same in every version of
Python. If a change needs more work on purpose, raise the number; if it saves much, lower it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.test_linear import calls

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "audit"
CHECK = 484_000
APPLY = 714_000
MORE = 1.1
LESS = 0.7


@pytest.mark.parametrize(("fix", "usual"), [(False, CHECK), (True, APPLY)], ids=["check", "apply"])
def test_the_example(tmp_path: Path, fix: bool, usual: int) -> None:
    for name in ("warm", "example"):  # the first run imports modules and builds tables
        shutil.copytree(EXAMPLE, tmp_path / name)
        count = calls(tmp_path / name, {}, fix=fix)
    assert LESS * usual < count < MORE * usual, f"{count} calls, usually {usual}"
