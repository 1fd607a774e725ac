"""Builds, their outcomes, verdicts and results, as plain values; and the interface of a builder."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from dockfix.engine.results import Defect, RunResult
from dockfix.project.problems import InputProblem
from dockfix.rule.model import Diagnostic

__all__ = [
    "BuildOutcome", "BuildRequest", "Builder", "BuilderError", "Culprit", "Difference", "Event", "Measurement",
    "OnEvent", "Proof", "Secret", "Start", "StartOutcome", "State", "Step", "TargetResult", "Verdict", "VerifyOptions",
    "VerifyResult",
]  # fmt: skip

OnLine: TypeAlias = Callable[[str], None]
"""Called with each line that a builder prints."""


class BuilderError(Exception):
    """A builder that cannot be used: it is not installed, its daemon does not run, or it cannot do what is asked."""


class Secret(Struct, frozen=True):
    """A build secret: the content of a file, or the value of an environment variable."""

    id: str
    file: Path | None = None
    env: str | None = None


class BuildRequest(Struct, frozen=True):
    """One build.

    Args:
        dockerfile: the file to build. It need not be in the context; a `<name>.dockerignore` may be next to it.
        context: the folder of the build context, a copy of the user's.
        tag: the name that the image gets in the builder's store, unique to this run.
        target: the stage to build; None for the last one.
        args: build arguments; None takes the value from the environment.
        contexts: named contexts: a folder, or a reference as `docker buildx build --build-context` takes it. In
            `docker-image://TAG` the tag may be that of an image that this builder has built.
        secrets: build secrets.
        platform: the platform to build for; None for the builder's own.
        no_cache: whether layers of earlier builds are not used. They are written in any case.
        timeout: seconds after which the build is stopped and counts as failed.
        extra: options of compose or bake that no other field has and every builder can take: `network`, `shm-size`,
            `ulimit`, `add-host` (the values are those of the command line).
    """

    dockerfile: Path
    context: Path
    tag: str
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    platform: str | None = None
    no_cache: bool = False
    timeout: float = 1800.0
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Step(Struct, frozen=True):
    """A step of a build, as the builder reports it.

    Args:
        text: the instruction, for example `RUN apt-get update`.
        cached: whether the layer of an earlier build was used.
        seconds: how long it took; None if the builder does not say.
    """

    text: str
    cached: bool
    seconds: float | None = None


class BuildOutcome(Struct, frozen=True):
    """What came of a build.

    Args:
        ok: whether it succeeded; then the image is in the builder's store.
        seconds: how long it took.
        steps: the steps that the builder reported, in order; FROM and steps without a layer may be missing.
        log: what the builder printed, cut at a limit in the middle.
        reason: why it failed, in one line; empty if it succeeded.
        timed_out: whether it was stopped at its time limit.
    """

    ok: bool
    seconds: float
    steps: tuple[Step, ...] = ()
    log: str = field(default="")
    reason: str = ""
    timed_out: bool = False

    @property
    def rerun(self) -> tuple[Step, ...]:
        """The steps that were run and not taken from the cache."""
        return tuple(step for step in self.steps if not step.cached)


class Start(Struct, frozen=True):
    """How a container is started.

    Args:
        command: entrypoint and command together, as exec would get them.
        user: the user of the image configuration; empty for root.
        workdir: the working directory; empty for `/`.
        env: the environment of the image configuration.
        health: the command of the health check, in exec form; empty if there is none.
        limit: seconds that the container may run; one that still runs then is stopped, and counts as running.
        health_delay: seconds to wait before the first trial of the health check; it is tried once a second until it
            passes or `limit` is reached.
    """

    command: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    env: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    limit: float = 20.0
    health_delay: float = 0.5


class StartOutcome(Struct, frozen=True):
    """What came of a container.

    Args:
        running: whether it still ran at the time limit, or when its health check had passed.
        exit_code: the exit code of its command; None if it still ran.
        health_code: the exit code of the last trial of the health check; None without a health check.
        output: the end of what the container printed.
        health_output: the end of what the last trial printed.
        reason: why it could not be started at all, in one line; empty if it could.
    """

    running: bool
    exit_code: int | None = None
    health_code: int | None = None
    output: str = field(default="")
    health_output: str = field(default="")
    reason: str = ""


class Builder(Protocol):
    """A program that builds images. One object serves one run of dockfix; `close` removes all that it made."""

    @property
    def name(self) -> str:
        """The name of the program: `docker buildx`, `buildctl`, `podman`, `buildah`."""

    @property
    def version(self) -> str:
        """The version of the program, as it says."""

    def build(self, request: BuildRequest, on_line: OnLine | None = None) -> BuildOutcome:
        """Build an image. It is never pushed. A build that fails is an outcome, not an exception.

        Raises:
            BuilderError: the builder cannot do what is asked (named contexts, secrets, heredocs of an old version).
        """

    def export(self, tag: str, folder: Path) -> Path:
        """Write an image below a folder, as an OCI layout (a folder) or as an archive that `docker save` or
        `--output type=oci` writes; returns the path for `dockfix.verify.image.read_image`.
        """

    def start(self, tag: str, start: Start) -> StartOutcome:
        """Start a container of an image, try its health check, and stop and remove it."""

    def remove(self, tag: str) -> None:
        """Remove an image of this run from the builder's store; nothing happens if there is none."""

    def close(self) -> None:
        """Remove all that this object made and did not remove: images, containers, temporary files. May be called
        twice, and from a signal handler's exception.
        """


