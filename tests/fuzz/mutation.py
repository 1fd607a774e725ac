"""Mutations of text that is read line by line: what a fuzzer that knows only bytes rarely finds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.strategies import IMAGES, PACKAGE_COMMANDS, SOUP

_WORDS: Final[tuple[bytes, ...]] = (
    *SOUP, *(each.encode() for each in PACKAGE_COMMANDS), *(each.encode() for each in IMAGES), b"USER root\n",
    b"WORKDIR a\n", b"# dockfix: ignore=all\n", b"# hadolint ignore=DL3008\n", b"&&", b"||", b";", b"|", b"{ ", b" }",
    b"(", b")", b"$(", b"`", b"if ", b"then ", b"fi", b"for i in 1 2; do ", b"done", b"case x in ", b"esac", b"\\ ",
    b" #", b": ", b"- ", b"? ", b"!", b"!!str ", b"&a ", b"*a", b"<<: *a\n", b"| \n", b">-\n", b"---\n", b"...\n",
    b"%YAML 1.1\n", b"${X:-", b"$$", b"target \"a\" {", b"}\n", b"<<EOT\n", b"//", b"/*", b"*/", b"**", b"[a-", b"null",
    b"~",
)  # fmt: skip
"""Text that means something in one of the languages that are read."""

_PIECES: Final = re.compile(rb"[\w./@:-]+|\s+|[^\w\s]")


def mutate(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """An input with a few changes: lines or words that are gone, doubled, swapped, or taken from other inputs."""
    for _ in range(random.choice((1, 1, 2, 2, 3, 5, 8))):
        data = random.choice(_CHANGES)(data, others, random)
    return data


def _lines(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Remove, double, swap or move lines."""
    lines = data.splitlines(keepends=True) or [b""]
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[min(one, two) : min(one, two) + random.randint(1, 3)]
        case 1:
            lines.insert(two, lines[one])
        case 2:
            lines[one], lines[two] = lines[two], lines[one]
        case _:
            lines[one:one] = random.choice(others).splitlines(keepends=True)[: random.randint(1, 8)]
    return b"".join(lines)


def _pieces(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Remove, double, swap or replace words, white space or signs."""
    pieces = _PIECES.findall(data) or [b""]
    one, two = random.randrange(len(pieces)), random.randrange(len(pieces))
    match random.randrange(5):
        case 0:
            del pieces[one]
        case 1:
            pieces.insert(two, pieces[one])
        case 2:
            pieces[one], pieces[two] = pieces[two], pieces[one]
        case 3:
            pieces[one] = random.choice(_PIECES.findall(random.choice(others)) or [b""])
        case _:
            pieces.insert(one, random.choice(_WORDS))
    return b"".join(pieces)


def _bytes(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Remove, change or insert a byte, or cut the end."""
    at = random.randint(0, len(data))
    match random.randrange(4):
        case 0:
            return data[:at] + data[at + 1 :]
        case 1:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 2:
            return data[:at] + random.choice(_WORDS) + data[at:]
        case _:
            return data[:at]


def _style(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Other line ends, a byte order mark, a comment after each line, no indentation, one line."""
    match random.randrange(6):
        case 0:
            return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        case 1:
            return b"\xef\xbb\xbf" + data
        case 2:
            return re.sub(rb"(?m)$", b" # c", data)
        case 3:
            return re.sub(rb"(?m)^[ \t]+", random.choice((b"", b"\t", b"   ")), data)
        case 4:
            return data.replace(b"\\\n", b"")
        case _:
            return data.replace(b" && ", b" \\\n # why\n && ")


_CHANGES: Final = (_lines, _lines, _lines, _pieces, _pieces, _pieces, _bytes, _style)
