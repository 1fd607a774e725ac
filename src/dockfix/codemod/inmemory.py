"""Targets that have no files, for standard input, tests and documentation examples."""

from __future__ import annotations

from pathlib import Path

from dockfix.project.target import Project, Target


def target_from_text(text: str, *, display: str = "Dockerfile", root: Path | None = None) -> Target:
    """A target of a text alone: no context, no invocations.

    Args:
        text: the Dockerfile.
        display: the name to show for it.
        root: the project root that it is taken to be in; the current folder by default.
    """
    base = root if root is not None else Path()
    return Target(
        path=base / display,
        display=display,
        text=text,
        context=None,
        context_why="a text without a file has no build context",
        invocations=(),
        project=Project(base),
        file=None,
    )
