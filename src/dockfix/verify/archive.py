"""Reads tar archives as a stream: entries in order, with bounded memory. Nothing is written to disk.

Python's `tarfile` reads extended headers of any size into memory and seeks backwards; an image is untrusted, and its
layers are compressed streams. Formats: POSIX ustar and pax, and the GNU extensions for long names and large numbers.
Sources: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar and pax interchange formats);
https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import gzip
import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final, Protocol

from msgspec import Struct

__all__ = ["CHUNK", "ImageError", "Readable", "TarEntry", "TarReader", "decompressed"]

CHUNK: Final = 1024 * 1024
_BLOCK: Final = 512
_MAX_HEADER: Final = 4 * 1024 * 1024
"""Bytes of an extended header; extended attributes are at most 64 KiB each."""
_ZSTD_MODULES: Final = ("compression.zstd", "zstandard", "backports.zstd")
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class ImageError(Exception):
    """An image that cannot be read: the message says why."""


class TarEntry(Struct, frozen=True):
    """The header of an entry. `type` is the type flag: `0` file, `1` hard link, `2` symlink, `5` folder, ..."""

    name: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    device: tuple[int, int]


class TarReader:
    """The entries of a tar stream. The content of an entry is read, or skipped, before the next entry is taken."""

    def __init__(self, stream: Readable, seek: Callable[[int, int], int] | None = None) -> None:
        """Read a stream; with `seek`, content that is not read is skipped so."""
        self._stream = stream
        self._seek = seek
        self._left = 0
        self._padding = 0
        self._defaults: dict[str, str] = {}

    def __iter__(self) -> Iterator[TarEntry]:
        overrides: dict[str, str] = {}
        while (header := self._header()) is not None:
            entry = _parsed(header)
            self._left, self._padding = entry.size, -entry.size % _BLOCK
            match entry.type:
                case "x" | "X":
                    overrides |= _records(self._extended())
                case "g":
                    self._defaults |= _records(self._extended())
                case "L":
                    overrides["path"] = _text(self._extended())
                case "K":
                    overrides["linkpath"] = _text(self._extended())
                case "S":
                    raise ImageError("an archive has a sparse file in the old GNU format, which is not supported")
                case _:
                    entry = _overridden(entry, self._defaults | overrides)
                    self._left, self._padding = entry.size, -entry.size % _BLOCK
                    overrides = {}
                    yield entry
                    self._skip()

    def chunks(self) -> Iterator[bytes]:
        """The content of the current entry."""
        while self._left:
            data = self._stream.read(min(self._left, CHUNK))
            if not data:
                raise ImageError("an archive is cut off in the middle of a file")
            self._left -= len(data)
            yield data

    def _extended(self) -> bytes:
        if self._left > _MAX_HEADER:
            raise ImageError(f"an archive has an extended header of {self._left:,} bytes")
        data = b"".join(self.chunks())
        self._skip()
        return data

    def _skip(self) -> None:
        count = self._left + self._padding
        self._left = self._padding = 0
        if self._seek is not None:
            self._seek(count, 1)
            return
        while count:
            data = self._stream.read(min(count, CHUNK))
            if not data:
                return  # the padding of the last entry may be missing
            count -= len(data)

    def _header(self) -> bytes | None:
        """The next header; None at the end."""
        block = self._read_block()
        if block is None or not any(block):
            return None
        stored = _number(block[148:156])
        if stored != 8 * 32 + sum(block[:148]) + sum(block[156:]):
            raise ImageError("an archive is damaged: the checksum of a header is wrong")
        return block

    def _read_block(self) -> bytes | None:
        block = b""
        while len(block) < _BLOCK:
            data = self._stream.read(_BLOCK - len(block))
            if not data:
                if block:
                    raise ImageError("an archive is cut off in the middle of a header")
                return None
            block += data
        return block


def _parsed(block: bytes) -> TarEntry:
    name = _text(block[:100])
    kind = chr(block[156]) if block[156] else "0"
    ustar = block[257:263] == b"ustar\0"
    if ustar and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    if kind == "7":
        kind = "0"  # a contiguous file
    if kind == "0" and name.endswith("/"):
        kind = "5"  # as before POSIX
    size = _number(block[124:136]) if kind not in "123456" else 0
    device = (_number(block[329:337]), _number(block[337:345])) if kind in "34" else (0, 0)
    return TarEntry(
        name,
        kind,
        _number(block[100:108]) & 0o7777,
        _number(block[108:116]),
        _number(block[116:124]),
        size,
        _text(block[157:257]) if kind in "12" else "",
        device,
    )


def _overridden(entry: TarEntry, records: dict[str, str]) -> TarEntry:
    """An entry with the values of its extended header."""
    if not records:
        return entry
    size = _decimal(records.get("size"), entry.size) if entry.type not in "123456" else 0
    return TarEntry(
        records.get("path", entry.name),
        entry.type,
        entry.mode,
        _decimal(records.get("uid"), entry.uid),
        _decimal(records.get("gid"), entry.gid),
        size,
        records.get("linkpath", entry.link) if entry.type in "12" else "",
        entry.device,
    )


def _decimal(text: str | None, default: int) -> int:
    if not text:
        return default
    if len(text) > 20 or not (text.isascii() and text.isdigit()):
        raise ImageError("an archive has an extended header with an invalid number")
    return int(text)


def _records(data: bytes) -> dict[str, str]:
    """The records of a pax header, `LENGTH KEY=VALUE`."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 20)
        length = data[at:space] if space > 0 else b""
        if not length.isdigit() or not space < at + int(length) - 1 <= len(data) - 1:
            raise ImageError("an archive has an invalid extended header")
        end = at + int(length)
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        if key in {b"path", b"linkpath", b"size", b"uid", b"gid"}:
            records[key.decode()] = value.decode("utf-8", "surrogateescape")
        at = end
    return records


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(data: bytes) -> int:
    """A number of a header: octal digits, or base 256 with the first bit set."""
    if data[0] & 0x80:
        value = int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big")
        if data[0] & 0x40 or value >= 1 << 63:
            raise ImageError("an archive has a number out of range")
        return value
    digits = data.split(b"\0", 1)[0].strip()
    if digits.strip(b"01234567"):
        raise ImageError("an archive is damaged: a header has an invalid number")
    return int(digits or b"0", 8)


def decompressed(stream: IO[bytes]) -> Readable:
    """A stream without its compression, which its first bytes tell: gzip, zstd (if Python can read it), or none.

    Raises:
        ImageError: the stream is compressed with zstd, and no module can read it.
    """
    start = stream.read(4)
    stream.seek(-len(start), 1)
    if start.startswith(_GZIP):
        return _Checked(gzip.GzipFile(fileobj=stream, mode="rb"), (zlib.error, EOFError, OSError))
    if start.startswith(_ZSTD):
        return _zstd(stream)
    return stream


def _zstd(stream: IO[bytes]) -> Readable:
    for name in _ZSTD_MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return _Checked(module.open(stream, "rb"), (module.ZstdError, EOFError, OSError))
    raise ImageError("a layer is compressed with zstd, which this Python cannot read: export the image uncompressed")


class _Checked:
    """A stream whose errors of decompression are `ImageError`."""

    def __init__(self, stream: Readable, errors: tuple[type[Exception], ...]) -> None:
        self._stream = stream
        self._errors = errors

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        try:
            return self._stream.read(size)
        except self._errors as error:
            raise ImageError(f"a compressed layer is damaged: {error}") from error
