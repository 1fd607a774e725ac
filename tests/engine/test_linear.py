"""The work of a run grows linearly with its input: twice the input takes about twice the calls of functions.

Calls are counted, not seconds: the numbers are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.registry import load_registry

SIZE = 60
# Twice the input; the rest is for what does not depend on the size, and for what sorts.
MOST = 2.5

Files = dict[str, str]
DEBIAN = "FROM debian:12\n"


def lines(one: Callable[[int], str], number: int) -> str:
    return "".join(map(one, range(number)))


def dockerfile(start: str, one: Callable[[int], str], end: str = "") -> Callable[[int], Files]:
    return lambda number: {"Dockerfile": start + lines(one, number) + end}


def joined(program: Callable[[int], str]) -> Callable[[int], Files]:
    return lambda number: {"Dockerfile": f"{DEBIAN}RUN {' && '.join(map(program, range(number)))}\n"}


def services(number: int) -> Files:
    def one(index: int) -> str:
        waits = ", ".join(f"s{other}" for other in range(max(0, index - 20), index))
        return f"  s{index}:\n    image: x\n    depends_on: [{waits}]\n"

    return {"Dockerfile": "FROM alpine:3.20\n", "compose.yaml": f"services:\n{lines(one, number)}"}


def ignored(number: int) -> Files:
    files = {f"d{folder}/f{file}": "" for folder in range(3) for file in range(10)}
    return {
        **files,
        "Dockerfile": "FROM alpine:3.20\nCOPY . /a\n",
        ".dockerignore": lines(lambda i: f"a{i} # c\n", number),
    }


SHAPES: dict[str, Callable[[int], Files]] = {
    "ARGs": dockerfile("FROM alpine:3.20\n", lambda i: f"ARG A{i}=1\n"),
    "ENVs": dockerfile("FROM alpine:3.20\n", lambda i: f"ENV A{i}=$A{i - 1}\n"),
    "LABELs in the old form": dockerfile(DEBIAN, lambda i: f"LABEL a{i} b\n"),
    "COPYs": dockerfile(DEBIAN, lambda i: f"COPY a{i} /b/\n"),
    "ports and users": dockerfile(DEBIAN, lambda i: f"EXPOSE {1000 + i}\nUSER u{i}\n"),
    "commands of the image": dockerfile(DEBIAN, lambda i: f"CMD echo {i}\nENTRYPOINT foo {i}\n"),
    "RUNs": dockerfile(DEBIAN, lambda i: f"RUN echo {i}\n"),
    "heredocs": dockerfile(DEBIAN, lambda i: f"RUN <<E{i}\necho {i}\nE{i}\n"),
    "ignore comments": dockerfile(DEBIAN, lambda i: f"# dockfix: ignore=apt-lists\nRUN echo {i}\n"),
    "continued lines": dockerfile(f"{DEBIAN}RUN echo \\\n", lambda i: f"  w{i} \\\n", "  x\n"),
    "pip with comments": dockerfile("FROM python:3.13-slim\n", lambda i: f"# c{i}\nRUN pip install a{i}\n"),
    "apt": dockerfile(DEBIAN, lambda i: f"RUN apt-get update && apt-get install -y a{i}\n"),
    "purges": dockerfile(
        DEBIAN, lambda i: f"RUN apt-get update && apt-get install -y gcc{i} gcc && make && apt-get purge -y gcc{i}\n"
    ),
    "users in several RUNs": dockerfile(DEBIAN, lambda i: f"RUN useradd -u {20000 + i} u{i}\n"),
    "users in one RUN": joined(lambda i: f"useradd -u {20000 + i} u{i}"),
    "downloads in one RUN": joined(lambda i: f"wget http://example.org/{i}"),
    "directories": dockerfile(DEBIAN, lambda i: f"RUN cd /a{i} && ls\nWORKDIR b{i}\n"),
    "stages": dockerfile("FROM alpine:3.20 AS s0\n", lambda i: f"FROM s{i} AS s{i + 1}\nRUN echo {i}\n"),
    "packages of one RUN": lambda number: {
        "Dockerfile": f"{DEBIAN}RUN apt-get update && apt-get install -y {' '.join(f'p{i}' for i in range(number))}\n"
    },
    "services": services,
    "patterns with comments": ignored,
    "files": lambda number: {f"d{i}/Dockerfile": "FROM alpine:3.20\nRUN apk add curl\n" for i in range(number)},
}


LARGER: dict[str, tuple[int, str, Callable[[int], Files]]] = {
    "pip": (300, "cache-mount", SHAPES["pip with comments"]),
    "lines to indent": (150, "format", dockerfile(f"{DEBIAN}RUN echo \\\n", lambda i: f" w{i} \\\n", "   x\n")),
}
"""Shapes in which a rule was quadratic with a small factor: the size, and the rule."""


def calls(folder: Path, files: Files, *, fix: bool, select: tuple[str, ...] = ()) -> int:
    """How many calls of Python functions a run makes."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    registry = load_registry()
    settings = Settings(select=select, ignore=("shellcheck",), jobs=1, unsafe=True)
    number = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal number
        number += event == "call"

    sys.setprofile(count)
    try:
        if fix:
            run_paths((folder,), settings, root=folder, registry=registry, write=False)
        else:
            check_paths((folder,), settings, root=folder, registry=registry)
    finally:
        sys.setprofile(None)
    return number


@pytest.mark.parametrize("shape", SHAPES)
def test_check(shape: str, tmp_path: Path) -> None:
    grows(tmp_path, SHAPES[shape], fix=False)


@pytest.mark.parametrize("shape", SHAPES)
def test_apply(shape: str, tmp_path: Path) -> None:
    grows(tmp_path, SHAPES[shape], fix=True)


@pytest.mark.parametrize("shape", LARGER)
def test_larger(shape: str, tmp_path: Path) -> None:
    size, rule, files = LARGER[shape]
    grows(tmp_path, files, fix=False, size=size, select=(rule,))


def grows(
    folder: Path, shape: Callable[[int], Files], *, fix: bool, size: int = SIZE, select: tuple[str, ...] = ()
) -> None:
    calls(folder / "warm", shape(3), fix=fix, select=select)  # imports, and tables that are built once
    small = calls(folder / "small", shape(size), fix=fix, select=select)
    large = calls(folder / "large", shape(2 * size), fix=fix, select=select)
    assert large < MOST * small, f"{small} calls for {size}, {large} for {2 * size}: {large / small:.2f} times"
