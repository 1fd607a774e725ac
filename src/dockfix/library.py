"""The functions of `import dockfix`: what the command line does, for programs. Nothing here prints or exits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from dockfix.engine import baseline as baseline_files
from dockfix.engine import session
from dockfix.engine.baseline import Baseline, baseline_data, baseline_of
from dockfix.engine.changed_lines import on_changed_lines
from dockfix.engine.configure import settings_of
from dockfix.engine.results import FileResult, RunResult
from dockfix.engine.settings import Settings
from dockfix.git import Revision
from dockfix.output.json import dumps, result_json
from dockfix.project.config import load_config
from dockfix.project.target import find_project_root
from dockfix.rule.model import Codemod
from dockfix.rule.registry import load_registry
from dockfix.syntax import parser
from dockfix.syntax.source import decode, encode
from dockfix.syntax.tree import Dockerfile

__all__ = [
    "Paths", "accept", "changed_since", "check", "check_text", "fix", "fix_text", "load_settings", "not_accepted",
    "parse", "read_baseline", "rules", "to_json",
]  # fmt: skip

Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""A path, or several."""


def parse(text: str | bytes) -> Dockerfile:
    r"""Parse a Dockerfile into a lossless tree.

    Args:
        text: the Dockerfile; bytes need not be valid UTF-8.

    Returns:
        The tree. Its `text` is the input, its `instructions` are typed values with their places, and its `problems` are
        what BuildKit would refuse. Parsing never raises.

    Example:
        >>> tree = parse("FROM alpine AS base\nRUN true\n")
        >>> [instruction.name for instruction in tree.instructions]
        ['FROM', 'RUN']
        >>> tree.ok
        True
        >>> [problem.message for problem in parse("FORM alpine\n").problems]
        ['unknown instruction: FORM']
    """
    return parser.parse(decode(text) if isinstance(text, bytes) else text)


def rules() -> tuple[Codemod, ...]:
    """The rules of all installed packs, in running order.

    Raises:
        RegistryError: a pack cannot be loaded.

    Example:
        >>> [rule.severity.value for rule in rules() if rule.name == "apk-cache"]
        ['info']
    """
    return load_registry().codemods


def load_settings(folder: str | os.PathLike[str] = ".") -> Settings:
    """Read the settings from the configuration file of a folder, as the command line does.

    Args:
        folder: the nearest configuration file up the tree applies, as far as the root of the project. To Dockerfiles
            with another nearest configuration file, that one applies.

    Returns:
        The settings; the defaults if there is no configuration file.

    Raises:
        InputError: the configuration is invalid.
        RegistryError: a pack cannot be loaded.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = pathlib.Path(folder, "dockfix.toml").write_text('ignore = ["cache-mount"]')
        ...     load_settings(folder).ignore
        ('cache-mount',)
    """
    here = Path(folder)
    configured = partial(settings_of, registry=load_registry())
    return replace(configured(load_config(here, find_project_root(here))), nearest=configured)


def check(paths: Paths, settings: Settings | None = None, *, root: str | os.PathLike[str] | None = None) -> RunResult:
    r"""Find what the rules find in Dockerfiles. No file is changed.

    Args:
        paths: files, and folders to search for Dockerfiles.
        settings: what to run; by default the rules of the preset `recommended`. No configuration file is read: see
            `load_settings`.
        root: the project; nothing outside it is read. By default the project that the first path is in.

    Returns:
        The result; `files` has the findings of each file in `remaining`.

    Raises:
        UnknownRuleError: the settings name a rule that is not installed.
        RegistryError: a pack cannot be loaded.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = pathlib.Path(folder, "Dockerfile").write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
        ...     result = check(folder, Settings(select=("apk-cache",)))
        >>> [(file.display, found.rule, found.line) for file in result.files for found in file.remaining]
        [('Dockerfile', 'apk-cache', 2)]
    """
    given = _paths(paths)
    return session.check_paths(given, settings or Settings(), root=_root(given, root), registry=load_registry())


def fix(
    paths: Paths,
    settings: Settings | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    write: bool = False,
) -> RunResult:
    r"""Fix Dockerfiles, and the compose, bake and ignore files around them if a fix needs it.

    Only safe fixes are applied, unless `settings.unsafe` is set. Every change passes the gates of the engine.

    Args:
        paths: files, and folders to search for Dockerfiles.
        settings: as for `check`.
        root: the project; nothing outside it is read or written. By default the project that the first path is in.
        write: whether the files are written; else the result says what would be.

    Returns:
        The result. Each of its `files` has the new `text`, the `diff`, the `applied` fixes and the `remaining`
        findings.

    Raises:
        UnknownRuleError: the settings name a rule that is not installed.
        RegistryError: a pack cannot be loaded.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = pathlib.Path(folder, "Dockerfile").write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
        ...     result = fix(folder, Settings(select=("apk-cache",)), write=True)
        ...     pathlib.Path(folder, "Dockerfile").read_text()
        'FROM alpine:3.20\nRUN apk add --no-cache curl\n'
        >>> result.applied
        1
    """
    given = _paths(paths)
    return session.run_paths(
        given, settings or Settings(), root=_root(given, root), registry=load_registry(), write=write
    )


