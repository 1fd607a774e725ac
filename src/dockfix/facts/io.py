"""Which files a RUN may read and write, and where a COPY puts its sources, so that their order can be judged.

Every program uses the system's own folders; which parts of the file system are free of that is told by `reserved`.
Beyond it, what the words of known commands name is known, and a RUN with any other command is unbounded.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import is_silently_read
from dockfix.facts.model import Fact, Known
from dockfix.facts.packages import (
    FILE_VARIABLES,
    Action,
    PackageCommand,
    WordLike,
    is_literal_name,
    literal_requirements_only,
    manifests_for,
    reads,
)
from dockfix.facts.paths import normal_path
from dockfix.facts.tables.commands import CONDA_MANAGERS, SYSTEM_MANAGERS
from dockfix.facts.tables.filesystem import (
    ACCOUNT_TOOLS,
    DOWNLOADERS,
    FHS_TOP,
    FILE_ENDINGS,
    FILE_NAMES,
    FILE_TOOLS,
    LOCAL_FOLDERS,
    QUIET,
    SCRIPT_ENDINGS,
    STANDING,
    UNPACKERS,
    VAR_FOLDERS,
)
from dockfix.syntax.tree import Add, Copy, Run, Word

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.scope import State
    from dockfix.syntax.shell import Redirect, SimpleCommand

__all__ = [
    "Area",
    "Conflict",
    "FileUse",
    "conflict_with",
    "copy_destination",
    "file_use",
    "named_conflict",
    "requirement_files",
    "upwards",
]

_GLOB_LOOP: Final = re.compile(r"\bfor\s+\w+\s+in\s[^;\n]*[*?]")
_NAMES_NEVER_IMPORTED: Final = sys.stdlib_module_names | {"pip", "setuptools", "wheel", "pkg_resources"}


@dataclass(frozen=True, slots=True)
class Area:
    """Where a COPY writes: the file `path`, or, if `tree`, anything at or below it.

    `owner` is the user of its `--chown`, None without one; `mode`: it has a `--chmod`.
    """

    path: str
    tree: bool
    owner: str | None = None
    mode: bool = False

    def conflicts_with(self, other: Area, standing: str) -> bool:
        """Whether this and another COPY give a different result in another order.

        They do if they may write the same file, and if both may make a folder, which then belongs to whom the first one
        says (`MkdirAll` in tonistiigi/fsutil `copy/copy.go`). `standing` is a folder that is there already.
        """
        if self.meets(other.path):
            return True
        if (self.owner, self.mode) == (other.owner, other.mode):
            return False
        common = posixpath.commonpath((posixpath.dirname(self.path), posixpath.dirname(other.path)))
        return common not in STANDING and not _below(standing, common)

    @property
    def by_root(self) -> bool:
        """Whether folders that the COPY makes belong to root."""
        return self.owner in (None, "root", "0", "root:root", "0:0")

    def meets(self, path: str) -> bool:
        """Whether something at or below `path`, or a folder above it, may be the same file."""
        return _below(path, self.path) or _below(self.path, path)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a COPY and a RUN may not change places. If not `certain`, it is only to be feared, and `why` says what to
    look at.
    """

    why: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class FileUse:
    """The files that a RUN may use besides those of `reserved` places.

    `unbounded` says why they are not known, "" if they are. `text` is the command. `trees` are paths at or below which
    it may read or write, `made` folders that it makes as root, `names` pairs of a folder and a glob that it looks for
    there, `configs` base names that are configuration wherever they lie. `follows` are files that may name further
    files, `manifests_in` folders with manifests that may. `installer`: it fetches packages, so that running it again
    costs time. `projects` are its installs from a manifest, each with the folder that it works in.
    """

    line: int
    text: str
    unbounded: str = ""
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


def _below(path: str, folder: str) -> bool:
    return folder in (path, "/") or path.startswith(folder + "/")


# --- where a COPY writes --------------------------------------------------------------------------------------------


