"""The fixes of a run as numbered patches, each on top of the one before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dockfix.engine.difftext import unified_diff
from dockfix.engine.steps import Step
from dockfix.output.located import parts
from dockfix.output.plain import printable
from dockfix.rule.model import Fix
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import encode

__all__ = ["patches"]

_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9._]+")
_MAX_NAME: Final = 60


def patches(found: Sequence[Step], workspace: Workspace) -> list[tuple[str, bytes]]:
    """The name and the content of each patch: a header that says what it does, and a diff for `git apply` and `patch`.

    Args:
        found: the fixes, in order.
        workspace: the files, for their names.
    """
    width = max(4, len(str(len(found))))
    made = []
    for number, step in enumerate(found, 1):
        files = {workspace.display(path): texts for path, texts in step.changes.items()}
        first = next(iter(files)) if step.found is None else workspace.display(step.found.path)
        rule = "rest" if step.found is None else step.found.rule
        diff = "".join(unified_diff(before, after, path) for path, (before, after) in files.items())
        header = "".join(f"{line}\n" for line in _header(step, first, f"{number}/{len(found)}"))
        made.append((f"{number:0{width}}-{rule}-{_file_name(first)}.patch", encode(f"{header}\n{diff}")))
    return made


def _header(step: Step, path: str, number: str) -> list[str]:
    """The lines before the diff. Each begins with a label, so that no program takes one for a part of the diff."""
    if step.found is None:
        return [f"dockfix {number}: changes that belong to several fixes"]
    found = step.found
    lines = [
        f"dockfix {number}: {printable(path)}:{found.line}",
        f"Rule: {found.rule} ({found.severity.value})",
        f"Message: {printable(found.finding.message)}",
    ]
    if isinstance(found.finding, Fix):
        lines.append(f"Safety: {found.finding.safety.value}")
    return lines + [f"{label.capitalize()}: {printable(text)}" for label, text in parts(found)]


def _file_name(path: str) -> str:
    name = Path(path).name if len(path) > _MAX_NAME else path
    return _NOT_A_NAME.sub("-", name).strip("-.")[:_MAX_NAME] or "file"
