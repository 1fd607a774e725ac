"""Manifests that refer to folders of the build context, whose manifests an install reads too.

Each function gives the paths of manifests that the build sends, or raises `Refused` with the reason why they cannot be
known. The paths may be more than the tool reads, never fewer: an unneeded manifest costs only a line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from dockfix.facts.model import Refused
from dockfix.facts.packages import is_literal_name, requirement_files
from dockfix.project.context import MAX_ENTRIES, Context
from dockfix.project.manifests import local_sources, sub_table
from dockfix.project.toml import TomlError, parse_toml

_SKIPPED: Final = frozenset(("node_modules", "bower_components", ".git"))
_DEEPEST: Final = 12
_MOST_MANIFESTS: Final = 200
_MOST_YAML: Final = 50_000
_MOST_BRACKETS: Final = 500


def match_folders(context: Context, patterns: Sequence[str], manifest: str) -> list[str]:
    """The folders with a file `manifest` that globs of a workspace name, sorted; `!` excludes.

    `*` matches within a name, `**` any number of folders. Folders of dependencies and links are not entered.

    Raises:
        Refused: another wildcard, a pattern that leaves the context, a linked member, or a tree that is too large.
    """
    wanted = [_segments(pattern) for pattern in patterns if not pattern.startswith("!")]
    unwanted = [_segments(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    found: list[str] = []
    left = MAX_ENTRIES
    stack: list[tuple[str, tuple[str, ...]]] = [(".", ())]
    while stack:
        folder, parts = stack.pop()
        entries = context.entries(folder)
        left -= len(entries)
        if left < 0:
            raise Refused("the tree is too large to look for the members of its workspace")
        if any(_matches(pattern, parts) for pattern in wanted) and not any(_matches(each, parts) for each in unwanted):
            path = posixpath.join(folder, manifest)
            if context.is_file(path) and not context.ignored(path):
                found.append(folder)
        for rel, is_folder in entries:
            name = rel.rpartition("/")[2]
            inner = (*parts, name)
            if name in _SKIPPED or not any(_may_lead_to(pattern, inner) for pattern in wanted):
                continue
            if is_folder and len(inner) <= _DEEPEST:
                stack.append((rel, inner))
            elif not is_folder and context.is_dir(rel):
                raise Refused(f"{rel} is a symlink to a folder")
    return sorted(found)


def _segments(pattern: str) -> tuple[str, ...]:
    plain = posixpath.normpath(pattern.removeprefix("./").rstrip("/") or ".")
    if plain.startswith(("..", "/")):
        raise Refused(f"the workspace has members outside the context ({pattern})")
    if re.search(r"[\[\]{}?()\\]", plain):
        raise Refused(f"the pattern {pattern} of the workspace is not one that dockfix reads")
    return () if plain == "." else tuple(plain.split("/"))


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    # the parts that the pattern may have matched so far: all ways at once, since there may be many `**`
    taken = {0}
    for each in pattern:
        if each == "**":
            taken = set(range(min(taken), len(parts) + 1)) if taken else taken
        else:
            taken = {at + 1 for at in taken if at < len(parts) and fnmatchcase(parts[at], each)}
    return len(parts) in taken


def _may_lead_to(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether something at or below the folder may match."""
    for at, part in enumerate(parts):
        if at >= len(pattern):
            return False
        if pattern[at] == "**":
            return True
        if not fnmatchcase(part, pattern[at]):
            return False
    return True


def pnpm_patterns(text: str) -> tuple[str, ...]:
    """The globs under `packages` in `pnpm-workspace.yaml`; none if there is no such key.

    Source: https://pnpm.io/pnpm-workspace_yaml

    Raises:
        Refused: the file is not valid YAML.
    """
    packages = pnpm_settings(text).get("packages")
    if packages is None:
        return ()
    if not isinstance(packages, list) or not all(isinstance(each, str) for each in packages):
        raise Refused("packages in pnpm-workspace.yaml is not a list of names")
    return tuple(packages)


def pnpm_settings(text: str) -> dict[str, Any]:
    """The keys of `pnpm-workspace.yaml`.

    Raises:
        Refused: the file is not valid YAML, or not a mapping.
    """
    return _yaml(text, "pnpm-workspace.yaml")


# --- Conda ----------------------------------------------------------------------------------------------------------


def conda_requirements(text: str, name: str) -> tuple[str, ...]:
    """The files that the pip part of an environment file of Conda names, relative to its folder.

    Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html

    Raises:
        Refused: it installs from folders or files.
    """
    lines: list[str] = []
    document = _yaml(text, name)
    if any(each.startswith((".", "/", "file:")) for each in _strings(document.get("channels"))):
        raise Refused(f"{name} has a channel in a folder")
    for entry in _list(document.get("dependencies")):
        # Conda passes the entries to pip as a requirements file in the folder of its own
        lines += _strings(entry.get("pip")) if isinstance(entry, dict) else []
        if isinstance(entry, str) and not is_literal_name("conda", entry):
            raise Refused(f"{name} names a file, or a line that dockfix does not know")
    found = requirement_files("\n".join(lines))
    if found is None:
        raise Refused(f"{name} names local paths, or lines that dockfix does not know")
    return found


