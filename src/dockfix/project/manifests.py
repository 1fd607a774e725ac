"""Which files a package build reads, as the manifests of a build context say. Read as data, never executed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from dockfix.project.toml import TomlError, parse_toml

if TYPE_CHECKING:
    from dockfix.project.context import Context

LIFECYCLE_SCRIPTS: Final = frozenset(
    {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}
)
"""Scripts that `npm install` and `npm ci` run in the project itself.

Source: https://docs.npmjs.com/cli/v10/using-npm/scripts, "Life Cycle Operation Order", `npm install`.
"""

DEPENDENCY_FIELDS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
"""Where a `package.json` lists what it depends on."""


class PyprojectFacts(Struct, frozen=True):
    """What `pyproject.toml` says of the files that its build reads.

    `readme` is the file that the readme field names, `None` for none or inline text. `mentioned` are the strings of the
    tables `[tool.*]` and `[build-system]` under keys that name sources: packages, includes, version files.
    """

    name: str | None
    readme: str | None
    mentioned: tuple[str, ...]


class PackageJsonFacts(Struct, frozen=True):
    """What `package.json` says of the files that an install reads.

    `workspaces` are the globs of `workspaces` (npm, Yarn; either form). `lifecycle` holds the scripts that an install
    runs, `local` the dependencies that are folders, archives or patches of the context (`file:`, `link:`, `portal:`,
    `workspace:`, `patch:`). `has_bin`: it has programs, which an install links. `injected`: it asks for copies of
    workspaces instead of links (pnpm). `patched` are the files of pnpm's patches. `uses_prisma`: it depends on
    Prisma's client, whose install script looks for a schema.
    """

    name: str | None
    workspaces: tuple[str, ...]
    scripts: Mapping[str, str]
    lifecycle: Mapping[str, str]
    local: Mapping[str, str]
    package_manager: str | None
    has_bin: bool = False
    injected: bool = False
    patched: tuple[str, ...] = ()
    uses_prisma: bool = False


def pyproject_facts(text: str) -> PyprojectFacts | None:
    """The facts of a `pyproject.toml`; `None` if it is not valid TOML.

    Sources: PEP 621 (`[project]`), PEP 518 and PEP 517 (`[build-system]`), Poetry's `[tool.poetry]`.
    """
    try:
        document = parse_toml(text)
    except TomlError:
        return None
    project = sub_table(document, "project")
    poetry = sub_table(sub_table(document, "tool"), "poetry")
    build = sub_table(document, "build-system")
    name = project.get("name", poetry.get("name"))
    return PyprojectFacts(
        name=name if isinstance(name, str) else None,
        readme=_readme(project.get("readme", poetry.get("readme"))),
        mentioned=tuple(dict.fromkeys(_path_like(document.get("tool"), build))),
    )


def local_sources(text: str, *, members: bool = True) -> tuple[str, ...] | None:
    """The names of dependencies in a `pyproject.toml` that are folders of the context; `None` if it is not valid TOML.

    If `members`, a workspace of uv counts, by the name `workspace`, and so do its members.

    Sources: docs.astral.sh/uv/concepts/projects/dependencies, python-poetry.org/docs/dependency-specification, PEP 508.
    """
    try:
        document = parse_toml(text)
    except TomlError:
        return None
    tool = sub_table(document, "tool")
    uv, poetry = sub_table(tool, "uv"), sub_table(tool, "poetry")
    found = ["workspace"] if members and "workspace" in uv else []
    local = {"path", "workspace"} if members else {"path"}
    tables = [sub_table(uv, "sources"), sub_table(poetry, "dependencies"), sub_table(poetry, "dev-dependencies")]
    tables += [sub_table(group, "dependencies") for group in sub_table(poetry, "group").values()]
    for table in tables:
        for name, value in table.items():
            entries = value if isinstance(value, list) else [value]
            if any(isinstance(entry, dict) and local & entry.keys() for entry in entries):
                found.append(name)
    dependencies = _strings(sub_table(document, "project").get("dependencies"))
    found += [each.partition("@")[0].strip() for each in dependencies if "file:" in each]
    return tuple(found)


def package_json_facts(text: str) -> PackageJsonFacts | None:
    """The facts of a `package.json`; `None` if it is not a JSON object."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    workspaces = document.get("workspaces")
    if isinstance(workspaces, dict):
        workspaces = workspaces.get("packages")
    scripts = {key: value for key, value in sub_table(document, "scripts").items() if isinstance(value, str)}
    local: dict[str, str] = {}
    for field in (*DEPENDENCY_FIELDS, "resolutions", "overrides"):
        for dependency, version in sub_table(document, field).items():
            if isinstance(version, str) and _is_local(version):
                local[dependency] = version
    name = document.get("name")
    manager = document.get("packageManager")
    patched = sub_table(sub_table(document, "pnpm"), "patchedDependencies")
    return PackageJsonFacts(
        name=name if isinstance(name, str) else None,
        workspaces=_strings(workspaces),
        scripts=scripts,
        lifecycle={key: value for key, value in scripts.items() if key in LIFECYCLE_SCRIPTS},
        local=local,
        package_manager=manager if isinstance(manager, str) else None,
        has_bin=bool(document.get("bin")) or "bin" in sub_table(document, "directories"),
        injected=any(
            isinstance(each, dict) and each.get("injected") for each in sub_table(document, "dependenciesMeta").values()
        ),
        patched=tuple(path for path in patched.values() if isinstance(path, str)),
        uses_prisma=any("@prisma/client" in sub_table(document, field) for field in DEPENDENCY_FIELDS),
    )


