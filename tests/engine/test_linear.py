"""The work of a run grows linearly with its input: twice the input takes about twice the calls of functions.

Calls are counted, not seconds: the numbers are the same on every machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.registry import load_registry
from tests.engine import copies

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


def bases(number: int) -> Files:
    """Images that are built on each other, by the services of a compose file."""

    def one(index: int) -> str:
        base = f"local/i{index - 1}" if index else "python:3.13-slim"
        return f"FROM {base}\nRUN apt-get update && apt-get install -y a{index} && pip install b{index}\nCOPY . /c/\n"

    number //= 3  # each has several files and edits
    built = lines(lambda i: f"  s{i}:\n    build: ./d{i}\n    image: local/i{i}\n", number)
    return {"compose.yaml": f"services:\n{built}", **{f"d{i}/Dockerfile": one(i) for i in range(number)}}


def secrets(number: int) -> Files:
    number //= 3  # as above
    one = 'target "t{0}" {{\n  context = "d{0}"\n  args = {{ TOKEN = "${{TOKEN}}" }}\n}}\n'
    return {
        "docker-bake.hcl": 'variable "TOKEN" {}\n' + lines(one.format, number),
        **{f"d{i}/Dockerfile": f"{DEBIAN}ARG TOKEN\nRUN curl $TOKEN\n" for i in range(number)},
    }


def chain(start: str, one: Callable[[int], str]) -> Callable[[int], Files]:
    """Stages that are based on each other."""
    return dockerfile(f"FROM {start} AS s0\n", lambda i: f"FROM s{i} AS s{i + 1}\n{one(i)}")


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
    "stages that use apt": chain(
        "debian:12", lambda i: f"RUN apt-get update && apt-get install -y a{i}\nCOPY --from=s{i} /a /b\n"
    ),
    "stages that use apk": chain("alpine:3.20", lambda i: f"RUN apk add a{i}\nRUN adduser -S u{i}\nUSER u{i}\n"),
    "stages that use pip": chain("python:3.13-slim", lambda i: f"ENV A{i}=1\nRUN pip install a{i}\nWORKDIR b{i}\n"),
    "secrets": dockerfile(DEBIAN, lambda i: f"ARG TOKEN{i}\nRUN curl $TOKEN{i} http://example.org\n"),
    "folders": dockerfile(DEBIAN, lambda i: f"RUN mkdir -p /a{i}/b && rm -r /c{i} && pip install -r /a{i}/b/d\n"),
    "a PATH that grows": dockerfile(DEBIAN, lambda i: f"ENV PATH=/a{i}/bin:$PATH\nRUN b{i}\n"),
    "images that are built on each other": bases,
    "secrets of bake targets": secrets,
    "packages of one RUN": lambda number: {
        "Dockerfile": f"{DEBIAN}RUN apt-get update && apt-get install -y {' '.join(f'p{i}' for i in range(number))}\n"
    },
    "services": services,
    "patterns with comments": ignored,
    "files": lambda number: {f"d{i}/Dockerfile": "FROM alpine:3.20\nRUN apk add curl\n" for i in range(number)},
}


LARGER: dict[str, tuple[int, str, Callable[[int], Files]]] = {
    "pip": (300, "cache-mount", SHAPES["pip with comments"]),
    "dnf": (300, "rpm-cache", dockerfile("FROM fedora:42\n", lambda i: f"RUN dnf install -y a{i}\n")),
    "one variable": (1000, "duplicate-key", dockerfile("FROM alpine:3.20\n", lambda _: "ENV A=1\n")),
    "commands of one RUN": (
        300,
        "sed-unverified",
        lambda number: {
            "Dockerfile": DEBIAN
            + "RUN "
            + " && \\\n".join(f"sed -i s/a/bcdef/ /etc/c{i}" for i in range(number))
            + "\n"
        },
    ),
    "lines to indent": (150, "format", dockerfile(f"{DEBIAN}RUN echo \\\n", lambda i: f" w{i} \\\n", "   x\n")),
}
"""Shapes in which a rule was quadratic with a small factor: the size, and the rule."""


def written(folder: Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(folder: Path, *, fix: bool, select: tuple[str, ...] = ()) -> None:
    settings = Settings(select=select, ignore=("shellcheck",), jobs=1, unsafe=True)
    if fix:
        run_paths((folder,), settings, root=folder, registry=load_registry(), write=False)
    else:
        check_paths((folder,), settings, root=folder, registry=load_registry())


def calls(folder: Path, files: Files, *, fix: bool, select: tuple[str, ...] = ()) -> int:
    """How many calls of Python functions a run makes."""
    written(folder, files)
    number = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal number
        number += event == "call"

    sys.setprofile(count)
    try:
        run(folder, fix=fix, select=select)
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


@pytest.mark.parametrize("shape", ["stages that use apt", "folders", "users in several RUNs", "RUNs", "services"])
def test_copies(shape: str) -> None:
    """A profiler does not see copies of sets, tuples and dictionaries in displays; see `copies`."""
    small, large = copied(shape, 4 * SIZE, 8 * SIZE)
    assert large < MOST * small, f"{small} and {large} elements are copied"


def test_copies_are_counted() -> None:
    source = """
def grow(number):
    all, pairs, row, kept = frozenset(), {}, (), []
    for one in range(number):
        all = {*all, one}
        pairs = {**pairs, one: one}
        row += (one,)
        kept = kept + [one]
        all |= {one}
"""
    names: dict[str, Any] = {"__copies__": copies.Counter()}
    exec(copies.instrumented(source, "grow"), names)  # noqa: S102 - the text above
    names["grow"](100)
    assert names["__copies__"].number == 4 * sum(range(100))


def copied(shape: str, *sizes: int) -> list[int]:
    """How many elements a run copies, for each size."""
    command = [sys.executable, copies.__file__, shape, *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [int(line) for line in done.stdout.split()]


def grows(
    folder: Path, shape: Callable[[int], Files], *, fix: bool, size: int = SIZE, select: tuple[str, ...] = ()
) -> None:
    calls(folder / "warm", shape(3), fix=fix, select=select)  # imports, and tables that are built once
    small = calls(folder / "small", shape(size), fix=fix, select=select)
    large = calls(folder / "large", shape(2 * size), fix=fix, select=select)
    assert large < MOST * small, f"{small} calls for {size}, {large} for {2 * size}: {large / small:.2f} times"
