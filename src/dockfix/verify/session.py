"""Builds the targets of a run before and after their fixes, and says what became of each promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dockfix.engine.results import RunResult
from dockfix.engine.settings import Settings
from dockfix.rule.registry import Registry
from dockfix.verify.model import Builder, VerifyResult

__all__ = ["Event", "OnEvent", "Proof", "VerifyOptions", "prove_paths", "verify_paths"]


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How builds are compared.

    Args:
        runs: how often each build is measured.
        timeout: seconds after which a build is stopped.
        max_context: the largest build context that is copied, in bytes.
        quick: whether only the images are compared: no build is measured.
        start_limit: seconds that a container may run.
    """

    runs: int = 1
    timeout: float = 1800.0
    max_context: int = 2 * 1024**3
    quick: bool = False
    start_limit: float = 20.0


@dataclass(frozen=True, slots=True)
class Event:
    """What is done now, for a progress display.

    Args:
        target: the build, for a reader.
        what: the phase: `build before`, `build after`, `compare`, ...
        detail: the step of the build, or similar.
    """

    target: str
    what: str
    detail: str = ""


OnEvent: TypeAlias = Callable[[Event], None]
"""Called when a phase begins, or its detail changes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What `prove_paths` found.

    Args:
        result: what the builds have shown; the fixes that were left out are the culprits of their targets.
        run: the run with the safe fixes and the proven ones; nothing is written.
    """

    result: VerifyResult
    run: RunResult


def verify_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    options: VerifyOptions,
    builder: Builder,
    folder: Path,
    on_event: OnEvent | None = None,
) -> VerifyResult:
    """Build each target before and after the fixes of `settings`, and compare."""
    raise NotImplementedError


def prove_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    options: VerifyOptions,
    builder: Builder,
    folder: Path,
    on_event: OnEvent | None = None,
) -> Proof:
    """Apply the safe fixes, and the unsafe ones whose promises builds have shown to hold.

    `settings.unsafe` is false: it is for fixes that are applied in any case.
    """
    raise NotImplementedError
