"""Conversion to and from `DockerfileParser` of the PyPI project dockerfile-parse.

Only the text is exchanged: each side parses it by its own rules. Nothing is written to disk.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode, encode
from dockfix.syntax.tree import Dockerfile

if TYPE_CHECKING:
    from dockerfile_parse import DockerfileParser


def from_dockerfile_parse(parser: DockerfileParser) -> Dockerfile:
    """The tree of a parser's current content, byte for byte, from a file or a file object.

    Raises:
        OSError: the parser's file cannot be read.
    """
    # Its `content` decodes strictly and rejects what BuildKit accepts, so the bytes are read from the file.
    if parser.cache_content and parser.cached_content:
        return parse(str(parser.cached_content))
    with parser._open_dockerfile("rb") as file:
        return parse(decode(file.read()))


def to_dockerfile_parse(dockerfile: Dockerfile, fileobj: BinaryIO | None = None) -> DockerfileParser:
    """A parser over the text of a tree. It writes its edits to `fileobj`, or to memory if none is given.

    Args:
        dockerfile: the tree.
        fileobj: a seekable binary file; its content is replaced.
    """
    from dockerfile_parse import DockerfileParser  # noqa: PLC0415  slow to load and rarely wanted

    target = BytesIO() if fileobj is None else fileobj
    target.seek(0)
    target.truncate()
    target.write(encode(dockerfile.text))
    return DockerfileParser(fileobj=target)
