"""What differs between two trees of files, as a tree of changes; a folder that is new or gone is one difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from dockfix.verify.layers import Entry
from dockfix.verify.model import Difference

__all__ = [
    "FOLLOWS",
    "PACKAGED",
    "PROMISED",
    "Change",
    "Reason",
    "change_at",
    "changes",
    "differences",
    "files_text",
    "size_text",
]

PROMISED: Final = "promised by "
"""How the reason begins that names the rule."""
PACKAGED: Final = "in the files of a package that differs"
FOLLOWS: Final = "follows from the packages that differ"


class Change(Struct):
    """What differs at a path, and below it.

    Args:
        path: the absolute path.
        kind: `added`, `removed` or `changed`; empty if only something below it differs.
        before: the entry before; None if there was none.
        after: likewise.
        below: the changes directly below it, by name.
        rights: for a folder, the mode and owner before and after, if all that is in it differs in the same way and in
            nothing else; as after a `chown -R`.
    """

    path: str
    kind: str = ""
    before: Entry | None = None
    after: Entry | None = None
    below: dict[str, Change] = field(default_factory=dict)
    rights: tuple[str, str] | None = None

    @property
    def covers(self) -> bool:
        """Whether it is a folder that is new, gone or replaced, so that everything below it differs."""
        return bool(self.kind) and _is_folder(self.before) != _is_folder(self.after)

    def walk(self) -> Iterator[Change]:
        """This change and those below it, each before what is below it."""
        todo = [self]
        while todo:
            change = todo.pop()
            yield change
            todo += reversed(change.below.values())


Reason = Callable[[Change], str]
"""Why a single change is allowed, or noise; empty if it is neither."""


def changes(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Change:
    """All that differs between two trees, as the change of `/`. A folder's times are not known and never differ."""
    nodes = {"": Change("/")}
    paths = [path for path in before.keys() | after.keys() if not _same(before.get(path), after.get(path))]
    for path in sorted(paths, key=lambda path: path.split("/")):
        node = _node(nodes, path.rstrip("/"))
        node.before, node.after = before.get(path), after.get(path)
        node.kind = "added" if node.before is None else "removed" if node.after is None else "changed"
    _set_rights(nodes, after)
    return nodes[""]


def _set_rights(nodes: dict[str, Change], after: Mapping[str, Entry]) -> None:
    """Set `rights` of the folders that are changed as a whole."""
    entries: dict[str, int] = {}
    for path in after:
        above = path.rpartition("/")[0]
        if above in nodes and path != "/":
            entries[above] = entries.get(above, 0) + 1
    rights: dict[str, tuple[str, str] | None] = {}
    for path in sorted(nodes, key=len, reverse=True):
        change = nodes[path]
        own = _rights(change)
        whole = len(change.below) == entries.get(path, 0)
        rights[path] = own if whole and all(rights[each.path] == own for each in change.below.values()) else None
        if change.below and path:
            change.rights = rights[path]


def _rights(change: Change) -> tuple[str, str] | None:
    """The mode and owner before and after, if nothing else differs."""
    before, after = change.before, change.after
    if before is None or after is None:
        return None
    if (before.type, before.digest, before.link) != (after.type, after.digest, after.link):
        return None
    return _changed_texts(before, after)


def _node(nodes: dict[str, Change], path: str) -> Change:
    """The change of a path, made with those of the folders above it where they are missing."""
    missing: list[str] = []
    while path not in nodes:
        missing.append(path)
        path = path.rpartition("/")[0]
    node = nodes[path]
    for each in reversed(missing):
        node.below[each[len(node.path.rstrip("/")) + 1 :]] = nodes[each] = Change(each)
        node = nodes[each]
    return node


def change_at(root: Change, path: str) -> Change | None:
    """The change of a path."""
    node: Change | None = root
    for name in path.split("/"):
        if name and node is not None:
            node = node.below.get(name)
    return node


def differences(root: Change, reason: Reason) -> Iterator[Difference]:
    """The differences of a change and of what is below it.

    A folder that is new or gone is one difference with the reason of its content, if all of that has one. If a part of
    its content only is promised, or comes from packages, the parts are differences of their own. A folder whose mode or
    owner differs in the same way as that of all its content is one difference, too, if all of it has one reason.
    """
    reasons = _reasons(root, reason)
    todo = [root]
    while todo:
        change = todo.pop()
        found = reasons[change.path]
        if change.covers and not (change.below and "" in found and any(map(_splits, found))):
            yield _difference(change, _joined(found))
        elif change.rights and len(found) == 1:
            count = f", and all that is below: {sum(1 for _ in change.walk()) - 1:,}"
            yield Difference("changed", change.path, change.rights[0], change.rights[1] + count, *found)
        else:
            if change.kind and not change.covers:
                yield _difference(change, reason(change))
            todo += reversed(change.below.values())


