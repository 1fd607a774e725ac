"""Folders above a cache mount: which exist before its RUN, and what uses those that only the install creates.

BuildKit creates the missing parents of a mount's target as root with mode 0755, whoever runs the command, and removes
them afterwards (moby/buildkit `executor/stubs.go`; buildah and older versions leave them in the image). So a missing
parent belongs to root in the RUN, and does not exist in the image afterwards, where the tool would have created it.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from dockfix.facts.caches import serves
from dockfix.facts.model import Fact, Known, known
from dockfix.facts.paths import upwards
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Add, Copy, Instruction, Run, Workdir
from dockfix_codemods.cache_mount.analysis.folders import ROOTS, FolderHistory, Moment

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage
    from dockfix.facts.state import State
    from dockfix.syntax.shell import SimpleCommand, Word

_OPEN: Final = frozenset(("/tmp", "/var/tmp"))  # noqa: S108 - the folders that every image has, mode 1777
_OF_IMAGES: Final = ("GOPATH", "CARGO_HOME")
"""Variables of images that name folders in these images (docker-library/golang, rust-lang/docker-rust)."""
_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND | Context.NEGATED
_SPECIAL: Final = re.compile(r"[{$*?\[`\\]")


def missing_parents(facts: BuildFacts, run: Run, stage: Stage, path: str, *, writer_is_root: bool) -> tuple[str, ...]:
    """The folders above `path` that are not known to exist before a RUN, the outermost first.

    With `writer_is_root` unset, folders that the RUN's user could not have created anyway, because they are missing in
    a folder of root's, are omitted.
    """
    existing = _Existing(facts, run, stage)
    found = []
    for parent in upwards(posixpath.dirname(path)):
        if parent == "/" or parent in existing:
            break
        found.append(parent)
    if not writer_is_root and stage.base and parent in ROOTS and not _opened(facts, run, stage, parent):
        return ()
    return tuple(reversed(found))


class _Existing:
    """The folders that exist before a RUN, or before one of its commands."""

    def __init__(self, facts: BuildFacts, run: Run, stage: Stage, until: Step | None = None) -> None:
        folders = _folders_of(facts, stage)
        start = folders.moments.get(run.span.start, folders.end)
        self._folders = Moment(
            folders.history, start if until is None else folders.steps.get((run.span.start, id(until)), start)
        )
        self._find_homes = partial(_homes, facts, run, stage)

    def __contains__(self, folder: str) -> bool:
        return folder in self._folders or (folder in self._homes and self._folders.keeps(folder))

    @cached_property
    def _homes(self) -> frozenset[str]:
        return frozenset(self._find_homes())


class _Folders(Struct):
    """The folders of a stage: the moments before each instruction, by where it begins, before each step, and at
    its end."""

    history: FolderHistory
    moments: dict[int, int] = field(default_factory=dict)
    steps: dict[tuple[int, int], int] = field(default_factory=dict)
    end: int = 0


def _folders_of(facts: BuildFacts, stage: Stage) -> _Folders:
    """The folders of a stage."""
    known_folders = facts.once("cache-mount folders", dict[int, _Folders])
    unread: list[Stage] = []
    at: Stage | None = stage
    while at is not None and at.index not in known_folders:
        unread.append(at)
        at = facts.graph.stages[at.parent] if at.parent is not None else None
    for each in reversed(unread):
        parent = known_folders[each.parent] if each.parent is not None else None
        known_folders[each.index] = _read_folders(facts, each, parent)
    return known_folders[stage.index]


def _read_folders(facts: BuildFacts, stage: Stage, parent: _Folders | None) -> _Folders:
    if parent is None or stage.parent is None:
        given = {*ROOTS, *_OPEN}
        if stage.base is not None:
            given.update(stage.base.env[name] for name in _OF_IMAGES if name in stage.base.env)
        found = _Folders(FolderHistory(given))
    elif len(facts.graph.children(stage.parent)) == 1:
        found = _Folders(parent.history)  # nothing else continues it
    else:
        found = _Folders(FolderHistory(parent=parent.history))
    for instruction in stage.program:
        found.moments[instruction.span.start] = found.history.now
        _follow(facts, instruction, found)
    found.end = found.history.now
    return found


def _follow(facts: BuildFacts, instruction: Instruction, folders: _Folders) -> None:
    path: str | None = None
    match instruction:
        case Workdir() if instruction.args:
            path = _expanded(facts.state(instruction), instruction.args[0].text, instruction.escape)
        case Copy() | Add() if instruction.destination is not None:
            spelled = instruction.destination.text
            target = _expanded(facts.state(instruction), spelled, instruction.escape)
            if target is not None:
                path = target if spelled.endswith("/") else posixpath.dirname(target)
        case Run():
            _follow_commands(facts, instruction, folders)
    if path is not None:
        folders.history.make(path)


def _follow_commands(facts: BuildFacts, run: Run, folders: _Folders) -> None:
    """The commands of a RUN: those of mkdir make folders, and others remove or move them."""
    state, history = facts.state(run), folders.history
    mounted = [known(state.expand(mount.target or "", run.escape)) or "/" for mount in run.mounts]
    home = known(state.home) or ""
    for step in facts.commands(run).steps:
        folders.steps[run.span.start, id(step)] = history.now
        name = step.command.basename
        if name not in ("mkdir", "rm", "rmdir", "mv"):
            continue
        directory = step.directory(state.workdir)
        places = [_place(word, home, directory) for word in step.command.args if not word.text.startswith("-")]
        if name == "mkdir":
            plain = not step.user_changed and not step.command.context & _UNCERTAIN
            if plain and (step.command.after is None or step.command.after.text != "||"):
                for place in places:
                    if place and not place.rest and not any(serves(each, place.path) for each in mounted):
                        history.make(place.path)
            continue
        known_places = [each for each in places if each is not None]
        history.remove(
            [each.path for each in known_places if not each.rest],
            [each.path for each in known_places if each.rest],
            unclear=None in places,
        )


def _homes(facts: BuildFacts, run: Run, stage: Stage) -> Iterator[str]:
    """The home directories that the base image has or that the commands that create its users make."""
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
    """Whether a command creates a home: useradd(8) with -m, or by default if login.defs has CREATE_HOME (RHEL); adduser
    unless an option prevents it."""
    if command.context & _UNCERTAIN:
        return False
    words = [word.value or "" for word in command.args]
    short = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word))
    if "--no-create-home" in words or "M" in short:
        return False
    if command.basename == "useradd" or (command.basename == "adduser" and rhel):
        return "--create-home" in words or "m" in short or (rhel and "r" not in short and "--system" not in words)
    return command.basename == "adduser" and "H" not in short


def _opened(facts: BuildFacts, run: Run, stage: Stage, folder: str) -> bool:
    """Whether an earlier RUN changes the owner or the mode of a folder."""
    for each in facts.graph.chain(stage):
        first = facts.once(("cache-mount opened", each.index, folder), partial(_first_opening, facts, each, folder))
        if first is not None and (each is not stage or first < run.span.start):
            return True
    return False


def _first_opening(facts: BuildFacts, stage: Stage, folder: str) -> int | None:
    """Where the first RUN of a stage begins that changes the owner or the mode of a folder."""
    runs = (node for node in stage.program if isinstance(node, Run))
    return next((node.span.start for node in runs if _opens(facts, node, folder)), None)


def _opens(facts: BuildFacts, run: Run, folder: str) -> bool:
    state = facts.state(run)
    for step in facts.commands(run).steps:
        if step.command.basename not in ("chown", "chmod", "chgrp", "setfacl"):
            continue
        operands = [word for word in step.command.args if not word.text.startswith("-")]
        for word in operands[1:]:  # the first is the owner or the mode
            place = _place(word, known(state.home) or "", step.directory(state.workdir))
            if place is None or serves(place.path, folder) or (place.rest and folder.startswith(place.path)):
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


class Place(Struct, frozen=True):
    """What a word names: a path and, if that is only a prefix, the rest (a glob, a variable)."""

    path: str
    rest: str = ""

    def meets(self, folder: str) -> bool:
        """Whether it may be a folder or something in it."""
        if not self.rest:
            return serves(folder, self.path)
        if re.search(r"[{$`\\]", self.rest):
            return folder.startswith(self.path) or serves(folder, self.path)
        parts, wanted = (self.path + self.rest).split("/"), folder.split("/")
        # A glob matches within one name, and `*` matches no leading dot (POSIX, 2.14 Pattern Matching).
        return len(parts) >= len(wanted) and all(
            fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            for part, name in zip(parts, wanted, strict=False)
        )


def _place(word: Word, home: str, directory: Fact[str]) -> Place | None:
    """What a word names, None if nothing is known of it: `~` and `$HOME` are the home, relative paths are in
    `directory`."""
    text = word.value if word.value is not None else word.text.replace('"', "").replace("'", "")
    text = text.partition("=")[2] if text.startswith("-") else text
    if home:
        text = re.sub(r"\A(?:~|\$HOME|\$\{HOME\})(?=/|\Z)", lambda _: home, text)
    special = _SPECIAL.search(text) if word.value is None else None
    literal, rest = (text[: special.start()], text[special.start() :]) if special is not None else (text, "")
    if not literal:
        return None
    if not literal.startswith("/"):
        if not isinstance(directory, Known):
            return None
        literal = posixpath.join(directory.value, literal)
    if rest:  # the last name is not complete
        parent, _, name = literal.rpartition("/")
        return Place(posixpath.normpath(f"/{parent}").replace("//", "/").rstrip("/") + f"/{name}", rest)
    return Place(posixpath.normpath(literal).replace("//", "/"))


def _names(word: Word, home: str, directory: Fact[str], folder: str) -> bool:
    """Whether a word may name a folder or something in it, or contains its path (`python -c '...'`)."""
    place = _place(word, home, directory)
    if place is not None and place.meets(folder):
        return True
    text = word.value if word.value is not None else word.text
    spellings = [folder]
    if home not in ("", "/") and folder.startswith(home + "/"):
        spellings += [f"{each}{folder[len(home) :]}" for each in ("~", "$HOME", "${HOME}")]
    return any(re.search(rf"{re.escape(each)}(?![\w.-])", text) for each in spellings)


def uses_folder(facts: BuildFacts, run: Run, step: Step, folder: str, directory: str, home: str) -> bool:
    """Whether a command of a RUN may fail if a folder, which contains the cache `directory`, does not exist.

    It names the folder or something in it. `rm -f` and `mkdir -p` never fail for that reason, nor does the target of
    `ln -s`; `echo` only prints, and files in a folder that another step creates are not affected.
    """
    command, state = step.command, facts.state(run)
    words = [redirect.target for redirect in command.redirects if redirect.target is not None]
    tolerant = makes_parents(step) or (command.basename == "rm" and _has_flag(step, "f", "--force"))
    if not tolerant and command.basename not in ("echo", "printf"):
        cached = step.package is not None  # it creates the directory in an option
        made = command.args[-1:] if command.basename == "ln" and _has_flag(step, "s", "--symbolic") else command.args
        words += [word for word in made if not (cached and word.text.startswith("--cache"))]
    where = step.directory(state.workdir)
    naming = [word for word in words if _names(word, home, where, folder)]
    stage = facts.stage_of(run)
    if not naming or stage is None:
        return bool(naming)
    existing = _Existing(facts, run, stage, until=step)
    for word in naming:
        place = _place(word, home, where)
        if place is None or place.rest or not serves(folder, place.path) or serves(directory, place.path):
            return True
        parent = posixpath.dirname(place.path)
        if place.path not in existing and not (parent in existing and serves(folder, parent)):
            return True
    return False


def makes_parents(step: Step) -> bool:
    """Whether a command is `mkdir -p`, which accepts an existing directory."""
    return step.command.basename == "mkdir" and _has_flag(step, "p", "--parents")


def _has_flag(step: Step, letter: str, name: str) -> bool:
    flags = [word.value or "" for word in step.command.args if word.text.startswith("-")]
    return any(flag == name or (letter in flag and not flag.startswith("--")) for flag in flags)
