"""Finding files: Dockerfiles below the paths that a user names, compose and bake files, by their names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from dockfix.project.files import is_inside, reason_of, why_unreadable
from dockfix.project.gitignore import GitIgnore, is_malformed
from dockfix.project.problems import InputProblem

EXCLUDED_FOLDERS: Final = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".jj", ".mypy_cache", ".nox",
        ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", "__pypackages__",
        "__pycache__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv",
    }
)  # fmt: skip
"""Folders that are never searched: version control, caches, installed code and build output.

Source: the default of `exclude` in ruff's settings; without `build` and `.vscode`, which contain Dockerfiles
that people maintain (`build/docker/Dockerfile`, dev containers).
"""

_OTHER_KINDS: Final = frozenset(
    {
        # ignore files
        "dockerignore", "containerignore", "gitignore",
        # leftovers of editors, patch and downloads
        "swp", "swo", "swn", "swx", "orig", "bak", "backup", "rej", "old", "tmp", "save", "patch", "diff", "part",
        # templates: not Dockerfiles before they are rendered
        "j2", "jinja", "jinja2", "tmpl", "tpl", "template", "gotmpl", "in", "erb", "ejs", "hbs", "mustache", "m4",
        "mako",
        # prose and data
        "md", "rst", "txt", "adoc", "html", "pdf", "yml", "yaml", "json", "jsonc", "toml", "xml", "csv", "lock", "log",
        "sarif", "svg", "png",
        # programs
        "sh", "bash", "ps1", "bat", "cmd", "py", "pyc",
        # packed or signed
        "gz", "tgz", "tar", "zip", "xz", "zst", "asc", "sig", "sha256",
    }
)  # fmt: skip
CONFIG_NAMES: Final = (
    "dockfix.toml", ".dockfix.toml", "dockfix.yaml", "dockfix.yml", ".dockfix.yaml", ".dockfix.yml",
)  # fmt: skip
"""Files that configure only dockfix; `[tool.dockfix]` may be in a `pyproject.toml` instead."""

_COMPOSE: Final = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]*)?\.ya?ml")
_BAKE: Final = re.compile(
    r"docker-bake(?:\.override)?\.json"
    r"|(?:docker-)?bake(?:[._-][\w.-]*)?\.hcl"
    r"|[\w.-]+[._-](?:docker-)?bake\.hcl",
    re.ASCII,
)
_NAME: Final = re.compile(r"(?:Dockerfile(?:\..+)?|dockerfile|.*\.[Dd]ockerfile|Containerfile.*)", re.DOTALL)


def is_dockerfile_name(name: str) -> bool:
    """Whether the search of a folder takes a file of this name for a Dockerfile.

    `Dockerfile`, `Dockerfile.*`, `*.Dockerfile`, `*.dockerfile`, `Containerfile*`, and `dockerfile`, which BuildKit
    falls back to. Ignore files, templates, editors' backups and files whose last suffix names another type are left
    out. A file named on the command line is accepted with any name.
    """
    if name.endswith(("~", "#")) or name.startswith(".#") or _NAME.fullmatch(name) is None:
        return False
    return name.rpartition(".")[2].lower() not in _OTHER_KINDS if "." in name else True


_SAMPLE_FOLDERS: Final = frozenset(
    {"__tests__", "demo", "demos", "doc", "docs", "e2e", "spec", "third_party", "vendor"}
)
_SAMPLE_BEGINNINGS: Final = ("example", "fixture", "sample", "test")


def is_compose_name(name: str) -> bool:
    """Whether a file is a compose file: `compose*.y(a)ml` and `docker-compose*.y(a)ml`, the default names and the usual
    variants of them.
    """
    return _COMPOSE.fullmatch(name) is not None


def is_bake_name(name: str) -> bool:
    """Whether a file is a bake file: the four default names, and HCL files for `-f` (`bake.hcl`, `docker-bake.dev.hcl`,
    `ci.bake.hcl`). JSON files only by the default names, since any JSON file could have another.
    """
    return _BAKE.fullmatch(name) is not None


def is_sample_path(display: str) -> bool:
    """Whether a path, relative to the project root, is in a folder for tests, examples, documentation or vendored code,
    where the product's standards do not apply.
    """
    folders = [part.lower() for part in display.split("/")[:-1]]
    return any(folder in _SAMPLE_FOLDERS or folder.startswith(_SAMPLE_BEGINNINGS) for folder in folders)


_MAX_GITIGNORE: Final = 1024 * 1024


class Found(Struct, frozen=True):
    """A Dockerfile to work on. `path` is the path as given, or joined to the given folder; it is not resolved."""

    path: Path
    explicit: bool


def discover(
    paths: Sequence[Path],
    *,
    root: Path,
    exclude: Sequence[str] = (),
    respect_gitignore: bool = True,
    built: Collection[Path] = (),
) -> tuple[list[Found], list[InputProblem]]:
    """The Dockerfiles that `paths` name, in the order given, a folder's in the order of their paths, each file once.

    Folders are searched without following symlinks to folders; a symlink to a file is followed if the file is inside
    `root`. `exclude` takes gitignore patterns relative to `root`; they and `.gitignore` files apply to files found by
    searching, never to a file that is named. `built` are real paths of files that some build uses as its
    Dockerfile: they are found whatever their names. A path that cannot be used is reported and does not stop the rest.
    """
    real_root = os.path.realpath(root)
    found: list[Found] = []
    problems: list[InputProblem] = []
    seen: set[str | tuple[int, int]] = set()
    excluded = GitIgnore(exclude) if exclude else None
    wanted = frozenset(map(str, built))

    def add(path: Path, explicit: bool) -> None:
        try:
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)  # noqa: PTH116 - already a string
        except OSError as error:
            problems.append(InputProblem(str(path), None, why_unreadable(path, error)))
            return
        if not explicit and not is_inside(real, real_root):
            problems.append(InputProblem(str(path), None, "is a symlink that leaves the project root; not followed"))
        elif real not in seen and (status.st_nlink > 1 or (status.st_dev, status.st_ino) not in seen):
            # one file may have two names without a link, where case does not matter, or below a bind mount
            seen.update((real, (status.st_dev, status.st_ino)))
            found.append(Found(path, explicit))

    for path in paths:
        try:
            mode = path.stat().st_mode
        except ValueError:
            problems.append(InputProblem(str(path), None, "is not a possible file name"))
            continue
        except OSError as error:
            problems.append(InputProblem(str(path), None, why_unreadable(path, error)))
            continue
        if not stat.S_ISDIR(mode):
            add(path, True)
            continue
        for folder, names in _search(path, real_root, problems, excluded, respect_gitignore, wanted):
            for name in names:
                add(folder / name, False)
    return found, problems


def bad_pattern(patterns: Sequence[str]) -> str | None:
    """The first malformed gitignore pattern, which git would silently ignore."""
    return next((pattern for pattern in patterns if is_malformed(pattern)), None)


def not_excluded(paths: Sequence[Path], *, root: Path, exclude: Sequence[str]) -> list[Path]:
    """The files and folders in `paths` that a search of `root` would not skip because of `exclude` or
    `EXCLUDED_FOLDERS`; `.gitignore` does not count, since a hook names files that git tracks.

    Source: `force-exclude` in ruff's settings.
    """
    real_root = os.path.realpath(root)
    rules: _Rules = ((real_root, GitIgnore(exclude)),) if exclude else ()

    def is_excluded(path: Path) -> bool:
        is_folder = path.is_dir()
        # the place of the symlink counts, not that of its target
        real = os.path.realpath(path) if is_folder else f"{os.path.realpath(path.parent).rstrip('/')}/{path.name}"
        if real == real_root or not is_inside(real, real_root):
            return False
        parts = real[len(real_root.rstrip("/")) + 1 :].split("/")
        folders = parts if is_folder else parts[:-1]
        if not EXCLUDED_FOLDERS.isdisjoint(folders):
            return True
        above = [f"{real_root.rstrip('/')}/{'/'.join(parts[:count])}/" for count in range(1, len(folders) + 1)]
        return any(_ignored(each, rules) for each in [*above, real])

    return [path for path in paths if not is_excluded(path)]


def walk_folders(
    top: Path, *, max_depth: int, max_entries: int, problems: list[InputProblem] | None = None
) -> Iterator[tuple[Path, list[str]]]:
    """Every folder from `top` down, in path order, with the sorted names of its files.

    Symlinks to folders and `EXCLUDED_FOLDERS` are not entered. The walk is not recursive, so any depth works, and
    it ends after `max_entries` directory entries.
    """
    left = max_entries
    stack: list[tuple[Path, int]] = [(top, 0)]
    while stack:
        folder, depth = stack.pop()
        listed = _list(folder, problems)
        if listed is None:
            continue
        files, folders = listed
        left -= len(files) + len(folders)
        if left < 0:
            return
        yield folder, files
        if depth < max_depth:
            stack.extend((folder / name, depth + 1) for name in reversed(folders) if name not in EXCLUDED_FOLDERS)


_MAX_FOLDERS_DEEP: Final = 6
_MAX_ENTRIES: Final = 100_000


def find_named(root: Path, *wanted: Callable[[str], bool]) -> tuple[list[Path], ...]:
    """The files below `root` whose names each of `wanted` accepts: a sorted list for each, found in one walk.

    The search is bounded in depth and in the number of entries seen: the files that say how a project is built are
    not deep.
    """
    found: tuple[list[Path], ...] = tuple([] for _ in wanted)
    for folder, names in walk_folders(root, max_depth=_MAX_FOLDERS_DEEP, max_entries=_MAX_ENTRIES):
        for name in names:
            for takes, paths in zip(wanted, found, strict=True):
                if takes(name):
                    paths.append(folder / name)
    return found


_Rules: TypeAlias = tuple[tuple[str, GitIgnore], ...]
"""The ignore rules of a folder, the outermost first, each with the real path of the folder it is relative to."""


def _search(
    top: Path,
    real_root: str,
    problems: list[InputProblem],
    excluded: GitIgnore | None,
    respect_gitignore: bool,
    built: frozenset[str],
) -> Iterator[tuple[Path, list[str]]]:
    """Like `walk_folders` without limits, but only names of Dockerfiles that are not ignored."""
    real_top = os.path.realpath(top)
    always: _Rules = ((real_root, excluded),) if excluded is not None else ()
    below = real_top[len(real_root.rstrip("/")) + 1 :] if is_inside(real_top, real_root) else ""
    if below and excluded is not None and excluded.ignores_below(below):
        return
    stack: list[tuple[Path, str, _Rules]] = [
        (top, real_top, _rules_above(real_top, real_root, problems) if respect_gitignore else ())
    ]
    while stack:
        folder, real, rules = stack.pop()
        listed = _list(folder, problems)
        if listed is None:
            continue
        files, folders = listed
        if respect_gitignore and ".gitignore" in files:
            rules = (*rules, *_rules_of(real, problems))
        in_force = (*rules, *always)
        names = [
            name
            for name in files
            if (is_dockerfile_name(name) or f"{real}/{name}" in built) and not _ignored(f"{real}/{name}", in_force)
        ]
        if names:
            yield folder, names
        stack.extend(
            (folder / name, f"{real}/{name}", rules)
            for name in reversed(folders)
            if name not in EXCLUDED_FOLDERS and not _ignored(f"{real}/{name}/", in_force)
        )


def _list(folder: Path, problems: list[InputProblem] | None) -> tuple[list[str], list[str]] | None:
    """The sorted names of a folder's files (without symlinks to folders) and of its folders."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as scan:
            for entry in scan:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif not entry.is_symlink() or not _is_folder(entry):
                    files.append(entry.name)
    except OSError as error:
        if problems is not None:
            problems.append(InputProblem(str(folder), None, f"cannot be searched: {reason_of(error)}"))
        return None
    return sorted(files), sorted(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a symlink that loops; it is reported if its name is a Dockerfile's


def _rules_above(real_top: str, real_root: str, problems: list[InputProblem]) -> _Rules:
    """The `.gitignore` files of the folders above `real_top`, from the root on, unless they ignore `real_top` itself.

    A folder named on the command line is searched even if git ignores it.
    """
    if not is_inside(real_top, real_root) or real_top == real_root:
        return ()
    rules: _Rules = ()
    folder = real_root
    for part in real_top[len(real_root.rstrip("/")) + 1 :].split("/"):
        rules = (*rules, *_rules_of(folder, problems))
        folder = f"{folder.rstrip('/')}/{part}"
        if _ignored(folder + "/", rules):
            return ()
    return rules


def _rules_of(real_folder: str, problems: list[InputProblem]) -> _Rules:
    path = Path(real_folder, ".gitignore")
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ()  # git does not follow a symlink here
        if path.stat().st_size > _MAX_GITIGNORE:
            problems.append(InputProblem(str(path), None, "is too large and is not honoured"))
            return ()
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ()
    except OSError as error:
        problems.append(InputProblem(str(path), None, f"cannot be read and is not honoured: {reason_of(error)}"))
        return ()
    return ((real_folder, GitIgnore(text.removeprefix("\ufeff").split("\n"))),)


def _ignored(real_path: str, rules: _Rules) -> bool:
    """Whether the last pattern that matches, in the innermost file that has one, ignores the path.

    Source: gitignore(5), "patterns in the higher level files being overridden by those in lower level files".
    """
    for base, spec in reversed(rules):
        prefix = base.rstrip("/") + "/"
        if real_path.startswith(prefix):
            verdict = spec.verdict(real_path[len(prefix) :])
            if verdict is not None:
                return verdict
    return False
