"""`buildctl` with a running buildkitd.

- Each image goes into an OCI layout in the folder of the run when it is built: a later build from the cache need not
  give the same image once `--no-cache` builds have come between. Layers are not compressed, and one layout holds all
  images, so layers that are there already are not written again.
- buildkitd runs no containers: a container is tried in a step of a derived build, see `trial_step`.
- What the builds leave in the cache is removed at the end, see `records`. buildkitd keeps a record of each build in its
  history (no image, at most 50 and for two days, unless it is configured otherwise): `buildctl` can remove all of them
  or none, so they stay. The cache of a build that is stopped at its time limit or with Ctrl-C stays, too: buildkitd
  holds it in use until it is restarted (seen with the BuildKit of August 2026).

It needs BuildKit 0.11 or newer, which can write a layout as a folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import Final

from msgspec.structs import replace

from dockfix.verify.builders.common import PROBE_LIMIT, one_line, secret_option, tail, why_unusable
from dockfix.verify.builders.layout import copy_image, index_entry, keep_only, without_triggers
from dockfix.verify.builders.progress import Progress, outcome, read_progress
from dockfix.verify.builders.records import Ledger
from dockfix.verify.builders.trial_step import bare_dockerfile, read_trial, trial_dockerfile
from dockfix.verify.model import BuilderError, BuildOutcome, BuildRequest, OnLine, Start, StartOutcome
from dockfix.verify.process import Completed, run

__all__ = ["BuildctlBuilder", "probe"]

_LIMIT: Final = 60.0
"""Seconds for a request that builds nothing."""
_TRIAL: Final = "dockfix-trial"
"""The name of the image in the Dockerfile of a trial."""
_UNPACK: Final = 300.0
"""Seconds to unpack the image before a trial."""
_HANGS: Final = 124
"""The exit code of a health check that does not end, as `timeout` has it."""
_FILTERS: Final = 100
"""How many records are removed with one command."""
_REFUSED: Final = re.compile(r"run failed: unable to start container process: (.*)")
"""How the runtime says that a command cannot be run; BuildKit then reports the exit code 1."""
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) *([bkmgt]?)(?:i?b)?", re.IGNORECASE)


def probe(environ: Mapping[str, str]) -> str | None:
    """Why `buildctl` cannot be used, in one line; None if it can."""
    return why_unusable(["buildctl", "debug", "workers"], environ)


class BuildctlBuilder:
    """Builds with `buildctl`."""

    name: Final = "buildctl"

    def __init__(self, folder: Path) -> None:
        """Make a builder.

        Args:
            folder: a temporary folder of the run.
        """
        self._folder = folder / "buildctl"
        self._layout = self._folder / "images"
        self._images: dict[str, str] = {}
        self._ledger = Ledger(_listing)
        self._number = 0

    @cached_property
    def version(self) -> str:
        """The version of buildkitd, as it says."""
        for argv in (["buildctl", "debug", "info"], ["buildctl", "--version"]):
            completed = _run(argv, PROBE_LIMIT)
            if completed.ok and (found := re.search(r"\bv?\d+\.\d+\S*", completed.output)):
                return found[0]
        return "unknown"

    def build(self, request: BuildRequest, on_line: OnLine | None = None) -> BuildOutcome:
        """Build an image and write it to the layout of the run.

        Raises:
            BuilderError: `buildctl` cannot be run, or an option or a named context cannot be passed on.
        """
        metadata = self._file("metadata.json")
        argv = [*self._build_command(request), f"--metadata-file={metadata}"]
        output = f"type=oci,tar=false,compression=uncompressed,name={request.tag},dest={self._layout}"
        completed, progress = self._solve([*argv, f"--output={output}"], request.timeout, on_line)
        if completed.ok:
            self._images[request.tag] = json.loads(metadata.read_bytes())["containerimage.digest"]
            keep_only(self._layout, self._images.values())
        return outcome(completed, progress, request.timeout)

    def export(self, tag: str, folder: Path) -> Path:
        """Write an image as an OCI layout below a folder.

        Raises:
            BuilderError: there is no image of this name.
        """
        into = folder / f"image-{self._next()}"
        copy_image(self._layout, self._digest(tag), into)
        return into

    def start(self, tag: str, start: Start) -> StartOutcome:
        """Try a container of an image in a step of a derived build."""
        if not start.command:
            return StartOutcome(running=False, reason="the image has no command")
        word = token_hex(16)
        image = without_triggers(self._layout, self._digest(tag))
        _, progress = self._derive(image, trial_dockerfile(_TRIAL, start, word), start.limit + _UNPACK)
        trial = read_trial(progress.output, word)
        if trial is None:
            return self._start_bare(image, start)
        if start.health and trial.running and trial.health_code is None:
            return replace(trial, health_code=_HANGS, health_output="the health check did not end")
        return trial

    def _start_bare(self, image: str, start: Start) -> StartOutcome:
        """Start a container of an image that has no shell. Its health check cannot be tried."""
        completed, progress = self._derive(image, bare_dockerfile(_TRIAL, start.command), start.limit)
        output = tail("\n".join(progress.output))
        untried = "not tried: the image has no shell, which buildctl needs" if start.health else ""
        if completed.timed_out:
            return StartOutcome(running=True, output=output, health_output=untried)
        if refused := _REFUSED.search(output):
            return StartOutcome(running=False, reason=one_line(refused[1]))
        found = re.search(r"exit code:? (\d+)", progress.reason)
        if completed.ok or found is not None:
            code = int(found[1]) if found is not None else 0
            return StartOutcome(running=False, exit_code=code, output=output, health_output=untried)
        return StartOutcome(running=False, output=output, reason=one_line(progress.reason or completed.output))

    def remove(self, tag: str) -> None:
        """Remove an image from the layout of the run."""
        if self._images.pop(tag, None) is not None:
            with suppress(OSError):
                keep_only(self._layout, self._images.values())

    def close(self) -> None:
        """Remove the images, and what the builds of this run have left in the cache of buildkitd."""
        self._images.clear()
        rmtree(self._folder, ignore_errors=True)
        records = self._ledger.take()
        for first in range(0, len(records), _FILTERS):
            filters = [f"--filter=id=={each}" for each in records[first : first + _FILTERS]]
            with suppress(BuilderError):
                _run(["buildctl", "prune", *filters], _LIMIT)

    def _build_command(self, request: BuildRequest) -> list[str]:
        argv = [
            "buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0",
            f"--local=context={request.context}", f"--local=dockerfile={request.dockerfile.parent}",
            f"--opt=filename={request.dockerfile.name}",
        ]  # fmt: skip
        if request.no_cache:
            argv.append("--no-cache")
        if request.target is not None:
            argv.append(f"--opt=target={request.target}")
        if request.platform is not None:
            argv.append(f"--opt=platform={request.platform}")
        for name, value in request.args.items():
            known = value if value is not None else os.environ.get(name)
            if known is not None:
                argv.append(f"--opt=build-arg:{name}={known}")
        argv += [f"--secret={secret_option(secret)}" for secret in request.secrets]
        for number, (name, value) in enumerate(request.contexts.items()):
            argv += self._context_options(name, value, f"named{number}")
        return [*argv, *_extra_options(request.extra)]

    def _context_options(self, name: str, value: str, local: str) -> list[str]:
        """The options for a named context."""
        option = f"--opt=context:{_context_name(name)}="
        scheme, found, rest = value.partition("://")
        if scheme == "docker-image" and rest in self._images:
            return [f"--oci-layout={local}={self._layout}", f"{option}oci-layout://{local}@{self._images[rest]}"]
        if scheme == "oci-layout":
            path, at, digest = rest.partition("@")
            if not at:
                path, tag = _split_tag(path)
                digest = index_entry(Path(path), tag) or ""
            elif not Path(path).is_dir():
                path, _ = _split_tag(path)
            if not digest:
                raise BuilderError(f"the named context `{name}` is not an image of its OCI layout")
            return [f"--oci-layout={local}={path}", f"{option}oci-layout://{local}@{digest}"]
        if found or value.startswith("git@"):
            return [option + value]
        return [f"--local={local}={Path(value).absolute()}", f"{option}local:{local}"]

    def _derive(self, image: str, dockerfile: str, limit: float) -> tuple[Completed, Progress]:
        """Build a Dockerfile that has an image of this run as its base, and keep nothing."""
        folder = self._file("Dockerfile").parent
        (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        argv = [
            "buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0", "--no-cache",
            f"--local=context={folder}", f"--local=dockerfile={folder}", f"--oci-layout=images={self._layout}",
            f"--opt=context:{_TRIAL}=oci-layout://images@{image}",
        ]  # fmt: skip
        return self._solve(argv, limit, None)

    def _solve(self, argv: Sequence[str], limit: float, on_line: OnLine | None) -> tuple[Completed, Progress]:
        """Build, and note which records of the cache come from it."""
        with self._ledger.watch(on_line) as note:
            completed = _run([*argv, f"--opt=build-arg:{self._ledger.argument}"], limit, note)
        return completed, read_progress(completed.output)

    def _digest(self, tag: str) -> str:
        if tag not in self._images:
            raise BuilderError(f"there is no image `{tag}`")
        return self._images[tag]

    def _file(self, name: str) -> Path:
        folder = self._folder / f"build-{self._next()}"
        folder.mkdir(parents=True)
        return folder / name

    def _next(self) -> int:
        self._number += 1
        return self._number


def _run(argv: Sequence[str], limit: float, on_line: OnLine | None = None) -> Completed:
    try:
        return run(argv, timeout=limit, on_line=on_line)
    except OSError as error:
        raise BuilderError(f"buildctl cannot be run: {error.strerror}") from error


def _listing() -> str | None:
    completed = _run(["buildctl", "du", "--verbose"], _LIMIT)
    return completed.output if completed.ok else None


def _context_name(name: str) -> str:
    """The name under which the Dockerfile frontend looks a named context up."""
    name = name.removeprefix("docker.io/").removeprefix("library/")
    return name.removesuffix(":latest")


def _split_tag(path: str) -> tuple[str, str | None]:
    """The folder and the tag of a reference like `/images/base:1.0`."""
    if Path(path).is_dir():
        return path, None
    folder, colon, tag = path.rpartition(":")
    return (folder, tag) if colon and "/" not in tag else (path, None)


def _extra_options(extra: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, values in extra.items():
        match name:
            case "network":
                for value in values:
                    yield from _network(value)
            case "shm-size":
                yield f"--opt=shm-size={_bytes(values[-1])}"
            case "ulimit":
                yield f"--opt=ulimit={','.join(values)}"
            case "add-host":
                yield f"--opt=add-hosts={','.join(map(_host, values))}"
            case _:
                raise BuilderError(f"the build option `{name}` cannot be passed on")


def _network(value: str) -> Iterator[str]:
    if value == "default":
        return
    if value not in ("host", "none"):
        raise BuilderError(f"buildctl has no network `{value}`")
    yield f"--opt=force-network-mode={value}"
    if value == "host":
        yield "--allow=network.host"


def _bytes(value: str) -> int:
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise BuilderError(f"`{value}` is not a size")
    return int(float(found[1]) * 1024 ** "bkmgt".index(found[2].lower() or "b"))


def _host(value: str) -> str:
    host, found, address = value.partition("=")
    if not found:
        host, _, address = value.partition(":")
    return f"{host}={address.removeprefix('[').removesuffix(']')}"
