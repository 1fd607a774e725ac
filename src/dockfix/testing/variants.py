"""The variants in which a golden case is run: other line ends, a byte order mark, another escape character."""

from __future__ import annotations

import enum

from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Onbuild, Run


class Variant(enum.Enum):
    """The ways in which the Dockerfiles of a case are written before the case is run."""

    PLAIN = "plain"
    """Unchanged."""
    CRLF = "crlf"
    """With `\\r\\n`, except in the bodies of heredocs, where the `\\r` would become a part of the script."""
    BOM = "bom"
    """With a byte order mark."""
    NO_FINAL_NEWLINE = "no-final-newline"
    """Without the line end of the last line."""
    BACKTICK = "backtick"
    """With `` # escape=` `` at the top, and all continuations written with a backtick."""

    def __str__(self) -> str:
        return self.value


def fits(text: str, variant: Variant) -> bool:
    """Whether a Dockerfile can be written in a variant and mean the same, and is not written so already."""
    match variant:
        case Variant.PLAIN:
            return True
        case Variant.CRLF:
            return "\r" not in text and "\n" in text
        case Variant.BOM:
            return not text.startswith(BOM)
        case Variant.NO_FINAL_NEWLINE:
            return text.endswith("\n")
        case Variant.BACKTICK:
            dockerfile = parse(text)
            return not (
                "`" in text
                or "escape" in dockerfile.directives
                or text.startswith((BOM, "#!"))
                or any(_escapes(node) for node in dockerfile.instructions)
            )


def transform(text: str, variant: Variant) -> str:
    """A Dockerfile written in a variant that fits it."""
    match variant:
        case Variant.PLAIN:
            return text
        case Variant.CRLF:
            return _with_crlf(text)
        case Variant.BOM:
            return BOM + text
        case Variant.NO_FINAL_NEWLINE:
            return text.rstrip("\r\n")
        case Variant.BACKTICK:
            return _with_backticks(text)


def _escapes(node: Instruction) -> bool:
    """Whether an instruction has backslashes that are escapes, in addition to continuations."""
    if isinstance(node, Onbuild) and node.child is not None:
        return _escapes(node.child)
    text = node.logical.text
    # A shell text is passed on unchanged, and JSON has its own escapes.
    shell = isinstance(node, Run | Cmd | Entrypoint | Healthcheck) or node.json
    return "\\" in (text[: node.shape.text_span[0]] if shell else text)


def _with_crlf(text: str) -> str:
    bodies = [heredoc.body for node in parse(text).instructions for heredoc in node.heredocs]
    out, at = [], 0
    for body in bodies:
        out += [text[at : body.start].replace("\n", "\r\n"), text[body.start : body.end]]
        at = body.end
    return "".join(out) + text[at:].replace("\n", "\r\n")


def _with_backticks(text: str) -> str:
    dockerfile = parse(text)
    out, at = [], 0
    for node in dockerfile.instructions:
        for piece in node.logical.pieces:
            if text.startswith("\\", piece.end):
                out += [text[at : piece.end], "`"]
                at = piece.end + 1
    return f"# escape=`{dockerfile.newline}{''.join(out)}{text[at:]}"
