"""Options and configuration put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.cli import planning
from dockfix.cli.console import Console
from dockfix.engine import configure
from dockfix.output.plain import PLAIN
from dockfix.rule.registry import Registry


@pytest.mark.parametrize(
    ("given", "configured", "jobs"),
    [(None, None, 4), (3, None, 3), (None, 2, 2), (100_000, None, 4), (None, 100_000, 4), (None, 10**4_000, 4)],
)
def test_no_more_processes_than_processors(
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
    registry: Registry,
    given: int | None,
    configured: int | None,
    jobs: int,
) -> None:
    monkeypatch.setattr(configure, "processors", lambda: 4)
    monkeypatch.chdir(project)
    if configured is not None:
        (project / "dockfix.yaml").write_text(f"jobs: {configured}\n")
    made = planning.plans(registry, planning.Given(jobs=given), Console(PLAIN, PLAIN))[0]
    assert made.settings.jobs == jobs