def copy_destination(copy: Copy | Add, source: Word, state: State, is_dir: Callable[[str], bool | None]) -> Area | None:
    """Where a source of a COPY or ADD lands; None if that is not known.

    Args:
        copy: the instruction.
        source: one of its sources.
        state: what holds at the instruction.
        is_dir: whether a path of the context is a folder; None where the context cannot tell.

    Source: BuildKit `solver/llbsolver/file/backend.go` (`docopy`) and `pathRelativeToWorkingDir` of
    `frontend/dockerfile/dockerfile2llb/convert.go`: a folder's contents go to the destination itself.
    """
    if copy.destination is None:
        return None
    spelled = copy.destination.text
    folder = spelled.endswith("/") or posixpath.basename(spelled) in (".", "..")
    expanded = state.expand(spelled, copy.escape)
    workdir = state.workdir
    if not isinstance(expanded, Known):
        return None
    if not expanded.value.startswith("/") and not isinstance(workdir, Known):
        return None
    base = workdir.value if isinstance(workdir, Known) else "/"
    path = normal_path(posixpath.join(base, expanded.value))
    chown, chmod = copy.flag("chown"), copy.flag("chmod")
    whole = Area(path, True, (chown.value or "") if chown else None, chmod is not None)
    name = posixpath.basename(source.text.rstrip("/"))
    if isinstance(copy, Add) or copy.flag("from") or copy.heredocs or not name or re.search(r"[*?\[\\$]", name):
        return whole
    if source.text.endswith("/") or name in (".", "..") or not _is_file(source.text, name, is_dir):
        return whole
    if folder:
        return replace(whole, path=posixpath.join(path, name), tree=False)
    return replace(whole, tree=not (posixpath.basename(path) == name or _has_file_name(posixpath.basename(path))))


def _is_file(source: str, name: str, is_dir: Callable[[str], bool | None]) -> bool:
    told = is_dir(source)
    return _has_file_name(name) if told is None else not told


def _has_file_name(name: str) -> bool:
    if name.startswith(".") and name.endswith(("rc", "ignore", "-version", "-versions", ".env")):
        return True
    return name in FILE_NAMES or ("." in name[1:] and name.rpartition(".")[2].lower() in FILE_ENDINGS)


# --- what a RUN uses ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    state: State
    with_projects: bool
    unbounded: str = ""
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
        """A path as an absolute one; None, with the RUN given up, where the working directory is not known."""
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
        home=home.value if isinstance(home, Known) else None,
        installer=draft.installer,
        accounts=draft.accounts,
        conda=draft.conda,
        projects=tuple(draft.projects),
    )


def _folders(value: str) -> tuple[str, ...]:
    return tuple(normal_path(each) for each in value.split(":") if each.startswith("/"))


def _environment(draft: _Draft) -> None:
    """Folders that variables of tools name (NODE_PATH, UV_PROJECT_ENVIRONMENT), and virtual environments on PATH."""
    for name in draft.state.names():
        fact = draft.state.lookup(name)
        if not isinstance(fact, Known) or name in ("HOME", "PYTHONPATH"):
            continue
        folders = _folders(fact.value)
        if name == "PATH":
            for folder in folders:
                parent = posixpath.dirname(folder)
                if folder not in STANDING and re.search(r"venv|env\b|conda|^\.", posixpath.basename(parent)):
                    draft.trees.append(parent)
        elif is_silently_read(name):
            draft.trees += [folder for folder in folders if folder not in STANDING]


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
    if name is None or ("/" in (command.name or "") and posixpath.dirname(command.name or "") not in STANDING):
        draft.give_up("it runs a program that is not one of the system's own")
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
            elif draft.place(directory, value) not in STANDING:
                draft.touch(directory, value)
    elif name in QUIET or name == "command":
        return
    elif name == "mkdir" and draft.state.makes_roots_folders and not any(v and v.startswith("-m") for v in values):
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
    """An account that is made may get a home, whose owner and first contents depend on whether it was there.

    It is in a folder that an option names, or else in /home (shadow, adduser, busybox).
    """
    draft.accounts = True
    names = [value for value in command.values()[1:] if value is not None and not value.startswith("-")]
    draft.trees += ["/home", *(normal_path(name) for name in names if name.startswith("/") and name != "/")]
    if "/" in names:
        draft.trees += [normal_path(f"/{name}") for name in names]


def _operands(draft: _Draft, words: Iterable[WordLike], directory: Fact[str]) -> None:
    """Take every word for a path, but for addresses, of which a download may take its name."""
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
    """`python -m` looks for modules in the working directory first (docs.python.org/3/using/cmdline)."""
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
    names_files = FILE_VARIABLES.get(manager, frozenset()) & ({*draft.state.names()} | set(step.env))
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
        draft.give_up(used.reason)
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


def upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder != (above := posixpath.dirname(folder)):
        folder = above
        yield folder


def _uv_venv(draft: _Draft, command: PackageCommand, directory: Fact[str]) -> None:
    # docs.astral.sh/uv/reference/cli/#uv-venv: .venv unless a path is given; requires-python of a project is honoured.
    _manifests(draft, ("pyproject.toml", "uv.toml", ".python-version", ".python-versions"), directory, True)
    _operands(draft, command.packages, directory)
    if not command.packages:
        draft.touch(directory, ".venv")


