"""The builder podman, with a private image store."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace

from dockfix.verify.builders.common import one_line, try_container, why_unusable
from dockfix.verify.builders.containers import StoreBuilder
from dockfix.verify.model import Start, StartOutcome
from dockfix.verify.process import Completed, Running

__all__ = ["PodmanBuilder", "probe"]

_CONTAINER: Final = "dockfix-trial"
"""The name of the one container of a private store."""
_NOT_STARTED: Final = (125, 126, 127)
"""What `podman run` ends with if podman or the runtime fails, or if the command cannot be run or is not found."""

_FAILED: Final = re.compile(r"^Error: (?:.*unable to start container process: )?(.*)", re.MULTILINE)


def probe(environ: Mapping[str, str]) -> str | None:
    """Why podman cannot be used here, in one line; None if it can."""
    return why_unusable(["podman", "info"], environ)


class PodmanBuilder(StoreBuilder):
    """podman."""

    name: ClassVar[str] = "podman"
    named_contexts_since = (4, 2)
    heredocs_since = (5, 0)

    def export(self, tag: str, folder: Path) -> Path:
        """Write an image as an archive with plain layers. See `dockfix.verify.model.Builder.export`."""
        return self.archive(tag, folder, "save", "--quiet", "--format=docker-archive", "--output={}", tag)

    def start(self, tag: str, start: Start) -> StartOutcome:
        """Start a container without a network. See `dockfix.verify.model.Builder.start`.

        User, working directory and environment are those of the image, as podman takes them itself.
        """
        if not start.command:
            return StartOutcome(False, reason="the image has neither an entrypoint nor a command")
        entrypoint, *arguments = start.command
        options = ["run", f"--name={_CONTAINER}", "--pull=never", "--network=none", "--no-healthcheck"]
        options += ["--log-driver=none", *_limits(), f"--entrypoint={json.dumps([entrypoint])}", tag, *arguments]

        def check(limit: float) -> Completed:
            return self.run(["exec", _CONTAINER, *start.health], limit)

        try:
            with Running(self.command(options), env=self.store.env) as running:
                try:
                    outcome = try_container(running, check if start.health else None, start)
                finally:
                    self.remove_containers()  # podman, which waits for it, then ends by itself
        finally:
            self.remove_containers()
        return _reported(outcome)

    def remove_containers(self) -> None:
        """Remove the containers of this run, also those of builds, which podman does not call its own."""
        self.run(["rm", "--force", "--volumes", "--time=0", "--ignore", _CONTAINER])
        listed = self.run(["ps", "--all", "--external", "--quiet", "--no-trunc"])
        if listed.ok and (containers := listed.output.split()):
            self.run(["rm", "--force", *containers])


def _limits() -> list[str]:
    """Limits that are not above those of this process: raising them needs a capability that a sandbox may lack."""
    options = []
    for name, number, most in (("nofile", resource.RLIMIT_NOFILE, 1048576), ("nproc", resource.RLIMIT_NPROC, 32768)):
        own = resource.getrlimit(number)[0]
        value = most if own == resource.RLIM_INFINITY else min(own, most)
        options.append(f"--ulimit={name}={value}:{value}")
    return options


def _reported(outcome: StartOutcome) -> StartOutcome:
    """The outcome of a container, with the reason if it could not be started."""
    failed = _FAILED.search(outcome.output) if outcome.exit_code in _NOT_STARTED else None
    return outcome if failed is None else replace(outcome, exit_code=None, reason=one_line(failed[1]))
