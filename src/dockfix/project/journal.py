"""The journal of a change of several files: a later run undoes what a killed one has begun.

Renames of several files are not one step. Before the first one, the journal says what each file is to become, and where
its old content is kept. A run that ends in any way removes its journal; one that is found belongs to a process that was
killed, or to a machine that has lost its power. Its files have their old content again then, unless all have the new
one already.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from dockfix.project.files import MAX_BYTES, READ, is_inside
from dockfix.project.problems import InputProblem
from dockfix.project.temporary import JOURNAL, PART, create, is_left_name, is_own_file, lock, new_name

__all__ = ["Entry", "digest_of", "kept", "undo_interrupted", "write_journal"]


class Entry(Struct, frozen=True):
    """What is to happen to a file.

    Args:
        real: the file.
        new: the temporary file with its new content.
        old: the temporary file with its old content; None if it does not exist before.
        before: the digest of its old content; empty if it does not exist before.
        after: the digest of its new content.
    """

    real: Path
    new: Path
    old: Path | None
    before: str
    after: str


def digest_of(data: bytes) -> str:
    """The digest of a content."""
    return hashlib.sha256(data).hexdigest()


def write_journal(root: Path, entries: Sequence[Entry], temporary: list[Path]) -> None:
    """Write the journal of a change into the root of its project, before any file of it is written.

    Args:
        root: the root.
        entries: the files.
        temporary: gets what is to be removed in the end.
    """
    import json  # noqa: PLC0415 - few runs have a journal

    texts = [
        [os.fsdecode(each.real), os.fsdecode(each.new), each.old and os.fsdecode(each.old), each.before, each.after]
        for each in entries
    ]
    draft, journal = new_name(root), new_name(root, JOURNAL)
    temporary += [draft, journal]
    descriptor = create(draft)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(json.dumps(texts).encode())
        stream.flush()
        os.fsync(descriptor)
    os.replace(draft, journal)  # noqa: PTH105 - one call to make fail in tests


def undo_interrupted(root: Path, *, only_say: bool = False) -> list[InputProblem]:
    """Undo the changes of killed runs of which only a part was written; returns what was done, or is to be done.

    Args:
        root: the root of the project.
        only_say: whether nothing is changed.
    """
    found: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(root) as scan:
        for entry in scan:
            if entry.name.endswith(JOURNAL) and is_left_name(entry.name, JOURNAL):
                found.append(Path(entry.path))
    return [problem for path in found for problem in _undo(path, root, only_say=only_say)]


def _undo(journal: Path, root: Path, *, only_say: bool) -> Iterator[InputProblem]:
    with contextlib.suppress(OSError), os.fdopen(os.open(journal, READ), "rb") as stream:
        if not is_own_file(os.fstat(stream.fileno())) or not lock(stream.fileno()):
            return
        entries = _entries(stream.read(MAX_BYTES), root)
        states = [_state(each) for each in entries]
        begun = [each for each, state in zip(entries, states, strict=True) if state == "after"]
        partly = bool(begun) and len(begun) < len(entries)
        if partly:
            others = ", ".join(each.real.name for each in entries if each not in begun)
            done = "`dockfix apply` restores it" if only_say else "it was restored"
            for each in begun:
                message = f"was changed by a run that was killed before it had changed {others}, too; {done}"
                yield InputProblem(str(each.real), None, message)
        if only_say:
            return
        for each in reversed(begun) if partly else ():
            _restore(each)
        for each in entries:
            for path in (each.new, each.old):
                if path is not None:
                    with contextlib.suppress(OSError):
                        path.unlink()
        journal.unlink()


def _entries(data: bytes, root: Path) -> list[Entry]:
    """The entries of a journal; none if it is not one that dockfix writes, as somebody else may have written it."""
    import json  # noqa: PLC0415 - as above

    try:
        entries = [_entry(*each) for each in json.loads(data)]
    except (ValueError, TypeError, RecursionError):
        return []
    return entries if all(_is_valid(each, root) for each in entries) else []


def _entry(real: Any, new: Any, old: Any, before: Any, after: Any) -> Entry:
    return Entry(Path(real), Path(new), None if old is None else Path(old), str(before), str(after))


def _is_valid(entry: Entry, root: Path) -> bool:
    """Whether all files are in one folder of the project, and the temporary ones have names of dockfix."""
    folder = entry.real.parent
    temporary = [path for path in (entry.new, entry.old) if path is not None]
    return (
        os.path.realpath(folder) == str(folder)
        and is_inside(str(folder), os.path.realpath(root))
        and all(path.parent == folder and is_left_name(path.name, PART) for path in temporary)
    )


def _state(entry: Entry) -> str:
    """`before` or `after` if the file has this content, else `other`."""
    try:
        with os.fdopen(os.open(entry.real, READ), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return "other"
            found = digest_of(stream.read())
    except FileNotFoundError:
        found = ""
    except OSError:
        return "other"
    return "after" if found == entry.after else "before" if found == entry.before else "other"


def _restore(entry: Entry) -> None:
    with contextlib.suppress(OSError):
        if entry.old is None:
            entry.real.unlink()
        else:
            os.replace(entry.old, entry.real)  # noqa: PTH105 - as above


def kept(old: Path) -> Path:
    """Rename a temporary file with content that is nowhere else, so that no later run removes it."""
    goal = old.with_name(f".dockfix-kept-{old.name.split('-')[3].partition('.')[0]}")
    try:
        return old.rename(goal)
    except OSError:
        return old
