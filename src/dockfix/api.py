"""The one module that codemods import. Stable within a major version; what is not here is internal.

Groups: the anatomy of a codemod, the tree, the shell, what is true of the build, and surgery.
"""

from __future__ import annotations

from dockfix.codemod import surgery
from dockfix.codemod.model import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Safety,
    Severity,
    apply_edits,
    conflict,
)
from dockfix.facts.model import Fact, Known, OneOf, Unknown, known
from dockfix.project.context import Context
from dockfix.project.target import Project, Target, context_candidates
from dockfix.syntax.source import Mapped, Span
from dockfix.syntax.tree import (
    Add,
    Arg,
    Blank,
    Cmd,
    Comment,
    Copy,
    Directive,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Flag,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Mount,
    MountOption,
    Onbuild,
    Pair,
    Run,
    Shell,
    User,
    Volume,
    Word,
    Workdir,
)

API_VERSION = 1
"""Rises when something here changes incompatibly."""

__all__ = [
    "API_VERSION",
    "Add",
    "Advice",
    "Arg",
    "Blank",
    "Category",
    "Cmd",
    "Codemod",
    "Comment",
    "Context",
    "Copy",
    "Directive",
    "Dockerfile",
    "Edit",
    "Effect",
    "Entrypoint",
    "Env",
    "Expose",
    "Fact",
    "Finding",
    "Fix",
    "Flag",
    "From",
    "Healthcheck",
    "Heredoc",
    "Instruction",
    "Known",
    "Label",
    "Mapped",
    "Mount",
    "MountOption",
    "Onbuild",
    "OneOf",
    "Pair",
    "Project",
    "Refusal",
    "Run",
    "Safety",
    "Severity",
    "Shell",
    "Span",
    "Target",
    "Unknown",
    "User",
    "Volume",
    "Word",
    "Workdir",
    "apply_edits",
    "conflict",
    "context_candidates",
    "known",
    "surgery",
]
