"""A program that runs dockfix and halts where a test wants to end it: `halting.py write|worker FOLDER ARGUMENTS`.

It halts in the midst of writing a file, or in each worker while it looks at a Dockerfile, after it has left its process
id as the name of a file in FOLDER.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dockfix.cli import main
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Span

MODE, FOLDER = sys.argv[1], Path(sys.argv[2])


def halt(*_: object) -> None:
    (FOLDER / str(os.getpid())).touch()
    time.sleep(600)


def comment(target: Target) -> Iterator[Finding]:
    if MODE == "worker":
        halt()
    if "# new" not in target.text:
        yield Fix(Span(0, 1), "a comment", (Edit(0, 0, "# new\n"),), Safety.SAFE, "so that something is written")


REGISTRY = Registry((Codemod("comment", "T", Severity.INFO, Category.STYLE, frozenset(Effect), comment, "0"),))

if __name__ == "__main__":
    if MODE == "write":
        setattr(os, "fsync", halt)  # noqa: B010 - mypy would not have it otherwise
    sys.exit(main(sys.argv[3:], REGISTRY))
