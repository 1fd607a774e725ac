"""Kills dockfix at each step of writing: `killing.py FOLDER` prints what is there after each.

A step is a system call that changes a folder or the status of a file, as the interpreter announces them to audit hooks.
For each step, a process is forked that runs dockfix in a new project and is killed before that step; then another one
runs dockfix once more. A line of JSON says what was there after each of both.
"""

from __future__ import annotations

import base64
import json
import os
import pkgutil
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import dockfix
from dockfix.cli import main
from dockfix.project.target import Target
from dockfix.rule import Category, Change, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Span

STEPS: Final = {
    f"os.{name}"
    for name in ("rename", "link", "symlink", "remove", "mkdir", "rmdir", "chmod", "chown", "setxattr", "truncate")
}  # and `open` for writing


def replaced(text: str, old: str, new: str) -> tuple[Edit, ...]:
    at = text.find(old)
    return (Edit(at, at + len(old), new),) if at >= 0 else ()


def check(target: Target) -> Iterator[Finding]:
    edits = replaced(target.text, "old", "new")
    if not edits:
        return
    changes: list[Change] = []
    compose = target.project.root / "deploy" / "compose.yaml"
    if compose.exists():
        text = target.project.files.read(compose).text
        changes.append(Change(compose, replaced(text, "user: old", "user: new")))
        changes.append(Change(target.project.root / "init.sql", create="SELECT 1;\n"))
    yield Fix(Span(0, 4), "old", edits, Safety.SAFE, "renew", other_files=tuple(changes))


RULE: Final = Codemod("renew", "T", Severity.INFO, Category.STYLE, frozenset(Effect), check, "0")
REGISTRY: Final = Registry((RULE,))


def single(root: Path) -> None:
    (root / "Dockerfile").symlink_to("real.Dockerfile")
    (root / "real.Dockerfile").write_text("FROM a\nUSER old\n")
    (root / "real.Dockerfile").chmod(0o640)


def several(root: Path) -> None:
    (root / "deploy").mkdir()
    (root / "Dockerfile").write_text("FROM a\nUSER old\n")
    (root / "deploy" / "compose.yaml").write_text("services:\n  a:\n    build: ..\n    user: old\n")


def document(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM a\nUSER old\n")
    (root / "report.txt").write_text("old report\n")
    (root / "report.txt").chmod(0o604)


def plain(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM a\nUSER old\n")


def empty(root: Path) -> None:
    (root / "go.mod").write_text("module example.org/a\n\ngo 1.23\n")


SCENARIOS: Final[dict[str, tuple[Callable[[Path], None], list[str]]]] = {
    "single": (single, ["apply"]),
    "several": (several, ["apply"]),
    "document": (document, ["check", "--output", "report.txt", "--format", "text"]),
    "baseline": (plain, ["baseline"]),
    "split": (plain, ["apply", "--split", "patches"]),
    "init": (empty, ["init", "go", "--name", "a"]),
}


def kill_at(step: int) -> None:
    """Kill this process before the given step, counted from 0."""
    left = step

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in STEPS and not (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    sys.addaudithook(hook)


def run(arguments: list[str], root: Path, step: int | None) -> int:
    """Run dockfix in a process of its own; returns its exit code, which is negative if it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(root)
            null = os.open(os.devnull, os.O_RDWR)
            for number in (1, 2):
                os.dup2(os.open(f"{root}.{number}", os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            os.dup2(null, 0)
            if step is not None:
                kill_at(step)
            code = main(arguments, REGISTRY)
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def state(root: Path) -> dict[str, list[Any]]:
    """The mode and the content of each file, and the goal of each symlink."""
    found: dict[str, list[Any]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = ["link", os.fspath(path.readlink())]
        elif path.is_file():
            found[name] = [oct(path.stat().st_mode & 0o7777), base64.b64encode(path.read_bytes()).decode()]
    return found


def steps(scenario: str, folder: Path) -> Iterator[dict[str, Any]]:
    """What is there before the run, after each step, and after the run."""
    prepare, arguments = SCENARIOS[scenario]
    step = 0
    while True:
        root = folder / str(step)
        (root / ".git").mkdir(parents=True)
        prepare(root)
        before = state(root)
        code = run(arguments, root, step)
        after = state(root)
        again = run(arguments, root, None)
        output = Path(f"{root}.2").read_text()
        yield {"code": code, "before": before, "after": after, "again": again, "next": state(root), "said": output}
        shutil.rmtree(root)
        if code >= 0:
            return
        step += 1


if __name__ == "__main__":
    for module in pkgutil.walk_packages(dockfix.__path__, "dockfix."):
        if not module.name.startswith(("dockfix.__main__", "dockfix.testing", "dockfix.verify", "dockfix.report")):
            import_module(module.name)  # once, not in each fork
    for name in SCENARIOS:
        for each in steps(name, Path(sys.argv[1], name)):
            sys.stdout.write(f"{json.dumps({'scenario': name, **each})}\n")
            sys.stdout.flush()
