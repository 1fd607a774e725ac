"""The trial start of a container: when it is needed, how it is done, and what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dockfix.syntax.tree import Dockerfile
from dockfix.verify.model import Builder, StartOutcome, State

__all__ = ["HealthConfig", "StartConfig", "compare_health", "compare_starts", "needs_start", "start_of", "trial"]


class HealthConfig(Protocol):
    """The health check of an image configuration."""

    @property
    def test(self) -> Sequence[str]:
        """`CMD` and a command, `CMD-SHELL` and a shell text, or `NONE`."""

    @property
    def start_period(self) -> float:
        """Seconds in which a failing check does not count."""


class StartConfig(Protocol):
    """What an image configuration says about the start of a container; `dockfix.verify.image.ImageConfig` is one."""

    @property
    def user(self) -> str: ...
    @property
    def env(self) -> Sequence[str]: ...
    @property
    def entrypoint(self) -> Sequence[str] | None: ...
    @property
    def command(self) -> Sequence[str] | None: ...
    @property
    def healthcheck(self) -> HealthConfig | None: ...
    @property
    def workdir(self) -> str: ...
    @property
    def shell(self) -> Sequence[str] | None: ...


def needs_start(
    before: StartConfig | None,
    after: StartConfig,
    before_file: Dockerfile | None = None,
    after_file: Dockerfile | None = None,
) -> bool:
    """Whether containers must be started: an image has a health check, or the start differs."""
    raise NotImplementedError


def trial(builder: Builder, tag: str, config: StartConfig, limit: float = 20.0) -> StartOutcome:
    """Start a container as its image configuration says, and try its health check."""
    raise NotImplementedError


def compare_starts(before: StartOutcome | None, after: StartOutcome) -> tuple[State, tuple[str, ...]]:
    """What two trials show of the promise `starts`, with the evidence. `before` is None if there was no image."""
    raise NotImplementedError


def compare_health(
    before: StartOutcome | None, after: StartOutcome, *, start_period: float = 0.0, limit: float = 20.0
) -> tuple[State, tuple[str, ...]]:
    """What two trials show of the claim `healthy`, with the evidence."""
    raise NotImplementedError