class State(enum.Enum):
    """What a build has shown of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_SHOWN = "not shown"


class Verdict(Struct, frozen=True):
    """What the builds of one target have shown of one promise of one rule.

    Args:
        rule: the rule's name.
        promise: `builds`, `image`, `starts`, or the value of a `Claim`.
        state: what was shown.
        evidence: why, in lines; the most important one first.
    """

    rule: str
    promise: str
    state: State
    evidence: tuple[str, ...] = ()


class Measurement(Struct, frozen=True):
    """Something that was measured before and after.

    Args:
        what: `cold build`, `build without changes`, `build after an edit of README.md`, `image size`, `layers`, ...
        unit: `s`, `bytes`, `steps`, `layers`, `files`.
        before: one value per run; empty if it could not be measured.
        after: likewise.
    """

    what: str
    unit: str
    before: tuple[float, ...]
    after: tuple[float, ...]


class Difference(Struct, frozen=True):
    """Something that differs between the images before and after.

    Args:
        kind: `config`, `added`, `removed`, `changed` (a file), or `package`.
        what: the part of the configuration, the path, or the package.
        before: its value before, as text; empty if there was none.
        after: likewise.
        reason: why it does not break a promise: the rule whose promise allows it, or what makes such files differ by
            themselves. Empty if nothing does.
    """

    kind: str
    what: str
    before: str
    after: str
    reason: str = ""


class Culprit(Struct, frozen=True):
    """A fix that breaks a promise, found by building with and without it; or that `--prove` leaves out.

    Args:
        rule: the rule's name.
        line: the line of the finding, before the fixes.
        message: the message of the finding.
        evidence: in the first line the promise and its state, `image: broken`; then why.
    """

    rule: str
    line: int
    message: str
    evidence: tuple[str, ...] = ()


class TargetResult(Struct, frozen=True):
    """What was shown for one build of one Dockerfile.

    Args:
        display: the Dockerfile's path, relative to the root.
        build: how it is built, for a reader: `api (docker-compose.yaml:12)`, or the context.
        fixes: the fixes that make the difference between before and after.
        diff: the difference as a unified diff of all files.
        before: the build before; None if it was not built.
        after: the build after.
        verdicts: the promises of the rules of `fixes`.
        measurements: sizes and times.
        differences: what differs between the images; those with a `reason` last.
        culprits: the fixes that break a promise, if several were made.
        skipped: why it was not built, in one line; empty if it was.
    """

    display: str
    build: str
    fixes: tuple[Diagnostic, ...] = ()
    diff: str = ""
    before: BuildOutcome | None = None
    after: BuildOutcome | None = None
    verdicts: tuple[Verdict, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    differences: tuple[Difference, ...] = ()
    culprits: tuple[Culprit, ...] = ()
    skipped: str = ""

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """The promises that are broken."""
        return tuple(each for each in self.verdicts if each.state is State.BROKEN)


class VerifyResult(Struct, frozen=True):
    """The result of `dockfix verify`.

    Args:
        builder: the builder's name and version.
        targets: one result for each build of each Dockerfile that has fixes; those without fixes are left out.
        clean: how many Dockerfiles had nothing to fix.
        problems: input that could not be used.
        defects: defects of rules that a gate caught.
        seconds: how long all of it took.
        unsafe: how many fixes need review and were not verified.
    """

    builder: str
    targets: tuple[TargetResult, ...]
    clean: int = 0
    problems: tuple[InputProblem, ...] = ()
    defects: tuple[tuple[str, Defect], ...] = ()
    seconds: float = 0.0
    unsafe: int = 0

    @property
    def broken(self) -> bool:
        """Whether a promise is broken."""
        return any(each.broken for each in self.targets)

    @property
    def unbuilt(self) -> str:
        """Why no build of any target succeeded, in the words of the first; empty if one did, or there is no target."""
        outcomes = [each for target in self.targets for each in (target.before, target.after)]
        if not self.targets or self.broken or any(each is not None and each.ok for each in outcomes):
            return ""
        first = self.targets[0]
        failed = next((each for each in (first.before, first.after) if each is not None), None)
        return first.skipped or (failed.reason if failed is not None else "") or "the build failed"


class VerifyOptions(Struct, frozen=True):
    """How a run of verify works.

    Args:
        runs: how often what is timed is repeated; medians are shown.
        timeout: seconds that a build may take.
        max_context: the highest number of bytes of a build context.
        quick: whether only images are compared: layers of the build before are used for the build after, and nothing
            is timed.
        start_limit: seconds that a container may run.
        scenarios: whether what a rebuild costs is tried: after an edit, after another argument, with filled mounts.
    """

    runs: int = 1
    timeout: float = 1800.0
    max_context: int = 2 * 1024**3
    quick: bool = False
    start_limit: float = 20.0
    scenarios: bool = True


class Event(Struct, frozen=True):
    """What a run does next: for a progress display.

    Args:
        target: the Dockerfile, and how it is built.
        what: for example `build before`.
        detail: what belongs to it.
    """

    target: str
    what: str
    detail: str = ""


OnEvent: TypeAlias = Callable[[Event], None]


class Proof(Struct, frozen=True):
    """The result of `dockfix apply --prove`.

    Args:
        result: what builds have shown; the fixes that were left out are the `culprits` of its targets.
        run: the run with the safe fixes and the proven ones; nothing is written.
    """

    result: VerifyResult
    run: RunResult
