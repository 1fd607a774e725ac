"""Scenario: a build argument gets another value, and both sides are built again."""

from __future__ import annotations

from dockfix.verify.scenarios import ScenarioResult, Side

__all__ = ["arg_change"]


def arg_change(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Build with other values of the ARGs that are declared later after the fixes, and count what is run again.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix.
        runs: how often each value is changed and built.
    """
    raise NotImplementedError
