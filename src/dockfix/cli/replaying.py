"""The output of an earlier run of the same command, if everything that it has read is still the same.

`dockfix check`, and `dockfix apply` that writes nothing, keep their output in the user's cache, together with what they
have asked of the file system (`dockfix.project.tracing`). The next run of the same command asks the same questions, and
if all the answers are the same, its output is, too. A run whose result depends on anything else is not kept: only the
commands know, and say so with `may_be_kept`.

An entry is one file, written under another name and renamed, so that runs at the same time cannot disturb each other.
Its first line has a digest of the rest: a file that is damaged counts as missing, as does a folder that cannot be read
or written.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from contextvars import ContextVar

from dockfix import __version__
from dockfix.cli.streams import TAPE, write_bytes
from dockfix.project.tracing import Trace, digest, holds

TYPE_CHECKING = False  # `typing` takes longer to load than an entry takes to read
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final, TextIO, TypeAlias

    from dockfix.project.tracing import Question

    _Output: TypeAlias = list[tuple[int, bytes]]
    """What was written: to standard output (1) or standard error (2)."""

__all__ = ["cache_folder", "is_off", "may_be_kept", "replayed_or"]

_MAGIC: Final = b"dockfix run 1 "
_FOLDER: Final = "runs"
_MAX_ENTRY: Final = 16 * 1024 * 1024
_MAX_FOLDER: Final = 128 * 1024 * 1024
_MAX_AGE: Final = 30 * 24 * 3600
_FRESH: Final = 24 * 3600
"""An entry that was used in this time need not be marked as used again."""

_VARIABLES: Final = (
    "COLUMNS", "FORCE_COLOR", "LANG", "LANGUAGE", "LINES", "NO_COLOR", "PATH", "TERM", "TERMINAL_WIDTH",
)  # fmt: skip
_PREFIXES: Final = ("DOCKFIX_", "LC_", "PYTHON")

_kept: ContextVar[list[bool] | None] = ContextVar("dockfix_kept", default=None)


def cache_folder() -> str | None:
    """The folder for what later runs can use: DOCKFIX_CACHE_DIR, or `dockfix` in the user's cache. None: there is none.

    Source: the XDG Base Directory Specification, and platformdirs for macOS and Windows.
    """
    environ = os.environ
    if given := environ.get("DOCKFIX_CACHE_DIR"):
        return os.path.abspath(given)  # noqa: PTH100 - pathlib is not loaded
    folder = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if not folder:
        home = os.path.expanduser("~")  # noqa: PTH111 - as above
        folder = f"{home}/Library/Caches" if sys.platform == "darwin" else f"{home}/.cache"
    # a relative folder would be in the project, which may be anybody's
    return os.path.join(folder, "dockfix") if os.path.isabs(folder) else None  # noqa: PTH117, PTH118 - as above


def is_off() -> bool:
    """Whether the environment says that nothing is kept."""
    return os.environ.get("DOCKFIX_NO_CACHE", "") not in ("", "0")


def may_be_kept() -> None:
    """Say of this run that its output depends on its command line and on files only, and that it writes no file."""
    kept = _kept.get()
    if kept is not None:
        kept.append(True)


def replayed_or(arguments: Sequence[str], run: Callable[[], int]) -> int:
    """Write the output of an earlier run and return its exit code; if it is not known, `run`, and keep the output."""
    path = _entry_of(arguments)
    if path is None:
        return run()
    started = time.time_ns()
    known = _read(path)
    if known is not None:
        code, output = known
        for number, data in output:
            write_bytes(sys.stdout if number == 1 else sys.stderr, data)
        return code
    trace = Trace()
    tape: _Output = []
    kept: list[bool] = []
    tokens = TAPE.set(tape), _kept.set(kept)
    try:
        with trace.recording():
            code = run()
        trace.note_code(started)
    finally:
        TAPE.reset(tokens[0])
        _kept.reset(tokens[1])
    if kept and code in (0, 1, 2) and trace.is_final():
        _write(path, code, tape, trace)
    return code


def _entry_of(arguments: Sequence[str]) -> str | None:
    """The file that has the output of a command line, or would have it; None if nothing is kept."""
    folder = None if _cannot_be_kept(arguments) else cache_folder()
    try:
        return None if folder is None else os.path.join(folder, _FOLDER, _key(arguments))  # noqa: PTH118 - pathlib is not loaded
    except OSError:  # the current folder does not exist
        return None


def _cannot_be_kept(arguments: Sequence[str]) -> bool:
    """Whether it is certain that the run of a command line is not kept; what is not certain is decided by the run."""
    if os.name == "nt":  # there some functions that ask are not in `os`, and a trace would not be complete
        return True
    return "-" in arguments or "--no-cache" in arguments or "_DOCKFIX_COMPLETE" in os.environ or is_off()


def _key(arguments: Sequence[str]) -> str:
    """What the output of a run depends on besides files, as the name of a file."""
    environment = sorted(
        f"{name}={value}" for name, value in os.environ.items() if name in _VARIABLES or name.startswith(_PREFIXES)
    )
    user = [getattr(os, name)() for name in ("geteuid", "getegid", "getgroups") if hasattr(os, name)]
    streams = [(each.isatty(), each.encoding, each.errors, _width(each)) for each in (sys.stdout, sys.stderr)]
    facts = (__version__, sys.version, sys.executable, sys.path, os.getcwd(), list(arguments), environment, user)  # noqa: PTH109 - pathlib is not loaded
    return str(digest(repr((*facts, streams)).encode("utf-8", "surrogatepass")).hexdigest())


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 0


def _read(path: str) -> tuple[int, _Output] | None:
    """The exit code and the output of an entry, if it is whole and its questions have the same answers."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is not loaded
            if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None  # another user could hide findings
            data = file.read(_MAX_ENTRY + 1)
        head, _, body = data.partition(b"\n")
        if head != _head(body):
            return None
        code, output, answers = _unpacked(body)
    except (OSError, ValueError, UnicodeError):
        return None
    if not holds(answers):
        return None
    with contextlib.suppress(OSError):
        if os.stat(path).st_mtime < time.time() - _FRESH:  # noqa: PTH116 - as above
            os.utime(path)
    return code, output


