"""What a run asks of the file system, with the answers: a later run whose questions all have the same answers finds the
same.

The functions of the standard library that ask are wrapped while a trace records, so that no reader can be left out: the
built-in rules, the packs of others and the libraries that they use all go through them. A question is asked again by
`holds`. Contents count by their digest, never by the time of a file.
"""

from __future__ import annotations

import builtins
import io
import os
import stat
import sys
from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False  # `typing` takes longer to load than all else here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Final, TypeAlias

    Question: TypeAlias = tuple[str, str]
    """What is asked, and the path: one of the kinds below, followed by a number where that matters."""
    Taken: TypeAlias = tuple[list[tuple[Question, str]], dict[str, tuple[int, int, int]], bool]
    """What one process has recorded: the questions, when the files that it read were changed, and `spoiled`."""

__all__ = [
    "Trace", "add", "digest", "holds", "is_recording", "names_with", "note_version", "spoil",
    "start", "suspended", "take",
]  # fmt: skip

_STAT: Final = "s"
_LSTAT: Final = "l"
_LINK: Final = "r"
_ENTRIES: Final = "d"
_NAMES: Final = "n"
_SOME: Final = "w"
_ACCESS: Final = "a"
_CONTENT: Final = "c"
_CODE: Final = "m"

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_AGAIN: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_PIECE: Final = 1 << 20

# The functions themselves, whatever is wrapped later.
_stat, _lstat, _readlink, _access = os.stat, os.lstat, os.readlink, os.access
_scandir, _listdir, _os_open, _io_open = os.scandir, os.listdir, os.open, io.open

_current: ContextVar[Trace | None] = ContextVar("dockfix_trace", default=None)


def digest(data: bytes = b"") -> Any:
    """A hash of 20 bytes. `hashlib` takes longer to load than all the rest of a run that finds everything the same."""
    try:
        from _blake2 import blake2b  # noqa: PLC0415 - the part of hashlib that is needed
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 - another Python
    return blake2b(data, digest_size=20)


