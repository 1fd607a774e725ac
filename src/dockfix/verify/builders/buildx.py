"""`docker buildx` with a docker daemon that takes the images.

It works with the builder that the user has chosen, whatever its driver is: `--load` brings the image to the daemon.
With another driver than `docker`, the builder does not see the daemon's images: an image of this run cannot be a named
context there.

What a build leaves behind is removed at the end: the image, the container, the records in the build cache (see
`records`), the builder's record of the build (`docker buildx history`), and the small file about it in the folder of
the buildx configuration.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Final

from msgspec.structs import replace

from dockfix.verify.builders.common import (
    PROBE_LIMIT,
    build_options,
    one_line,
    secret_option,
    try_container,
    why_unusable,
)  # fmt: skip
from dockfix.verify.builders.progress import outcome, read_progress
from dockfix.verify.builders.records import Ledger
from dockfix.verify.model import BuilderError, BuildOutcome, BuildRequest, OnLine, Start, StartOutcome
from dockfix.verify.process import Completed, Running, run

__all__ = ["BuildxBuilder", "probe"]

_LIMIT: Final = 60.0
"""Seconds for a request that builds nothing."""
_EXPORT_LIMIT: Final = 600.0
_ENVIRONMENT: Final = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDX_GIT_INFO": "0", "DOCKER_CLI_HINTS": "false"}
"""No attestations: they are different in each build, and make an index of an image."""
_HANGS: Final = 124
"""The exit code of a health check that does not end, as `timeout` has it: `docker exec` ends with 0 when stopped."""
_IDS: Final = 100
"""How many records are removed with one command."""
_NO_CONTEXTS: Final = "unsupported frontend capability moby.buildkit.frontend.contexts"
_NOT_STARTED: Final = re.compile(r"^docker: (?:Error response from daemon: )?(.*)", re.MULTILINE)


def probe(environ: Mapping[str, str]) -> str | None:
    """Why `docker buildx` cannot be used, in one line; None if it can."""
    why = why_unusable(["docker", "--version"], environ)
    if why is not None:
        return why
    if "docker/buildx" not in run(["docker", "buildx", "version"], timeout=PROBE_LIMIT, env=environ).output:
        return "is not installed: `docker` has no plugin of this name"  # or it is podman, which says another version
    return why_unusable(["docker", "version"], environ)


class BuildxBuilder:
    """Builds with `docker buildx`."""

    name: Final = "docker buildx"

    def __init__(self, folder: Path) -> None:
        """Make a builder.

        Args:
            folder: a temporary folder of the run.
        """
        self._folder = folder
        self._tags: set[str] = set()
        self._containers: set[str] = set()
        self._builds: dict[str, Path] = {}
        self._ledger = Ledger(_listing)

    @cached_property
    def version(self) -> str:
        """The version of buildx, as it says."""
        found = re.search(r"\bv?\d+\.\d+\S*", _docker(["buildx", "version"]).output)
        return found[0] if found is not None else "unknown"

    @cached_property
    def driver(self) -> str:
        """The driver of the builder that is used: `docker`, `docker-container`, `remote`, ..."""
        found = re.search(r"^Driver: +(\S+)", _docker(["buildx", "inspect"]).output, re.MULTILINE)
        return found[1] if found is not None else "unknown"

    def build(self, request: BuildRequest, on_line: OnLine | None = None) -> BuildOutcome:
        """Build an image and load it into the docker daemon.

        Raises:
            BuilderError: `docker` cannot be run, or an option or a named context cannot be passed on.
        """
        argv = ["buildx", "build", "--progress=plain", "--load", *build_options(request)]
        if request.no_cache:
            argv.append("--no-cache")
        argv += [f"--secret={secret_option(secret)}" for secret in request.secrets]
        argv += [f"--build-context={name}={self._context(name, value)}" for name, value in request.contexts.items()]
        if "host" in request.extra.get("network", ()):
            argv.append("--allow=network.host")
        argv += [f"--build-arg={self._ledger.argument}", str(request.context)]
        self.remove(request.tag)  # an image that loses its name would be left behind
        self._tags.add(request.tag)
        with self._ledger.watch(on_line) as note, self._noting_builds(request.context):
            completed = _docker(argv, request.timeout, note)
        result = outcome(completed, read_progress(completed.output), request.timeout)
        if request.contexts and _NO_CONTEXTS in result.reason:
            raise BuilderError("this version of docker has no named contexts: they need docker 23 or newer")
        return result

    def export(self, tag: str, folder: Path) -> Path:
        """Write an image as `docker save` does.

        Raises:
            BuilderError: there is no image of this name.
        """
        path = folder / f"image-{token_hex(4)}.tar"
        completed = _docker(["image", "save", f"--output={path}", tag], _EXPORT_LIMIT)
        if not completed.ok:
            raise BuilderError(f"the image `{tag}` cannot be exported: {one_line(completed.output)}")
        return path

    def start(self, tag: str, start: Start) -> StartOutcome:
        """Start a container without a network, and try its health check with `docker exec`."""
        if not start.command:
            return StartOutcome(running=False, reason="the image has no command")
        name = f"dockfix-{token_hex(8)}"
        self._containers.add(name)
        entrypoint, *arguments = start.command
        argv = [
            "docker", "run", f"--name={name}", "--network=none", "--no-healthcheck", "--pull=never",
            f"--entrypoint={entrypoint}", tag, *arguments,
        ]  # fmt: skip

        def check(left: float) -> Completed:
            tried = _docker(["exec", name, *start.health], left)
            return replace(tried, code=_HANGS) if tried.timed_out else tried

        try:
            with Running(argv, env=_ENVIRONMENT) as running:
                try:
                    result = try_container(running, check if start.health else None, start)
                finally:
                    _docker(["rm", "--force", "--volumes", name])  # so that `docker run` ends at once
        except OSError as error:
            raise BuilderError(f"docker cannot be run: {error.strerror}") from error
        finally:
            self._remove_container(name)  # it may have been created after the first attempt
        found = _NOT_STARTED.search(result.output)
        if result.exit_code in (125, 126, 127) and found is not None:
            return StartOutcome(running=False, exit_code=result.exit_code, reason=one_line(found[1]))
        return result

    def remove(self, tag: str) -> None:
        """Remove an image of this run from the docker daemon."""
        if tag in self._tags:
            self._tags.discard(tag)
            _docker(["image", "rm", tag])

    def close(self) -> None:
        """Remove the containers and images of this run, and what its builds have left in the cache and the history."""
        for name in list(self._containers):
            self._remove_container(name)
        for tag in list(self._tags):
            with suppress(BuilderError):
                self.remove(tag)
        records = self._ledger.take()
        with suppress(BuilderError):
            for first in range(0, len(records), _IDS):
                some = "|".join(records[first : first + _IDS])
                _docker(["buildx", "prune", "--force", f'--filter=id="^({some})$"'])
        self._forget_builds()

    def _context(self, name: str, value: str) -> str:
        """The value of `--build-context`."""
        scheme, found, rest = value.partition("://")
        if scheme == "docker-image" and rest in self._tags and self.driver != "docker":
            raise BuilderError(f"the {self.driver} driver does not see the image of the named context `{name}`")
        return value if found or value.startswith("git@") else str(Path(value).absolute())

    def _remove_container(self, name: str) -> None:
        with suppress(BuilderError):
            if name in self._containers and _docker(["rm", "--force", "--volumes", name]).ok:
                self._containers.discard(name)

    @contextmanager
    def _noting_builds(self, context: Path) -> Iterator[None]:
        """Note the ids of the builds of a context that begin meanwhile."""
        before = set(_build_files())
        try:
            yield
        finally:
            for path in set(_build_files()) - before:
                with suppress(OSError, ValueError):
                    if json.loads(path.read_bytes()).get("LocalPath") == str(context.absolute()):
                        self._builds[path.name] = path

    def _forget_builds(self) -> None:
        """Remove the records of our builds from the history of the builder and from the configuration folder."""
        builds, self._builds = self._builds, {}
        if builds:
            with suppress(BuilderError):
                _docker(["buildx", "history", "rm", *builds])  # older builders and versions of buildx have no history
        for path in builds.values():
            with suppress(OSError):
                path.unlink()


def _docker(arguments: Sequence[str], limit: float = _LIMIT, on_line: OnLine | None = None) -> Completed:
    try:
        return run(["docker", *arguments], timeout=limit, env=_ENVIRONMENT, on_line=on_line)
    except OSError as error:
        raise BuilderError(f"docker cannot be run: {error.strerror}") from error


def _listing() -> str | None:
    completed = _docker(["buildx", "du", "--verbose"])
    return completed.output if completed.ok else None


def _build_files() -> Iterator[Path]:
    """The files that buildx keeps about builds: `refs/<builder>/<node>/<id of the build>`."""
    docker = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    return Path(os.environ.get("BUILDX_CONFIG") or docker / "buildx").glob("refs/*/*/*")
