"""Which files of the build a package manager command reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dockfix.facts.packages.model import Option, PackageCommand
from dockfix.facts.packages.requirements import REMOTE, is_literal_name, is_local_path
from dockfix.facts.tables.commands import CONDA_MANAGERS, JAVASCRIPT_MANAGERS, SYSTEM_MANAGERS, Action
from dockfix.facts.tables.manifests import CONFIG_FILES, FILE_OPTIONS, FILE_VARIABLES, MANIFESTS


def literal_requirements_only(cmd: PackageCommand) -> bool:
    """Whether the command installs only packages that its words name, and reads no file of the build.

    True if every operand is a literal name or remote address that cannot be a path, every option is known, and none of
    them (nor a variable in the command's own words) makes it read a file or another directory. A local install into a
    project (`npm install x`, `uv add x`, `poetry add x`) is not literal: it also reads the project's manifest.
    Variables of the stage may still add files (`FILE_VARIABLES`), and configuration is read from other places
    (`Reads.config`). Sources: pip's "Usage" of install, docs.npmjs.com/cli/v11/commands/npm-install, apt-get(8),
    go.dev/ref/mod#go-install.
    """
    if cmd.action is not Action.INSTALL or cmd.unknown_operands or not cmd.packages:
        return False
    if not all(option.known for option in cmd.options) or _reads_by_option(cmd):
        return False
    if FILE_VARIABLES.get(cmd.manager, frozenset()) & cmd.assignments().keys():
        return False
    if cmd.manager == "uv" and cmd.verb not in (("pip", "install"), ("tool", "install"), ("python", "install")):
        return False
    if cmd.manager in ("poetry", "pdm", "pipenv", "bundler", "composer", "dotnet"):
        return False
    if cmd.manager in JAVASCRIPT_MANAGERS and not (cmd.has("--global") or cmd.verb[:1] == ("global",)):
        return False
    return all(word.value is not None and is_literal_name(cmd.manager, word.value) for word in cmd.packages)


def _reads_by_option(cmd: PackageCommand) -> list[Option]:
    """The options of a command whose value is a file to read, or an index in a local directory."""
    names = FILE_OPTIONS.get(cmd.manager, frozenset())
    found = [option for option in cmd.options if option.name in names and option.value is not None]
    for option in cmd.options:
        if option.name in (
            "--index-url",
            "--extra-index-url",
            "--index",
            "--default-index",
            "--repository",
            "--source",
        ):
            text = option.literal
            # An index that is an expansion is assumed to be an address, as it almost always is.
            if text is not None and (text.startswith(("/", ".", "file:")) or ("/" in text and "://" not in text)):
                found.append(option)
    return found


class Reads(Struct, frozen=True):
    """The files of the build that a command may read.

    `manifests`: names or globs that it looks for in its working directory (and, if `parents`, in the folders above: uv,
    npm and Go). `named`: paths in its own operands and options, relative to the working directory, which may name
    further files (`-r` inside a requirements file). `config`: configuration in other places, as base names or absolute
    globs. `everything`: it may read any file; the rest is then incomplete. `reason` says why it does, or that
    a file which it names may name others; None if neither.
    """

    manifests: tuple[str, ...] = ()
    everything: bool = False
    named: tuple[str, ...] = ()
    reason: str | None = None
    config: tuple[str, ...] = ()
    parents: bool = False


def manifests_for(cmd: PackageCommand) -> tuple[str, ...]:
    """Names and globs of the manifests and lock files that an install from a manifest reads; empty for other commands.

    These must be copied before the command when `COPY . .` is split: files that it names itself (`-r requirements.txt`)
    come first. Each exists only in some projects.
    """
    if cmd.manager == "cargo" and cmd.verb == ("chef", "cook"):
        return _named(cmd) or ("recipe.json",)
    if cmd.action is Action.SYNC or (
        cmd.action is Action.BUILD and cmd.manager in ("go", "cargo", "maven", "gradle", "dotnet")
    ):
        if cmd.manager in CONDA_MANAGERS and (named := _named(cmd)):
            return named
        base = () if cmd.manager == "uv" and cmd.verb == ("pip", "sync") else MANIFESTS[cmd.manager]
        return tuple(dict.fromkeys((*_named(cmd), *base)))
    if cmd.manager in ("pip", "uv", "pipenv") and cmd.action is Action.INSTALL:
        return _named(cmd)
    return ()


def _named(cmd: PackageCommand) -> tuple[str, ...]:
    """The literal paths of files in options and operands, without `./`."""
    return tuple(dict.fromkeys(_paths(cmd)))


def _paths(cmd: PackageCommand) -> Iterator[str]:
    for option in _reads_by_option(cmd):
        text = option.literal
        if text is None or REMOTE.match(text) or option.name in ("--group", "--extra", "--filter", "--workspace"):
            continue
        yield _clean(text)
    if cmd.action in (Action.INSTALL, Action.SYNC) and cmd.manager != "go":
        files = cmd.verb == ("pip", "sync")
        for word in cmd.packages:
            if word.value is not None and (files or is_local_path(cmd.manager, word.value)):
                yield _clean(word.value)


def _clean(path: str) -> str:
    path = path.removeprefix("file://").removeprefix("file:")
    path = re.sub(r"\[[^\]/]*\]\Z", "", path)
    while path.startswith("./") and len(path) > 2:
        path = path[2:]
    return path.rstrip("/") or "/" if path != "." else path


_UV_DISCOVERY: Final = ("pyproject.toml", "uv.toml", ".python-version", ".python-versions")


def reads(cmd: PackageCommand) -> Reads:
    """Which files of the build a command may read; `everything` where there is no bound.

    Sources: each manager's documentation of its configuration and manifests (tables/commands.py); npm lifecycle scripts
    (docs.npmjs.com/cli/v11/using-npm/scripts); uv's discovery of pyproject.toml, uv.toml and .python-version in the
    working directory and its parents (docs.astral.sh/uv/concepts/configuration-files).
    """
    config = CONFIG_FILES.get(cmd.manager, ())
    if cmd.action in (Action.CLEAN, Action.UPDATE):
        return Reads(config=config)
    if cmd.manager in SYSTEM_MANAGERS and cmd.action in (
        Action.REMOVE,
        Action.PURGE,
        Action.AUTOREMOVE,
        Action.UPGRADE,
    ):
        return Reads(config=config)
    if cmd.unknown_operands:
        return Reads(everything=True, reason="its operands are not in its words", config=config)
    if any(not option.known for option in cmd.options):
        return Reads(everything=True, reason="it has an option that dockfix does not know", config=config)
    if cmd.action in (Action.BUILD, Action.RUN, Action.OTHER):
        return Reads(MANIFESTS.get(cmd.manager, ()), True, _named(cmd), "it builds or runs the project", config)
    if FILE_VARIABLES.get(cmd.manager, frozenset()) & cmd.assignments().keys():
        return Reads(everything=True, reason="a variable names files for it to read", config=config)
    if any(word.value is None for word in cmd.packages) or any(
        option.literal is None for option in _reads_by_option(cmd)
    ):
        return Reads(everything=True, reason="an operand or a path of it is not literal", config=config)
    moved = cmd.option(
        "--prefix", "--cwd", "--dir", "--directory", "--project", "--working-dir", "--C", "--installroot"
    )
    if (
        moved is not None
        and cmd.manager not in ("pip", *SYSTEM_MANAGERS)
        and not (cmd.manager == "uv" and moved.name == "--prefix")
    ):
        return Reads(everything=True, reason="it works in another directory", named=_named(cmd), config=config)
    if cmd.action is Action.INSTALL:
        return _install_reads(cmd, config)
    if cmd.action is Action.SYNC:
        return _sync_reads(cmd, config)
    return Reads(MANIFESTS.get(cmd.manager, ()), True, _named(cmd), "it changes the project", config)


def _install_reads(cmd: PackageCommand, config: tuple[str, ...]) -> Reads:
    named = _named(cmd)
    manager = cmd.manager
    if manager in ("pip", "uv") and (
        manager == "pip" or cmd.verb in (("pip", "install"), ("tool", "install"), ("python", "install"))
    ):
        manifests = _UV_DISCOVERY if manager == "uv" else ()
        if "." in named or ".." in named or any(path.startswith("../") for path in named):
            return Reads(
                manifests, True, named, "it builds the project in its working directory", config, manager == "uv"
            )
        if cmd.option("--group", "--extra"):
            manifests = (*manifests, "pyproject.toml")
        reason = "the files that it names may name further files" if named else None
        return Reads(tuple(dict.fromkeys(manifests)), False, named, reason, config, manager == "uv")
    if manager in SYSTEM_MANAGERS or manager in CONDA_MANAGERS:
        return Reads((), False, named, None, config)
    if literal_requirements_only(cmd):
        if manager == "gem":
            # guides.rubygems.org/command-reference/#gem-install: a local NAME*.gem is looked for first.
            return Reads(("*.gem",), False, named, None, config)
        if manager == "cargo":
            return Reads(
                (".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"),
                False,
                named,
                None,
                config,
                True,
            )
        if manager == "go":
            return Reads((), False, named, None, config)
        # A global install of npm, yarn or pnpm; pnpm and yarn look for the version that packageManager asks for.
        manifests = ("package.json", ".npmrc", ".yarnrc", ".yarnrc.yml") if manager != "npm" else ()
        return Reads(manifests, False, named, None, config, manager != "npm")
    if manager == "gem":
        # `gem install --local NAME-1.0.gem` reads that file, whose extensions are then built.
        return Reads(("*.gem",), True, named, "it installs gems from files", config)
    return Reads(MANIFESTS[manager], True, named, "it installs into the project, whose scripts may run", config)


def _sync_reads(cmd: PackageCommand, config: tuple[str, ...]) -> Reads:
    manager, manifests, named = cmd.manager, MANIFESTS[cmd.manager], _named(cmd)
    if manager == "uv":
        if cmd.verb == ("pip", "sync"):
            return Reads(_UV_DISCOVERY, False, named, "the files that it names may name further files", config, True)
        if cmd.has("--no-install-workspace", "--no-install-local"):
            # docs.astral.sh/uv/guides/integration/docker: only with --frozen it does not read the workspace's members.
            members = () if cmd.has("--frozen") else ("**/pyproject.toml",)
            return Reads((*manifests, *members), False, named, None, config, True)
        if cmd.has("--no-install-project"):
            return Reads(
                (*manifests, "**/pyproject.toml"), False, named, "members of a workspace are installed", config, True
            )
        return Reads(manifests, True, named, "it builds and installs the project", config, True)
    if manager in ("poetry", "pdm"):
        bounded = cmd.has("--no-root") and cmd.has("--no-directory") if manager == "poetry" else cmd.has("--no-self")
        reason = None if bounded else "it installs the project, or its path dependencies"
        return Reads(manifests, not bounded, named, reason, config)
    if manager in JAVASCRIPT_MANAGERS:
        if cmd.verb in (("fetch",), ("import",)) or cmd.has("--ignore-scripts"):
            return Reads((*manifests, "**/package.json", "patches/**"), False, named, None, config, True)
        return Reads(manifests, True, named, "lifecycle scripts of the project may run", config, True)
    if manager == "go" and cmd.verb in (("mod", "download"), ("mod", "verify")):
        return Reads((*manifests, "**/go.mod", "**/go.sum"), False, named, None, config, True)
    if manager == "composer" and cmd.has("--no-scripts") and cmd.has("--no-autoloader") and cmd.has("--no-plugins"):
        return Reads(manifests, False, named, None, config)
    if manager == "cargo" and cmd.verb == ("chef", "cook"):
        return Reads(("recipe.json", *manifests), False, named, None, config, True)
    if manager == "maven":
        return Reads(manifests, False, named, None, config, True)
    reason = {
        "cargo": "cargo looks for the targets of every package",
        "bundler": "a Gemfile is Ruby",
        "gradle": "build scripts run",
    }.get(manager, "what it reads is not bounded")
    bounded = manager == "pipenv" or (manager in CONDA_MANAGERS and bool(named))
    return Reads(manifests, not bounded, named, None if bounded else reason, config, True)
