"""Tries a container as a step of a build, for a builder that cannot run containers.

The step has the user, the working directory and the environment of the image, as a container has. Its shell starts the
command, tries the health check, and prints what came of both in lines that begin with a random word, which the
container does not know beforehand. The step always fails, so that nothing of it is kept.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from dockfix.verify.builders.common import tail
from dockfix.verify.model import Start, StartOutcome

__all__ = ["bare_dockerfile", "read_trial", "trial_dockerfile"]

_SCRIPT: Final = r"""
word=$1 limit=$2 delay=$3 health=$4
shift 4
say() { printf '\n%s %s\n' "$word" "$1"; }
command -v sleep >/dev/null || exit 1
(exec "$@") </dev/null &
main=$!
{ sleep "$limit"; say running; kill -9 "$main"; } &
if [ -n "$health" ]; then
  {
    sleep "$delay"
    while :; do
      output=$(eval "exec $health" </dev/null 2>&1)
      code=$?
      printf '\n%s health %s\n%s\n%s end\n' "$word" "$code" "$output" "$word"
      if [ "$code" = 0 ]; then say running; kill -9 "$main"; fi
      sleep 1
    done
  } &
fi
wait "$main" 2>/dev/null
say "exit $?"
exit 1
"""


def trial_dockerfile(base: str, start: Start, word: str) -> str:
    """The Dockerfile of a trial.

    Args:
        base: the name of the image.
        start: how the container is started.
        word: the random word.
    """
    health = shlex.join(start.health)
    arguments = [word, f"{start.limit:g}", f"{start.health_delay:g}", health, *start.command]
    return bare_dockerfile(base, ["/bin/sh", "-c", _SCRIPT, "sh", *arguments])


def bare_dockerfile(base: str, command: Sequence[str]) -> str:
    """The Dockerfile that runs a command in an image, without a network."""
    return f"FROM {base}\nRUN --network=none {json.dumps(list(command))}\n"


class _Trial(Struct):
    running: bool | None = None
    exit_code: int | None = None
    health_code: int | None = None
    output: list[str] = field(default_factory=list)
    health_output: list[str] = field(default_factory=list)


def read_trial(lines: Sequence[str], word: str) -> StartOutcome | None:
    """What came of a trial, from the lines that its step printed; None if it did not come to an end, for example since
    the image has no shell.
    """
    trial, rest = _Trial(), iter(lines)
    for line in rest:
        said = line.removeprefix(f"{word} ") if line.startswith(f"{word} ") else None
        match said.split() if said is not None else []:
            case ["running"]:
                trial.running = trial.running is None or trial.running
            case ["exit", code]:
                trial.running, trial.exit_code = trial.running or False, int(code)
            case ["health", code]:
                trial.health_code, trial.health_output = int(code), list(_until_end(rest, word))
            case _:
                trial.output.append(line)
    if trial.running is None:
        return None
    return StartOutcome(
        running=trial.running,
        exit_code=None if trial.running else trial.exit_code,
        health_code=trial.health_code,
        output=tail("\n".join(trial.output).strip("\n")),
        health_output=tail("\n".join(trial.health_output).strip("\n")),
    )


def _until_end(lines: Iterator[str], word: str) -> Iterator[str]:
    for line in lines:
        if line == f"{word} end":
            return
        yield line
