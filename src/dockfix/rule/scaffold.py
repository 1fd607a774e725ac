"""New packs and new rules for `dockfix new`. What is written works at once, and is meant to be rewritten."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from dockfix import __version__
from dockfix.project.files import FileText, read_file, reason_of
from dockfix.project.problems import InputError
from dockfix.project.writing import NewFile, write_files
from dockfix.rule import templates

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_GROUP: Final = "dockfix.codemods"
_PLACES: Final = ("src", "codemods", ".")
"""The folders of a project in which the package of a pack may be."""


class ScaffoldError(Exception):
    """A pack or a rule that cannot be created; the message says why."""


class Pack(Struct, frozen=True):
    """A pack of codemods: the folder of its package, and the project with its `golden` folder."""

    package: Path
    root: Path


def find_pack(start: Path) -> Pack | None:
    """The pack of the project that a folder is in: the nearest `pyproject.toml` with the entry point of a pack.

    Raises:
        ScaffoldError: the project has several packs, or its package is not found.
    """
    for root in (start, *start.parents):
        packages = _packages(root / "pyproject.toml")
        if len(packages) > 1:
            raise ScaffoldError(f"{root} has several packs: {', '.join(packages)}; use --pack DIR")
        for package in packages:
            found = [root / place / package for place in _PLACES if (root / place / package / "__init__.py").is_file()]
            if not found:
                raise ScaffoldError(f"the package {package} of the pack in {root} is not found; use --pack DIR")
            return Pack(found[0], root)
    return None


def _packages(pyproject: Path) -> list[str]:
    """The packages that the entry points of a project name as packs."""
    import tomllib  # noqa: PLC0415 - only this needs it

    try:
        data = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
    points = data.get("project", {}).get("entry-points", {}).get(_GROUP, {})
    return list(dict.fromkeys(str(value).partition(":")[0] for value in points.values()))


def new_pack(name: str, parent: Path) -> tuple[Path, ...]:
    """Write a pack with one rule into a new folder, and return the paths of its files.

    Args:
        name: the name of the rule, in kebab case; the folder is called `dockfix-<name>`.
        parent: where the folder is created.

    Raises:
        ScaffoldError: the name is not in kebab case, or the folder exists or cannot be written.
    """
    words = _words(name)
    root = parent / words["@PROJECT@"]
    if root.exists() or root.is_symlink():
        raise ScaffoldError(f"{root} already exists; nothing was written")
    package = f"src/{words['@PACKAGE@']}"
    texts = {
        "pyproject.toml": templates.PYPROJECT,
        "README.md": templates.README,
        f"{package}/__init__.py": templates.INIT,
        f"{package}/{words['@MODULE@']}.py": templates.MODULE,
        f"golden/{name}.md": templates.GOLDEN,
        f"tests/test_{words['@MODULE@']}.py": templates.TEST,
    }
    return _write({root / path: _filled(text, words) for path, text in texts.items()})


def add_rule(name: str, pack: Pack) -> tuple[tuple[Path, ...], bool]:
    """Write the module and the golden file of a rule into a pack.

    Returns:
        The paths of the files, and whether the rule was added to the list of rules in the package.

    Raises:
        ScaffoldError: the name is not in kebab case, the package is none, or a file of that name exists.
    """
    words = _words(name)
    init = pack.package / "__init__.py"
    if not init.is_file():
        raise ScaffoldError(f"{pack.package} is not the package of a pack: it has no __init__.py")
    texts = {
        pack.package / f"{words['@MODULE@']}.py": _filled(templates.MODULE, words),
        pack.root / "golden" / f"{name}.md": _filled(templates.GOLDEN, words),
    }
    try:
        old = read_file(init, root=pack.package)
    except InputError as error:
        raise ScaffoldError(f"{error}; nothing was written") from error
    listed = _listed(old.text, name)
    return _write(texts, [] if listed is None else [(old, listed.encode())]), listed is not None


def _words(name: str) -> Mapping[str, str]:
    """The placeholders of the templates, with their values."""
    if _NAME.fullmatch(name) is None:
        suggestion = "-".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()))
        hint = f"; use {suggestion!r}" if _NAME.fullmatch(suggestion) else ""
        raise ScaffoldError(f"{name!r} is not a name in kebab case{hint}")
    module = name.replace("-", "_")
    return {
        "@NAME@": name,
        "@MODULE@": module,
        "@CLASS@": "".join(part.capitalize() for part in name.split("-")),
        "@PROJECT@": f"dockfix-{name}",
        "@PACKAGE@": f"dockfix_{module}",
        "@VERSION@": __version__,
    }


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(words), lambda match: words[match[0]], text)


def _write(texts: Mapping[Path, str], others: Sequence[tuple[FileText, bytes]] = ()) -> tuple[Path, ...]:
    """Write new files, and change others, or do nothing; nothing is overwritten."""
    for path in texts:
        if path.exists() or path.is_symlink():
            raise ScaffoldError(f"{path} already exists; nothing was written")
    try:
        for path in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
        new = [(NewFile(path, path.parent.resolve() / path.name), text.encode()) for path, text in texts.items()]
        write_files([*new, *others])
    except OSError as error:
        raise ScaffoldError(f"{error.filename} cannot be written: {reason_of(error)}") from error
    except InputError as error:
        raise ScaffoldError(str(error)) from error
    return tuple(texts)


def _listed(source: str, name: str) -> str | None:
    """The source of a package with a rule added to its tuple of rules; None if there is no such tuple."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    for node in body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if names in (["RULES"], ["ORDER"]) and isinstance(value, ast.Tuple) and value.elts:
            return _with_last(source, value, name)
    return None


def _with_last(source: str, listed: ast.Tuple, name: str) -> str:
    lines = source.split("\n")
    last = listed.elts[-1]
    row, column = (last.end_lineno or 1) - 1, last.end_col_offset or 0
    if last.lineno == listed.lineno:  # on one line; the comma after the last one may be that of a tuple of one
        lines[row] = f'{lines[row][:column]}, "{name}"{lines[row][column:]}'
    else:
        indent = lines[row][: last.col_offset]
        comma = "" if lines[row][column:].lstrip().startswith(",") else ","
        lines[row] = f"{lines[row][:column]}{comma}{lines[row][column:]}"
        lines.insert(row + 1, f'{indent}"{name}",')
    return "\n".join(lines)
