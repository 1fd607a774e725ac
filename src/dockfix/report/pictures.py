"""Graphs and layers as SVG, for a page whose style sheet gives the classes their colours.

Boxes are in columns by their distance from what they need. Each long arrow gets a place in the columns that it
crosses, so that it passes between boxes (the method of Sugiyama, with a few sweeps of barycentres).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from html import escape
from itertools import pairwise
from typing import Final

from msgspec import Struct, field

from dockfix.output.plain import printable
from dockfix.report.model import Edge, Graph, Layer, Node, StageLayers, Trigger

__all__ = ["MAX_NODES", "box_lines", "graph_svg", "layers_svg", "rerun_text"]

MAX_NODES: Final = 60
"""Graphs with more boxes have no picture: nobody could read it. Their sentences remain."""

_MAX_STEPS: Final = 40
"""Steps of a stage that are shown."""
_CHAR: Final = 7.3
"""The width of a character, in units of the picture."""
_MAX_CHARS: Final = 30
_LINE: Final = 17
_PAD: Final = 10
_COLUMN_GAP: Final = 76
_ROW_GAP: Final = 18
_DUMMY: Final = 10.0
_SWEEPS: Final = 6


class _Box(Struct):
    """A box, or the place of a long arrow in a column."""

    lines: tuple[str, ...] = ()
    kind: str = ""
    full: str = ""
    width: float = 0.0
    height: float = _DUMMY
    x: float = 0.0
    y: float = 0.0
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def graph_svg(graph: Graph, name: str) -> str:
    """A graph as an SVG element; empty if it has too many boxes.

    Args:
        graph: the graph.
        name: a name that no other picture of the page has, of letters, digits and `-`.
    """
    if not graph.nodes or len(graph.nodes) > MAX_NODES:
        return ""
    boxes = {node.id: _box(node) for node in graph.nodes}
    edges = [each for each in graph.edges if each.source in boxes and each.target in boxes]
    edges = _without_cycles(edges)
    ranks = _ranks(boxes, edges)
    chains = [_chain(each, ranks, boxes, number) for number, each in enumerate(edges)]
    columns = _columns(ranks, boxes)
    width, height = _place(columns, boxes)
    said = ". ".join(graph.sentences).replace("`", "")
    label = escape(printable(f"{graph.title}: {said}"), quote=True)
    parts = [
        f'<svg class="graph" role="img" aria-label="{label}" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}">',
        f'<defs><marker id="{name}-end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto"><path class="arrow" d="M0 0 8 4 0 8z"/></marker></defs>',
        *(_arrow(each, chain, boxes, name) for each, chain in zip(edges, chains, strict=True)),
        *(_drawn(box) for box in boxes.values() if box.kind),
        "</svg>",
    ]
    return "".join(parts)


def box_lines(node: Node) -> tuple[str, ...]:
    """The lines of a box."""
    return tuple(_cut(printable(each)) for each in (node.title, *node.lines))


def _box(node: Node) -> _Box:
    lines = box_lines(node)
    width = max(map(len, lines)) * _CHAR + 2 * _PAD
    return _Box(lines, node.kind, printable(node.title), width, len(lines) * _LINE + _PAD)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARS else f"{text[: _MAX_CHARS - 1]}…"


def _without_cycles(edges: Sequence[Edge]) -> list[Edge]:
    """The arrows but for those that close a cycle, which no build and no order of services has."""
    kept = [each for each in edges if each.source != each.target]
    for _ in range(len(kept)):
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for each in kept:
            sorter.add(each.target, each.source)
        try:
            sorter.prepare()
        except CycleError as error:
            cycle = error.args[1]
            kept = [each for each in kept if (each.source, each.target) != (cycle[0], cycle[1])]
        else:
            break
    return kept


def _ranks(boxes: dict[str, _Box], edges: Sequence[Edge]) -> dict[str, int]:
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(boxes, ()))
    needs: dict[str, list[str]] = defaultdict(list)
    feeds: dict[str, list[str]] = defaultdict(list)
    for each in edges:
        sorter.add(each.target, each.source)
        needs[each.target].append(each.source)
        feeds[each.source].append(each.target)
    ranks: dict[str, int] = {}
    order = list(sorter.static_order())
    for name in order:
        ranks[name] = max((ranks[other] + 1 for other in needs[name]), default=0)
    for name in reversed(order):  # a box that needs nothing is drawn next to what needs it
        if not needs[name] and feeds[name]:
            ranks[name] = min(ranks[other] for other in feeds[name]) - 1
    return ranks


def _chain(edge: Edge, ranks: dict[str, int], boxes: dict[str, _Box], number: int) -> list[str]:
    """The boxes of an arrow: its ends, and a place in each column between them."""
    chain = [edge.source]
    for rank in range(ranks[edge.source] + 1, ranks[edge.target]):
        name = f"\0{number}\0{rank}"
        boxes[name] = _Box()
        ranks[name] = rank
        chain.append(name)
    chain.append(edge.target)
    for left, right in pairwise(chain):
        boxes[left].after.append(right)
        boxes[right].before.append(left)
    return chain


def _columns(ranks: dict[str, int], boxes: dict[str, _Box]) -> list[list[str]]:
    """The boxes of each column, ordered so that few arrows cross."""
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for name in boxes:
        columns[ranks[name]].append(name)
    at = {name: float(row) for column in columns for row, name in enumerate(column)}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            weights = {}
            for name in column:
                near = boxes[name].before if forward else boxes[name].after
                weights[name] = sum(at[each] for each in near) / len(near) if near else at[name]
            column.sort(key=lambda name: weights[name])
            at |= {name: float(row) for row, name in enumerate(column)}
    return columns


def _place(columns: list[list[str]], boxes: dict[str, _Box]) -> tuple[float, float]:
    """Give each box its position; returns the size of the picture."""
    heights = [sum(boxes[name].height for name in column) + _ROW_GAP * (len(column) - 1) for column in columns]
    height = max(heights, default=0.0)
    x = 2.0
    for column, own in zip(columns, heights, strict=True):
        width = max((boxes[name].width for name in column), default=0.0)
        y = 2.0 + (height - own) / 2
        for name in column:
            boxes[name].x, boxes[name].y = x, y
            boxes[name].width = width
            y += boxes[name].height + _ROW_GAP
        x += width + _COLUMN_GAP
    return x - _COLUMN_GAP + 4, height + 4


def _drawn(box: _Box) -> str:
    rows = "".join(
        f'<text x="{box.x + _PAD:.1f}" y="{box.y + _LINE * (row + 1):.1f}" class="{"title" if row == 0 else "detail"}">'
        f"{escape(line)}</text>"
        for row, line in enumerate(box.lines)
    )
    return (
        f'<g class="box {escape(box.kind, quote=True)}"><title>{escape(box.full)}</title>'
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>{rows}</g>'
    )


def _arrow(edge: Edge, chain: Sequence[str], boxes: dict[str, _Box], name: str) -> str:
    points = list(_points(chain, boxes))
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (x1 - x0) / 2
        path.append(f"C{x0 + bend:.1f} {y0:.1f} {x1 - bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    kind = escape(edge.kind, quote=True)
    drawn = f'<path class="edge {kind}" d="{"".join(path)}" marker-end="url(#{name}-end)"/>'
    if edge.label:
        (x0, y0), (x1, y1) = points[-2], points[-1]
        text = escape(printable(edge.label))
        drawn += f'<text class="label" x="{(x0 + x1) / 2:.1f}" y="{(y0 + y1) / 2 - 3:.1f}">{text}</text>'
    return drawn


def _points(chain: Sequence[str], boxes: dict[str, _Box]) -> Iterator[tuple[float, float]]:
    """The points of an arrow; arrows that share a side of a box start and end apart."""
    for position, name in enumerate(chain):
        box = boxes[name]
        if position:
            yield box.x, box.y + _port(box, box.before, chain[position - 1], boxes)
        if position < len(chain) - 1:
            yield box.x + box.width, box.y + _port(box, box.after, chain[position + 1], boxes)


def _port(box: _Box, others: Iterable[str], other: str, boxes: dict[str, _Box]) -> float:
    ordered = sorted(others, key=lambda name: boxes[name].y)
    return box.height * (ordered.index(other) + 1) / (len(ordered) + 1)


_WORDS: Final = {
    Trigger.TEXT: "only an edit of the file",
    Trigger.BASE: "the base image",
    Trigger.REMOTE: "a remote file",
    Trigger.ARGUMENT: "a build argument",
    Trigger.STAGE: "another stage",
    Trigger.FILES: "some project files",
    Trigger.CONTEXT: "any file of a context",
}
_ROW: Final = 24
_TEXT_CHARS: Final = 72
_BAR: Final = 230


def layers_svg(stage: StageLayers, title: str) -> str:
    """The steps of a stage as an SVG element: each with a bar in the colour of what makes it run again."""
    shown = stage.layers[:_MAX_STEPS]
    more = len(stage.layers) - len(shown)
    rows = [_row(number, layer) for number, layer in enumerate(shown)]
    if more:
        rows.append(f'<text class="detail" x="8" y="{len(shown) * _ROW + 16}">and {more} more steps</text>')
    height = (len(shown) + bool(more)) * _ROW + 4
    width = 44 + _BAR + 12 + _TEXT_CHARS * _CHAR
    label = escape(printable(f"{title}: what makes each step run again, as in the table below"), quote=True)
    return (
        f'<svg class="layers" role="img" aria-label="{label}" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}"'
        f' height="{height}">{"".join(rows)}</svg>'
    )


def rerun_text(layer: Layer) -> str:
    """What makes a step run again most often, with the line of an earlier step if that is the reason."""
    earlier = layer.because != layer.line and layer.reruns is not Trigger.TEXT
    return _WORDS[layer.reruns] + (f" (line {layer.because})" if earlier else "")


def _row(number: int, layer: Layer) -> str:
    y = number * _ROW
    text = layer.text if len(layer.text) <= _TEXT_CHARS else f"{layer.text[: _TEXT_CHARS - 1]}…"
    kind = "step" if layer.filesystem else "step metadata"
    return (
        f'<g class="{kind}"><text class="number" x="36" y="{y + 16}">{layer.line}</text>'
        f'<rect class="rerun {layer.reruns.value}" x="44" y="{y + 2}" width="{_BAR}" height="{_ROW - 4}" rx="3"/>'
        f'<text class="why" x="52" y="{y + 16}">{escape(rerun_text(layer))}</text>'
        f'<text class="code" x="{44 + _BAR + 12}" y="{y + 16}">{escape(printable(text))}</text></g>'
    )
