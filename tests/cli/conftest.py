"""Running dockfix as a process, with codemods made for these tests."""

from __future__ import annotations

import os
import runpy
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from dockfix.rule.registry import Registry
from tests.forks import Forks

TOYS = Path(__file__).with_name("toys.py")

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def registry() -> Registry:
    found = runpy.run_path(str(TOYS))["REGISTRY"]
    assert isinstance(found, Registry)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project root of its own."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


@pytest.fixture(scope="session")
def toys() -> Iterator[Forks]:
    with Forks(TOYS) as program:
        yield program


@pytest.fixture
def dockfix(project: Path, toys: Forks) -> Run:
    """Run dockfix in the project: `dockfix("apply", "--diff", stdin=b"", cwd=..., env={...})`."""

    def run(
        *arguments: str | bytes, stdin: bytes = b"", cwd: Path = project, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        return toys.run(arguments, cwd=cwd, env={**clean, **(env or {})}, stdin=stdin)

    return run
