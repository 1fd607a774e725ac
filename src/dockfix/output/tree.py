"""A Dockerfile's tree as text."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from dockfix.output.plain import PLAIN, Style, printable


def tree_text(data: Mapping[str, Any], *, style: Style = PLAIN) -> str:
    """The tree of one file, as `dockfix.project.listing` returns it: a line per node, with its lines in the source."""
    lines = [style("bold", _shown(data["path"]))]
    if data["escape"] not in (None, "\\"):
        lines.append(f"  escape {_shown(data['escape'])}")
    lines += [f"  # {name}={_shown(each['value'])}" for name, each in data["directives"].items()]
    for node in data["nodes"]:
        lines += [f"  {line}" for line in _node(node, style)]
    lines += [
        f"  {style('error', 'problem')} line {problem['line']}: {_shown(problem['message'])}"
        for problem in data["problems"]
    ]
    return "\n".join(lines) + "\n"


def _node(node: Mapping[str, Any], style: Style) -> Iterator[str]:
    where = str(node["start"]) if node["start"] == node["end"] else f"{node['start']}-{node['end']}"
    if "cmd" not in node:
        yield style("dim", f"{where} {node['trivia']} {_shown(node.get('text', ''))}".rstrip())
        return
    form = " (JSON)" if node.get("json") else ""
    yield f"{where} {style('bold', _shown(node['cmd']))}{form}"
    yield from (f"  flag {_quoted(flag)}" for flag in node.get("flags", ()))
    for argument in node["args"]:
        if isinstance(argument, dict) and "sub" in argument:
            yield from (f"  {line}" for line in _node(argument["sub"], style))
        else:
            yield f"  {_quoted(argument)}"
    for heredoc in node.get("heredocs", ()):
        marks = [mark for mark in ("expand", "chomp") if heredoc[mark]]
        yield f"  heredoc {' '.join([_shown(heredoc['name']), *marks])}: {_quoted(heredoc['content'])}"
    for inner in node.get("trivia", ()):
        yield from (f"  {line}" for line in _node(inner, style))


def _quoted(value: Any) -> str:
    return f'"{_shown(value)}"'


def _shown(value: Any) -> str:
    if isinstance(value, dict):  # bytes that are not valid UTF-8
        value = base64.b64decode(value["b64"]).decode("utf-8", "surrogateescape")
    return printable(str(value))