def _installs_to(draft: _Draft, step: Step, command: PackageCommand, directory: Fact[str]) -> None:
    """Where a command keeps what it installs, if not in reserved places."""
    manager = command.manager
    for option in command.options:
        text = option.literal
        if option.value is not None and text and "://" not in text and isinstance(directory, Known):
            draft.touch(directory, text)
    program = command.executable.value
    if program is None:
        expanded = draft.state.expand(command.executable.text)
        program = expanded.value if isinstance(expanded, Known) else None
    if program is None:
        draft.give_up("where it installs to is not known")
    elif "/" in program:
        root = posixpath.dirname(posixpath.dirname(program))
        if root not in STANDING:
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A word with a value of ours."""

    start: int
    end: int
    text: str
    value: str | None


def _pinned(command: PackageCommand) -> PackageCommand:
    """The command with operands whose version alone expands (`nodejs=$VERSION`, `curl=7.*`) taken for literal names."""

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


# --- whether they clash ---------------------------------------------------------------------------------------------


def named_conflict(use: FileUse, area: Area) -> Conflict | None:
    """Why a RUN uses what is copied to `area`, as far as its own words say; None if they do not."""
    if use.unbounded:
        return Conflict(use.unbounded)
    for tree in use.trees:
        if area.meets(tree):
            return Conflict(f"line {use.line} uses {tree}")
    for folder in use.made:
        # A COPY makes missing folders as `mkdir` under root does, and sets the modes of those below its destination.
        if area.meets(folder) and (area.mode or not area.by_root or (not area.tree and _below(folder, area.path))):
            return Conflict(f"line {use.line} makes {folder}")
    for folder, name in use.names:
        if _could_be(area, folder, name):
            return Conflict(f"line {use.line} looks for {name} in {folder}")
    if _mentioned(use, area):
        return Conflict(f"line {use.line} names {area.path}")
    return None


def _mentioned(use: FileUse, area: Area) -> bool:
    """Whether the words of a RUN hold the path or the file's name, in whatever place (`echo "deb file:/repo"`)."""
    names = [area.path] if area.path not in ("/", *use.made) else []
    names += [posixpath.basename(area.path)] if not area.tree else []
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", use.text) for name in names)


def conflict_with(use: FileUse, area: Area) -> Conflict | None:
    """Why a COPY that writes to `area` and a RUN may not change places; None if it makes no difference."""
    if named := named_conflict(use, area):
        return named
    if _reserved(area, use):
        return Conflict(f"{area.path} lies where programs and packages keep files")
    if not area.tree and any(fnmatch.fnmatchcase(posixpath.basename(area.path), name) for name in use.configs):
        return Conflict(f"line {use.line} may take {posixpath.basename(area.path)} for its configuration")
    if use.home not in (None, "/") and area.tree and _below(use.home or "/", area.path):
        return Conflict(f"line {use.line} may read its configuration from {use.home}")
    if use.accounts and not area.by_root and not re.fullmatch(r"\d+(:\d+)?", area.owner or ""):
        user = (area.owner or "").partition(":")[0]
        return Conflict(f"whether line {use.line} creates the user {user}, who then owns the files", certain=False)
    name = posixpath.basename(area.path)
    for command, folder in use.projects:
        manifests = (posixpath.basename(each) for each in manifests_for(command) if not each.endswith("/**"))
        if not area.tree and _below(area.path, folder) and any(fnmatch.fnmatchcase(name, each) for each in manifests):
            return Conflict(f"line {use.line} may install from {name}, as from the manifest in {folder}")
    for folder in use.manifests_in:
        if _below(area.path, folder) or _below(folder, area.path):
            return Conflict(f"whether a manifest in {folder} names {posixpath.basename(area.path)}", certain=False)
    return _python_path(use, area) or _on_path(use, area)


def _could_be(area: Area, folder: str, pattern: str) -> bool:
    """Whether a file of the area may match a glob in a folder."""
    if area.tree and _below(folder, area.path):
        return True
    if not _below(area.path, folder):
        return False
    inside = area.path[len(folder.rstrip("/")) + 1 :].split("/")
    wanted = pattern.split("/")
    if wanted[0] == "**":
        return area.tree or fnmatch.fnmatchcase(inside[-1], wanted[-1])
    if len(wanted) == 1:
        return len(inside) == 1 and fnmatch.fnmatchcase(inside[0], wanted[0]) and not (area.tree and "." in pattern[1:])
    return fnmatch.fnmatchcase(inside[0], wanted[0])