class Trace:
    """Records the questions of a run while `recording`. `spoiled`: the run depends on something else, too."""

    def __init__(self) -> None:
        self.answers: dict[Question, str] = {}
        self.spoiled = False
        self._times: dict[str, tuple[int, int, int]] = {}
        self._paused = False
        self._taken = 0
        self._modules: set[str] = set()
        self._before: tuple[Any, ...] = ()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record until the end of the block."""
        token = _current.set(self)
        self.install()
        try:
            yield
        finally:
            self.remove()
            _current.reset(token)

    def install(self) -> None:
        """Wrap the functions that ask."""
        os.stat = self._wrapped(_stat, _STAT)
        os.lstat = self._wrapped(_lstat, _LSTAT)
        os.readlink = self._wrapped(_readlink, _LINK)
        os.listdir = self._wrapped(_listdir, _NAMES)
        os.scandir = self._scandir
        os.access = self._access
        os.open = self._os_open
        io.open = builtins.open = self._io_open

    @staticmethod
    def remove() -> None:
        """Undo `install`."""
        os.stat, os.lstat, os.readlink, os.access = _stat, _lstat, _readlink, _access
        os.scandir, os.listdir, os.open = _scandir, _listdir, _os_open
        io.open = builtins.open = _io_open

    def note(self, kind: str, path: Any, answer: str) -> None:
        """Record an answer; a second one that differs shows that the files change while they are read."""
        if self._paused:
            return
        if self.answers.setdefault((kind, os.fsdecode(path)), answer) != answer:
            self.spoiled = True

    def add(self, taken: Taken | None) -> None:
        """Add what another process of the run has recorded."""
        if taken is None:
            self.spoiled = True
            return
        answers, times, spoiled = taken
        for (kind, path), answer in answers:
            self.note(kind, path, answer)
        self._times.update(times)
        self.spoiled |= spoiled

    def take(self) -> Taken:
        """What was recorded since this was last called, and the code that was loaded."""
        self.note_code(0)
        new = list(self.answers.items())[self._taken :]
        self._taken = len(self.answers)
        times, self._times = self._times, {}
        return new, times, self.spoiled

    def note_code(self, started_ns: int) -> None:
        """Record the files of the modules that are loaded; those of Python itself belong to its version.

        Args:
            started_ns: when the run started; a file that is newer is not what was loaded. 0: not checked.
        """
        for name in sys.modules.keys() - self._modules:
            self._modules.add(name)
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and name.partition(".")[0] not in sys.stdlib_module_names:
                answer, changed = _code(file)
                self.note(_CODE, file, answer)
                self.spoiled |= 0 < started_ns <= changed

    def is_final(self) -> bool:
        """Whether nothing that was asked has changed since."""
        return not self.spoiled and holds(self.answers.items()) and all(map(self._is_untouched, self._times))

    def _is_untouched(self, path: str) -> bool:
        try:
            return _times(_stat(path)) == self._times[path]
        except OSError:
            return False

    def _wrapped(self, function: Callable[..., Any], kind: str) -> Callable[..., Any]:
        note, answer_of = self.note, _ANSWERS[kind]

        def asked(path: Any = ".", **options: Any) -> Any:
            if self._paused or isinstance(path, int):
                return function(path, **options)
            own = kind
            if options:
                if options.get("dir_fd") is not None:
                    self.spoiled = True
                own = _LSTAT if not options.get("follow_symlinks", True) else kind
            try:
                found = function(path, **options)
            except OSError as error:
                note(own, path, f"!{error.errno}")
                raise
            note(own, path, answer_of(found))
            return found

        return asked

    def _scandir(self, path: Any = ".") -> Any:
        if self._paused:
            return _scandir(path)
        if isinstance(path, int):
            self.spoiled = True
            return _scandir(path)
        try:
            with _scandir(path) as scan:
                entries = list(scan)
        except OSError as error:
            self.note(_ENTRIES, path, f"!{error.errno}")
            raise
        self.note(_ENTRIES, path, _entries(entries))
        for entry in entries:
            if entry.is_symlink():  # an entry answers for the target of a link by itself
                self.note(_STAT, entry.path, _answer(_STAT, entry.path))
        return _Scan(entries)

    def _access(self, path: Any, mode: int, **options: Any) -> bool:
        found = _access(path, mode, **options)
        if options and not self._paused:
            self.spoiled = True
        if not isinstance(path, int):
            self.note(f"{_ACCESS}{mode}", path, str(found))
        return found

    def _os_open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and not self._paused:
            self.spoiled = True
        if self._paused or dir_fd is not None or flags & (_WRITES | getattr(os, "O_DIRECTORY", 0)):
            return _os_open(path, flags, mode, dir_fd=dir_fd)
        kind = f"{_CONTENT}{flags}"
        try:
            descriptor = _os_open(path, flags, mode)
        except OSError as error:
            self.note(kind, path, f"!{error.errno}")
            raise
        self._note_content(kind, path, descriptor)
        return descriptor

    def _io_open(self, file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if self._paused or isinstance(file, int) or not set("wax+").isdisjoint(mode):
            return _io_open(file, mode, *arguments, **options)
        if options.get("opener") is not None:
            self.spoiled = True
        kind = f"{_CONTENT}{_AGAIN}"
        try:
            descriptor = _os_open(file, _AGAIN)
        except OSError as error:
            self.note(kind, file, f"!{error.errno}")
        else:
            try:
                self._note_content(kind, file, descriptor)
            finally:
                os.close(descriptor)
        return _io_open(file, mode, *arguments, **options)

    def _note_content(self, kind: str, path: Any, descriptor: int) -> None:
        self._times[os.fsdecode(path)] = _times(os.fstat(descriptor))
        self.note(kind, path, _content(descriptor))


class _Scan:
    """The entries of a folder, as `os.scandir` gives them."""

    def __init__(self, entries: Iterable[os.DirEntry[Any]]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self._entries

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._entries = iter(())


def holds(answers: Iterable[tuple[Question, str]]) -> bool:
    """Whether each question has the same answer now."""
    return all(_answer(kind, path) == answer for (kind, path), answer in answers)


@contextmanager
def suspended() -> Iterator[None]:
    """Leave out what is asked in the block: it decides nothing that the run finds."""
    trace = _current.get()
    if trace is None or trace._paused:
        yield
        return
    trace._paused = True
    try:
        yield
    finally:
        trace._paused = False


def names_with(folder: Path, words: Sequence[str]) -> list[str]:
    """The names in a folder that have one of some words in them, in any case; what else is there is not recorded.

    Raises:
        OSError: the folder cannot be read.
    """
    trace = _current.get()
    try:
        found = _names_with(_listdir(folder), words)
    except OSError as error:
        if trace is not None:
            trace.note(f"{_SOME}{','.join(words)}", folder, f"!{error.errno}")
        raise
    if trace is not None:
        trace.note(f"{_SOME}{','.join(words)}", folder, _names(found))
    return found


def spoil() -> None:
    """Say that the run depends on something that is not in the files, such as how long a program took."""
    trace = _current.get()
    if trace is not None:
        trace.spoiled = True


def note_version(path: str) -> None:
    """Record the version of a program that is run."""
    trace = _current.get()
    if trace is not None:
        trace.note(_CODE, path, _code(path)[0])


def start() -> None:
    """Record in this process from now on, unless it does so already."""
    if _current.get() is None:
        trace = Trace()
        _current.set(trace)
        trace.install()


def take() -> Taken | None:
    """What was recorded in this process since the last call; None if nothing is recorded."""
    trace = _current.get()
    return None if trace is None else trace.take()


def add(taken: Taken | None) -> None:
    """Add what another process of the run has recorded, if anything is recorded."""
    trace = _current.get()
    if trace is not None:
        trace.add(taken)


def is_recording() -> bool:
    """Whether what is asked is recorded."""
    return _current.get() is not None


def _answer(kind: str, path: str) -> str:
    """The answer to a question as it is now."""
    try:
        match kind[0]:
            case "s":
                return _status(_stat(path))
            case "l":
                return _status(_lstat(path))
            case "d":
                with _scandir(path) as scan:
                    return _entries(list(scan))
            case "c":
                return _content_of(path, int(kind[1:]))
            case "m":
                return _code(path)[0]
            case "r":
                return os.fsdecode(_readlink(path))
            case "n":
                return _names(_listdir(path))
            case "w":
                return _names(_names_with(_listdir(path), kind[1:].split(",")))
            case "a":
                return str(_access(path, int(kind[1:])))
    except OSError as error:
        return f"!{error.errno}"
    except ValueError:
        pass
    return "?"  # is no answer


def _status(found: os.stat_result) -> str:
    mode = found.st_mode
    return f"{mode}:{found.st_size}" if stat.S_ISREG(mode) else str(mode)


def _entries(entries: Iterable[os.DirEntry[Any]]) -> str:
    return _names(
        f"{'d' if each.is_dir(follow_symlinks=False) else 'l' if each.is_symlink() else 'f' if each.is_file() else 'o'}"
        f"{os.fsdecode(each.name)}"
        for each in entries
    )


def _names(names: Iterable[Any]) -> str:
    found = digest("\0".join(sorted(map(os.fsdecode, names))).encode("utf-8", "surrogatepass"))
    return str(found.hexdigest())


def _names_with(names: Iterable[str], words: Sequence[str]) -> list[str]:
    return [each for each in names if any(word in each.lower() for word in words)]


def _content_of(path: str, flags: int) -> str:
    descriptor = _os_open(path, flags)
    try:
        return _content(descriptor)
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> str:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        return f"~{mode}"
    found = digest()
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        found.update(piece)
        at += len(piece)
    return str(found.hexdigest())


def _code(path: str) -> tuple[str, int]:
    """The version of a file of code, or of the archive that it is in, and when it was changed."""
    while path:
        try:
            found = _stat(path)
        except NotADirectoryError:
            path = os.path.dirname(path)  # noqa: PTH120 - pathlib is not loaded
        except OSError as error:
            return f"!{error.errno}", 0
        else:
            return f"{found.st_mtime_ns}:{found.st_size}", found.st_mtime_ns
    return "!", 0


def _times(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino


_ANSWERS: Final[Mapping[str, Callable[[Any], str]]] = {
    _STAT: _status,
    _LSTAT: _status,
    _LINK: os.fsdecode,
    _NAMES: _names,
}