_NPMRC_SAYS_WHICH: Final = frozenset(
    ("include", "include[]", "omit", "omit[]", "production", "only", "also", "dev", "prod")
)


def javascript_managers(context: Context | None) -> Mapping[str, int] | None:
    """The major versions of package managers that a context asks for; None if NODE_ENV decides nothing there:
    its project has no devDependencies, or its `.npmrc` selects the dependencies to install.

    From `packageManager` of the `package.json` in the root of the context; a `.yarnrc.yml` means Yarn 2 or later. Empty
    if there is nothing to read.
    """
    text = context.read_text("package.json") if context is not None else None
    if context is None or text is None:
        return {}
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    if not sub_table(document, "devDependencies") and not document.get("workspaces"):
        return None
    if _NPMRC_SAYS_WHICH & {line.partition("=")[0].strip() for line in (context.read_text(".npmrc") or "").split("\n")}:
        return None
    versions = {"yarn": 2} if context.exists(".yarnrc.yml") else {}
    name, _, version = str(document.get("packageManager", "")).partition("@")
    major = version.partition(".")[0]
    return {**versions, name: int(major)} if major.isascii() and major.isdigit() and len(major) < 4 else versions


def _is_local(version: str) -> bool:
    """Whether a version is a folder, an archive, or a patch (Yarn) in the context, but not in `.yarn/`."""
    patch = version.rpartition("#")[2] if version.startswith("patch:") else ""
    at_home = ".yarn/patches/" in patch or patch.startswith(("~builtin", "optional!builtin", "builtin"))
    return version.startswith(("file:", "link:", "portal:", "workspace:")) or bool(patch and not at_home)


def sub_table(value: Any, key: str) -> dict[str, Any]:
    """The table under a key; empty if there is none."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _strings(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):  # an early draft of PEP 639: {paths = [...]} or {globs = [...]}
        value = value.get("paths", value.get("globs"))
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _readme(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("file")
    if isinstance(value, list):  # Poetry joins several
        value = next(iter(value), None)
    return value if isinstance(value, str) else None


def _path_like(*values: Any) -> Iterator[str]:
    """The strings at any depth under a key that names packages or files."""
    stack: list[tuple[Any, bool]] = [(value, False) for value in reversed(values)]
    while stack:
        value, named = stack.pop()
        if isinstance(value, dict):
            children = [(child, named or _names_files(key)) for key, child in value.items()]
            stack.extend(reversed(children))
        elif isinstance(value, list):
            stack.extend((child, named) for child in reversed(value))
        elif isinstance(value, str) and value and len(value) < 300 and "\n" not in value and named:
            yield value


def _names_files(key: str) -> bool:
    words = ("package", "path", "file", "include", "source", "readme", "where", "from", "module", "data", "root")
    return any(word in key.lower() for word in words)
