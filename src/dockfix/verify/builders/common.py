"""What the builders share: the options of a build, why one cannot be used, steps, reasons, and a container's trial.

Each module of this package has two things that `find_builder` uses:

- `probe(environ) -> str | None`: why the builder cannot be used here, in one line without the builder's name (`is not
  installed`, `has no daemon: ...`), or None. It really tries, and takes at most a few seconds.
- a class (`BuildxBuilder`, `BuildctlBuilder`, `PodmanBuilder`, `BuildahBuilder`) that is called with the folder of the
  run and implements `dockfix.verify.model.Builder`.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.verify.model import BuilderError, BuildRequest, Secret, Start, StartOutcome
from dockfix.verify.process import Completed, Running, run

__all__ = [
    "PROBE_LIMIT", "TAIL", "build_options", "has_heredocs", "ignore_file", "one_line", "secret_option", "tail",
    "try_container", "version_numbers", "why_unusable",
]  # fmt: skip

PROBE_LIMIT: Final = 5.0
"""Seconds that a trial of a builder may take."""

TAIL: Final = 4000
"""How many characters of a container's output are kept."""

_EXTRA: Final = ("network", "shm-size", "ulimit", "add-host")
_ESCAPE: Final = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")


def why_unusable(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Why a program cannot be used, in one line: it is not installed, or this command line fails; None if it can."""
    if shutil.which(argv[0], path=environ.get("PATH")) is None:
        return "is not installed"
    try:
        trial = run(argv, timeout=PROBE_LIMIT, env=environ)
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    if trial.timed_out:
        return f"does not answer within {PROBE_LIMIT:g} s"
    if trial.ok:
        return None
    lines = [line for line in trial.output.splitlines() if line.strip()]
    return f"cannot be used: {one_line(lines[-1]) if lines else f'exit code {trial.code}'}"


def version_numbers(text: str) -> tuple[int, ...]:
    """The first version in a text, as numbers: (1, 28, 2) of `buildah version 1.28.2 (...)`; empty if there is none."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def build_options(request: BuildRequest) -> list[str]:
    """The options that `docker buildx build`, `podman build` and `buildah build` spell alike.

    Left out are the secrets, the named contexts, the cache, the ignore file and the context. Each option is one
    argument, so that no value is read as an option.

    Raises:
        BuilderError: an option of `extra` is not known.
    """
    options = [f"--file={request.dockerfile}", f"--tag={request.tag}"]
    options += [f"--build-arg={name}" if value is None else f"--build-arg={name}={value}"
                for name, value in request.args.items()]  # fmt: skip
    if request.target is not None:
        options.append(f"--target={request.target}")
    if request.platform is not None:
        options.append(f"--platform={request.platform}")
    for name, values in request.extra.items():
        if name not in _EXTRA:
            raise BuilderError(f"the build option `{name}` cannot be passed on")
        options += [f"--{name}={value}" for value in values if (name, value) != ("network", "default")]
    return options


def secret_option(secret: Secret) -> str:
    """The value of `--secret`, a line of CSV."""
    fields = [f"id={secret.id}"]
    if secret.file is not None:
        fields.append(f"src={secret.file}")
    elif secret.env is not None:
        fields.append(f"env={secret.env}")
    return ",".join('"' + each.replace('"', '""') + '"' if set(each) & set(',"\n') else each for each in fields)


def ignore_file(request: BuildRequest) -> Path | None:
    """The ignore file next to the Dockerfile, `<name>.dockerignore`, which only BuildKit finds by itself."""
    path = request.dockerfile.with_name(f"{request.dockerfile.name}.dockerignore")
    return path if path.is_file() else None


def has_heredocs(dockerfile: Path) -> bool:
    """Whether an instruction of a Dockerfile has a heredoc."""
    tree = parse(decode(dockerfile.read_bytes()))
    return any(each.heredocs for each in tree.instructions)


def one_line(text: str, limit: int = 300) -> str:
    """A text without escape sequences and control characters, in one line of at most `limit` characters."""
    text = " ".join(_ESCAPE.sub("", text).split())
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-(limit // 2 - 5) :]}"


def tail(text: str) -> str:
    """The end of what a container printed."""
    return text[-TAIL:]


def try_container(container: Running, check: Callable[[float], Completed] | None, start: Start) -> StartOutcome:
    """Watch a container that was started, and try its health check until it passes.

    The container is not stopped.

    Args:
        container: the program that runs as long as the container and ends with its exit code.
        check: runs the health check with a limit of seconds; None if there is none.
        start: the limits.
    """
    begin = time.monotonic()
    end, next_trial = begin + start.limit, begin + start.health_delay
    trial: Completed | None = None
    while container.code is None and (left := end - time.monotonic()) > 0:
        if check is not None and time.monotonic() >= next_trial:
            next_trial = time.monotonic() + 1.0
            latest = check(left)
            if not latest.ok and (container.code is not None or (latest.timed_out and trial is not None)):
                break  # it failed because the container or the time came to an end
            trial = latest
            if trial.ok:
                break
        time.sleep(min(0.1, left))
    code = container.code
    return StartOutcome(
        running=code is None,
        exit_code=code,
        health_code=None if trial is None else trial.code,
        output=tail(container.output),
        health_output="" if trial is None else tail(trial.output),
    )
