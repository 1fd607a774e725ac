"""Whether the file that a command runs may be a script without `#!`, which only a shell runs.

`execve` fails with ENOEXEC for such a script, and the shell then reads it itself (POSIX XCU 2.9.1.1, 1.e.i.b).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dockfix.facts.commands import Step
from dockfix.facts.model import Known
from dockfix.facts.paths import is_below, normal_path
from dockfix.facts.scripts import runs_script
from dockfix.facts.stages import Stage
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.project.copied_files import context_file
from dockfix.project.target import Target
from dockfix.syntax.shell import Word
from dockfix.syntax.tree import Add, Copy, Run

SHELLS: Final = frozenset(("sh", "bash", "dash", "ash"))
_FOLDERS: Final = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
"""Folders of installed programs, which are binaries or begin with `#!`."""
_MOST_STAGES: Final = 50
"""With more stages on top of each other the program counts as unknown, which keeps the time linear."""
_INSTALLERS: Final = ("venv/bin", "/.local/bin", "/node_modules/.bin", "/.cargo/bin", "/go/bin")
"""Folders where package managers put programs (pip, npm, cargo, go)."""
_COPIES: Final = frozenset(("cp", "mv", "install", "ln", "rsync", "curl", "wget", "tee", "scp", "git"))


class _Program(Struct, frozen=True):
    """A program by its name, with the files that may be run; `in_base`: the base image contains it."""

    name: str
    paths: tuple[str, ...]
    in_base: bool

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(posixpath.dirname(path) for path in self.paths)


def program_doubt(target: Target, stage: Stage, name: str) -> str | None:
    """What to check of the program `name`; None if it is a binary, or begins with `#!`."""
    check = f"check that `{name}` is a binary, or begins with `#!`"
    program, chain = _program(target, stage, name), target.facts.graph.chain(stage)
    if program is None or len(chain) > _MOST_STAGES:
        return check
    seen = False
    for each in chain:
        for node in each.program:
            if isinstance(node, Copy | Add):
                told = _copied(target, node, program)
                if told is False:
                    return f"{check}: the `{node.name}` on line {node.start_line} may write it"
                seen = seen or bool(told)
            elif isinstance(node, Run):
                if _run_writes(target, node, program):
                    return f"{check}: the `RUN` on line {node.start_line} may write it"
                if not program.in_base and any(map(_installs, target.facts.commands(node).steps)):
                    return f"{check}: what the `RUN` on line {node.start_line} runs may write it"
    if seen or program.in_base:
        return None
    usual = (*_FOLDERS, *str(stage.base.env.get("PATH", "") if stage.base is not None else "").split(":"))
    installed = all(folder in usual or folder.endswith(_INSTALLERS) for folder in program.folders)
    return None if installed and not name.endswith(".sh") else check


def _program(target: Target, stage: Stage, name: str) -> _Program | None:
    """The program that a name means in a container of the stage; None if its place is not known."""
    state = target.facts.end_state(stage)
    base = stage.base
    last = posixpath.basename(name)
    in_base = last in SHELLS or (base is not None and last in base.tools)
    if "/" in name:
        if not name.startswith("/") and not isinstance(state.workdir, Known):
            return None
        folder = state.workdir.value if isinstance(state.workdir, Known) else "/"
        path = normal_path(posixpath.join(folder, name))
        return _Program(name, (path,), in_base and posixpath.dirname(path) in _FOLDERS)
    search = state.env.get("PATH")
    if not isinstance(search, Known):
        usual = tuple(f"{folder}/{name}" for folder in _FOLDERS)
        return _Program(name, usual, in_base) if in_base or base is None else None
    folders = search.value.split(":")
    if not all(folder.startswith("/") for folder in folders):
        return None  # runc refuses a program that it finds in a relative folder of PATH
    return _Program(name, tuple(normal_path(posixpath.join(folder, name)) for folder in folders), in_base)


def _installs(step: Step) -> bool:
    """Whether a command may write any program: a script, or a tool such as `make`."""
    return step.package is None and (runs_script(step) or has_trait(step.command.basename, Trait.INSTALLS_UNNAMED))


def _copied(target: Target, node: Copy | Add, program: _Program) -> bool | None:
    """Whether a COPY writes a program that is a binary or begins with `#!`; False if it may be another file, None if
    the COPY does not write it."""
    verdict: bool | None = None
    for path in program.paths:
        file = context_file(target, node, path, named=program.in_base)
        if file is None:
            continue
        start = (
            target.context.read_start(file.value, 4) if target.context and isinstance(file, Known) else None
        ) or b""
        if not (start.startswith(b"#!") or start == b"\x7fELF"):
            return False
        verdict = True
    return verdict


def _run_writes(target: Target, run: Run, program: _Program) -> bool:
    """Whether a RUN may write the program, other than with a package manager."""
    last = posixpath.basename(program.name)
    if program.in_base and last not in run.logical.text and not run.heredocs:
        return False  # only a command that names it would replace it
    commands = target.facts.commands(run)
    if commands.script is None and not run.json:
        return last in run.logical.text
    workdir = target.facts.state(run).workdir
    for step in commands.steps:
        where = step.directory(workdir)
        here = where.value if isinstance(where, Known) else None
        if any(_names(word, here, program) for word in _targets(step)):
            return True
        if step.package is not None or has_trait(step.command.basename, Trait.LEAVES_NO_RECORD, Trait.PRINTS):
            continue
        if any(_names(word, here, program) for word in step.command.args):
            return True
        if _writes_folder(step, here, program):
            return True
    return False


def _targets(step: Step) -> Iterator[Word]:
    return (each.target for each in step.command.redirects if ">" in each.operator and each.target is not None)


def _names(word: Word, here: str | None, program: _Program) -> bool:
    """Whether a word may name the file of the program."""
    text = word.value if word.value is not None else word.text.replace('"', "")
    text = text.rpartition("=")[2]
    folder, last = posixpath.split(text)
    if last != posixpath.basename(program.name) and "$" not in last:
        return False
    if "$" in text:
        return "$" in folder or folder in program.folders
    if folder.startswith("/"):
        return normal_path(text) in program.paths
    return here is None or normal_path(posixpath.join(here, text)) in program.paths


def _writes_folder(step: Step, here: str | None, program: _Program) -> bool:
    """Whether a command may write the program into a folder that it names, or that it runs in."""
    name = step.command.basename
    unpacks = has_trait(name, Trait.UNPACKS)
    if not unpacks and name not in _COPIES:
        return False
    values = [word.value if word.value is not None else word.text for word in step.command.args]
    folders = {normal_path(value.rpartition("=")[2]) for value in values if value.rpartition("=")[2].startswith("/")}
    if here is not None:
        folders |= {here} if here in program.folders else set()
        folders |= {normal_path(posixpath.join(here, value)) for value in values}
    if unpacks:
        return not program.in_base and any(is_below(path, folder) for path in program.paths for folder in folders)
    last = posixpath.basename(program.name)
    named = any(posixpath.basename(value.rstrip("/")) == last or set(value) & set("$*") for value in values)
    return named and any(folder in program.folders for folder in folders)
