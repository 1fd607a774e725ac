"""The tree as plain data: the output of `dockfix ast`, in the format of BuildKit's own tree.

A file that BuildKit's parser rejects has no nodes; `problems` says why.
"""

from __future__ import annotations

import base64
from typing import Any

from dockfix.syntax.tree import (
    Blank,
    Comment,
    Directive,
    Dockerfile,
    Env,
    Healthcheck,
    Instruction,
    Label,
    Onbuild,
    Shape,
    Unknown,
)


def to_json(dockerfile: Dockerfile, *, trivia: bool = False) -> dict[str, Any]:
    """A Dockerfile as JSON-ready data.

    Args:
        dockerfile: the tree.
        trivia: whether to list comments and blank lines too, as nodes with a `trivia` key.
    """
    rejected = any(problem.stage == "parser" for problem in dockerfile.problems)
    problems = [problem for problem in dockerfile.problems if problem.stage != "build"]  # a tree is not built
    nodes: list[dict[str, Any]] = []
    for node in dockerfile.nodes if not rejected else ():
        match node:
            case Instruction():
                nodes.append(_instruction(node))
                if trivia and node.trivia:
                    nodes[-1]["trivia"] = [_trivia(inner) for inner in node.trivia]
            case Comment() | Blank() if trivia:
                nodes.append(_trivia(node))
    return {
        "ok": not problems,
        "escape": None if rejected else dockerfile.escape,
        "directives": {each.name: {"line": each.line, "value": _text(each.value)} for each in _directives(dockerfile)},
        "problems": [{"line": problem.line, "message": _text(problem.message)} for problem in problems],
        "nodes": nodes,
    }


def _directives(dockerfile: Dockerfile) -> list[Directive]:
    """The directives in the unbroken run of unindented lines at the very top: those that BuildKit's `ParseAll`
    lists."""
    found: list[Directive] = []
    for node in dockerfile.nodes:
        line_start = dockerfile.positions.start(len(found) + 1) + (dockerfile.bom and not found)
        if not isinstance(node, Directive) or node.span.start != line_start:
            break
        found.append(node)
    return found


def _trivia(node: Comment | Blank) -> dict[str, Any]:
    if isinstance(node, Comment):
        return {"trivia": "comment", "start": node.line, "end": node.line, "text": _text(node.text)}
    return {"trivia": "blank", "start": node.line, "end": node.line}


def _instruction(node: Instruction) -> dict[str, Any]:
    result = _shape(node, node.shape)
    result["start"], result["end"] = node.start_line, node.end_line
    if node.heredocs:
        result["heredocs"] = [
            {
                "name": _text(heredoc.name),
                "fd": heredoc.fd,
                "expand": heredoc.expand,
                "chomp": heredoc.chomp,
                "content": _text(heredoc.content),
            }
            for heredoc in node.heredocs
        ]
    return result


def _shape(node: Instruction, shape: Shape) -> dict[str, Any]:
    result: dict[str, Any] = {
        "cmd": _text(shape.keyword.text),
        "args": _arguments(node),
        "original": _text(shape.original),
        "start": 0,
        "end": 0,
    }
    if shape.flags:
        result["flags"] = [_text(flag.word.text) for flag in shape.flags]
    if shape.json:
        result["json"] = True
    return result


def _arguments(node: Instruction) -> list[Any]:
    match node:
        case Unknown():
            return [""]
        case Onbuild(child=Instruction() as child):
            return [{"sub": _shape(child, child.shape)}]
        case Env() | Label() if node.legacy:
            key, value = node.args
            return [_text(key.text), _text(value.text), ""]
        case Env() | Label():
            return [part for pair in node.pairs for part in (_text(pair.key), _text(pair.value or ""), "=")]
        case Healthcheck():
            return [_text(word.text) for word in node.args]
        case _:
            return [_text(word.text) for word in node.args]


def _text(text: str) -> Any:
    """Text, or its bytes where it is not valid UTF-8."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode("ascii")}
