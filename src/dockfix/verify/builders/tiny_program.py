"""A program that does nothing, for a trial of RUN where no base image is there yet."""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["tiny_program"]

_CODE: Final = {
    "x86_64": (62, bytes.fromhex("31ff b83c000000 0f05")),  # xor edi, edi; mov eax, 60 (exit); syscall
    "aarch64": (183, bytes.fromhex("000080d2 a80b80d2 010000d4")),  # mov x0, 0; mov x8, 93 (exit); svc 0
}
"""The machine's number in ELF, and its instructions that end the process with the code 0."""

_HEADERS: Final = 64 + 56
_ADDRESS: Final = 0x400000
_PAGE: Final = 0x10000


def tiny_program(machine: str) -> bytes | None:
    """A static ELF executable for a machine as `os.uname` names it; None if there is none for it."""
    if machine not in _CODE:
        return None
    number, code = _CODE[machine]
    identity = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little endian, version 1
    header = struct.pack("<16sHHIQQQIHHHHHH", identity, 2, number, 1, _ADDRESS + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = _HEADERS + len(code)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, _PAGE)
    return header + segment + code
