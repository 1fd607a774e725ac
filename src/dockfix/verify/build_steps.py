"""Which step of a build begins with a line that a builder prints: for a progress display."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["step_of"]

_BUILDAH: Final = re.compile(r"(?:\[(\d+/\d+)\] )?STEP (\d+/\d+): ")
_BUILDKIT: Final = re.compile(r"#\d+ \[(?:([^\]\s]+) +)?(\d+/\d+)\] ")


def step_of(line: str) -> str:
    """For example `3/7`, or `3/7 of build`, a stage; empty if the line begins no step.

    The text of the step is left out: a builder may have put the values of arguments into it.
    """
    if (found := _BUILDAH.match(line)) is not None:
        return f"{found[2]} of stage {found[1]}" if found[1] else found[2]
    if (found := _BUILDKIT.match(line)) is not None:
        return f"{found[2]} of {found[1]}" if found[1] else found[2]
    return ""
