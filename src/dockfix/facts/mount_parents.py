"""Folders above a cache mount: which exist before its RUN, and what uses those that only the install makes.

BuildKit makes the missing parents of a mount's target as root with mode 0755, whoever runs the command, and takes them
away behind it (moby/buildkit `executor/stubs.go`; buildah and older versions leave them in the image). So a parent that
does not exist is root's in the RUN, and not in the image behind it, where the tool would have made it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.facts.caches import serves
from dockfix.facts.model import Fact, Known, known
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Add, Copy, Run, Workdir

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.scope import State
    from dockfix.facts.stages import Stage
    from dockfix.syntax.shell import SimpleCommand, Word

__all__ = ["missing_parents", "names_path", "place_of", "uses_folder"]

# base-files of Debian and Ubuntu, alpine-baselayout, filesystem of Fedora and RHEL: folders of root with mode 0755.
_ROOTS: Final = frozenset(
    (
        *("/", "/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/usr", "/usr/local", "/usr/local/bin"),
        *("/usr/local/lib", "/usr/local/share", "/usr/share", "/var", "/var/cache", "/var/lib", "/var/log"),
    )
)
_OPEN: Final = frozenset(("/tmp", "/var/tmp"))  # noqa: S108 - the folders that every image has, mode 1777
_OF_IMAGES: Final = ("GOPATH", "CARGO_HOME")
"""Variables of images that name folders which these images hold (docker-library/golang, rust-lang/docker-rust)."""
_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND | Context.NEGATED
_SPECIAL: Final = re.compile(r"[{$*?\[`\\]")


def missing_parents(facts: BuildFacts, run: Run, stage: Stage, path: str, *, writer_is_root: bool) -> tuple[str, ...]:
    """The folders above `path` that are not known to exist before a RUN, the outermost first.

    Those that the RUN's user could not have made anyhow, because they are missing in a folder of root's, are none of
    its business: with `writer_is_root` unset they are left out.
    """
    existing = _existing(facts, run, stage)
    found = []
    parent = posixpath.dirname(path)
    while parent != "/" and parent not in existing:
        found.append(parent)
        parent = posixpath.dirname(parent)
    if not writer_is_root and parent in _ROOTS and not _opened(facts, run, stage, parent):
        return ()
    return tuple(reversed(found))


def _earlier(facts: BuildFacts, run: Run, stage: Stage) -> Iterator[object]:
    for each in reversed(facts.graph.chain(stage)):
        for instruction in each.program:
            if each is stage and instruction.span.start >= run.span.start:
                return
            yield instruction


def _existing(facts: BuildFacts, run: Run, stage: Stage) -> set[str]:
    folders = {*_ROOTS, *_OPEN, *_homes(facts, run, stage)}
    if stage.base is not None:
        folders.update(stage.base.env[name] for name in _OF_IMAGES if name in stage.base.env)
    made: set[str] = set()
    for instruction in _earlier(facts, run, stage):
        match instruction:
            case Workdir() if instruction.args:
                state = facts.state(instruction)
                made.update(_with_parents(_expanded(state, instruction.args[0].text, instruction.escape)))
            case Copy() | Add() if instruction.destination is not None:
                spelled = instruction.destination.text
                target = _expanded(facts.state(instruction), spelled, instruction.escape)
                if target is not None:
                    made.update(_with_parents(target if spelled.endswith("/") else posixpath.dirname(target)))
            case Run():
                _replay(facts, instruction, made, folders)
            case _:
                pass
    return folders | made


def _homes(facts: BuildFacts, run: Run, stage: Stage) -> Iterator[str]:
    """The home directories that the base image has or that the commands which create their users make."""
    if stage.base is not None and stage.base.home:
        yield stage.base.home
    rhel = stage.base is not None and stage.base.family in ("rhel", "fedora")
    for account in facts.accounts(run).users.values():
        home = known(account.home)
        if home is None:
            continue
        command = account.created_by
        if (command is None and home.startswith("/home/")) or (command is not None and _makes_home(command, rhel)):
            yield posixpath.normpath(home)


def _makes_home(command: SimpleCommand, rhel: bool) -> bool:
    """useradd(8): with -m, or by default where login.defs has CREATE_HOME (RHEL); adduser: unless it is told not to."""
    if command.context & _UNCERTAIN:
        return False
    words = [word.value or "" for word in command.args]
    short = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word))
    if "--no-create-home" in words or "M" in short:
        return False
    if command.basename == "useradd" or (command.basename == "adduser" and rhel):
        return "--create-home" in words or "m" in short or (rhel and "r" not in short and "--system" not in words)
    return command.basename == "adduser" and "H" not in short


def _replay(facts: BuildFacts, run: Run, made: set[str], folders: set[str]) -> None:
    """What a RUN makes of folders: those of mkdir, less those that are removed or moved."""
    state = facts.state(run)
    mounted = [known(state.expand(mount.target or "", run.escape)) or "/" for mount in run.mounts]
    home = known(state.home) or ""
    for step in facts.commands(run).steps:
        name = step.command.basename
        if name not in ("mkdir", "rm", "rmdir", "mv"):
            continue
        directory = step.directory(state.workdir)
        places = [place_of(word, home, directory) for word in step.command.args if not word.text.startswith("-")]
        if name == "mkdir":
            plain = not step.user_changed and not step.command.context & _UNCERTAIN
            if plain and (step.command.after is None or step.command.after.text != "||"):
                for place in places:
                    if place and not place[1] and not any(serves(each, place[0]) for each in mounted):
                        made.update(_with_parents(place[0]))
            continue
        for each in tuple(made | folders):
            if any(
                place is None or (each.startswith(place[0]) if place[1] else serves(place[0], each)) for place in places
            ):
                made.discard(each)
                if each not in _ROOTS and any(place is not None for place in places):
                    folders.discard(each)


def _opened(facts: BuildFacts, run: Run, stage: Stage, folder: str) -> bool:
    """Whether an earlier RUN changes the owner or the mode of a folder."""
    for instruction in _earlier(facts, run, stage):
        if not isinstance(instruction, Run):
            continue
        state = facts.state(instruction)
        for step in facts.commands(instruction).steps:
            if step.command.basename not in ("chown", "chmod", "chgrp", "setfacl"):
                continue
            for word in step.command.args:
                place = place_of(word, known(state.home) or "", step.directory(state.workdir))
                if place is None or place[1] or serves(place[0], folder):
                    return True
    return False


def _expanded(state: State, text: str, escape: str) -> str | None:
    value = known(state.expand(text, escape))
    if value is None:
        return None
    if not value.startswith("/"):
        workdir = known(state.workdir)
        if workdir is None:
            return None
        value = posixpath.join(workdir, value)
    return posixpath.normpath(value).replace("//", "/")


def _with_parents(path: str | None) -> Iterator[str]:
    while path and path != "/":
        yield path
        path = posixpath.dirname(path)


def place_of(word: Word, home: str, directory: Fact[str]) -> tuple[str, bool] | None:
    """The path that a word names, and whether that is only how it begins (a glob or a variable follows).

    None if nothing is known of it. `~` and `$HOME` are the home; what is relative lies in `directory`.
    """
    text = word.value if word.value is not None else word.text.replace('"', "").replace("'", "")
    text = text.partition("=")[2] if text.startswith("-") else text
    if home:
        text = re.sub(r"\A(?:~|\$HOME|\$\{HOME\})(?=/|\Z)", home, text)
    special = _SPECIAL.search(text) if word.value is None else None
    literal = text[: special.start()] if special is not None else text
    if not literal:
        return None
    if not literal.startswith("/"):
        if not isinstance(directory, Known):
            return None
        literal = posixpath.join(directory.value, literal)
    ending = "/" if special is not None and literal.endswith("/") else ""
    path = posixpath.normpath(literal).replace("//", "/")
    return (path if path == "/" else path + ending), special is not None


def names_path(word: Word, home: str, directory: Fact[str], folder: str) -> bool:
    """Whether a word may name a folder or something in it, or has its path in a text (`python -c '...'`)."""
    text = word.value if word.value is not None else word.text
    spellings = [folder]
    if home not in ("", "/") and folder.startswith(home + "/"):
        spellings += [f"{each}{folder[len(home) :]}" for each in ("~", "$HOME", "${HOME}")]
    if any(re.search(rf"{re.escape(each)}(?![\w.-])", text) for each in spellings):
        return True
    place = place_of(word, home, directory)
    if place is None:
        return False
    path, begins = place
    if not begins:
        return serves(folder, path)
    if path.endswith("/") and folder.startswith(path) and folder[len(path) :].startswith("."):
        return re.search(r"/\.[*?\[]", word.text) is not None or "$" in word.text  # a shell's `*` meets no dot
    return folder.startswith(path) or serves(folder, path)


def uses_folder(step: Step, state: State, folder: str, home: str) -> bool:
    """Whether a command may fail where a folder does not exist: it names that folder, or something in it.

    `rm -f` and `mkdir -p` never do, and `echo` only prints.
    """
    command = step.command
    directory = step.directory(state.workdir)
    targets = [redirect.target for redirect in command.redirects if redirect.target is not None]
    if any(names_path(word, home, directory, folder) for word in targets):
        return True
    flags = [word.value or "" for word in command.args if word.text.startswith("-")]
    forced = {"rm": ("f", "--force"), "mkdir": ("p", "--parents")}.get(command.basename or "")
    if forced is not None and any(
        flag == forced[1] or (forced[0] in flag and not flag.startswith("--")) for flag in flags
    ):
        return False
    if command.basename in ("echo", "printf"):
        return False
    return any(
        names_path(word, home, directory, folder)
        for word in command.args
        if not (step.package is not None and word.text.startswith("--cache"))
    )
