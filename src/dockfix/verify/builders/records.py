"""What builds leave in BuildKit's cache, and which of it a run may remove.

The cache belongs to the user's builder, and others may build there at the same time. A record is removed at the end of
a run only if all of this holds:

- It appeared while a build of this run was running: it is in the list after the build and not in the one before.
- Nothing says that another build made it. BuildKit describes most records by the step that made them, `[2/3] COPY . .`,
  and this must be a step that our build printed. A cache mount must have the namespace of this run. A record on top of
  another's record is not ours.
- Its id is named. No record that was there before is removed, used up or replaced: after the removal, a build of the
  user's finds the same cache as before.

What can go wrong: a RUN of another build, started at the same moment directly on a base image that both use, is not
told apart. It is then run again by its next build. Records in use are never removed; BuildKit sees to that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from secrets import token_hex
from typing import Final

from msgspec import Struct

from dockfix.verify.model import OnLine

__all__ = ["Ledger", "Record", "appeared", "read_records"]

_NAMESPACE: Final = "BUILDKIT_CACHE_MOUNT_NS"
"""The build argument that gives a build cache mounts of its own. So the user's cache mounts are neither read nor
written, and those of a run begin empty. Docker before 23 does not know it."""
_PARENTS: Final = re.compile(r"^Parents?:((?:[ \t]+|[;,]|\n -|[a-zA-Z0-9]+(?!:))*)", re.MULTILINE)
"""In one line, or in one line each."""
_DESCRIPTION: Final = re.compile(r"^Description:(.*?)^(?:Usage count|Last used|Type):", re.MULTILINE | re.DOTALL)
_NAMED: Final = re.compile(r"\[(?:[^\]]* )? *(\d+/\d+)\] (.*)", re.DOTALL)
"""A step's number and text. A build may print `[2/3] COPY . .` where the record says `[stage-0 2/3] COPY . .`."""
_PULLED: Final = re.compile(r"pulled from (\S+)")
_MOUNT_ID: Final = re.compile(r'^cached mount .* with id "([^"]*)"$', re.DOTALL)


class Record(Struct, frozen=True):
    """A record of the cache.

    Args:
        id: its identifier.
        parents: the records that it builds on.
        description: what made it, in BuildKit's words.
    """

    id: str
    parents: tuple[str, ...]
    description: str


def read_records(listing: str) -> dict[str, Record]:
    """The records that `buildctl du --verbose` or `docker buildx du --verbose` lists, by id."""
    found = (_record(part) for part in re.split(r"^(?=ID:[ \t])", listing, flags=re.MULTILINE))
    return {record.id: record for record in found if record is not None}


def _record(text: str) -> Record | None:
    identifier = re.match(r"ID:[ \t]+([a-zA-Z0-9]+)", text)
    if identifier is None:
        return None
    parents = _PARENTS.search(text)
    description = _DESCRIPTION.search(text)
    return Record(
        identifier[1],
        tuple(re.findall(r"[a-zA-Z0-9]+", parents[1])) if parents is not None else (),
        description[1].strip() if description is not None else "",
    )


def appeared(
    before: Mapping[str, Record], after: Mapping[str, Record], names: Iterable[str], namespace: str
) -> frozenset[str]:
    """The ids of the records that a build made.

    Args:
        before: the records before the build.
        after: the records after it.
        names: the names of all that the build did, as it printed them.
        namespace: the namespace of its cache mounts.
    """
    printed = frozenset(map(_without_stage, names))
    new = {identifier: record for identifier, record in after.items() if identifier not in before}
    foreign = {identifier for identifier, record in new.items() if not _may_be_ours(record, printed, namespace)}
    while more := {
        identifier
        for identifier, record in new.items()
        if identifier not in foreign and foreign.intersection(record.parents)
    }:
        foreign |= more
    return frozenset(new) - foreign


def _without_stage(name: str) -> str:
    found = _NAMED.fullmatch(name)
    return f"[{found[1]}] {found[2]}" if found is not None else name


def _may_be_ours(record: Record, names: frozenset[str], namespace: str) -> bool:
    if _NAMED.fullmatch(record.description):
        return _without_stage(record.description) in names
    if found := _MOUNT_ID.search(record.description):
        return found[1].startswith(f"{namespace}/")
    if found := _PULLED.match(record.description):
        return any(found[1] in name for name in names)
    return True


class Ledger:
    """The records that the builds of a run have made, and that are to be removed at its end."""

    def __init__(self, listing: Callable[[], str | None]) -> None:
        """Make an empty ledger.

        Args:
            listing: lists the records in full, as `du --verbose` does; None if they cannot be listed.
        """
        self._listing = listing
        self._namespace = f"dockfix-{token_hex(8)}"
        self._ids: set[str] = set()

    @property
    def argument(self) -> str:
        """The build argument that every build of the run gets."""
        return f"{_NAMESPACE}={self._namespace}"

    @contextmanager
    def watch(self, on_line: OnLine | None) -> Iterator[OnLine]:
        """Note which records appear while a build runs; yields what must be called with each line that it prints."""
        before, names = self._listing(), set[str]()

        def note(line: str) -> None:
            names.add(line.partition(" ")[2])
            if on_line is not None:
                on_line(line)

        try:
            yield note
        finally:
            after = self._listing() if before is not None else None
            if before is not None and after is not None:
                self._ids |= appeared(read_records(before), read_records(after), names, self._namespace)

    def take(self) -> list[str]:
        """The ids of the records to remove. The ledger is empty then."""
        ids, self._ids = sorted(self._ids), set()
        return ids
