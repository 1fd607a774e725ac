"""Scenario: a source file is edited, and both sides are built again.

Both sides are built with the file as it is, so that every step is cached. Then one file gets another digest. What the
builder runs again is what a developer waits for after such an edit. Each side gets an edit of its own, so that no side
finds layers that the rebuild of the other has made.
"""

from __future__ import annotations

from dockfix.verify.scenarios import ScenarioResult, Side

__all__ = ["source_edit"]


def source_edit(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Edit a file of the context, count the RUN steps that each side runs again, and restore the file.

    The claim is kept if after the fixes fewer RUN steps are run again, and broken if as many or more are although the
    file could have been copied later. It is not shown if no file can show it, or a build fails.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix, so that no layer of an earlier run is found.
        runs: how often the edit is made and built.
    """
    raise NotImplementedError
