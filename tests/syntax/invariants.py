"""What must be true of the tree of any text."""

from __future__ import annotations

from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import Mapped, Span, decode, encode
from dockfix.syntax.tree import Dockerfile, Instruction, Onbuild, Run


def _lines(tree: Dockerfile) -> list[Span]:
    """The whole lines of each node, in order."""
    found = []
    for node in tree.nodes:
        if isinstance(node, Instruction):
            found.append(node.lines)
        else:
            start = tree.positions.start(node.line)
            end = tree.text.find("\n", start) + 1 or len(tree.text)
            assert start <= node.span.start <= node.span.end <= end
            found.append(Span(start, end))
    return found


def maps_back(mapped: Mapped, text: str) -> bool:
    """Whether the pieces of a mapped text are its text."""
    return "".join(text[start:end] for start, end in mapped.pieces) == mapped.text


def check_tree(data: bytes) -> None:
    """The tree gives back its text, in whole lines, and each part is where its span says."""
    text = decode(data)
    assert encode(text) == data
    tree = parse(text)
    at = 0
    for span in _lines(tree):
        assert span.start == at
        assert span.end > at
        at = span.end
    assert at == len(text)
    to_json(tree, trivia=True)
    for node in tree.instructions:
        assert maps_back(node.logical, text)
        assert maps_back(node.text, text)
        assert node.lines.contains(node.span) or node.span.start == node.span.end
        tree.above(node)
        inner = node.child if isinstance(node, Onbuild) else node
        if isinstance(inner, Run):
            assert inner.script is None or maps_back(inner.script, text)
            for mount in inner.mounts:
                for option in mount.options:
                    assert option.span is None or node.span.contains(option.span)
        for heredoc in node.heredocs:
            assert text[heredoc.body.start : heredoc.body.end] == heredoc.content
            assert text[heredoc.terminator.start : heredoc.terminator.end].lstrip("\t") == heredoc.name.lstrip("\t")