def _reasons(root: Change, reason: Reason) -> dict[str, frozenset[str]]:
    """The reasons of what is at and below each path. A folder with content has those of the content."""
    reasons: dict[str, frozenset[str]] = {}
    for change in reversed(list(root.walk())):
        below = [reasons[each.path] for each in change.below.values()]
        own = {reason(change)} if change.kind and not (change.covers and below) else set()
        reasons[change.path] = frozenset(own).union(*below)
    return reasons


def _is_promise(reason: str) -> bool:
    return reason.startswith(PROMISED)


def _splits(reason: str) -> bool:
    return _is_promise(reason) or reason in {PACKAGED, FOLLOWS}


def _joined(reasons: frozenset[str]) -> str:
    """One reason for several: none if one is missing, else those of rules before packages before noise."""
    if "" in reasons:
        return ""
    names = sorted(each.removeprefix(PROMISED) for each in reasons if _is_promise(each))
    if names:
        return PROMISED + ", ".join(names)
    return next((each for each in (FOLLOWS, PACKAGED) if each in reasons), min(reasons, default=""))


def _difference(change: Change, reason: str) -> Difference:
    before, after = change.before, change.after
    if before is None or after is None or before.type != after.type:
        return Difference(change.kind, change.path, _whole(change, False), _whole(change, True), reason)
    return Difference(change.kind, change.path, *_changed_texts(before, after), reason)


def _changed_texts(before: Entry, after: Entry) -> tuple[str, str]:
    """What differs between two entries of one type, in words."""
    texts: list[tuple[str, str]] = []
    if before.digest != after.digest:
        short = before.size == after.size
        texts.append((_content(before, short), _content(after, short)))
    if before.link != after.link:
        texts.append((f"to {before.link}", f"to {after.link}"))
    if before.mode != after.mode:
        texts.append((f"mode {before.mode:04o}", f"mode {after.mode:04o}"))
    if (before.uid, before.gid) != (after.uid, after.gid):
        texts.append((f"owner {before.uid}:{before.gid}", f"owner {after.uid}:{after.gid}"))
    return ", ".join(old for old, _ in texts), ", ".join(new for _, new in texts)


def _content(entry: Entry, with_digest: bool) -> str:
    return f"{size_text(entry.size)}, sha256 {entry.digest[:12]}" if with_digest else f"{entry.size:,} bytes"


def _whole(change: Change, after: bool) -> str:
    """An entry in words; a folder with its content."""
    entry = change.after if after else change.before
    if entry is None:
        return ""
    rights = f"mode {entry.mode:04o}, owner {entry.uid}:{entry.gid}"
    match entry.type:
        case "folder":
            sides = (each.after if after else each.before for each in change.walk())
            files = [side for side in sides if side is not None and side.type != "folder"]
            return f"folder, {files_text(len(files), sum(side.size for side in files))}" if files else "folder"
        case "symlink":
            return f"symlink to {entry.link}"
        case "file":
            return f"file, {size_text(entry.size)}, {rights}"
        case _:
            return f"{entry.type} {entry.link}".rstrip() + f", {rights}"


def files_text(count: int, size: int) -> str:
    """A number of files and their bytes for a reader."""
    return f"{count:,} {'file' if count == 1 else 'files'}, {size_text(size)}"


def size_text(size: float) -> str:
    """A number of bytes for a reader, in units of 1,000."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size:,.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000 or unit == "GB":
            break
    return f"{size:,.0f} {unit}" if size >= 100 else f"{size:.1f} {unit}"


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.type == "folder"


def _same(before: Entry | None, after: Entry | None) -> bool:
    """Whether two entries are equal. The digest is that of the normalised content, so the size does not count."""
    if before is None or after is None:
        return False
    return (before.type, before.mode, before.uid, before.gid, before.digest, before.link) == (
        after.type, after.mode, after.uid, after.gid, after.digest, after.link,
    )  # fmt: skip