# --- Go -------------------------------------------------------------------------------------------------------------


def go_manifests(context: Context) -> list[str]:
    """The go.mod and go.sum files that `go mod download` in the context's root reads in addition to those there.

    They belong to the modules that go.work uses, and to folders that a `replace` substitutes for a module; a replaced
    module's own `replace` lines do not count. Source: https://go.dev/ref/mod#workspaces and
    #go-mod-file-replace.
    """
    folders = ["."]
    work = context.read_text("go.work") if context.exists("go.work") and not context.ignored("go.work") else None
    if work is not None:
        folders += [_inside(path, ".", "go.work uses") for path in _go_values(work, "use")]
    replaced: list[str] = []
    if work is not None:
        replaced += [_inside(path, ".", "go.work replaces a module by") for path in _go_replacements(work)]
    found: list[str] = []
    for folder in dict.fromkeys(folders):
        manifest = posixpath.normpath(posixpath.join(folder, "go.mod"))
        text = context.read_text(manifest)
        if text is None and (folder != "." or work is None):
            raise Refused(f"{manifest} is not in the context, or cannot be read")
        lines = _go_replacements(text or "")
        replaced += [_inside(path, folder, f"{manifest} replaces a module by") for path in lines]
        if folder != ".":
            found += [manifest, posixpath.join(folder, "go.sum")]
    for folder in dict.fromkeys(replaced):
        if not context.is_file(posixpath.join(folder, "go.mod")):
            raise Refused(f"{folder}/go.mod is not in the context, or cannot be read")
        found.append(posixpath.join(folder, "go.mod"))
    return [path for path in dict.fromkeys(found) if path != "go.mod" and context.exists(path)]


def _go_lines(text: str, directive: str) -> Iterator[list[str]]:
    """The words of each entry of a directive, in a block or on a line of its own, comments aside."""
    inside = False
    for line in text.splitlines():
        words = [word.strip('"`') for word in line.partition("//")[0].split()]
        if words[:2] == [directive, "("] or words[:1] == [f"{directive}("]:
            inside = True
        elif words[:1] == [")"]:
            inside = False
        elif inside and words:
            yield words
        elif words[:1] == [directive]:
            yield words[1:]


def _go_values(text: str, directive: str) -> list[str]:
    return [words[0] for words in _go_lines(text, directive) if words]


def _go_replacements(text: str) -> list[str]:
    """The folders on the right of `replace` lines; they begin with `./`, `../` or `/`."""
    found: list[str] = []
    for words in _go_lines(text, "replace"):
        path = words[words.index("=>") + 1] if "=>" in words[:-1] else ""
        if path.startswith(("./", "../", "/")) or path in (".", ".."):
            found.append(path)
    return found


