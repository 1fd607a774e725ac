"""Fuzz dockfix: make inputs from golden cases, and look for what raises, hangs or breaks a promise.

usage: python -m tests.fuzz.run [TARGET]... [--seconds N] [--out FOLDER] [--engine atheris|mutation] [--input FILE]

Each target runs for N seconds, in a process of its own. With atheris (`pip install atheris`), the coverage of dockfix
leads the way; without it, inputs are mutations of the golden cases. An input that fails is kept in
`FOLDER/TARGET`, one for each kind of failure, and does not end the run. Repeat it with `TARGET --input FILE`; when the
defect is fixed, the input belongs in `tests/fuzz/cases/TARGET`, where the tests run it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import pkgutil
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from itertools import chain
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Final, TypeAlias

Mutate: TypeAlias = Callable[[bytes, Sequence[bytes], Random], bytes]

NAMES: Final = ("parse", "check", "apply", "apply-unsafe", "project", "compose", "bake", "bake-json", "ignore")
MOST_BYTES: Final = 16_384
LIMIT: Final = 20.0
"""Seconds of processor time for an input; the code that atheris watches is several times slower."""
_UNUSED: Final = re.compile(r"dockfix\.(__main__|cli|git|interop|report|server|testing|verify)\b")
"""Modules that no target runs, and that atheris need not watch."""


def main() -> int:
    """Run the targets one after another; 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="*", help=f"{', '.join(NAMES)}; by default all")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--out", type=Path, default=Path(".fuzz"))
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--engine", choices=("atheris", "mutation"))
    parser.add_argument("--input", type=Path, help="run this input, and show what it raises")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.target or NAMES
    options.out.mkdir(parents=True, exist_ok=True)
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown target {sorted(unknown)[0]}; there are {', '.join(NAMES)}")
    engine = options.engine or ("atheris" if importlib.util.find_spec("atheris") else "mutation")
    if options.input:
        _targets(None).run(names[0], options.input.read_bytes())
        return 0
    if options.worker:
        work(names[0], engine, options.out / names[0], options.seconds, options.seed)
        return 0
    shared = ["--seconds", str(options.seconds), "--out", options.out, "--seed", str(options.seed), "--engine", engine]
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz.run", name, "--worker", *shared]
        log = options.out / f"{name}.log"
        with log.open("wb") as errors:  # atheris says a lot
            done = subprocess.run(command, stderr=errors, check=False)
        if done.returncode:
            print(f"{name}: the process ended with {done.returncode}; see {log}")
    found = [path for name in names for path in sorted((options.out / name).glob("*.txt"))]
    for path in found:
        print(f"{path}: {path.read_text(encoding='utf-8').splitlines()[-1][:200]}")
    return 1 if found else 0


def _targets(atheris: Any) -> ModuleType:
    """The module with the targets, in which atheris sees what runs."""
    with atheris.instrument_imports(include=["dockfix", "dockfix_codemods"]) if atheris else nullcontext():
        if atheris:
            for package in map(import_module, ("dockfix", "dockfix_codemods")):
                for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                    if not _UNUSED.match(each.name):
                        import_module(each.name)
        return import_module("tests.fuzz.targets")


class Session:
    """A run of one target: counts inputs, and keeps those that fail."""

    def __init__(self, name: str, run: Callable[[str, bytes], None], folder: Path, seconds: float) -> None:
        self.name = name
        self.run = run
        self.folder = folder
        self.started = time.monotonic()
        self.end = self.started + seconds
        self.processor = time.process_time()
        self.inputs = 0
        self.failures: set[str] = set()

    def try_input(self, data: bytes) -> None:
        """Give an input to the target, and keep it if it fails in a way that is new."""
        from tests.fuzz.limits import TooSlow, limited  # noqa: PLC0415 - after atheris

        self.inputs += 1
        try:
            with limited(LIMIT):
                self.run(self.name, data)
        except (Exception, TooSlow) as error:
            kind = _kind(error)
            if kind not in self.failures:
                self.failures.add(kind)
                path = self.folder / hashlib.sha256(kind.encode()).hexdigest()[:12]
                path.write_bytes(data)
                path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")

    def report(self) -> None:
        """Print what was done."""
        seconds = time.monotonic() - self.started
        processor = time.process_time() - self.processor
        print(
            f"{self.name}: {self.inputs} inputs in {seconds:.0f} s ({processor:.0f} s of processor time), "
            f"{len(self.failures)} kinds of failure",
            flush=True,
        )


def _kind(error: BaseException) -> str:
    """What makes two failures the same: the exception, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-2:]]
    # what is asserted of the failures of a run names the rule and the gate
    return f"{type(error).__name__} {where} {str(error)[:50] if isinstance(error, AssertionError) else ''}"


def work(name: str, engine: str, folder: Path, seconds: float, seed: int) -> None:
    """Run a target for some time in this process, which atheris ends."""
    atheris = import_module("atheris") if engine == "atheris" else None
    module = _targets(atheris)
    mutate: Mutate = import_module("tests.fuzz.mutation").mutate
    seeds = module.TARGETS[name].seeds()
    folder.mkdir(parents=True, exist_ok=True)
    session = Session(name, module.run, folder, seconds)
    random = Random(seed)
    if atheris is not None:
        _run_atheris(atheris, session, seeds, mutate, random)
    for data in chain(seeds, iter(lambda: mutate(random.choice(seeds), seeds, random), None)):
        if time.monotonic() > session.end:
            break
        session.try_input(data)
    session.report()


def _run_atheris(atheris: Any, session: Session, seeds: Sequence[bytes], mutate: Mutate, random: Random) -> None:
    """Run libFuzzer, which never returns. Its corpus stays for the next run."""

    def one(data: bytes) -> None:
        if time.monotonic() > session.end:
            session.report()
            os._exit(0)  # otherwise libFuzzer takes the end for a crash
        session.try_input(data)

    def changed(data: bytes, size: int, seed: int) -> bytes:
        random.seed(seed)
        return mutate(data, seeds, random)[:size] if random.randrange(4) else bytes(atheris.Mutate(data, size))

    corpus, start = session.folder / "corpus", session.folder / "seeds"
    for folder in (corpus, start):
        folder.mkdir(exist_ok=True)
    for data in seeds:
        (start / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    arguments = [
        sys.argv[0], str(corpus), str(start), f"-max_len={MOST_BYTES}", f"-seed={random.randrange(2**31)}",
        "-verbosity=0",
        f"-artifact_prefix={session.folder}/", "-timeout=600", "-rss_limit_mb=3000",
    ]  # fmt: skip
    atheris.Setup(arguments, one, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
