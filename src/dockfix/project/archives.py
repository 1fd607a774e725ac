"""Whether a file of the build context is an archive that ADD unpacks, read as BuildKit reads it.

BuildKit looks at the content, never at the name: it decompresses the file by its first bytes (gzip, bzip2, xz or zstd),
and unpacks it if a tar header follows. Sources: moby/buildkit `solver/llbsolver/file/unpack.go` (`isArchivePath`),
moby/go-archive `compression/compression_detect.go`, and Go's `archive/tar`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dockfix.project.context import Context

_BLOCK: Final = 512
_START: Final = 128 * 1024
_BZIP2_START: Final = 2 * 1024 * 1024  # a block of bzip2 has up to 900 kB, and is read as a whole
_MEMORY: Final = 128 * 1024 * 1024

_GZIP: Final = b"\x1f\x8b\x08"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED: Final = b"\x2a\x4d\x18"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"


def is_unpacked(context: Context, path: str) -> bool | None:
    """Whether ADD unpacks a path of the context: only a regular file that is a tar archive, compressed or not.

    `None` if that is not known: there is no such path, the file cannot be read, is compressed with zstd, or is a
    pointer of Git LFS, which a build may have the content of.
    """
    if context.is_dir(path):
        return False
    start = context.read_start(path, _START)
    if start is None or start.startswith(_LFS_POINTER) or start.startswith(_ZSTD) or start[1:4] == _ZSTD_SKIPPED:
        return None
    if start.startswith(_BZIP2):
        start = context.read_start(path, _BZIP2_START) or b""
    if not start.startswith((_GZIP, _BZIP2, _XZ)):
        return _is_tar_header(start[:_BLOCK])
    return _starts_with_tar(start)


def _starts_with_tar(packed: bytes) -> bool | None:
    """Whether compressed data begins with a tar header; `None` if the data is not enough to tell."""
    import bz2  # noqa: PLC0415 - few files are compressed
    import lzma  # noqa: PLC0415 - as above
    import zlib  # noqa: PLC0415 - as above

    decompressor: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor
    if packed.startswith(_GZIP):
        decompressor = zlib.decompressobj(wbits=31)
    elif packed.startswith(_BZIP2):
        decompressor = bz2.BZ2Decompressor()
    else:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        header = decompressor.decompress(packed, _BLOCK)
    except (zlib.error, lzma.LZMAError, OSError, ValueError):
        return None  # damaged, or it needs too much memory
    if len(header) == _BLOCK:
        return _is_tar_header(header)
    return False if decompressor.eof and not decompressor.unused_data else None


def _is_tar_header(block: bytes) -> bool:
    """Whether a block has the checksum of a tar header (`getFormat` of Go's `archive/tar`), which any format has."""
    if len(block) < _BLOCK:
        return False
    written = block[148:156].strip(b" \x00").partition(b"\x00")[0]
    if not written or written.strip(b"01234567"):
        return False
    counted = block[:148] + b" " * 8 + block[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in counted)
    return int(written, 8) in (sum(counted), signed)
