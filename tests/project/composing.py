"""Helpers of the tests of compose files."""

from __future__ import annotations

import textwrap
from pathlib import Path

from dockfix.project.compose.builds import BuildInvocation, ComposeFile, read_compose
from dockfix.project.files import Snapshot


def write(root: Path, text: str, name: str = "compose.yaml") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def read(root: Path, text: str, name: str = "compose.yaml") -> ComposeFile:
    compose, problems = read_compose(write(root, text, name), Snapshot(root))
    assert problems == []
    assert not compose.broken
    return compose


def only(compose: ComposeFile) -> BuildInvocation:
    (invocation,) = compose.invocations
    return invocation
