"""Merges the layers of an image to one tree, in memory: paths are text, and no file is ever extracted.

Whiteouts: https://github.com/opencontainers/image-spec/blob/main/layer.md. A whiteout removes what lower layers have,
never an entry of its own layer. Times and extended attributes (capabilities, SELinux labels) are not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from dockfix.verify.archive import ImageError, TarEntry, TarReader

__all__ = ["Entry", "Merged", "Tree"]

_TYPES: Final = {"0": "file", "2": "symlink", "3": "character device", "4": "block device", "5": "folder", "6": "fifo"}
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_METADATA: Final = ".wh..wh."
"""Other names like this are metadata of AUFS (`.wh..wh.plnk`), not files."""
_MAX_ENTRIES: Final = 4_000_000
_MAX_BYTES: Final = 256 * 1024**3
_MAX_KEPT: Final = 1024**3
_MAX_NORMALISED: Final = 32 * 1024 * 1024
"""Larger files are compared byte for byte."""
_MAX_PATH: Final = 4096
_MAX_LINKS: Final = 40
"""Symlinks that Linux follows in one path."""


class Entry(Struct, frozen=True):
    """A file, folder, symlink, device or pipe of an image.

    Args:
        type: `file`, `folder`, `symlink`, `character device`, `block device` or `fifo`. A hard link is a file.
        mode: the permission bits, with set-user-ID, set-group-ID and sticky.
        uid: the number of the owner.
        gid: the number of the group.
        size: the bytes of a file.
        digest: the SHA-256 of a file, after what `dockfix.verify.noise` normalises; empty for all others.
        link: the target of a symlink, or the numbers of a device.
    """

    type: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    digest: str = ""
    link: str = ""


class _Node:
    """An entry with what is below it; `layer` is the number of the layer that wrote it last."""

    __slots__ = ("children", "content", "entry", "layer")

    def __init__(self, entry: Entry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.children: dict[str, _Node] = {}
        self.content: bytes | None = None


class Merged(Struct, frozen=True):
    """All paths of an image, absolute and sorted by folder; `/` is among them. `kept` has the content of some files."""

    tree: Mapping[str, Entry]
    kept: Mapping[str, bytes]


class Tree:
    """The tree of the layers so far.

    Args:
        normaliser: for a path, what makes its content comparable; None for most.
        keep: for a path, how many bytes of it are kept; a longer file is not. 0 for most.
    """

    def __init__(
        self, normaliser: Callable[[str], Callable[[bytes], bytes] | None], keep: Callable[[str], int]
    ) -> None:
        self._normaliser = normaliser
        self._keep = keep
        self._root = _Node(_implied(), 0)
        self._layer = 0
        self._entries = 0
        self._bytes = 0
        self._kept = 0

    def add(self, layer: TarReader) -> int:
        """Add a layer on top; returns the bytes of its files.

        Raises:
            ImageError: the layer is damaged, or has a path that leads out of the image.
        """
        self._layer += 1
        before = self._bytes
        for entry in layer:
            self._entries += 1
            if self._entries > _MAX_ENTRIES:
                raise ImageError(f"the image has more than {_MAX_ENTRIES:,} entries")
            self._add(entry, layer)
        return self._bytes - before

    def merged(self) -> Merged:
        """The tree of all layers."""
        tree: dict[str, Entry] = {"/": self._root.entry}
        kept: dict[str, bytes] = {}
        todo = [("", self._root)]
        while todo:
            path, node = todo.pop()
            if path:
                tree[path] = node.entry
            if node.content is not None:
                kept[path] = node.content
            todo += [(f"{path}/{name}", node.children[name]) for name in sorted(node.children, reverse=True)]
        return Merged(tree, kept)

    def _add(self, entry: TarEntry, layer: TarReader) -> None:
        parts = _parts(entry.name)
        if not parts:
            if entry.type == "5":
                self._root.entry = _entry(entry)
            return
        name = parts[-1]
        if _METADATA in entry.name and name != _OPAQUE:
            return
        folder, above = self._folder(parts[:-1])
        if name == _OPAQUE:
            self._forget_below(folder)
        elif name.startswith(_WHITEOUT):
            self._forget(folder, name.removeprefix(_WHITEOUT))
        else:
            node = self._node(entry, layer, f"{above}/{name}")
            old = folder.children.get(name)
            if node.entry.type == "folder" and old is not None and old.entry.type == "folder":
                old.entry, old.layer = node.entry, self._layer
            else:
                folder.children[name] = node

    def _node(self, entry: TarEntry, layer: TarReader, path: str) -> _Node:
        if entry.type == "1":
            target = self._at(_parts(entry.link))
            if target is None or target.entry.type == "folder":
                raise ImageError(f"{path} is a hard link to {entry.link}, which is not a file of the image")
            node = _Node(target.entry, self._layer)
            node.content = target.content
            return node
        node = _Node(_entry(entry), self._layer)
        if node.entry.type == "file":
            self._bytes += entry.size
            if self._bytes > _MAX_BYTES:
                raise ImageError(f"the image has more than {_MAX_BYTES:,} bytes")
            digest, node.content = self._read(path, entry.size, layer.chunks())
            node.entry = Entry("file", entry.mode, entry.uid, entry.gid, entry.size, digest)
        return node

    def _read(self, path: str, size: int, chunks: Iterable[bytes]) -> tuple[str, bytes | None]:
        """The digest of a file, and its content if it is kept."""
        normalise = self._normaliser(path) if size <= _MAX_NORMALISED else None
        keep = size <= self._keep(path)
        if normalise is None and not keep:
            digest = hashlib.sha256()
            for chunk in chunks:
                digest.update(chunk)
            return digest.hexdigest(), None
        content = b"".join(chunks)
        if keep:
            self._kept += size
            if self._kept > _MAX_KEPT:
                raise ImageError(f"the databases of package managers have more than {_MAX_KEPT:,} bytes")
        comparable = content if normalise is None else normalise(content)
        return hashlib.sha256(comparable).hexdigest(), content if keep else None

    def _folder(self, parts: list[str]) -> tuple[_Node, str]:
        """The folder at a path, with symlinks followed, and its own path; created where it is missing."""
        trail: list[tuple[str, _Node]] = [("", self._root)]
        todo = parts[::-1]
        links = 0
        while todo:
            name = todo.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                del trail[max(1, len(trail) - 1) :]
                continue
            above = trail[-1][1]
            node = above.children.get(name)
            if node is None:
                node = above.children[name] = _Node(_implied(), self._layer)
            if node.entry.type == "symlink":
                links += 1
                if links > _MAX_LINKS:
                    raise ImageError(f"/{'/'.join(parts)} leads through a loop of symlinks")
                if node.entry.link.startswith("/"):
                    del trail[1:]
                todo += node.entry.link.split("/")[::-1]
                continue
            if node.entry.type != "folder":
                raise ImageError(f"/{'/'.join(parts)} leads through {name}, which is not a folder")
            trail.append((name, node))
        return trail[-1][1], "/".join(name for name, _ in trail)

    def _at(self, parts: list[str]) -> _Node | None:
        folder, _ = self._folder(parts[:-1])
        return folder.children.get(parts[-1]) if parts else None

    def _forget(self, folder: _Node, name: str) -> None:
        """Remove what lower layers have at a name."""
        node = folder.children.get(name)
        if node is None:
            return
        self._forget_below(node)
        if node.layer != self._layer and not node.children:
            del folder.children[name]

    def _forget_below(self, folder: _Node) -> None:
        """Remove what lower layers have below a folder; what this layer has written stays, with the folders above."""
        order = list(_folders(folder))
        for node in reversed(order):
            for name, child in list(node.children.items()):
                if child.layer != self._layer and not child.children:
                    del node.children[name]


def _folders(folder: _Node) -> Iterator[_Node]:
    """A folder and those below it, each before what is below it."""
    todo = [folder]
    while todo:
        node = todo.pop()
        yield node
        todo += [child for child in node.children.values() if child.children]


def _implied() -> Entry:
    """A folder that no layer has as an entry of its own."""
    return Entry("folder", 0o755, 0, 0)


def _entry(entry: TarEntry) -> Entry:
    kind = _TYPES.get(entry.type)
    if kind is None:
        raise ImageError(f"{entry.name} has the unknown type {entry.type!r}")
    link = f"{entry.device[0]}:{entry.device[1]}" if entry.type in "34" else entry.link
    return Entry(kind, entry.mode, entry.uid, entry.gid, link=link)


def _parts(name: str) -> list[str]:
    """The names of a path; `..` is refused."""
    if len(name) > _MAX_PATH:
        raise ImageError(f"a path has {len(name):,} characters")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in name:
        raise ImageError(f"the path {name!r} leads out of the image")
    return parts