def check_text(
    text: str | bytes,
    settings: Settings | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
) -> FileResult:
    r"""Find what the rules find in the text of a Dockerfile.

    Args:
        text: the Dockerfile.
        settings: as for `check`.
        path: where the Dockerfile is or would be, which tells how it is built. By default nothing is known of its
            build.
        root: the project of `path`; by default the one that `path` is in.

    Returns:
        The result; `remaining` has the findings.

    Raises:
        UnknownRuleError: the settings name a rule that is not installed.
        RegistryError: a pack cannot be loaded.

    Example:
        >>> result = check_text("FROM alpine:3.20\nRUN apk update && apk add curl\n", Settings(select=("apk-cache",)))
        >>> [(found.rule, found.severity.value, found.line) for found in result.remaining]
        [('apk-cache', 'info', 2)]
    """
    return _text_result(text, settings, path, root, fix=False)


def fix_text(
    text: str | bytes,
    settings: Settings | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
) -> FileResult:
    r"""Fix the text of a Dockerfile. Nothing is written.

    Args:
        text: the Dockerfile.
        settings: as for `check`.
        path: as for `check_text`.
        root: as for `check_text`.

    Returns:
        The result, with the new `text`.

    Raises:
        UnknownRuleError: the settings name a rule that is not installed.
        RegistryError: a pack cannot be loaded.

    Example:
        >>> print(fix_text("FROM alpine:3.20\nRUN apk update && apk add curl\n").diff)
        --- a/<stdin>
        +++ b/<stdin>
        @@ -1,2 +1,2 @@
         FROM alpine:3.20
        -RUN apk update && apk add curl
        +RUN apk add --no-cache curl
        <BLANKLINE>
    """
    return _text_result(text, settings, path, root, fix=True)


def accept(result: RunResult) -> Baseline:
    r"""Accept all findings of a result, as `dockfix baseline` does.

    Args:
        result: what `check` returned.

    Returns:
        The baseline. `to_json` makes the content of its file, which `read_baseline` and `dockfix check` read.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "Dockerfile")
        ...     _ = file.write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
        ...     baseline = accept(check(folder, Settings(select=("apk-cache",))))
        ...     _ = file.write_text(file.read_text() + "RUN apk update && apk add git\n")
        ...     new = not_accepted(check(folder, Settings(select=("apk-cache",))), baseline)
        >>> baseline.total, [(found.rule, found.line) for found in new.files[0].remaining]
        (1, [('apk-cache', 3)])
    """
    return baseline_of(result, result.root)


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read a baseline that `dockfix baseline` wrote, or a program from `to_json`.

    Args:
        path: the file.

    Returns:
        The accepted findings.

    Raises:
        InputError: the file cannot be read, or is not a baseline.
    """
    return baseline_files.read_baseline(Path(path))


def not_accepted(result: RunResult, baseline: Baseline) -> RunResult:
    """The findings of a result that are not in a baseline, as `dockfix check --baseline` shows them.

    Args:
        result: what `check` returned.
        baseline: the accepted findings of the same project.

    Returns:
        The result with only these findings.
    """
    return baseline.filtered(result, result.root)[0]


def changed_since(result: RunResult, revision: str) -> RunResult:
    """The findings of a result on changed lines, as `dockfix check --changed-since` shows them.

    git is run, with the environment of this process; it reads its database only.

    Args:
        result: what `check` returned.
        revision: a git revision, such as `origin/main`; lines that differ from its merge base with HEAD are changed.

    Returns:
        The result with only these findings.

    Raises:
        GitError: git is not installed, or does not know the revision, a merge base, or a file of it.
    """
    return on_changed_lines(result, Revision(result.root, revision).text)


def to_json(result: RunResult | Baseline) -> str:
    """A result as the JSON document of `dockfix check --format json`; a baseline as the content of its file.

    Args:
        result: what `check` or `fix` returned, or a baseline.

    Returns:
        JSON text; `dockfix.output.json` describes the document of a result.
    """
    return dumps(baseline_data(result) if isinstance(result, Baseline) else result_json(result))


def _paths(paths: Paths) -> tuple[Path, ...]:
    return (Path(paths),) if isinstance(paths, str | os.PathLike) else tuple(map(Path, paths))


def _root(paths: Sequence[Path], root: str | os.PathLike[str] | None) -> Path:
    return Path(root) if root is not None else find_project_root(paths[0] if paths else Path())


def _text_result(
    text: str | bytes,
    settings: Settings | None,
    path: str | os.PathLike[str] | None,
    root: str | os.PathLike[str] | None,
    *,
    fix: bool,
) -> FileResult:
    data = text if isinstance(text, bytes) else encode(text)
    place = Path(path) if path is not None else None
    run = session.run_text(
        data,
        settings or Settings(),
        root=_root((place,) if place is not None else (), root),
        registry=load_registry(),
        path=place,
        fix=fix,
    )
    return run.files[0]
