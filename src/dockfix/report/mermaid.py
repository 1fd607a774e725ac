"""Graphs as Mermaid, which GitHub, GitLab and other readers of Markdown draw as pictures.

Colours are left to the reader's theme; shapes of lines tell the kinds apart. A name from a file is always in quotes,
and what is not a letter, a digit or one of a few signs is a character code there, so that it cannot end the quotes, a
line or the block, and is neither markup nor a directive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.output.plain import printable
from dockfix.report.model import Graph
from dockfix.report.pictures import MAX_NODES, box_lines

__all__ = ["graph_mermaid"]

_ENCODED: Final = re.compile(r"[^A-Za-z0-9 ./:+@-]|(?<![A-Za-z0-9])[.:+@-]")
"""The last: at the start of a word a sign can make a list."""
_SPECIAL: Final = re.compile(r"(?<=\bfa):(?=fa-)|(?<=\bfa[bklrs]):(?=fa-)|(?<=\$)(?=\$)|(?<=\\)(?=n)")
"""Where an icon (`fa:fa-x`), a formula (`$$x$$`) or a new line (`\\n`) would be: Mermaid decodes the codes before it
looks for these."""
_JOINER: Final = "\u2060"
"""A sign that is not seen, and that does not end a word."""
_STYLED: Final = re.compile(r"style|classDef", re.I)
"""Mermaid drops the last `;` of a line with one of these words, a colon and a character code."""
_ARROWS: Final = {"base": "==>", "copy": "-->", "mount": "-.->", "waits": "-->"}
_CLASSES: Final = {
    "final": "stroke-width:4px",
    "unused": "stroke-dasharray:2 3",
    "image": "stroke-dasharray:5 3",
    "context": "stroke-dasharray:5 3",
    "service": "stroke-dasharray:5 3",
}
"""The lines around boxes, as in the pictures of the page; the others are plain."""


def graph_mermaid(graph: Graph) -> Iterator[str]:
    """The lines of a flowchart; none if it has too many boxes.

    Args:
        graph: the graph.
    """
    if not graph.nodes or len(graph.nodes) > MAX_NODES:
        return
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    yield "flowchart LR"
    for node in graph.nodes:
        kind = f":::{node.kind}" if node.kind in _CLASSES else ""
        yield f'  {names[node.id]}["{"<br/>".join(map(_text, box_lines(node)))}"]{kind}'
    for edge in graph.edges:
        if edge.source in names and edge.target in names:
            label = f'|"{_text(edge.label)}"|' if edge.label else ""
            yield f"  {names[edge.source]} {_ARROWS[edge.kind]}{label} {names[edge.target]}"
    used = {node.kind for node in graph.nodes}
    yield from (f"  classDef {kind} {style}" for kind, style in _CLASSES.items() if kind in used)


def _text(text: str) -> str:
    """A text that is safe between quotes."""
    plain = _SPECIAL.sub(lambda each: each[0] + _JOINER, printable(text))
    shown = _ENCODED.sub(lambda each: f"#{ord(each[0])};", plain)
    return shown.replace(":", "#58;") if _STYLED.search(shown) else shown