def _inside(path: str, folder: str, what: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("/") or joined.startswith(".."):
        raise Refused(f"{what} {path}, which is outside the context")
    return joined


# --- Cargo ----------------------------------------------------------------------------------------------------------


def cargo_manifests(context: Context) -> list[str]:
    """The Cargo.toml files, of the root first, that `cargo fetch` there reads: of members and of path dependencies.

    If Cargo.toml sets a target's path, cargo does not check that the file exists (`target_path` in
    cargo/util/toml/targets.rs). Source: https://doc.rust-lang.org/cargo/reference/workspaces.html

    Raises:
        Refused: a package finds a target by its place, such as src/main.rs; cargo then needs the source too.
    """
    found: list[str] = []
    pending = ["."]
    while pending:
        folder = pending.pop(0)
        manifest = posixpath.normpath(posixpath.join(folder, "Cargo.toml"))
        if manifest in found:
            continue
        document = _toml(context, manifest)
        found.append(manifest)
        if len(found) > _MOST_MANIFESTS:
            raise Refused("the workspace has more packages than dockfix reads")
        if "package" in document:
            _check_targets(document, manifest)
        workspace = sub_table(document, "workspace")
        excluded = [f"!{each}" for each in _strings(workspace.get("exclude"))]
        members = _strings(workspace.get("members"))
        if members:
            below = [posixpath.join(folder, each) for each in members]
            pending += match_folders(context, [*below, *excluded], "Cargo.toml")
        for path in _path_dependencies(document):
            pending.append(_inside(path, folder, f"{manifest} takes a package from"))
    return found


def _check_targets(document: dict[str, Any], manifest: str) -> None:
    where = posixpath.dirname(manifest)
    place = posixpath.join(where, "src")
    library = document.get("lib")
    targets: list[Any] = [library] if isinstance(library, dict) else []
    for kind in ("bin", "example", "test", "bench"):
        targets += [each for each in _list(document.get(kind)) if isinstance(each, dict)]
    if not any(isinstance(each.get("path"), str) for each in targets):
        raise Refused(f"cargo needs the sources of every target, or stubs of them: {manifest} gives no paths")
    for target in targets:
        if not isinstance(target.get("path"), str):
            name = target.get("name", "the library")
            raise Refused(f"cargo looks for {name} of {manifest} below {place}: it gives no path")


def _path_dependencies(document: dict[str, Any]) -> Iterator[str]:
    tables = list(sub_table(document, "patch").values())
    for owner in (document, sub_table(document, "workspace"), *sub_table(document, "target").values()):
        tables += [sub_table(owner, kind) for kind in ("dependencies", "dev-dependencies", "build-dependencies")]
    for table in tables:
        for value in table.values() if isinstance(table, dict) else ():
            path = value.get("path") if isinstance(value, dict) else None
            if isinstance(path, str):
                yield path


# --- uv -------------------------------------------------------------------------------------------------------------


def uv_manifests(context: Context, *, frozen: bool) -> list[str]:
    """The pyproject.toml files of the members of a uv workspace in the root, without the root's.

    Source: https://docs.astral.sh/uv/concepts/projects/workspaces/

    Raises:
        Refused: a member takes a package from a folder, whose sources are then built; or, if not `frozen`, a member
            has metadata that only its build backend knows.
    """
    workspace = sub_table(sub_table(sub_table(_toml(context, "pyproject.toml"), "tool"), "uv"), "workspace")
    excluded = [f"!{each}" for each in _strings(workspace.get("exclude"))]
    folders = match_folders(context, [*_strings(workspace.get("members")), *excluded], "pyproject.toml")
    found = [posixpath.join(folder, "pyproject.toml") for folder in folders if folder != "."]
    for path in found:
        if local := local_sources(context.read_text(path) or "", members=False):
            raise Refused(f"{path} takes {local[0]} from a folder of the context")
        project = sub_table(_toml(context, path), "project")
        if not frozen and project.get("dynamic"):
            raise Refused(f"{path} has dynamic metadata, for which its sources are read; --frozen avoids that")
    return found


# --- Maven ----------------------------------------------------------------------------------------------------------


def maven_manifests(context: Context) -> list[str]:
    """The pom.xml files of the modules of the project in the root, and of their parents, without the root's.

    Source: https://maven.apache.org/pom.html#Aggregation and #Inheritance
    """
    found: list[str] = []
    pending = ["pom.xml"]
    while pending:
        manifest = pending.pop(0)
        text = context.read_text(manifest)
        if text is None:
            raise Refused(f"{manifest} is not in the context, or cannot be read")
        text = _without_comments(text)
        parent = _maven_parent(text, manifest)
        if parent is not None and context.is_file(parent) and parent not in (*found, "pom.xml"):
            found.append(parent)
            pending.append(parent)
        for module in map(str.strip, re.findall(r"<module>([^<]*+)</module>", text)):
            if "${" in module or not module:
                raise Refused(f"{manifest} names a module by a property")
            path = _inside(module, posixpath.dirname(manifest) or ".", f"{manifest} has the module")
            path = path if path.endswith(".xml") else posixpath.normpath(posixpath.join(path, "pom.xml"))
            if path not in found and path != "pom.xml":
                found.append(path)
                pending.append(path)
        if len(found) > _MOST_MANIFESTS:
            raise Refused("the project has more modules than dockfix reads")
    odd = next((path for path in found if posixpath.basename(path) != "pom.xml"), None)
    if odd is not None:
        raise Refused(f"{odd} is a module or a parent with another name than pom.xml")
    return found


def _without_comments(text: str) -> str:
    """XML without its comments, in one pass; an unclosed comment is kept, as no parser would read it."""
    kept: list[str] = []
    at = 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        kept.append(text[at:begin])
        at = end + 3
    return "".join((*kept, text[at:]))


def _maven_parent(text: str, manifest: str) -> str | None:
    """Where Maven looks for the parent of a pom.xml before it asks a repository; `None` if nowhere in the context."""
    parent, closed, _ = text.partition("<parent>")[2].partition("</parent>")
    if not closed or re.search(r"<relativePath\s*+/>", parent):
        return None
    given = re.search(r"<relativePath>([^<]*+)</relativePath>", parent)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(manifest), given[1].strip() if given else "../pom.xml"))
    path = path if path.endswith(".xml") else posixpath.normpath(posixpath.join(path, "pom.xml"))
    return None if path.startswith("..") else path


# --- shared ---------------------------------------------------------------------------------------------------------


def _yaml(text: str, name: str) -> dict[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - loaded on first use
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    # ruamel.yaml takes quadratic time on deep nesting
    if len(text) > _MOST_YAML or text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise Refused(f"{name} is longer, or more deeply nested, than dockfix reads")
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"{name} is not valid YAML") from error
    if document is not None and not isinstance(document, dict):
        raise Refused(f"{name} is not valid: it holds no keys")
    return document or {}


def _toml(context: Context, path: str) -> dict[str, Any]:
    text = context.read_text(path)
    if text is None:
        raise Refused(f"{path} is not in the context, or cannot be read")
    try:
        return parse_toml(text)
    except TomlError as error:
        raise Refused(f"{path} is not TOML that dockfix reads: {error.message}") from error


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [each for each in _list(value) if isinstance(each, str)]
