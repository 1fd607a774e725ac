"""The files that a RUN may read and write.

Every program uses the folders of the system; `conflicts` tells which parts of the file system are free of that. Outside
these folders, the files are known where the words of known commands name them. A RUN with any other command is
`unbounded`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.facts.images import is_implicitly_read
from dockfix.facts.model import Fact, Known, known
from dockfix.facts.packages import (
    FILE_VARIABLES,
    Action,
    PackageCommand,
    WordLike,
    is_literal_name,
    literal_requirements_only,
    reads,
)
from dockfix.facts.paths import normal_path, upwards
from dockfix.facts.tables.commands import CONDA_MANAGERS, SYSTEM_MANAGERS
from dockfix.facts.tables.filesystem import (
    ACCOUNT_TOOLS,
    DOWNLOADERS,
    FILE_TOOLS,
    STANDARD_FOLDERS,
    TOOLS_WITHOUT_PATHS,
    UNPACKERS,
)
from dockfix.syntax.tree import Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.state import State
    from dockfix.syntax.shell import Redirect, SimpleCommand

_GLOB_LOOP: Final = re.compile(r"\bfor\s+\w+\s+in\s[^;\n]*[*?]")


class FileUse(Struct, frozen=True):
    """The files that a RUN may use outside the reserved folders (`conflicts`).

    `unbounded` says why they are not known; None if they are. `text` is the command. `trees` are paths at or below
    which it may read or write, `made` folders that it creates as root, `names` pairs of a folder and a glob that it
    looks for there, `configs` base names that are configuration in any folder. `follows` are files that may name
    further files, `manifests_in` folders with manifests that may. `installer`: it fetches packages, so running it again
    takes time. `projects` are its installs from a manifest, each with its working directory.
    """

    line: int
    text: str
    unbounded: str | None = None
    trees: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    configs: frozenset[str] = frozenset()
    follows: tuple[str, ...] = ()
    manifests_in: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()
    looks_in: tuple[str, ...] = ()
    modules_in: tuple[str, ...] = ()
    home: str | None = None
    installer: bool = False
    accounts: bool = False
    conda: bool = False
    projects: tuple[tuple[PackageCommand, str], ...] = ()


class _Draft(Struct):
    state: State
    with_projects: bool
    unbounded: str | None = None
    trees: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    configs: set[str] = field(default_factory=set)
    follows: list[str] = field(default_factory=list)
    manifests_in: list[str] = field(default_factory=list)
    programs: set[str] = field(default_factory=set)
    packages: list[str] = field(default_factory=list)
    installer: bool = False
    accounts: bool = False
    conda: bool = False
    projects: list[tuple[PackageCommand, str]] = field(default_factory=list)
    looks_in: list[str] = field(default_factory=list)
    modules_in: list[str] = field(default_factory=list)

    def give_up(self, why: str) -> None:
        self.unbounded = self.unbounded or why

    def place(self, directory: Fact[str], path: str) -> str | None:
        """A path as an absolute one; None, and the RUN is unbounded, if the working directory is not known."""
        if path.startswith("/"):
            return normal_path(path)
        if isinstance(directory, Known):
            return normal_path(posixpath.join(directory.value, path))
        self.give_up("the directory that it works in is not known")
        return None

    def touch(self, directory: Fact[str], path: str) -> None:
        placed = self.place(directory, path)
        if placed is not None:
            self.trees.append(placed)


def file_use(facts: BuildFacts, run: Run, *, projects: bool = True) -> FileUse:
    """What a RUN does with files; without what its installs from a manifest do with them, if not `projects`."""
    commands, state = facts.commands(run), facts.state(run)
    draft = _Draft(state, with_projects=projects)
    if commands.script is None and not commands.steps:
        draft.give_up(commands.why or "its command cannot be read")
    text = " ".join((run.text.text, *(heredoc.content for heredoc in run.heredocs)))
    if _GLOB_LOOP.search(text):
        draft.give_up("it loops over files")
    for mount in run.mounts:
        target = state.expand(mount.target or "", run.escape)
        if isinstance(target, Known):
            draft.touch(state.workdir, target.value)
        else:
            draft.give_up("a mount has a target that is not known")
    for step in commands.steps:
        _step(draft, step)
    _environment(draft)
    path, home = state.lookup("PATH"), state.home
    python_path = state.lookup("PYTHONPATH")
    return FileUse(
        line=run.start_line,
        text=text,
        unbounded=draft.unbounded,
        trees=tuple(dict.fromkeys(draft.trees)),
        made=tuple(draft.made),
        names=tuple(dict.fromkeys(draft.names)),
        configs=frozenset(draft.configs),
        follows=tuple(draft.follows),
        manifests_in=tuple(draft.manifests_in),
        programs=frozenset(draft.programs),
        packages=tuple(draft.packages),
        path=("/usr/local/bin", "/usr/local/sbin", *(_folders(path.value) if isinstance(path, Known) else ())),
        python_path=_folders(python_path.value) if isinstance(python_path, Known) else (),
        looks_in=tuple(dict.fromkeys(draft.looks_in)),
        modules_in=tuple(dict.fromkeys(draft.modules_in)),
        home=known(home),
        installer=draft.installer,
        accounts=draft.accounts,
        conda=draft.conda,
        projects=tuple(draft.projects),
    )


def _folders(value: str) -> tuple[str, ...]:
    return tuple(normal_path(each) for each in value.split(":") if each.startswith("/"))


def _environment(draft: _Draft) -> None:
    """Add folders in variables of tools (NODE_PATH, UV_PROJECT_ENVIRONMENT), and virtual environments on PATH."""
    for name in draft.state.names():
        fact = draft.state.lookup(name)
        if not isinstance(fact, Known) or name in ("HOME", "PYTHONPATH"):
            continue
        folders = _folders(fact.value)
        if name == "PATH":
            for folder in folders:
                parent = posixpath.dirname(folder)
                if folder not in STANDARD_FOLDERS and re.search(r"venv|env\b|conda|^\.", posixpath.basename(parent)):
                    draft.trees.append(parent)
        elif is_implicitly_read(name):
            draft.trees += [folder for folder in folders if folder not in STANDARD_FOLDERS]


def _step(draft: _Draft, step: Step) -> None:
    command = step.command
    directory = step.directory(draft.state.workdir)
    for redirect in command.redirects:
        _redirect(draft, redirect, directory)
    if step.opaque:
        draft.give_up("it sources a script")
    if step.package is not None:
        _package(draft, step, step.package, directory)
    elif command.words:
        _plain(draft, step, directory)


def _redirect(draft: _Draft, redirect: Redirect, directory: Fact[str]) -> None:
    target = redirect.target
    if redirect.operator.startswith("<<") or target is None:
        return
    if target.value is None:
        draft.give_up("it redirects to a file that is not literal")
    elif not target.value.isdigit() and target.value not in ("/dev/null", "-"):
        draft.touch(directory, target.value)


def _plain(draft: _Draft, step: Step, directory: Fact[str]) -> None:
    command = step.command
    name, values = command.basename, command.values()
    if name is None or ("/" in (command.name or "") and posixpath.dirname(command.name or "") not in STANDARD_FOLDERS):
        draft.give_up("it runs a program outside the system folders")
        return
    draft.programs.add(name)
    if name in ACCOUNT_TOOLS:
        _accounts(draft, command)
    if name == "command" and values[1:2] != ("-v",):
        draft.give_up("it runs a program through `command`")
    elif name in ("cd", "pushd"):
        for value in values[1:]:
            if value is None:
                draft.give_up("it changes to a directory that is not literal")
            elif draft.place(directory, value) not in STANDARD_FOLDERS:
                draft.touch(directory, value)
    elif name in TOOLS_WITHOUT_PATHS or name == "command":
        return
    elif name == "mkdir" and draft.state.creates_as_root and not any(v and v.startswith("-m") for v in values):
        before = len(draft.trees)
        _operands(draft, command.args, directory)
        draft.made += draft.trees[before:]
        del draft.trees[before:]
    elif name in FILE_TOOLS and not {"-exec", "-execdir", "-ok"} & set(values):
        _operands(draft, command.args, directory)
    elif name in DOWNLOADERS | UNPACKERS:
        _operands(draft, command.args, directory)
        if name in UNPACKERS and not any(value and re.match(r"-C|-d|--directory", value) for value in values):
            draft.touch(directory, ".")
    elif re.fullmatch(r"python[0-9.]*", name) and values[1:3] == ("-m", "venv"):
        _operands(draft, command.args[2:], directory)
        _own_modules(draft, directory)
    else:
        draft.give_up(f"it runs {name}")


def _accounts(draft: _Draft, command: SimpleCommand) -> None:
    """Add the home of a new account, whose owner and initial content depend on whether it exists already.

    It is the folder in an option, or in /home (shadow, adduser, busybox).
    """
    draft.accounts = True
    names = [value for value in command.values()[1:] if value is not None and not value.startswith("-")]
    draft.trees += ["/home", *(normal_path(name) for name in names if name.startswith("/") and name != "/")]
    if "/" in names:
        draft.trees += [normal_path(f"/{name}") for name in names]


def _operands(draft: _Draft, words: Iterable[WordLike], directory: Fact[str]) -> None:
    """Add every word as a path; of an address, the file name that a download may get."""
    for word in words:
        text = word.value
        if text is None:
            match = re.match(r"[\"']?(/[^$`*?\[{\"']*/)", word.text)
            url = re.match(r"[\"']?https?://", word.text)
            if match is None and url is None:
                draft.give_up("it names files that are not literal")
            elif match is not None:
                draft.trees.append(normal_path(match[1]))
            continue
        if re.match(r"[a-z]+://", text):
            text = posixpath.basename(text.partition("?")[0]).removesuffix(".git")
            if isinstance(directory, Known) and text:
                draft.touch(directory, text)
            continue
        if text.startswith("-"):
            text = text.partition("=")[2] or (text[text.index("/") :] if "/" in text else "")
        text = text.lstrip("@")
        if text.startswith("/") or (text and isinstance(directory, Known)):
            draft.touch(directory, text)
        elif text and ("/" in text or "." in text):
            draft.give_up("the directory that it works in is not known")


def _own_modules(draft: _Draft, directory: Fact[str]) -> None:
    """Add the working directory, where `python -m` looks for modules first (docs.python.org/3/using/cmdline)."""
    if isinstance(directory, Known):
        draft.names.append((directory.value, "*.py"))
        draft.modules_in.append(directory.value)
    else:
        draft.give_up("the directory that it works in is not known")


def _package(draft: _Draft, step: Step, command: PackageCommand, directory: Fact[str]) -> None:
    if command.has("--version", "--help"):
        return
    manager = command.manager
    literal = _pinned(command)
    used = reads(literal)
    draft.installer = draft.installer or command.action in (Action.INSTALL, Action.SYNC)
    draft.accounts = draft.accounts or manager in SYSTEM_MANAGERS
    draft.conda = draft.conda or manager in CONDA_MANAGERS
    # dpkg, apk and rpm run maintainer scripts in `/`, and read nothing by the working directory.
    if manager not in SYSTEM_MANAGERS and isinstance(directory, Known):
        draft.looks_in.append(directory.value)
    if manager in SYSTEM_MANAGERS:
        draft.packages += [word.value for word in literal.packages if word.value is not None]
    draft.configs |= {name for name in used.config if not name.startswith("/")}
    names_files = {name for name in FILE_VARIABLES.get(manager, ()) if name in step.env or draft.state.sets(name)}
    if names_files:
        draft.give_up(f"{min(names_files)} names files that it reads")
    if manager == "uv" and command.verb == ("venv",):
        _uv_venv(draft, command, directory)
        return
    from_manifest = command.action is Action.SYNC or (
        command.action is Action.INSTALL and bool(used.named) and not literal_requirements_only(literal)
    )
    if from_manifest and isinstance(directory, Known):
        draft.projects.append((command, directory.value))
        if not draft.with_projects:
            return
    if used.everything:
        draft.give_up(used.reason or "what it reads is not bounded")
        return
    for name in used.named:
        placed = draft.place(directory, name)
        if placed is not None:
            draft.trees.append(placed)
            # pip reads the lists that Conda's environment file names.
            if used.reason or manager in CONDA_MANAGERS:
                draft.follows.append(placed)
    if command.action is Action.SYNC and manager not in ("uv", "go") and isinstance(directory, Known):
        draft.manifests_in.append(directory.value)
    _manifests(draft, used.manifests, directory, used.parents)
    _installs_to(draft, step, command, directory)


def _manifests(draft: _Draft, manifests: Iterable[str], directory: Fact[str], parents: bool) -> None:
    manifests = tuple(manifests)
    if not manifests:
        return
    if not isinstance(directory, Known):
        draft.give_up("the directory that it works in is not known")
        return
    for folder in upwards(directory.value) if parents else (directory.value,):
        draft.names += [(folder, name) for name in manifests]


def _uv_venv(draft: _Draft, command: PackageCommand, directory: Fact[str]) -> None:
    # docs.astral.sh/uv/reference/cli/#uv-venv: .venv unless a path is given; requires-python of a project is honoured.
    _manifests(draft, ("pyproject.toml", "uv.toml", ".python-version", ".python-versions"), directory, True)
    _operands(draft, command.packages, directory)
    if not command.packages:
        draft.touch(directory, ".venv")


def _installs_to(draft: _Draft, step: Step, command: PackageCommand, directory: Fact[str]) -> None:
    """Add where a command installs, if not in reserved folders."""
    manager = command.manager
    for option in command.options:
        text = option.literal
        if option.value is not None and text and "://" not in text and isinstance(directory, Known):
            draft.touch(directory, text)
    program = command.executable.value
    if program is None:
        expanded = draft.state.expand(command.executable.text)
        program = known(expanded)
    if program is None:
        draft.give_up("where it installs to is not known")
    elif "/" in program:
        root = posixpath.dirname(posixpath.dirname(program))
        if root not in STANDARD_FOLDERS:
            draft.touch(directory, root or ".")
    if manager == "uv":
        _manifests(draft, (".venv",), directory, True)
    if manager in ("npm", "yarn", "pnpm") and command.action is Action.SYNC:
        _manifests(draft, ("node_modules",), directory, False)
    if manager in ("composer", "bundler") and command.action is Action.SYNC:
        _manifests(draft, ("vendor",), directory, False)
    if any(word.value == "-m" for word in command.words):
        _own_modules(draft, directory)
    virtual = step.env.get("VIRTUAL_ENV")
    if isinstance(virtual, Known) and virtual.value.startswith("/"):
        draft.trees.append(virtual.value)


class _Read(Struct, frozen=True):
    """A word with a replaced value."""

    start: int
    end: int
    text: str
    value: str | None


def _pinned(command: PackageCommand) -> PackageCommand:
    """The command with operands in which only the version expands (`nodejs=$VERSION`, `curl=7.*`) as literal names."""

    def literal(word: WordLike) -> WordLike:
        if word.value is not None:
            return word
        text = word.text.strip("\"'")
        head = re.match(r"[A-Za-z0-9][A-Za-z0-9+._-]*(?:\[[a-z0-9,_-]+\])?(?:==|~=|>=|<=|=|@)", text)
        if head is None:
            return word
        # `npm:name@$V` and the like may become a path or an address; a version has no slash in its literal part.
        rest = re.sub(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|\*", "1", text[head.end() :])
        clean = re.fullmatch(r"[A-Za-z0-9.+~:_-]*", rest) is not None
        value = text[: head.end()] + rest
        return (
            _Read(word.start, word.end, word.text, value) if clean and is_literal_name(command.manager, value) else word
        )

    return replace(command, packages=tuple(literal(word) for word in command.packages))
