"""The anatomy of a codemod: plain frozen values.

A codemod is a value, not a class: a name, what its fixes may change, and a pure generator over an immutable target.
Findings are `Fix` (with edits), `Refusal` (seen, not touched, because) and `Advice` (true, with no honest mechanical
edit); all three are first-class in every output.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dockfix.project.target import Target
from dockfix.syntax.source import Span


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


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace `text[start:end]` of the Dockerfile; `start == end` inserts."""

    start: int
    end: int
    replacement: str

    @property
    def span(self) -> Span:
        """What is replaced."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Fix:
    """An atomic set of edits with its reason.

    `at` is where the finding is; `look_at` says of an unsafe fix what a person must check.
    """

    at: Span
    message: str
    edits: tuple[Edit, ...]
    safety: Safety
    why: str
    look_at: str = ""
    severity: Severity | None = None

    def __post_init__(self) -> None:
        if not self.edits:
            raise ValueError("a fix without edits is no fix; use Advice or Refusal")
        if self.safety is Safety.UNSAFE and not self.look_at:
            raise ValueError("an unsafe fix says what a person must look at")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that meets the rule's pattern and must not be touched; `reason` completes "not touched: ..."."""

    at: Span
    message: str
    reason: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A true finding that no mechanical edit mends honestly."""

    at: Span
    message: str
    severity: Severity | None = None


Finding: TypeAlias = Fix | Refusal | Advice
Rewrite: TypeAlias = Callable[[Target], Iterator[Finding]]

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
        rewrite: a pure generator of findings.
        since: the version that brought it.
        triggers: words (in lower case) of which at least one stands in any file that the rule could say something
            about; a cheap scan of the bytes decides whether the rule is run at all. Empty: always run.
        opt_in: off until selected by name.
        page: the rule's page; by default the docstring of the module of `rewrite`.
        hadolint: codes whose `# hadolint ignore=` silences this rule too.
        checks: BuildKit checks whose `# check=skip=` silences this rule too.
        findings: findings of the founding audit that the rule answers, for the table in the documentation.
    """

    name: str
    title: str
    severity: Severity
    category: Category
    effects: frozenset[Effect]
    rewrite: Rewrite
    since: str
    triggers: tuple[str, ...] = ()
    opt_in: bool = False
    page: str = ""
    hadolint: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a codemod's name is kebab case: {self.name!r}")
        if not self.page:
            module = sys.modules.get(self.rewrite.__module__)
            object.__setattr__(self, "page", (module.__doc__ if module else None) or "")

    def could_apply(self, lowered: str) -> bool:
        """Whether a file, given in lower case, holds any of the triggers."""
        return not self.triggers or any(trigger in lowered for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a codemod in a file, with the line and column where people look for it."""

    rule: str
    finding: Finding
    severity: Severity
    line: int
    column: int
    end_line: int
    suppressed: bool = field(default=False)


class HasRemaining:
    """What a result that holds findings in `remaining` says of them by kind."""

    __slots__ = ()

    remaining: tuple[Found, ...]

    @property
    def fixes(self) -> tuple[Found, ...]:
        """Fixes that were found and not made, because they are unsafe, were declined or were not asked for."""
        return tuple(found for found in self.remaining if isinstance(found.finding, Fix))

    @property
    def refused(self) -> tuple[Found, ...]:
        """Findings that must not be touched, with the reason."""
        return tuple(found for found in self.remaining if isinstance(found.finding, Refusal))

    @property
    def advice(self) -> tuple[Found, ...]:
        """Findings without an edit."""
        return tuple(found for found in self.remaining if isinstance(found.finding, Advice))


class EditError(ValueError):
    """Edits that cannot be applied: out of range or overlapping."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made.

    Insertions at one place are made in the order given.

    Raises:
        EditError: an edit is out of range, or two overlap.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    out: list[str] = []
    at = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= len(text):
            raise EditError(f"edit {edit.start}-{edit.end} is out of range")
        if edit.start < at:
            raise EditError(f"edits overlap at {edit.start}")
        out += [text[at : edit.start], edit.replacement]
        at = edit.end
    out.append(text[at:])
    return "".join(out)


def conflict(first: Sequence[Edit], second: Sequence[Edit]) -> bool:
    """Whether two sets of edits overlap or touch, so that they must not be applied in one pass."""
    return any(a.start <= b.end and b.start <= a.end for a in first for b in second)
