"""Which files an install from a manifest needs, so that only those must be copied before it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Refused
from dockfix.facts.packages import PackageCommand, manifests_for, reads, requirement_files
from dockfix.facts.tables.commands import CONDA_MANAGERS
from dockfix.project.context import Context
from dockfix.project.manifests import PackageJsonFacts, local_sources, package_json_facts
from dockfix.project.workspaces import (
    cargo_manifests,
    conda_requirements,
    go_manifests,
    match_folders,
    maven_manifests,
    pnpm_patterns,
    pnpm_settings,
    uv_manifests,
)

_MOST_REQUIREMENTS: Final = 20
_MOST_FOLDERS: Final = 8
"""The most folders besides the root that may have manifests: each takes a COPY."""


class Needs(Struct, frozen=True):
    """The files that an install needs: `paths` of the context (files and folders), in order.

    `review` is what a person must still check.
    """

    paths: tuple[str, ...]
    review: str


_RESULTS: Final = {
    **dict.fromkeys(("npm", "yarn", "pnpm"), "node_modules"),
    "composer": "vendor",
    **dict.fromkeys(("uv", "poetry", "pdm"), ".venv"),
}
"""Folders of the project that an install fills; a later COPY of the whole context would overwrite them."""

_PYTHON_REVIEW: Final = "check whether a dependency is built from files of the project"
_REVIEWS: Final = {
    **dict.fromkeys(
        ("npm", "yarn", "pnpm"), "check whether an install script of a dependency reads files of the project"
    ),
    "bundler": "check whether the Gemfile reads other files",
    "composer": "check that a later step runs `composer dump-autoload`: the install now runs before the code is there",
    "maven": "check whether the build has plugins that read further files",
    "gradle": "check whether the build scripts read further files",
    "dotnet": "check whether the project refers to other projects, or to props files above it",
    "go": "check whether the modules are fetched with files of the project, such as a .netrc",
    "cargo": "check whether a registry or credentials are configured in other files of the project",
}


def builds_project(command: PackageCommand) -> bool:
    """Whether an install also builds and installs the project in its working directory."""
    manager = command.manager
    if manager == "uv" and command.verb == ("sync",):
        return not command.has("--no-install-project", "--no-install-workspace", "--no-install-local")
    if manager == "poetry":
        return not command.has("--no-root", "--only-root")
    if manager == "pdm":
        return not command.has("--no-self")
    return manager in ("pip", "uv") and any(name in (".", "..") or name.endswith("/.") for name in reads(command).named)


def install_needs(command: PackageCommand, context: Context) -> Needs:
    """What an install from a manifest that works in the root of the context needs.

    Sources: each manager's documentation, as named in facts/tables/commands.py; a later COPY of the whole context
    overwrites files that an install has created.

    Raises:
        Refused: the files are unknown, or more than manifests.
    """
    paths = tuple(dict.fromkeys(_paths(command, context)))
    result = _RESULTS.get(command.manager)
    if result is not None and not context.ignored(result) and not (result == ".venv" and not context.exists(result)):
        raise Refused(f"{result} is not in .dockerignore: a COPY after the install would overwrite it with the host's")
    for path in paths:
        if context.ignored(path):
            raise Refused(f".dockerignore excludes {path}")
    if not paths:
        raise Refused("no manifest that it reads is in the context")
    folders = {posixpath.dirname(path) for path in paths if not context.is_dir(path)} - {""}
    if len(folders) > _MOST_FOLDERS:
        raise Refused(f"the manifests are in {len(folders)} folders, each of which needs a COPY")
    return Needs(paths, _REVIEWS.get(command.manager, _PYTHON_REVIEW))


def _paths(command: PackageCommand, context: Context) -> Iterator[str]:
    manager = command.manager
    if builds_project(command):
        raise Refused("it installs the project itself, which takes its sources")
    if command.option("--prefix", "--cwd", "--dir", "--directory", "--project", "--working-dir"):
        raise Refused("it works in another directory")
    further: list[str] = []
    if manager in ("npm", "yarn", "pnpm"):
        further = _check_node(command, context)
    elif manager in ("uv", "poetry", "pdm"):
        further = _check_pyproject(command, context)
    elif manager == "cargo":
        if command.verb != ("fetch",):
            raise Refused("cargo needs the sources of every target, or stubs of them")
        further = cargo_manifests(context)
    else:
        further = _check_text(manager, context)
    for name in manifests_for(command):
        if manager in CONDA_MANAGERS and context.exists(name):
            for each in conda_requirements(_text(context, name), name):
                yield from _requirements(posixpath.join(posixpath.dirname(name), each), context)
        if name in reads(command).named and manager in ("pip", "uv", "pipenv"):
            yield from _requirements(name, context)
        elif name.startswith("**/"):
            continue
        elif name.endswith("/**"):
            if context.is_dir(name[:-3]) and not context.ignored(name[:-3]):
                yield name[:-3]
        elif re.search(r"[*?\[]", name):
            yield from context.glob(name, sent_only=True) or ()
        elif context.exists(name) and (not context.ignored(name) or name in _primary(manager)):
            yield name
    if manager == "uv" and command.verb[:1] == ("pip",):
        yield from (name for name in ("uv.toml", "pyproject.toml", ".python-version") if context.exists(name))
    yield from further


def _primary(manager: str) -> tuple[str, ...]:
    """The manifest without which nothing can be installed."""
    names = {
        **dict.fromkeys(("npm", "yarn", "pnpm"), ("package.json",)),
        **dict.fromkeys(("uv", "poetry", "pdm"), ("pyproject.toml",)),
        "go": ("go.mod",),
        "bundler": ("Gemfile", "gems.rb"),
        "composer": ("composer.json",),
        "maven": ("pom.xml",),
        "gradle": ("build.gradle", "build.gradle.kts"),
        "pipenv": ("Pipfile",),
    }
    return names.get(manager, ())


def _text(context: Context, name: str) -> str:
    text = context.read_text(name)
    if text is None:
        raise Refused(f"{name} is not in the context, or cannot be read")
    return text


def _requirements(name: str, context: Context) -> Iterator[str]:
    """A requirements file with all that it includes."""
    pending, seen = [name], set[str]()
    while pending:
        path = posixpath.normpath(pending.pop(0))
        if path in seen:
            continue
        seen.add(path)
        if path.startswith(("..", "/")) or len(seen) > _MOST_REQUIREMENTS:
            raise Refused(f"{name} includes files outside the context")
        included = requirement_files(_text(context, path))
        if included is None:
            raise Refused(f"{path} names local paths, or lines that dockfix does not know")
        yield path
        pending += [posixpath.join(posixpath.dirname(path), each) for each in included]


def _check_node(command: PackageCommand, context: Context) -> list[str]:
    """The package.json files of workspaces, and patches, that an install reads besides those in the root."""
    root = _package_json(context, "package.json")
    patterns, patches = root.workspaces, [*root.patched]
    if command.manager == "pnpm":
        text = context.read_text("pnpm-workspace.yaml") or ""
        patterns = pnpm_patterns(text)
        patched = pnpm_settings(text).get("patchedDependencies")
        patches += [str(each) for each in patched.values()] if isinstance(patched, dict) else []
    if context.exists("lerna.json"):
        raise Refused("the project has packages of its own (lerna.json)")
    members = [folder for folder in match_folders(context, patterns, "package.json") if folder != "."]
    packages = {"package.json": root}
    packages |= {f"{member}/package.json": _package_json(context, f"{member}/package.json") for member in members}
    if members:
        _check_members(command, context, packages)
    for path, facts in packages.items():
        _check_package(command, context, path, facts, {each.name for each in packages.values()} if members else set())
    return [
        *(path for path in packages if path != "package.json"),
        *(p for p in patches if not p.startswith("patches/")),
    ]


def _package_json(context: Context, path: str) -> PackageJsonFacts:
    facts = package_json_facts(_text(context, path))
    if facts is None:
        raise Refused(f"{path} is not valid JSON")
    return facts


def _check_members(command: PackageCommand, context: Context, packages: Mapping[str, PackageJsonFacts]) -> None:
    """What can prevent an install that reads only manifests, in a project with workspaces."""
    if command.has("--filter", "--workspace", "--recursive") or command.verb[:1] in (("workspaces",), ("workspace",)):
        raise Refused("it installs for some of the workspaces only")
    settings = f"{context.read_text('.npmrc') or ''}\n{context.read_text('pnpm-workspace.yaml') or ''}"
    found = re.search(
        r"^[ \t]*+(install-links|inject-workspace-packages|injectWorkspacePackages)\s*+[=:]\s*+true",
        settings,
        re.MULTILINE,
    )
    if found or any(facts.injected for facts in packages.values()) or command.has("--install-links"):
        raise Refused("it copies the workspaces' files into node_modules")
    if re.search(
        r"^[ \t]*+(?:shared-workspace-lockfile|sharedWorkspaceLockfile)\s*+[=:]\s*+false", settings, re.MULTILINE
    ):
        raise Refused("each workspace has its own lockfile")
    for path, facts in packages.items():
        folder = posixpath.dirname(path)
        if folder and facts.has_bin:
            raise Refused(f"{path} has a bin, whose file the install links")
        if folder and not context.ignored(f"{folder}/node_modules"):
            raise Refused(f"{folder}/node_modules is not in .dockerignore: the host's would overwrite it")


def _check_package(
    command: PackageCommand, context: Context, path: str, facts: PackageJsonFacts, members: Collection[str | None]
) -> None:
    """What an install reads or runs for one package besides its manifest."""
    for name, version in facts.local.items():
        if not version.startswith("workspace:") or name not in members:
            raise Refused(f"{name} is a dependency in a folder of the context")
    if command.has("--ignore-scripts"):
        return
    if facts.lifecycle:
        raise Refused(f"the {min(facts.lifecycle)} script in {path} runs with it, and may read any file")
    folder = posixpath.dirname(path)
    schemas = [posixpath.join(folder, name) for name in ("prisma/schema.prisma", "schema.prisma")]
    if facts.uses_prisma or any(context.exists(schema) for schema in schemas):
        raise Refused("the install script of @prisma/client reads schema.prisma")


def _check_pyproject(command: PackageCommand, context: Context) -> list[str]:
    if not context.exists("pyproject.toml"):
        return []
    local = local_sources(_text(context, "pyproject.toml"))
    if local is None:
        raise Refused("pyproject.toml is not valid TOML")
    if local and local[0] == "workspace" and command.manager == "uv" and command.verb == ("sync",):
        # docs.astral.sh/uv/guides/integration/docker, "Intermediate layers", on workspaces
        if not command.has("--no-install-workspace", "--no-install-local"):
            raise Refused("it installs the members of the workspace, which takes their sources")
        if command.has("--package", "--all-packages"):
            raise Refused("it installs for some of the workspace's members only")
        local = local_sources(_text(context, "pyproject.toml"), members=False) or ()
        if not local:
            return uv_manifests(context, frozen=command.has("--frozen"))
    if local:
        raise Refused(f"pyproject.toml takes {local[0]} from a folder of the context")
    return []


def _check_text(manager: str, context: Context) -> list[str]:
    """The manifests in the folders that a manager's manifests refer to, if they can be known."""
    match manager:
        case "go":
            if context.is_dir("vendor"):
                raise Refused("the modules are in vendor/, which the build uses")
            return go_manifests(context)
        case "bundler":
            gemfile = _text(context, "Gemfile" if context.exists("Gemfile") else "gems.rb")
            if re.search(r"\b(?:path|gemspec|eval_gemfile|File|Dir|IO|require_relative|instance_eval)\b", gemfile):
                raise Refused("the Gemfile refers to other files")
        case "composer":
            manifest = _text(context, "composer.json")
            if re.search(r'"type"\s*:\s*"path"', manifest):
                raise Refused("composer.json takes packages from folders of the context")
        case "maven":
            return maven_manifests(context)
        case "gradle":
            settings = "".join(context.read_text(name) or "" for name in ("settings.gradle", "settings.gradle.kts"))
            if re.search(r"\binclude(?:Build)?\b", settings) or context.exists("buildSrc"):
                raise Refused("the project has several builds, whose scripts are read too")
        case "dotnet":
            if context.glob("*.sln") or context.glob("*.slnx") or not context.glob("*.*proj"):
                raise Refused("the project files that the solution names are unknown")
        case _:
            pass
    return []
