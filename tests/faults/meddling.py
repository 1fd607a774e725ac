"""A program that runs dockfix with a rule during which somebody else works on the tree: `meddling.py ACTION ARGUMENTS`.

The rule fixes `as`, and does ACTION to the Dockerfile in the folder `here` after that was read.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from dockfix.cli import main
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.tree import From


def change(file: Path) -> None:
    file.write_text("FROM scratch\n")


def change_and_keep_time(file: Path) -> None:
    before = file.stat()
    file.write_text(file.read_text().replace("alpine", "debian"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def save_as_an_editor_does(file: Path) -> None:
    new = file.with_name("Dockerfile~")
    shutil.copy2(file, new)
    new.replace(file)


def to_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def to_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def outside(file: Path) -> Path:
    return file.parents[2] / "outside"


def to_a_link_out(file: Path) -> None:
    file.rename(outside(file) / "moved")
    file.symlink_to(outside(file) / "moved")


def folder_to_a_link_out(file: Path) -> None:
    file.parent.rename(outside(file) / "here")
    file.parent.symlink_to(outside(file) / "here")


def protect(file: Path) -> None:
    file.chmod(0o400)


def link_hard(file: Path) -> None:
    os.link(file, file.with_name("second"))


ACTIONS: Final[dict[str, Callable[[Path], None]]] = {
    each.__name__: each
    for each in (
        change, change_and_keep_time, save_as_an_editor_does, Path.unlink, to_a_folder, to_a_pipe, to_a_link_out,
        folder_to_a_link_out, protect, link_hard,
    )
}  # fmt: skip


def check(target: Target) -> Iterator[Finding]:
    for node in target.dockerfile.instructions:
        if isinstance(node, From) and len(node.args) == 3 and node.args[1].text == "as":
            if target.path.parent.name == "here":
                ACTIONS[sys.argv[1]](target.real)
            yield Fix(node.args[1].span, "`as`", (Edit(*node.args[1].span, "AS"),), Safety.SAFE, "use `AS`")


RULE: Final = Codemod("as", "T", Severity.INFO, Category.STYLE, frozenset(Effect), check, "0")

if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], Registry((RULE,))))
