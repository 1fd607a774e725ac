"""What a codemod is made of. `from dockfix.rule import Codemod, Fix, ...` is how a pack begins.

- `model`: `Codemod`, its findings (`Fix`, `Refusal`, `Advice`) and what they say of themselves.
- `lazy`: a function that is imported when it is first called.
- `workspace`: all files of a run at one moment, for rules that check a whole project.
- `suppression`: comments that silence rules.
- `registry`: finding the packs that are installed.
- `pack_index`: the index of a pack, so that a run imports only the rules that a file gives work to.
- `scaffold`: the beginning of a new codemod.
"""

from __future__ import annotations

from dockfix.rule.model import (
    OTHER_FILES,
    Advice,
    Category,
    Change,
    Check,
    CheckProject,
    Codemod,
    Diagnostic,
    Edit,
    EditError,
    Effect,
    Finding,
    Fix,
    LazyFunction,
    Refusal,
    Requires,
    Safety,
    Severity,
    apply_edits,
    conflict,
)

__all__ = [
    "OTHER_FILES",
    "Advice",
    "Category",
    "Change",
    "Check",
    "CheckProject",
    "Codemod",
    "Diagnostic",
    "Edit",
    "EditError",
    "Effect",
    "Finding",
    "Fix",
    "LazyFunction",
    "Refusal",
    "Requires",
    "Safety",
    "Severity",
    "apply_edits",
    "conflict",
]  # fmt: skip
