"""Runs of dockfix with `verify_toys.py`, and what they said to the session of builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("verify_toys.py")
ROOT = Path(__file__).resolve().parent.parent.parent


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


class Builds:
    """Runs dockfix in a project, with a folder of its own for temporary files."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project = project
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._log = folder / "log"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(PROGRAM), *arguments]

    def environment(self, kind: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        own = {"TOY_BUILDS": kind, "TOY_LOG": str(self._log), "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)}
        return {**kept, **own}

    def __call__(self, kind: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        self._log.unlink(missing_ok=True)
        return subprocess.run(
            self.command(*arguments), cwd=self.project, env=self.environment(kind), capture_output=True, check=False,
            encoding="utf-8",
        )  # fmt: skip

    def said(self) -> dict[str, Any]:
        """What the run said to the session and the builder, together."""
        found: dict[str, Any] = {}
        if self._log.exists():
            for line in self._log.read_text(encoding="utf-8").splitlines():
                found |= json.loads(line)
        return found

    def left(self) -> list[str]:
        return names(self.temporary)
