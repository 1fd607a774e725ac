"""The trees of many files as plain data: what `dockfix ast` shows."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockfix.project.discovery import discover
from dockfix.project.files import read_file
from dockfix.project.problems import InputError, InputProblem
from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode, encode


@dataclass(frozen=True, slots=True)
class FileTree:
    """The tree of a file, `{"path", ...}` as `dockfix.syntax.ast.to_json` has it; or why it could not be read."""

    data: dict[str, Any] = field(default_factory=dict)
    problem: InputProblem | None = None


def trees(paths: Sequence[Path], *, trivia: bool = False) -> Iterator[FileTree]:
    """The trees of the Dockerfiles that `paths` name, files and folders to be searched, wherever they are."""
    everywhere = Path("/")
    for path in paths:
        found, problems = discover([path], root=everywhere)
        for problem in problems:
            yield FileTree(problem=problem)
        for each in found:
            try:
                file = read_file(each.path, root=everywhere)
            except InputError as error:
                yield FileTree(problem=error.problem)
            else:
                yield text_tree(str(each.path), file.data, trivia=trivia)


def text_tree(path: str, data: bytes, *, trivia: bool = False) -> FileTree:
    """The tree of a Dockerfile's bytes under a name."""
    return FileTree({"path": _name(path), **to_json(parse(decode(data)), trivia=trivia)})


def _name(path: str) -> Any:
    """A path, or its bytes where they are no UTF-8, as the tree has its texts."""
    data = encode(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode("ascii")}
