"""The trial start of a container: when it is needed, how it is done, and what it shows.

A fix can leave an image that builds and does not start: a USER that may not read the program, a CMD in exec form whose
variable nobody expands. So the container is started before and after, for a limited time. A container that fails in
both cases shows nothing: it may need a database, or settings that only its deployment has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from dockfix.syntax.tree import Cmd, Dockerfile, Entrypoint, From, Healthcheck, Instruction, User
from dockfix.verify.model import Builder, Start, StartOutcome, State

__all__ = [
    "HealthConfig", "Shown", "StartConfig", "compare_health", "compare_starts", "health_command", "needs_start",
    "trial",
]  # fmt: skip

Shown: TypeAlias = tuple[State, tuple[str, ...]]
"""What was shown, and the evidence in lines; the most important one first."""

_DEFAULT_SHELL: Final = ("/bin/sh", "-c")
"""The shell of an image without SHELL (moby/moby `daemon/health.go`, `getShell`)."""

_STARTING: Final = (Cmd, Entrypoint, User, Healthcheck)

_NOT_FOUND: Final = (126, 127)
"""The exit codes of a shell for a program that cannot be run or does not exist (POSIX, 2.8.2)."""


class HealthConfig(Protocol):
    """The health check of an image configuration."""

    @property
    def test(self) -> Sequence[str]:
        """`CMD` and a command, `CMD-SHELL` and a shell text, or `NONE`."""


class StartConfig(Protocol):
    """What an image configuration says about the start of a container."""

    @property
    def user(self) -> str:
        """The user; empty for root."""

    @property
    def env(self) -> Sequence[str]:
        """The environment, as `NAME=value`."""

    @property
    def entrypoint(self) -> Sequence[str] | None:
        """The entrypoint in exec form."""

    @property
    def command(self) -> Sequence[str] | None:
        """The command in exec form: the arguments of the entrypoint, if there is one."""

    @property
    def healthcheck(self) -> HealthConfig | None:
        """The health check; None without one."""

    @property
    def workdir(self) -> str:
        """The working directory; empty for `/`."""

    @property
    def shell(self) -> Sequence[str] | None:
        """The value of SHELL; empty for the default."""


def needs_start(
    before: StartConfig | None,
    after: StartConfig,
    before_file: Dockerfile | None = None,
    after_file: Dockerfile | None = None,
) -> bool:
    """Whether containers must be started: an image has a health check, or the fixes touch how a container starts.

    Args:
        before: the configuration of the image before; None if there is no image.
        after: the configuration of the image after.
        before_file: the Dockerfile before, to see changes of CMD, ENTRYPOINT, USER and HEALTHCHECK that the
            configurations do not show, such as a new USER for the steps of the build.
        after_file: the Dockerfile after.
    """
    if any(each is not None and health_command(each) for each in (before, after)):
        return True
    if before is None or _start_settings(before) != _start_settings(after):
        return True
    return before_file is not None and after_file is not None and _texts(before_file) != _texts(after_file)


def _start_settings(config: StartConfig) -> tuple[object, ...]:
    return tuple(config.entrypoint or ()), tuple(config.command or ()), config.user or "root", health_command(config)


def _texts(dockerfile: Dockerfile) -> list[str]:
    """The instructions that decide how containers start, with the FROMs between them."""
    found: list[Instruction] = [node for node in dockerfile.instructions if isinstance(node, (*_STARTING, From))]
    return [" ".join(node.logical.text.split()) for node in found]


def health_command(config: StartConfig) -> tuple[str, ...]:
    """The command of the health check of an image in exec form; empty if there is none.

    A shell text runs in the shell of the image, as Docker does it (moby/moby `daemon/health.go`).
    """
    test = tuple(config.healthcheck.test) if config.healthcheck is not None else ()
    match test:
        case ("CMD", *words):
            return tuple(words)
        case ("CMD-SHELL", *words) if words:
            return (*(config.shell or _DEFAULT_SHELL), *words)
        case _:
            return ()


def trial(builder: Builder, tag: str, config: StartConfig, limit: float = 20.0) -> StartOutcome:
    """Start a container as its image configuration says, and try its health check.

    Args:
        builder: the builder that has the image.
        tag: the image.
        config: its configuration.
        limit: seconds that the container may run.
    """
    command = (*(config.entrypoint or ()), *(config.command or ()))
    if not command:
        return StartOutcome(False, reason="the image has no command")
    start = Start(
        command,
        user=config.user,
        workdir=config.workdir,
        env=tuple(config.env),
        health=health_command(config),
        limit=limit,
    )
    return builder.start(tag, start)


def compare_starts(before: StartOutcome | None, after: StartOutcome) -> Shown:
    """What two trials show of the promise `starts`: that a container and its health check are no worse after the fixes.

    Args:
        before: the outcome before; None if there was no image before.
        after: the outcome after.
    """
    was, now = _works(before), _works(after)
    told = f"before the fixes, {_told(before)}; after, {_told(after)}"
    evidence = (told, *_output(after, before, failed=not now))
    if not now:
        return State.BROKEN if was else State.NOT_SHOWN, evidence
    if was and before is not None and before.running and not after.running:
        # one may have ended just before the time limit and the other not
        return State.NOT_SHOWN, (*evidence, "whether it should end by itself is unknown")
    if before is not None and before.health_code == 0 and after.health_code not in (0, None):
        return State.BROKEN, (*evidence, *_health_output(after))
    return State.KEPT, evidence


def compare_health(
    before: StartOutcome | None, after: StartOutcome, *, start_period: float = 0.0, limit: float = 20.0
) -> Shown:
    """What two trials show of the claim `healthy`: a health check passes that failed or was missing before.

    Args:
        before: the outcome before; None if there was no image before.
        after: the outcome after.
        start_period: the seconds that the image after gives the container to become healthy.
        limit: the seconds that the container could run in the trial.
    """
    evidence: tuple[str, ...] = (f"before the fixes, {_checked(before)}; after, {_checked(after)}",)
    if after.health_code is None:
        return State.NOT_SHOWN, evidence
    if after.health_code == 0:
        passed = before is not None and before.health_code == 0
        return State.NOT_SHOWN if passed else State.KEPT, evidence
    evidence = (*evidence, *_health_output(after))
    if after.health_code in _NOT_FOUND or (after.running and start_period <= limit):
        return State.BROKEN, evidence
    if after.running:
        return State.NOT_SHOWN, (*evidence, f"it has {start_period:g} s to become healthy, and had {limit:g} s here")
    return State.NOT_SHOWN, (*evidence, f"{_told(after)}, so that there was nothing to check")


def _works(outcome: StartOutcome | None) -> bool:
    return outcome is not None and not outcome.reason and (outcome.running or outcome.exit_code == 0)


def _told(outcome: StartOutcome | None) -> str:
    """What came of a container, without its health check if that passed or is missing."""
    if outcome is None:
        return "there is no image"
    if outcome.reason:
        return f"the container does not start: {outcome.reason}"
    did = "the container runs" if outcome.running else f"the container ends with exit code {outcome.exit_code}"
    return f"{did} and {_health_told(outcome)}" if outcome.health_code is not None else did


def _checked(outcome: StartOutcome | None) -> str:
    """What came of a health check; of the container, if it ended before the check was tried."""
    ended = outcome is not None and outcome.health_code is None and not _works(outcome)
    return _told(outcome) if ended else _health_told(outcome)


def _health_told(outcome: StartOutcome | None) -> str:
    if outcome is None or outcome.health_code is None:
        return "there is no health check"
    return "its health check passes" if outcome.health_code == 0 else f"its health check fails ({outcome.health_code})"


def _output(after: StartOutcome, before: StartOutcome | None, *, failed: bool) -> tuple[str, ...]:
    """The last line that a failed container printed, if it printed another one before the fixes."""
    last = _last_line(after.output) if failed else ""
    return (f"it prints: {last}",) if last and (before is None or last != _last_line(before.output)) else ()


def _health_output(outcome: StartOutcome) -> tuple[str, ...]:
    last = _last_line(outcome.health_output)
    return (f"the health check prints: {last}",) if last else ()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