def _python_path(use: FileUse, area: Area) -> Conflict | None:
    for folder in use.python_path:
        if (area.tree and _below(folder, area.path)) or posixpath.dirname(area.path) == folder:
            name = posixpath.basename(area.path).partition(".")[0]
            module = area.tree or area.path.endswith(".py")
            if (area.tree and _below(folder, area.path)) or (module and name in _NAMES_NEVER_IMPORTED):
                return Conflict(f"Python looks for modules in {folder}")
    return None


def _on_path(use: FileUse, area: Area) -> Conflict | None:
    for folder in use.path:
        if not area.tree and posixpath.dirname(area.path) == folder:
            name = posixpath.basename(area.path)
            if name in use.programs:
                return Conflict(f"line {use.line} runs {name}")
            if not name.endswith(SCRIPT_ENDINGS) and "entrypoint" not in name:
                return Conflict(f"whether installing the packages runs a program called {name}", certain=False)
        elif area.tree and posixpath.dirname(area.path) == folder and posixpath.basename(area.path) in use.programs:
            return Conflict(f"line {use.line} runs {posixpath.basename(area.path)}")
        elif area.tree and (_below(folder, area.path) or _below(area.path, folder)):
            return Conflict(
                f"whether {area.path}, on PATH, gets programs that installing the packages runs", certain=False
            )
    return None


def _reserved(area: Area, use: FileUse) -> bool:
    """Whether a part of the file system is one that programs and packages use of their own accord."""
    parts = area.path.strip("/").split("/")
    below = parts[1:]
    if parts == [""]:
        return True
    match parts[0]:
        case "home" | "root":
            # Dotted names in a home are configuration; a folder's contents are not known.
            inside = below[1:] if parts[0] == "home" else below
            return not inside or inside[0].startswith(".")
        case "tmp":
            return False
        case "opt":
            packages = " ".join(use.packages).lower()
            return not below or use.conda or (len(below[0]) > 2 and below[0].lower() in packages)
        case "var":
            return not below or (below[0] != "tmp" and below[0] in VAR_FOLDERS)
        case "usr":
            if below[:1] == ["local"]:
                return len(below) < 2 or below[1] in LOCAL_FOLDERS
            return below[:1] != ["src"] or len(below) < 2 or re.fullmatch(r"[a-z_]+", below[1]) is None
        case top:
            return top in FHS_TOP


# --- requirements files ---------------------------------------------------------------------------------------------


_NAMING: Final = frozenset(("-r", "--requirement", "-c", "--constraint"))
_ADDRESSES: Final = frozenset(("-i", "--index-url", "--extra-index-url", "-f", "--find-links"))
_SETTINGS: Final = frozenset(("--trusted-host", "--no-binary", "--only-binary", "--use-feature"))
_SWITCHES: Final = frozenset(("--pre", "--prefer-binary", "--require-hashes", "--no-index"))
"""Options of a requirements file of pip: naming files, with a value that may be a folder, with another value, alone."""


def requirement_files(text: str) -> tuple[str, ...] | None:
    """The files that a requirements file of pip names; None if it installs local projects, or cannot be read.

    Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    found: list[str] = []
    for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
        words = _uncommented(line).split()
        if words and words[0].startswith("-"):
            named = _option_files(words)
            if named is None:
                return None
            found += named
        elif words and not is_literal_name("pip", " ".join(_without_hashes(words))):
            return None
    return tuple(found)


def _uncommented(line: str) -> str:
    """A line up to the `#` that stands at its beginning or behind a space."""
    found = re.search(r"(?:^|\s)#", line)
    return line[: found.start()] if found else line


def _without_hashes(words: Sequence[str]) -> list[str]:
    """The words of a requirement but for its hashes; other options of it may name anything, and stay."""
    return [
        word
        for before, word in zip(("", *words), words, strict=False)
        if word != "--hash" and before != "--hash" and not word.startswith("--hash=")
    ]


def _option_files(words: Sequence[str]) -> list[str] | None:
    """The files that a line of options names; None if one of them names a folder, or is not known."""
    found: list[str] = []
    pending = list(words)
    while pending:
        name, glued, value = pending.pop(0).partition("=")
        if name in _SWITCHES and not glued:
            continue
        if not name.startswith("--") and len(name) > 2:
            name, glued, value = name[:2], "=", name[2:] + glued + value
        if name not in _NAMING | _ADDRESSES | _SETTINGS or not (glued or pending):
            return None
        value = (value if glued else pending.pop(0)).strip("\"'")
        remote = re.match(r"https?://", value) is not None
        if name in _ADDRESSES and not remote:
            return None
        if name in _NAMING and not remote:
            found.append(value)
    return found
