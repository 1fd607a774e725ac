"""The one module that codemods import. Stable within a major version; what is not here is internal.

Groups: the anatomy of a codemod, the tree, the shell, what is true of the build, and surgery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockfix.codemod import cache_surgery, surgery
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
from dockfix.facts import mounts
from dockfix.facts.build import BuildFacts
from dockfix.facts.caches import CacheDir
from dockfix.facts.commands import Step
from dockfix.facts.model import Fact, Known, OneOf, Unknown, known
from dockfix.facts.mounts import CacheMount, Caches, Cleaning, ToolCache, caches_of
from dockfix.facts.names import names_mentioned, names_used
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.scope import State
from dockfix.facts.scripts import Joint, behind, join_all
from dockfix.facts.stages import ContextSource, ImageSource, Invalid, OutOfRange, Stage, StageSource
from dockfix.facts.toolchain import FAMILIES, builds, is_compiler, is_header_package, package_names, virtual_name
from dockfix.project.context import Context
from dockfix.project.target import Project, Target, context_candidates
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.shell import Script, SimpleCommand
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
from dockfix.syntax.words import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockfix.facts.images import BaseImage


def base_image(ref: str, extra: Mapping[str, BaseImage | str] | None = None) -> BaseImage | None:
    """What is known of an image; the tables are loaded on the first question."""
    from dockfix.facts import images  # noqa: PLC0415 - tables that a clean file never needs

    return images.base_image(ref, extra or {})


def is_silently_read(name: str) -> bool:
    """Whether tools read a variable of that name without being told to (`DEBIAN_FRONTEND`, `*_INDEX_URL`, `CFLAGS`)."""
    from dockfix.facts import images  # noqa: PLC0415 - as above

    return images.is_silently_read(name)


def predefined_args() -> frozenset[str]:
    """Build arguments that need no ARG (`HTTP_PROXY` and its like)."""
    from dockfix.facts import images  # noqa: PLC0415 - as above

    return frozenset(images.PREDEFINED_ARGS)


def build_only(package: str, family: str) -> bool:
    """Whether a package of a distribution's family is needed to build and not to run."""
    from dockfix.facts import images  # noqa: PLC0415 - as above

    return images.build_only(package, family)


def runtime_library(package: str, family: str, image: str) -> str | None:
    """The library package that programs built with a header package or compiler need: "" if none, None if unknown."""
    from dockfix.facts import images  # noqa: PLC0415 - as above

    return images.runtime_library(package, family, image)


API_VERSION = 1
"""Rises when something here changes incompatibly."""

__all__ = [
    "API_VERSION",
    "FAMILIES",
    "Action",
    "Add",
    "Advice",
    "Arg",
    "Blank",
    "BuildFacts",
    "CacheDir",
    "CacheMount",
    "Caches",
    "Category",
    "Cleaning",
    "Cmd",
    "Codemod",
    "Comment",
    "Context",
    "ContextSource",
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
    "ImageSource",
    "Instruction",
    "Invalid",
    "Joint",
    "Known",
    "Label",
    "Mapped",
    "Mount",
    "MountOption",
    "Onbuild",
    "OneOf",
    "OutOfRange",
    "PackageCommand",
    "Pair",
    "Project",
    "Refusal",
    "Run",
    "Safety",
    "Script",
    "Severity",
    "Shell",
    "ShellContext",
    "SimpleCommand",
    "Span",
    "Stage",
    "StageSource",
    "State",
    "Step",
    "Target",
    "ToolCache",
    "Unknown",
    "User",
    "Volume",
    "Word",
    "Workdir",
    "apply_edits",
    "base_image",
    "behind",
    "build_only",
    "builds",
    "cache_surgery",
    "caches_of",
    "conflict",
    "context_candidates",
    "is_compiler",
    "is_header_package",
    "is_silently_read",
    "join_all",
    "known",
    "mounts",
    "names_mentioned",
    "names_used",
    "package_names",
    "predefined_args",
    "runtime_library",
    "surgery",
    "variables",
    "virtual_name",
]
