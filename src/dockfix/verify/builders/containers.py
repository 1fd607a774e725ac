"""What buildah and podman have in common: both build with the library of buildah and keep images in the same stores."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from dockfix.verify.builders.common import (
    build_options,
    has_heredocs,
    ignore_file,
    one_line,
    secret_option,
    version_numbers,
)  # fmt: skip
from dockfix.verify.builders.steps import StepReader, failure
from dockfix.verify.builders.store import Store
from dockfix.verify.builders.tiny_program import tiny_program
from dockfix.verify.model import BuilderError, BuildOutcome, BuildRequest, OnLine, Start, StartOutcome
from dockfix.verify.process import Completed, run

__all__ = ["ENDS_TOGETHER", "StoreBuilder"]

ENDS_TOGETHER: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
"""Runs a program in process and mount namespaces of its own: whatever it starts and mounts ends with it. In chroot
isolation, a command in the background would outlive the build.
"""

_QUICK: Final = 60.0
_SLOW: Final = 1800.0
_TRIAL: Final = "localhost/dockfix-trial"


class StoreBuilder(ABC):
    """A builder with a private store: building and cleaning up. Subclasses export and start."""

    name: ClassVar[str]
    named_contexts_since: ClassVar[tuple[int, ...]]
    heredocs_since: ClassVar[tuple[int, ...]]

    def __init__(self, folder: Path) -> None:
        """Make the private store.

        Args:
            folder: the temporary folder of the run.

        Raises:
            BuilderError: the builder cannot be used here.
        """
        self._folder = folder
        self.version = self._asked_version()
        self.store = Store(self.name, folder)
        self._closed = False
        try:
            self.isolation = self._working_isolation()
        except BaseException:
            self.close()
            raise

    def build(self, request: BuildRequest, on_line: OnLine | None = None) -> BuildOutcome:
        """Build an image. See `dockfix.verify.model.Builder.build`."""
        argv = self._build_command(request)
        reader = StepReader()

        def each_line(line: str) -> None:
            reader.line(line)
            if on_line is not None:
                on_line(line)

        completed: Completed | None = None
        try:
            completed = self.run(argv, request.timeout, on_line=each_line, prefix=self.together)
        finally:
            if completed is None or completed.timed_out:
                self.remove_containers()
        if completed.ok:
            return BuildOutcome(True, completed.seconds, reader.steps(), completed.output)
        reason = failure(completed.output, completed.code)
        if completed.timed_out:
            reason = f"stopped at the time limit of {request.timeout:g} s"
        return BuildOutcome(False, completed.seconds, reader.steps(), completed.output, reason, completed.timed_out)

    def remove(self, tag: str) -> None:
        """Remove an image. See `dockfix.verify.model.Builder.remove`."""
        if not self._closed:
            self.run(["rmi", "--force", tag], _QUICK)

    def close(self) -> None:
        """Remove the store. See `dockfix.verify.model.Builder.close`."""
        if self._closed:
            return
        try:
            if self.store.root.exists():
                self.remove_containers()
        finally:
            self.store.remove()
        self._closed = True  # not before: an interrupted call can be made again

    @abstractmethod
    def export(self, tag: str, folder: Path) -> Path:
        """Write an image as an archive. See `dockfix.verify.model.Builder.export`."""

    @abstractmethod
    def start(self, tag: str, start: Start) -> StartOutcome:
        """Start a container. See `dockfix.verify.model.Builder.start`."""

    @abstractmethod
    def remove_containers(self) -> None:
        """Remove the containers of this run."""

    def _working_isolation(self) -> str:
        """How RUN is isolated: what `BUILDAH_ISOLATION` says, else what works here; empty for the program's own way."""
        named = os.environ.get("BUILDAH_ISOLATION", "")
        if named:
            return named
        own = self._isolation_fails("")
        if own is None:
            return ""
        if self._isolation_fails("chroot") is None:
            return "chroot"
        raise BuilderError(f"{self.name} cannot run commands in a build here ({own}); see its option `--isolation`")

    def _isolation_fails(self, isolation: str) -> str | None:
        """Why an isolation does not work, in one line; None if a build with RUN succeeds, or cannot be tried."""
        program = tiny_program(os.uname().machine)
        if program is None:
            return None
        context = self.store.temporary / "probe"
        context.mkdir(exist_ok=True)
        (context / "program").write_bytes(program)
        (context / "program").chmod(0o755)
        dockerfile = context / "Dockerfile"
        dockerfile.write_text('FROM scratch\nCOPY program /\nRUN ["/program"]\n', encoding="utf-8")
        options = [f"--isolation={isolation}"] if isolation else []
        argv = ["build", "--no-cache", "--layers", "--force-rm", *options, f"--tag={_TRIAL}", f"--file={dockerfile}"]
        trial = self.run([*argv, str(context)], _QUICK, prefix=self.together)
        if trial.ok:
            self.remove(_TRIAL)
            return None
        return f"stopped after {_QUICK:g} s" if trial.timed_out else failure(trial.output, trial.code)

    @cached_property
    def together(self) -> tuple[str, ...]:
        """`ENDS_TOGETHER`, where it may be used; else nothing."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return ()
        return ENDS_TOGETHER if run([*ENDS_TOGETHER, "true"], timeout=_QUICK).ok else ()

    def run(
        self,
        arguments: Sequence[str],
        timeout: float = _SLOW,
        *,
        cwd: Path | None = None,
        on_line: OnLine | None = None,
        prefix: Sequence[str] = (),
    ) -> Completed:
        """Run the program on the private store.

        Raises:
            BuilderError: it cannot be run.
        """
        try:
            return run(
                [*prefix, *self.command(arguments)], timeout=timeout, cwd=cwd, env=self.store.env, on_line=on_line
            )
        except OSError as error:
            raise BuilderError(f"{self.name} cannot be run: {error.strerror}") from None

    def command(self, arguments: Sequence[str]) -> list[str]:
        """A command line for the private store."""
        return [self.name, *self.store.options, *arguments]

    def archive(self, tag: str, folder: Path, *command: str) -> Path:
        """Run a command that writes an archive, in a folder. `{}` in an argument becomes the name of the archive."""
        path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', tag)}.tar"
        path.unlink(missing_ok=True)
        # A relative name: a colon in the path of the folder would end the name.
        completed = self.run([part.replace("{}", path.name) for part in command], cwd=folder)
        if not completed.ok:
            path.unlink(missing_ok=True)
            raise BuilderError(f"{self.name} cannot export the image: {one_line(completed.output)}")
        return path

    def isolation_options(self) -> list[str]:
        """The option for `isolation`, if it is needed."""
        return [f"--isolation={self.isolation}"] if self.isolation else []

    def _asked_version(self) -> str:
        try:
            answer = run([self.name, "--version"], timeout=_QUICK)
        except OSError as error:
            raise BuilderError(f"{self.name} cannot be run: {error.strerror}") from None
        numbers = version_numbers(answer.output)
        if not answer.ok or not numbers:
            raise BuilderError(f"{self.name} does not say its version: {one_line(answer.output)}")
        return ".".join(map(str, numbers))

    def _build_command(self, request: BuildRequest) -> list[str]:
        """The command line of a build."""
        numbers = version_numbers(self.version)
        if numbers < self.heredocs_since and has_heredocs(request.dockerfile):
            raise BuilderError(f"{self.name} {self.version} does not support heredocs; use BuildKit")
        if numbers < self.named_contexts_since and request.contexts:
            raise BuilderError(f"{self.name} {self.version} does not support named contexts; use BuildKit")
        if self.isolation == "chroot" and set(request.extra.get("network", ())) - {"host", "default"}:
            raise BuilderError(f"{self.name} in chroot isolation can only use the network of the host")
        # The format `docker` keeps HEALTHCHECK, SHELL and ONBUILD.
        options = ["build", "--layers", "--force-rm", "--format=docker", "--pull=false", *self.isolation_options()]
        options += build_options(request)
        for name, value in request.contexts.items():
            options += [f"--build-context={each}={_context(value)}" for each in _spellings(name)]
        options += [f"--secret={_plain(secret_option(each))}" for each in request.secrets]
        if request.no_cache:
            options.append("--no-cache")
        if (ignored := ignore_file(request)) is not None:
            options.append(f"--ignorefile={ignored}")
        return [*options, str(request.context.absolute())]


def _context(value: str) -> str:
    """The value of a named context."""
    if "://" not in value:
        return str(Path(value).absolute())
    if value.split("://", maxsplit=1)[0] in ("docker-image", "http", "https"):
        return value
    raise BuilderError(f"the named context `{one_line(value)}` is not supported by buildah and podman")


def _spellings(name: str) -> list[str]:
    """The spellings under which a Dockerfile may name a context; BuildKit takes them for the same, buildah does not."""
    last = name.rpartition("/")[2]
    bare = name.removesuffix(":latest")
    return [bare, f"{bare}:latest"] if ":" not in last or bare != name else [name]


def _plain(value: str) -> str:
    """A line of CSV for a program that does not know quotes."""
    if '"' in value:
        raise BuilderError(f"the secret `{one_line(value)}` cannot be passed on: its name or path has a comma or quote")
    return value
