"""What a codemod and its findings are: plain frozen values.

A codemod is a value, not a class: a name, what its fixes may change, and a pure generator over an immutable target.
A finding is a `Fix` (it has edits), a `Refusal` (it is not fixed, for a reason) or an `Advice` (no edit is known). All
three appear in every output.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from dockfix.edit.text import Change, Edit
from dockfix.rule.lazy import LazyClass, LazyFunction
from dockfix.rule.promise import Claim, Part, Promise
from dockfix.syntax.source import Span

if TYPE_CHECKING:
    from dockfix.project.target import Target
    from dockfix.rule.workspace import Workspace


class Safety(enum.Enum):
    """Whether a fix may be applied without review."""

    SAFE = "safe"
    """Every build that succeeded still succeeds; the image is the same, or differs as the rule promises."""
    UNSAFE = "unsafe"
    """Likely right, but someone must check what `Fix.review` says."""


class Severity(enum.Enum):
    """How bad the finding is when nothing is done."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Preset(enum.Enum):
    """A set of rules that is turned on as a whole; each has all the rules of those before it."""

    RECOMMENDED = "recommended"
    """What runs by default: rules that nearly everyone agrees with."""
    STRICT = "strict"
    """Also rules that ask for more work, or for a habit that not every team has."""
    ALL = "all"
    """Also contested rules, and those that need options: on request only."""


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
    """Whole stages inserted before the first; the stages after them are held to the other effects."""
    ORDER = "order"
    """The order of the steps that exist both before and after the change."""
    STEPS = "steps"
    """How many steps of a kind a stage has (split, merged, inserted, deleted instructions)."""
    MOUNTS = "mounts"
    """`--mount` flags of RUN and ONBUILD RUN."""
    COMMANDS = "commands"
    """What RUN and ONBUILD RUN execute."""
    COPIES = "copies"
    """What COPY and ADD copy, from where to where, and with which flags."""
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


class InOnbuild(enum.Enum):
    """What a rule does with `ONBUILD RUN`, which runs in the builds of images that are not known."""

    IGNORED = "ignored"
    """Nothing: what it looks for depends on the other image."""
    ADVICE = "advice"
    """It finds there what it finds in RUN, without a fix."""
    FIX = "fix"
    """Its fixes are right there, too, as far as the image is known. None of them is safe."""


class Requires(enum.Enum):
    """What a rule needs to find anything, in addition to a Dockerfile with one of its triggers."""

    COMPOSE = "compose"
    """A compose file in the project."""
    IGNORE = "ignore"
    """An ignore file that may apply to a build. For rules with `check_project` only."""
    SECOND = "second"
    """A second place to compare with the first: another trigger in the Dockerfile (with `check_project`: in any
    Dockerfile of the run), a compose or bake file, or a named context of the command line.
    """


OTHER_FILES: Final = frozenset({Effect.COMPOSE, Effect.BAKE, Effect.IGNORE, Effect.FILES})
"""The effects on files that are not Dockerfiles."""


class Fix(Struct, frozen=True):
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
        cause: findings of a rule in one file that name the same cause are shown as one finding with several places;
            None for a finding of its own. Each is still fixed and ignored by itself.
        code: the code of another tool's finding that this is, one that `Codemod.codes` matches; a name for it alone.
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
    cause: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        if not self.edits and not self.other_files:
            raise ValueError("a fix needs edits; use Advice or Refusal")
        if self.safety is Safety.UNSAFE and not self.review:
            raise ValueError("an unsafe fix needs `review`: what must be checked")


class Refusal(Struct, frozen=True):
    """A finding that is not fixed; `note` says why, and completes "not fixed: ..."."""

    at: Span
    message: str
    note: str
    severity: Severity | None = None
    file: Path | None = None
    cause: str | None = None
    code: str | None = None


class Advice(Struct, frozen=True):
    """A finding without an edit: only a person can fix it; `help` says how, in the imperative."""

    at: Span
    message: str
    severity: Severity | None = None
    file: Path | None = None
    cause: str | None = None
    code: str | None = None
    help: str = ""


