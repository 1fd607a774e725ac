"""Scenario: a RUN with a new cache mount is run twice, with the mount empty and with it filled."""

from __future__ import annotations

from dockfix.verify.scenarios import ScenarioResult, Side

__all__ = ["cache_mounts"]


def cache_mounts(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Run each RUN that has a new cache mount twice, and list what is in the mount each time.

    Calls `build` with texts that end after that RUN (`last_stage=True`) and with the argument `DOCKFIX_MISS`.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix: no cache mount of the user is read or written.
        runs: how often this is repeated, each time with empty mounts of its own.
    """
    raise NotImplementedError