def _write(path: str, code: int, output: _Output, trace: Trace) -> None:
    import tempfile  # noqa: PLC0415 - not for what is known

    body = _packed(code, output, trace)
    if len(body) > _MAX_ENTRY:
        return
    folder = os.path.dirname(path)  # noqa: PTH120 - as above
    with contextlib.suppress(OSError):
        for each in (os.path.dirname(folder), folder):  # noqa: PTH120 - as above
            os.makedirs(each, mode=0o700, exist_ok=True)  # noqa: PTH103 - as above
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="new-")  # readable for the user only
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_head(body) + b"\n" + body)
            os.replace(name, path)  # noqa: PTH105 - as above
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - as above
            raise
        _prune(folder)


def _head(body: bytes) -> bytes:
    return _MAGIC + str(digest(body).hexdigest()).encode()


def _packed(code: int, output: _Output, trace: Trace) -> bytes:
    asked = "\0".join(part for (kind, path), answer in trace.answers.items() for part in (kind, path, answer))
    blocks = [str(code).encode(), asked.encode("utf-8", "surrogatepass")]
    blocks += [part for number, data in output for part in (str(number).encode(), data)]
    return b"".join(b"%d\n%b" % (len(each), each) for each in blocks)


def _unpacked(body: bytes) -> tuple[int, _Output, Iterator[tuple[Question, str]]]:
    """The parts of an entry.

    Raises:
        ValueError: it is not an entry.
    """
    blocks: list[bytes] = []
    at = 0
    while at < len(body):
        start = body.index(b"\n", at) + 1
        size = int(body[at : start - 1])
        blocks.append(body[start : start + size])
        at = start + size
    code, asked, *written = blocks
    parts = asked.decode("utf-8", "surrogatepass").split("\0")
    answers = (((kind, path), answer) for kind, path, answer in zip(*[iter(parts)] * 3, strict=True))
    return int(code), [(int(number), data) for number, data in zip(*[iter(written)] * 2, strict=True)], answers


def _prune(folder: str) -> None:
    """Remove the entries that were not used for long, and the oldest ones while there are too many."""
    entries: list[tuple[float, int, str]] = []
    with os.scandir(folder) as scan:
        for entry in scan:
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                entries.append((found.st_mtime, found.st_size, entry.path))
    left = _MAX_FOLDER
    for changed, size, path in sorted(entries, reverse=True):
        left -= size
        if left < 0 or changed < time.time() - _MAX_AGE:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - pathlib is not loaded