Finding: TypeAlias = Fix | Refusal | Advice
Check: TypeAlias = "Callable[[Target], Iterator[Finding]]"
CheckProject: TypeAlias = "Callable[[Workspace], Iterator[Finding]]"

_PARTS: Final = {
    Part.USER: frozenset({Effect.USERS, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.ENV: frozenset({Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.ENTRYPOINT: frozenset({Effect.METADATA, Effect.SHELL, Effect.STAGES}),
    Part.COMMAND: frozenset({Effect.METADATA, Effect.SHELL, Effect.STAGES}),
    Part.HEALTHCHECK: frozenset({Effect.METADATA, Effect.SHELL, Effect.STAGES}),
    Part.LABELS: frozenset({Effect.METADATA, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.PORTS: frozenset({Effect.METADATA, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.WORKDIR: frozenset({Effect.WORKDIR, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.SHELL: frozenset({Effect.SHELL, Effect.STAGES}),
    Part.VOLUMES: frozenset({Effect.METADATA, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.STOP_SIGNAL: frozenset({Effect.METADATA, Effect.ENV, Effect.ARGS, Effect.STAGES}),
    Part.AUTHOR: frozenset({Effect.METADATA, Effect.STAGES}),
}
"""The effects that let a rule change a part of the image configuration: directly, by the variables that the instruction
expands (ENV and ARG), or by the shell that its shell form names.
"""

_NOT_FILES: Final = frozenset({Effect.METADATA})
"""The effects that change no file of the image."""

_CLAIMS: Final = {
    Claim.SMALLER: frozenset(Effect) - _NOT_FILES,
    Claim.SOURCE_EDIT: frozenset(
        {Effect.ORDER, Effect.COPIES, Effect.STEPS, Effect.MOUNTS, Effect.STAGES, Effect.IGNORE}
    ),
    Claim.ARG_CHANGE: frozenset({Effect.ORDER, Effect.ARGS, Effect.ENV, Effect.STEPS, Effect.STAGES}),
    Claim.CACHE_MOUNT: frozenset({Effect.MOUNTS, Effect.COMMANDS, Effect.ENV}),
    Claim.HEALTHY: frozenset(Effect) - {Effect.ORDER, Effect.IGNORE},
    Claim.REPAIRS: frozenset(Effect),
}
"""The effects of which a rule needs one to achieve what it claims."""

_SAME_IMAGE: Final = Promise()

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Codemod(Struct, frozen=True):
    """A rule: what it finds, and what its fixes may change.

    Args:
        name: the rule's name, in kebab case; also its module's name with underscores.
        title: one line, no full stop.
        severity: the severity of its findings, unless a finding has its own.
        category: what the rule is about.
        effects: what its fixes may change in the build model; the engine rejects any other change.
        check: a pure generator of findings in one Dockerfile. It, `check_project` and `collect` may each be a
            `LazyFunction`.
        check_project: a pure generator of findings over all files of a run, for what no single Dockerfile shows; each
            finding names its file in `file`. A rule has either `check` or `check_project`.
        collect: returns what `check_project` needs from one Dockerfile, as plain values that can be sent between
            processes; `check_project` gets them from `Workspace.collected`.
        prepare: called with several Dockerfiles before `check` is called with each of them, so that what is slow to
            start, such as another program, is started once. It may also be a `LazyFunction`; a run may leave it out.
        since: the version that added the rule.
        triggers: words in lower case; a file that contains none of them cannot have a finding. A cheap scan of the
            text decides whether the rule runs at all. Empty: the rule always runs.
        requires: what else the rule needs to find anything; without it the rule is not run.
        preset: the smallest preset that the rule is in.
        options: the options of the rule, a frozen dataclass in which every field has a default; see
            `dockfix.rule.options`. It may be a `LazyClass`.
        needs_options: whether the rule finds nothing unless its options are configured.
        page: the rule's page; by default the docstring of the module of `check` or `check_project`, which for a
            `LazyFunction` is looked up when the page is shown.
        hadolint: the codes of hadolint that the rule answers. They are other names of the rule, and
            `# hadolint ignore=` suppresses it.
        checks: the BuildKit checks that the rule answers. They are other names of the rule, and `# check=skip=`
            suppresses it.
        codes: a pattern for the codes of another tool that its findings have (`Finding.code`). Each code is a name for
            the findings that have it; it need not be known.
        code_page: where a code is explained, with `{code}` for it.
        extra: the distribution whose installation turns the rule on by default, as an extra of dockfix does. Without
            it the rule runs only if it is named, or in the preset `all`.
        reports_comments: whether the mistakes in dockfix's own comments (malformed, an unknown rule, nothing that is
            ignored) are findings of this rule in a check, instead of warnings.
        findings: findings of the founding audit that the rule answers, for the table in the documentation.
        onbuild: whether `check` also looks at `ONBUILD RUN`. The engine calls it with a target in which the triggers
            are steps at the end of their stage, keeps what it finds in them, and makes no fix there a safe one.
        promise: what the fixes may change in the image, and what they achieve; by default the image is the same.
    """

    name: str
    title: str
    severity: Severity
    category: Category
    effects: frozenset[Effect]
    check: Check | None
    since: str
    triggers: tuple[str, ...] = ()
    preset: Preset = Preset.RECOMMENDED
    page: str = ""
    hadolint: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    check_project: CheckProject | None = None
    collect: Callable[[Target], object] | None = None
    prepare: Callable[[Sequence[Target]], None] | None = None
    requires: Requires | None = None
    options: type[Any] | LazyClass | None = None
    needs_options: bool = False
    codes: str = ""
    code_page: str = ""
    extra: str = ""
    reports_comments: bool = False
    onbuild: InOnbuild = InOnbuild.IGNORED
    promise: Promise = _SAME_IMAGE

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a codemod's name is kebab case: {self.name!r}")
        work = self.check or self.check_project
        if work is None or (self.check is not None and self.check_project is not None):
            raise ValueError(f"{self.name}: a codemod has either a check or a check_project")
        if beyond := sorted(part.value for part in self.promise.config if not self.effects & _PARTS[part]):
            raise ValueError(f"{self.name}: its effects do not let it change {', '.join(beyond)} of the image")
        if self.promise.concerns_files and self.effects <= _NOT_FILES:
            raise ValueError(f"{self.name}: its effects do not let it change files of the image")
        if idle := sorted(claim.value for claim in self.promise.claims if not self.effects & _CLAIMS[claim]):
            raise ValueError(f"{self.name}: its effects cannot achieve what it claims: {', '.join(idle)}")
        if isinstance(self.options, type):
            from dockfix.rule.options import check_options_class  # noqa: PLC0415 - not for codemods that are named only

            if fault := check_options_class(self.options):
                raise ValueError(f"{self.name}: {fault}")
        if not self.page and not isinstance(work, LazyFunction):
            module = sys.modules.get(work.__module__)
            force_setattr(self, "page", (module.__doc__ if module else None) or "")

    @property
    def opt_in(self) -> bool:
        """Whether the rule does not run by default."""
        return self.preset is not Preset.RECOMMENDED

    @property
    def aliases(self) -> frozenset[str]:
        """The codes that the rule answers, in lower case."""
        return frozenset(map(str.lower, self.hadolint | self.checks))

    def could_apply(self, lowered: str) -> bool:
        """Whether a text in lower case contains any of the triggers."""
        for trigger in self.triggers:  # a generator costs more than the search
            if trigger in lowered:
                return True
        return not self.triggers


class Diagnostic(Struct, frozen=True):
    """A finding of a rule in a file, with its line and column, which count from 1.

    `path` is the file's real path. `also` are the further places of a finding that is shown for several of one cause;
    its edits are then those of all of them.
    """

    rule: str
    finding: Finding
    severity: Severity
    line: int
    column: int
    end_line: int
    path: Path
    also: tuple[Diagnostic, ...] = ()
