"""ShellCheck as a service: what it says of shell scripts, which are read and never run.

The scripts are files in a private temporary folder, and one process reads all of them; the first line of each says its
dialect. No configuration file is read (`--norc`) and no `source` is followed (no `-x`): a script of an untrusted
project cannot name a file to be read. Results are kept by content for the run, and in a folder of the user if there is
one.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from dockfix.project.shellcheck_answer import Comment

__all__ = ["Comments", "Failure", "check_scripts", "find_program"]

_TIMEOUT: Final = 60
_MOST_FAILURES: Final = 2
"""After so many processes that did not answer, no other is started in the run."""

_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}  # without SHELLCHECK_OPTS, and with an encoding that can show any message
_ARGUMENTS: Final = ("--norc", "--format=json1")
_FAILURES: Final = ("shellcheck", None)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why ShellCheck says nothing of a script."""

    reason: str


Comments: TypeAlias = "tuple[Comment, ...]"


def check_scripts(
    memo: MutableMapping[object, object], scripts: Iterable[str], folder: Path | None = None
) -> dict[str, Comments | Failure]:
    """What ShellCheck says of each script; nothing of any if the program is not installed.

    Args:
        memo: keeps the results for the run.
        scripts: texts that begin with an interpreter line. Those that ShellCheck cannot read as they are get no
            result: invalid UTF-8 and carriage returns.
        folder: keeps the results for other runs. It need not exist.
    """
    program = find_program()
    if program is None:
        return {}
    wanted = [each for each in dict.fromkeys(scripts) if _is_readable(each)]
    if fresh := [each for each in wanted if ("shellcheck", each) not in memo]:
        for script, comments in zip(fresh, _results(memo, program, fresh, folder), strict=True):
            memo["shellcheck", script] = comments
    return {each: kept for each in wanted if isinstance(kept := memo["shellcheck", each], tuple | Failure)}


@cache
def find_program() -> str | None:
    """The program next to this Python, where the extra installs it, or on the PATH."""
    found = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    # a relative place on the PATH is in the folder of the project, which may be anybody's
    return found if found is not None and os.path.isabs(found) else None  # noqa: PTH117 - also on other systems


def _is_readable(text: str) -> bool:
    """Whether the columns of ShellCheck are those of the text: valid UTF-8, with plain line ends."""
    return "\r" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _results(
    memo: MutableMapping[object, object], program: str, scripts: Sequence[str], folder: Path | None
) -> Sequence[Comments | Failure]:
    from dockfix.project.shellcheck_answer import Store, read_answer  # noqa: PLC0415 - loads msgspec

    store = None if folder is None else Store(folder, (*_identity(program), *_ARGUMENTS))
    if store is not None and (kept := store.get(scripts)) is not None:
        return kept
    failures = memo.get(_FAILURES, 0)
    if isinstance(failures, int) and failures >= _MOST_FAILURES:
        return [Failure("it failed before")] * len(scripts)
    output = _output(program, scripts)
    answer = read_answer(output, len(scripts)) if isinstance(output, bytes) else None
    if answer is None:
        memo[_FAILURES] = failures + 1 if isinstance(failures, int) else 1
        return [output if isinstance(output, Failure) else Failure("its output is not what is expected")] * len(scripts)
    if store is not None:
        store.put(scripts, answer)
    return answer


def _identity(program: str) -> tuple[str, ...]:
    """What changes when another version of the program is installed; asking for its version would need a process."""
    try:
        found = os.stat(program)  # noqa: PTH116 - follows the link, as the path would
    except OSError:
        return (program,)
    return (os.path.realpath(program), str(found.st_size), str(found.st_mtime_ns))


def _output(program: str, scripts: Sequence[str]) -> bytes | Failure:
    """What the program writes for scripts in files that are named by their numbers."""
    import subprocess  # noqa: PLC0415 - not for what is known
    import tempfile  # noqa: PLC0415

    try:
        with tempfile.TemporaryDirectory(prefix="dockfix-") as folder:
            for number, script in enumerate(scripts):
                Path(folder, str(number)).write_bytes(script.encode())
            done = subprocess.run(
                [program, *_ARGUMENTS, *map(str, range(len(scripts)))], cwd=folder, env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Failure(f"it took more than {_TIMEOUT} seconds")
    except OSError as error:
        return Failure(f"it cannot be run: {error.strerror}")
    if done.returncode not in (0, 1):  # 1: it has comments
        return Failure(f"it ended with status {done.returncode}")
    return done.stdout
