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
from collections.abc import MutableMapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from dockfix.project.tracing import note_version, spoil, suspended

if TYPE_CHECKING:
    from dockfix.project.shellcheck_answer import Comment

__all__ = ["Comments", "Failure", "check_scripts", "find_program"]

_TIMEOUT: Final = 30
_MOST_FAILURES: Final = 2
"""After so many processes that did not answer, no other is started in the run."""

_LARGEST: Final = 8192
"""The characters of a script that is given to the program, whose time grows faster than the script: a chain of commands
of this size takes it up to 10 seconds, and one of four times the size minutes. The largest of 6,742 RUNs of public
Dockerfiles has 6,055.
"""

_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}  # without SHELLCHECK_OPTS, and with an encoding that can show any message
_ARGUMENTS: Final = ("--norc", "--format=json1")
_FAILURES: Final = ("shellcheck", None)


class Failure(Struct, frozen=True):
    """Why ShellCheck says nothing of a script; `asked` is not set if it was not given to it."""

    reason: str
    asked: bool = True


_TOO_LARGE: Final = Failure(
    f"it has more than {_LARGEST:,} characters, for which ShellCheck takes too long", asked=False
)


Comments: TypeAlias = "tuple[Comment, ...]"


def check_scripts(
    memo: MutableMapping[object, object], groups: Sequence[Sequence[str]], folder: Path | None = None
) -> dict[str, Comments | Failure]:
    """What ShellCheck says of scripts; nothing of any if the program is not installed.

    A failure is remembered only for a single group: of several, each may be asked for by itself.

    Args:
        memo: keeps the results for the run.
        groups: texts that begin with an interpreter line, a group for each file. Those that ShellCheck cannot read as
            they are get no result: invalid UTF-8 and carriage returns. Those that are too large fail without being
            given to it.
        folder: keeps the results for other runs, in a file for each group. It need not exist.
    """
    program = find_program()
    if program is None:
        return {}
    given = [[each for each in dict.fromkeys(group) if _is_readable(each)] for group in groups]
    found: dict[str, Comments | Failure] = {
        each: _TOO_LARGE for group in given for each in group if len(each) > _LARGEST
    }
    wanted = [[each for each in group if each not in found] for group in given]
    new = [group for group in wanted if any(("shellcheck", each) not in memo for each in group)]
    if new:
        note_version(program)
        with suspended():
            _ask(memo, program, new, folder)
    for each in dict.fromkeys(each for group in wanted for each in group):
        if isinstance(kept := memo.get(("shellcheck", each)), tuple | Failure):
            found[each] = kept
    return found


@cache
def find_program() -> str | None:
    """The program next to this Python, where the extra installs it, or on the PATH."""
    found = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    # a relative place on the PATH is in the folder of the project, which may be anybody's
    return found if found is not None and os.path.isabs(found) else None  # noqa: PTH117 - also on other systems


def _is_readable(text: str) -> bool:
    """Whether the columns of ShellCheck are those of the text: valid UTF-8, with plain line ends."""
    return "\r" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _ask(
    memo: MutableMapping[object, object], program: str, groups: Sequence[Sequence[str]], folder: Path | None
) -> None:
    """Find what is known of groups, and run the program once for the rest."""
    from dockfix.project.shellcheck_answer import Store, read_answer  # noqa: PLC0415 - loads msgspec

    store = None if folder is None else Store(folder, (*_identity(program), *_ARGUMENTS))
    unknown: list[Sequence[str]] = []
    for group in groups:
        kept = store.get(group) if store is not None else None
        if kept is None:
            unknown.append(group)
        else:
            memo.update({("shellcheck", script): each for script, each in zip(group, kept, strict=True)})
    scripts = [each for each in dict.fromkeys(chain(*unknown)) if ("shellcheck", each) not in memo]
    if not scripts:
        return
    failures = memo.get(_FAILURES, 0)
    failures = failures if isinstance(failures, int) else 0
    output = _output(program, scripts) if failures < _MOST_FAILURES else Failure("it failed before")
    answer = read_answer(output, len(scripts)) if isinstance(output, bytes) else None
    if answer is not None:
        memo.update({("shellcheck", script): each for script, each in zip(scripts, answer, strict=True)})
        for group in unknown:
            if store is not None:
                store.put(group, [memo["shellcheck", each] for each in group])
    elif len(groups) == 1:
        failure = output if isinstance(output, Failure) else Failure("its output is not what is expected")
        memo.update({("shellcheck", script): failure for script in scripts})
        memo[_FAILURES] = failures + 1
        spoil()


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
