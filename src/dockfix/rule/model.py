"""The anatomy of a codemod: plain frozen values.

A codemod is a value, not a class: a name, what its fixes may change, and a pure generator over an immutable target.
Findings are `Fix` (with edits), `Refusal` (seen, not touched, because) and `Advice` (true, with no honest mechanical
edit); all three are first-class in every output.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from dockfix.edit.text import Change, Edit, EditError, apply_edits, conflict
from dockfix.rule.lazy import LazyFunction
from dockfix.syntax.source import Span

if TYPE_CHECKING:
    from dockfix.project.target import Target
    from dockfix.rule.workspace import Workspace

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


class Safety(enum.Enum):
    """Whether a fix may be applied unseen."""

    SAFE = "safe"
    """Every build that succeeded still succeeds; the image is the same, or differs as the rule promises."""
    UNSAFE = "unsafe"
    """Likely right, but a person must look; the fix says at what."""


class Severity(enum.Enum):
    """How bad the finding is when nothing is done."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Category(enum.Enum):
    """What a rule is about."""

    CORRECTNESS = "correctness"
    CACHE = "cache"
    SIZE = "size"
    SECURITY = "security"
    STYLE = "style"


class Effect(enum.Enum):
    """The parts of the build model that a codemod's fixes may change; the engine holds it to what it declares."""

    STAGES = "stages"
    """Stage headers: base image, name, platform, and how many there are."""
    FRONT_STAGES = "front-stages"
    """Whole stages that come to stand in front of the first; those that were there are held to the other effects."""
    ORDER = "order"
    """The order of steps that stand before and after."""
    STEPS = "steps"
    """How many steps of a kind a stage has (split, merged, inserted, deleted instructions)."""
    MOUNTS = "mounts"
    """`--mount` flags of RUN."""
    COMMANDS = "commands"
    """What RUN executes."""
    COPIES = "copies"
    """What COPY and ADD bring in, from where to where, and with which flags."""
    ENV = "env"
    ARGS = "args"
    USERS = "users"
    """USER instructions."""
    WORKDIR = "workdir"
    SHELL = "shell"
    METADATA = "metadata"
    """CMD, ENTRYPOINT, HEALTHCHECK, LABEL, EXPOSE, VOLUME, STOPSIGNAL, MAINTAINER, ONBUILD."""
    COMPOSE = "compose"
    """Compose files."""
    BAKE = "bake"
    """Bake files."""
    IGNORE = "ignore"
    """`.dockerignore` files."""
    FILES = "files"
    """New files."""


class Requires(enum.Enum):
    """What there must be besides a Dockerfile with a trigger before a rule has anything to say."""

    COMPOSE = "compose"
    """A compose file in the project."""
    IGNORE = "ignore"
    """An ignore file that a build may heed. Of surveys only."""
    SECOND = "second"
    """A second place to hold the first against: another trigger in the Dockerfile (for a survey: in those of the run),
    a compose or bake file, or a named context of the command line.
    """


OTHER_FILES: Final = frozenset({Effect.COMPOSE, Effect.BAKE, Effect.IGNORE, Effect.FILES})
"""The effects on other files than Dockerfiles."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A finding with an atomic set of edits.

    Args:
        at: where the finding is.
        message: what is wrong, and its consequence if it is not obvious.
        edits: the edits of the file that the finding is in.
        safety: whether the fix may be applied without review.
        help: what the fix does, in the imperative.
        review: what a reader of an unsafe fix must check.
        severity: by default that of the rule.
        other_files: changes of other files; they are made together with `edits`, or none is made.
        file: the real path of the file that the finding is in; None for the Dockerfile that `check` was given.
    """

    at: Span
    message: str
    edits: tuple[Edit, ...]
    safety: Safety
    help: str
    review: str = ""
    severity: Severity | None = None
    other_files: tuple[Change, ...] = ()
    file: Path | None = None

    def __post_init__(self) -> None:
        if not self.edits and not self.other_files:
            raise ValueError("a fix needs edits; use Advice or Refusal")
        if self.safety is Safety.UNSAFE and not self.review:
            raise ValueError("an unsafe fix needs `review`: what must be checked")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that is not fixed; `note` says why, and completes "not fixed: ..."."""

    at: Span
    message: str
    note: str
    severity: Severity | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A true finding that has no honest mechanical edit."""

    at: Span
    message: str
    severity: Severity | None = None
    file: Path | None = None


Finding: TypeAlias = Fix | Refusal | Advice
Check: TypeAlias = "Callable[[Target], Iterator[Finding]]"
CheckProject: TypeAlias = "Callable[[Workspace], Iterator[Finding]]"


_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Codemod:
    """A rule and what it does about it.

    Args:
        name: the rule's name, in kebab case; also its module's name with underscores.
        title: one line, no full stop.
        severity: of its findings, unless one says otherwise.
        category: what it is about.
        effects: what its fixes may change in the build model; everything else is held fixed by the engine.
        check: a pure generator of findings in one Dockerfile. It, `check_project` and `collect` may each be a
            `LazyFunction`.
        check_project: a pure generator of findings over all files of a run, for what no single Dockerfile shows; each
            says in `file` where it is. A rule has a `check` or a `check_project`.
        collect: what `check_project` needs of one Dockerfile, as plain values that can be sent between processes; it
            asks `Workspace.collected` for it.
        since: the version that brought it.
        triggers: words (in lower case) of which at least one stands in any file that the rule could say something
            about; a cheap scan of the bytes decides whether the rule is run at all. Empty: always run.
        requires: what there must be besides, for the rule to be run at all.
        opt_in: off until selected by name.
        setting: the key of the configuration without which the rule has nothing to say.
        page: the rule's page; by default the docstring of the module of `check` or `check_project`, which for a
            `LazyFunction` is looked up when the page is shown.
        hadolint: codes whose `# hadolint ignore=` silences this rule too.
        checks: BuildKit checks whose `# check=skip=` silences this rule too.
        findings: findings of the founding audit that the rule answers, for the table in the documentation.
    """

    name: str
    title: str
    severity: Severity
    category: Category
    effects: frozenset[Effect]
    check: Check | None
    since: str
    triggers: tuple[str, ...] = ()
    opt_in: bool = False
    page: str = ""
    hadolint: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    check_project: CheckProject | None = None
    collect: Callable[[Target], object] | None = None
    requires: Requires | None = None
    setting: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a codemod's name is kebab case: {self.name!r}")
        work = self.check or self.check_project
        if work is None or (self.check is not None and self.check_project is not None):
            raise ValueError(f"{self.name}: a codemod has a rewrite or a survey, and not both")
        if not self.page and not isinstance(work, LazyFunction):
            module = sys.modules.get(work.__module__)
            object.__setattr__(self, "page", (module.__doc__ if module else None) or "")

    def could_apply(self, lowered: str) -> bool:
        """Whether a file, given in lower case, holds any of the triggers."""
        return not self.triggers or any(trigger in lowered for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding of a codemod in a file, with the line and column where people look for it. `path` is real."""

    rule: str
    finding: Finding
    severity: Severity
    line: int
    column: int
    end_line: int
    path: Path
