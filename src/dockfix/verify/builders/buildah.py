"""The builder buildah, with a private image store."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace

from dockfix.verify.builders.common import one_line, try_container, why_unusable
from dockfix.verify.builders.containers import ENDS_TOGETHER, StoreBuilder
from dockfix.verify.model import BuilderError, Start, StartOutcome
from dockfix.verify.process import Completed, Running

__all__ = ["BuildahBuilder", "probe"]

_LOOPBACK: Final = """
import fcntl, signal, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
    fcntl.ioctl(channel, 0x8914, struct.pack("16sh22x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""
"""The first process of the namespaces of a container. It brings the loopback device up."""
_REPORT: Final = re.compile(
    r"subprocess exited (with status|on) .*|[Ee]rror: (while running runtime: )?exit status \d+|container exited on .*"
)
_NOT_STARTED: Final = re.compile(
    r"process failed to start with error: (.*?)(?:process exited with error|$)"
    r'|error running container: (?:[\s\S]*unable to start container process: )?(.*?)"?$',
    re.MULTILINE,
)
"""What buildah prints in chroot isolation and of a runtime."""

_SILENT_TRIALS: Final = 3
"""How often a command that failed without a word is run again."""


def probe(environ: Mapping[str, str]) -> str | None:
    """Why buildah cannot be used here, in one line; None if it can."""
    return why_unusable(["buildah", "info"], environ)


class BuildahBuilder(StoreBuilder):
    """buildah. Containers run with `buildah run`, for which it has no names, networks or health checks of its own."""

    name: ClassVar[str] = "buildah"
    named_contexts_since = (1, 27)
    heredocs_since = (1, 35)

    def export(self, tag: str, folder: Path) -> Path:
        """Write an image as an archive with plain layers. See `dockfix.verify.model.Builder.export`."""
        # The OCI format would lose HEALTHCHECK and SHELL.
        return self.archive(tag, folder, "push", "--quiet", "--disable-compression", tag, "docker-archive:{}")

    def start(self, tag: str, start: Start) -> StartOutcome:
        """Start a container. See `dockfix.verify.model.Builder.start`.

        User, working directory and environment are those of the image, as buildah takes them itself.
        """
        if not start.command:
            return StartOutcome(False, reason="the image has neither an entrypoint nor a command")
        made = self.run(["from", "--pull=false", tag])
        if not made.ok:
            return StartOutcome(False, reason=one_line(made.output))
        container = made.output.split()[-1]
        try:
            outcome = self._tried(container, start)
            # In chroot isolation, buildah now and then loses what is printed just before the end.
            for _ in range(_SILENT_TRIALS if self.isolation == "chroot" else 0):
                if outcome.exit_code != 1 or outcome.output:
                    break
                outcome = self._tried(container, start)
        finally:
            self.run(["rm", container])
        return outcome

    def _tried(self, container: str, start: Start) -> StartOutcome:
        """Run the command of a container and try its health check."""
        with self._namespaces() as (prefix, network):
            options = ["run", *self.isolation_options(), *network, container, "--"]

            def check(limit: float) -> Completed:
                tried = self.run([*options, *start.health], limit, prefix=prefix)
                return replace(tried, output=_own_words(tried.output))

            argv = [*prefix, *self.command([*options, *start.command])]
            with Running(argv, env=self.store.env) as running:
                try:
                    outcome = try_container(running, check if start.health else None, start)
                finally:
                    running.stop(2.0)
        return _reported(outcome)

    def remove_containers(self) -> None:
        """Remove the containers of this run."""
        self.run(["rm", "--all"])

    @contextmanager
    def _namespaces(self) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """Namespaces for a container: a prefix that runs a program in them, and the option for its network.

        Two runs of buildah in one container share neither network nor processes, and in chroot isolation they use those
        of the host: ports that are taken, processes with the same name. Where this may not be used, it is so. The
        command lines of buildah itself, with the container's command at their end, are among the processes.
        """
        if not self.together or shutil.which("nsenter") is None:
            yield (), []
            return
        holder = [*ENDS_TOGETHER[:-1], "--net", "--", sys.executable, "-I", "-S", "-c", _LOOPBACK]
        with Running(holder) as holding, _killed(holding):
            end = time.monotonic() + 10.0
            while "ready" not in holding.output:
                if holding.code is not None or time.monotonic() > end:
                    raise BuilderError(f"no namespaces for a container: {one_line(holding.output)}")
                time.sleep(0.02)
            spaces = f"/proc/{holding.pid}/ns"
            yield (
                ("nsenter", f"--mount={spaces}/mnt", f"--net={spaces}/net", f"--pid={spaces}/pid_for_children", "--"),
                ["--network=host", "--pid=host"],
            )


@contextmanager
def _killed(process: Running) -> Iterator[None]:
    """Kill a process at the end: the first process of a namespace, and `unshare`, ignore the signal to end."""
    try:
        yield
    finally:
        process.stop(0.0)


def _own_words(output: str) -> str:
    """What a command printed, without the reports of buildah about its end."""
    return "\n".join(line for line in output.splitlines() if not _REPORT.fullmatch(line))


def _reported(outcome: StartOutcome) -> StartOutcome:
    """The outcome of a container, with the reason if it could not be started."""
    failed = _NOT_STARTED.search(outcome.output) if outcome.exit_code else None
    if failed is not None:
        return replace(outcome, exit_code=None, reason=one_line((failed[1] or failed[2]).replace('\\"', '"')))
    return replace(outcome, output=_own_words(outcome.output))
