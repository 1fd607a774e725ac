r"""Conversion from and to `DockerfileParser` of the package dockerfile-parse, for tools that are built on it.

Only the text is passed on; each side parses it by its own rules. Nothing is written to disk unless the parser does.

Fix what a parser holds, and give the result back to it:

    >>> from io import BytesIO
    >>> from dockerfile_parse import DockerfileParser
    >>> import dockfix
    >>> from dockfix.interop import from_dockerfile_parse, to_dockerfile_parse
    >>> parser = DockerfileParser(fileobj=BytesIO(b"FROM alpine:3.20\nRUN apk update && apk add curl\n"))
    >>> tree = from_dockerfile_parse(parser)
    >>> [instruction.name for instruction in tree.instructions]
    ['FROM', 'RUN']
    >>> parser.content = dockfix.fix_text(tree.text).text
    >>> parser.structure[1]["value"]
    'apk add --no-cache curl'

The other way, edit the text of a tree with a parser:

    >>> parser = to_dockerfile_parse(dockfix.parse("FROM alpine:3.20\nENV A=1\n"))
    >>> parser.baseimage
    'alpine:3.20'
    >>> parser.baseimage = "alpine:3.21"
    >>> from_dockerfile_parse(parser).text
    'FROM alpine:3.21\nENV A=1\n'
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode, encode
from dockfix.syntax.tree import Dockerfile

if TYPE_CHECKING:
    from dockerfile_parse import DockerfileParser

__all__ = ["from_dockerfile_parse", "to_dockerfile_parse"]


def from_dockerfile_parse(parser: DockerfileParser) -> Dockerfile:
    """The tree of a parser's current content, byte for byte, whether it is in a file or in a file object.

    Args:
        parser: a `DockerfileParser`.

    Raises:
        OSError: the parser's file cannot be read.
    """
    # Its `content` decodes strictly and rejects bytes that BuildKit accepts, so the bytes are read from its file.
    if parser.cache_content and parser.cached_content:
        return parse(str(parser.cached_content))
    with parser._open_dockerfile("rb") as file:
        return parse(decode(file.read()))


def to_dockerfile_parse(dockerfile: Dockerfile, fileobj: BinaryIO | None = None) -> DockerfileParser:
    """A parser over the text of a tree; its edits go to `fileobj`.

    Args:
        dockerfile: the tree.
        fileobj: a seekable binary file, whose content is replaced; by default a buffer in memory.
    """
    from dockerfile_parse import DockerfileParser  # noqa: PLC0415 - slow to load

    target = BytesIO() if fileobj is None else fileobj
    target.seek(0)
    target.truncate()
    target.write(encode(dockerfile.text))
    return DockerfileParser(fileobj=target)
