"""Which program is which package manager, and what its subcommands do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def names(words: str) -> frozenset[str]:
    return frozenset(words.split())


class Action(enum.Enum):
    """What a package manager command does, in terms common to all managers."""

    INSTALL = "install"
    """Installs what its operands name."""
    REMOVE = "remove"
    PURGE = "purge"
    AUTOREMOVE = "autoremove"
    UPDATE = "update"
    """Refreshes the index of packages; installs nothing."""
    UPGRADE = "upgrade"
    SYNC = "sync"
    """Installs, or downloads, what a manifest or lock file names."""
    BUILD = "build"
    """Builds, tests or runs the project itself."""
    CLEAN = "clean"
    """Empties the manager's cache."""
    RUN = "run"
    """Runs another program in the manager's environment (uv run, npx)."""
    OTHER = "other"


PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "uv": "uv",
        "apt": "apt",
        "apt-get": "apt",
        "aptitude": "apt",
        "apk": "apk",
        "dnf": "dnf",
        "dnf4": "dnf",
        "dnf5": "dnf",
        "yum": "yum",
        "microdnf": "microdnf",
        "zypper": "zypper",
        "npm": "npm",
        "yarn": "yarn",
        "yarnpkg": "yarn",
        "pnpm": "pnpm",
        "poetry": "poetry",
        "pdm": "pdm",
        "pipenv": "pipenv",
        "go": "go",
        "cargo": "cargo",
        "gem": "gem",
        "bundle": "bundler",
        "bundler": "bundler",
        "composer": "composer",
        "composer.phar": "composer",
        "mvn": "maven",
        "mvnw": "maven",
        "gradle": "gradle",
        "gradlew": "gradle",
        "dotnet": "dotnet",
        "conda": "conda",
        "mamba": "mamba",
        "micromamba": "micromamba",
    }
)
"""Program to manager; pip and Python, whose names contain versions, are recognised in code."""

RUNNERS: Final[Mapping[str, str]] = MappingProxyType({"npx": "npm", "pnpx": "pnpm", "uvx": "uv", "pipx": "pip"})
"""Programs that only run packages (npx, uvx), or install them in isolation (pipx)."""

PYTHON_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {"pip": "pip", "uv": "uv", "poetry": "poetry", "pdm": "pdm", "pipenv": "pipenv"}
)
"""What `python -m MODULE` runs."""


def _table(text: str) -> Mapping[tuple[str, ...], Action]:
    """Lines `action: sub command, other` as a table from subcommand words to actions."""
    table: dict[tuple[str, ...], Action] = {}
    for line in text.strip().split("\n"):
        action, _, names = line.strip().partition(":")
        for name in names.split(","):
            table[tuple(name.split())] = Action(action)
    return MappingProxyType(table)


_CONDA: Final = _table(
    """install: install, create
    sync: env create, env update
    remove: remove, uninstall, env remove
    upgrade: update, upgrade, self-update
    clean: clean
    run: run
    other: env export, env list, config, init, info, list, shell, activate"""
)

# From dnf.readthedocs.io/en/latest/command_ref.html, with the aliases that it names
_DNF: Final = _table(
    """install: install, in, localinstall, reinstall, rei, groupinstall, group install, grp install, builddep
    install: install-n, module install
    remove: remove, rm, erase, groupremove, group remove
    autoremove: autoremove
    update: makecache, mc
    upgrade: upgrade, up, update, distro-sync, distrosync, dsync, upgrade-minimal, update-minimal, up-min, dist-upgrade
    clean: clean
    other: module enable, module disable, module reset, config-manager, check-update, swap, download, copr
    other: repoquery"""
)

SUBCOMMANDS: Final[Mapping[str, Mapping[tuple[str, ...], Action]]] = MappingProxyType(
    {
        # From pip.pypa.io/en/stable/cli
        "pip": _table(
            """install: install
            remove: uninstall
            clean: cache purge, cache remove
            other: download, wheel, freeze, list, show, check, config, config set, cache dir, debug, lock, index"""
        ),
        # From docs.astral.sh/uv/reference/cli
        "uv": _table(
            """install: pip install, add, tool install, python install
            sync: sync, pip sync
            remove: pip uninstall, remove, tool uninstall
            upgrade: tool upgrade, self update, python upgrade
            build: build
            clean: cache clean, cache prune
            run: run, tool run
            other: lock, venv, pip compile, pip freeze, pip list, pip show, pip check, pip tree, export, init
            other: version, tree
            other: python find, python list, python pin, cache dir, publish, tool list, tool dir"""
        ),
        # From apt-get(8), apt(8), aptitude(8)
        "apt": _table(
            """install: install, reinstall, build-dep, satisfy
            remove: remove
            purge: purge
            autoremove: autoremove, auto-remove, autopurge
            update: update
            upgrade: upgrade, dist-upgrade, full-upgrade, safe-upgrade
            clean: clean, autoclean, auto-clean, distclean, dist-clean
            other: download, source, check, changelog, list, show, search, policy, markauto, hold, edit-sources"""
        ),
        # From apk(8)
        "apk": _table(
            """install: add, fix
            remove: del
            update: update
            upgrade: upgrade
            clean: cache clean, cache purge
            other: info, fetch, search, policy, cache sync, cache download, list, audit, verify, stats, version"""
        ),
        "dnf": _DNF,
        "yum": _DNF,
        "microdnf": _DNF,
        # From zypper(8)
        "zypper": _table(
            """install: install, in, source-install, si
            remove: remove, rm
            update: refresh, ref
            upgrade: update, up, dist-upgrade, dup, patch
            clean: clean, cc
            other: addrepo, ar, removerepo, rr, modifyrepo, mr, search, se, info, if"""
        ),
        # From docs.npmjs.com/cli/v11/commands, with the aliases that it names
        "npm": _table(
            """install: install, i, in, ins, inst, insta, instal, isnt, isnta, isntal, isntall, add, update, up
            install: upgrade, install-test, it
            sync: ci, clean-install, ic, install-clean, isntall-clean, install-ci-test, cit
            remove: uninstall, remove, rm, r, un, unlink, prune
            build: run, run-script, rum, urn, test, t, tst, start, stop, rebuild, rb, pack, publish, version
            clean: cache clean, cache verify
            run: exec, x
            other: config, config set, set, get, init, link, ln, ls, view, audit, pkg, pkg set, root, prefix
            other: bin, login, cache add, cache ls"""
        ),
        # From classic.yarnpkg.com/en/docs/cli, yarnpkg.com/cli
        "yarn": _table(
            """install: add, global add
            sync: install, workspaces focus
            remove: remove, global remove
            upgrade: upgrade, up
            build: run, test, build, start, pack, rebuild, workspaces run, workspaces foreach, workspace
            clean: cache clean, autoclean
            run: dlx, exec, node
            other: config, config set, config get, set, set version, plugin, plugin import, link, unlink, why
            other: info, init, create, version, policies, cache dir, cache list, dedupe, import, licenses
            other: audit, generate-lock-entry, constraints"""
        ),
        # From pnpm.io/cli
        "pnpm": _table(
            """install: add, update, up, upgrade
            sync: install, i, fetch, import
            remove: remove, rm, uninstall, un, prune
            build: run, run-script, test, t, tst, start, build, rebuild, rb, deploy, pack, publish, recursive
            clean: store prune, cache delete
            run: exec, dlx
            other: config, config set, set, get, store path, setup, env, env use, self-update, link, ln, ls
            other: list, init, approve-builds, root, why, audit, create"""
        ),
        # From python-poetry.org/docs/cli
        "poetry": _table(
            """install: add, self add
            sync: install, sync
            remove: remove, self remove
            upgrade: update, self update
            build: build
            clean: cache clear
            run: run
            other: lock, export, config, show, check, env use, env info, env list, env remove, init, new
            other: publish, shell, version, source add, cache list"""
        ),
        # From pdm-project.org/en/latest/reference/cli
        "pdm": _table(
            """install: add
            sync: install, sync
            remove: remove
            upgrade: update
            build: build
            clean: cache clear
            run: run
            other: lock, export, config, use, venv, venv create, init, list, python install, self add, self update"""
        ),
        # From pipenv.pypa.io/en/latest/cli
        "pipenv": _table(
            """install: install
            sync: sync
            remove: uninstall, clean
            upgrade: update, upgrade
            run: run
            other: lock, requirements, check, graph, shell, verify"""
        ),
        # From go help
        "go": _table(
            """install: install, get
            sync: mod download, mod vendor, mod tidy, mod verify, work sync, work vendor
            build: build, test, generate, vet, tool, fmt
            clean: clean
            run: run
            other: env, version, mod init, mod edit, mod graph, list, work init, work use, fix, doc"""
        ),
        # From doc.rust-lang.org/cargo/commands; cargo-chef's README
        "cargo": _table(
            """install: install, binstall
            sync: fetch, vendor, chef cook
            remove: uninstall
            build: build, b, check, c, test, t, bench, rustc, doc, clippy, run, r, package, publish, auditable
            build: zigbuild, nextest run, leptos build
            clean: clean, cache
            other: add, update, chef prepare, init, new, fmt, tree, metadata, version, generate-lockfile
            other: search, login, rm, remove"""
        ),
        # From guides.rubygems.org/command-reference
        "gem": _table(
            """install: install, i
            remove: uninstall
            upgrade: update
            build: build
            clean: sources --clear-all
            other: cleanup, list, sources, env, push, fetch, which, specification, pristine"""
        ),
        # From bundler.io/man/bundle.1.html
        "bundler": _table(
            """install: add
            sync: install, i, cache, package, pack
            remove: remove
            upgrade: update
            run: exec, e
            clean: clean
            other: config, config set, check, lock, info, show, list, binstubs, init, pristine, version, env
            other: outdated"""
        ),
        # From getcomposer.org/doc/03-cli.md
        "composer": _table(
            """install: require, r, req, global require, create-project
            sync: install, i, global install
            remove: remove, rm, uninstall, global remove
            upgrade: update, u, upgrade, self-update, selfupdate
            build: run-script, run
            clean: clear-cache, clearcache, cc
            run: exec
            other: dump-autoload, dumpautoload, config, global config, diagnose, show, check-platform-reqs
            other: validate, audit, init, status, why"""
        ),
        # From learn.microsoft.com/dotnet/core/tools
        "dotnet": _table(
            """install: add package, package add, tool install, workload install, new install
            sync: restore, tool restore, workload restore
            remove: remove package, package remove, tool uninstall
            upgrade: tool update, workload update
            build: build, publish, test, run, pack, msbuild, format, watch, vstest
            clean: nuget locals, clean
            other: nuget add, nuget push, new, sln, dev-certs, ef, add reference, build-server, list, --info"""
        ),
        "conda": _CONDA,
        "mamba": _CONDA,
        "micromamba": _CONDA,
        "maven": MappingProxyType({}),
        "gradle": MappingProxyType({}),
    }
)
"""Subcommand words to actions. Maven's and Gradle's operands are goals and tasks, not subcommands."""

WRAPPERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        # Options that take a value as the next word: sudo(8), env(1), doas(1), timeout(1), nice(1), ionice(1),
        # stdbuf(1), xargs(1), setpriv(1), runuser(1), time(1), the bash manual for exec and command.
        "sudo": frozenset(
            [
                "-u",
                "--user",
                "-g",
                "--group",
                "-h",
                "--host",
                "-p",
                "--prompt",
                "-C",
                "-D",
                "--chdir",
                "-R",
                "--chroot",
                "-T",
                "-r",
                "-t",
                "-U",
            ]
        ),
        "doas": frozenset(("-u", "-C")),
        "env": frozenset(("-u", "--unset", "-C", "--chdir")),
        "exec": frozenset(("-a",)),
        "command": frozenset(),
        "builtin": frozenset(),
        "time": frozenset(("-f", "--format", "-o", "--output")),
        "nice": frozenset(("-n", "--adjustment")),
        "ionice": frozenset(("-c", "--class", "-n", "--classdata")),
        "nohup": frozenset(),
        "stdbuf": frozenset(("-i", "-o", "-e", "--input", "--output", "--error")),
        "timeout": frozenset(("-s", "--signal", "-k", "--kill-after")),
        "xargs": frozenset(
            [
                "-a",
                "-d",
                "-E",
                "-I",
                "-L",
                "-n",
                "-P",
                "-s",
                "--arg-file",
                "--delimiter",
                "--max-lines",
                "--max-args",
                "--max-procs",
            ]
        ),
        "gosu": frozenset(),
        "su-exec": frozenset(),
        "setuser": frozenset(),
        "runuser": frozenset(("-u", "--user", "-g", "--group")),
        "eatmydata": frozenset(),
        "fakeroot": frozenset(),
        "corepack": frozenset(),
        "retry": frozenset(("-t", "-d")),
    }
)
"""Programs that run the words after their own options, with those of their options that take a value."""

WRAPPER_OPERANDS: Final[Mapping[str, int]] = MappingProxyType({"timeout": 1, "gosu": 1, "su-exec": 1, "setuser": 1})
"""How many operands of their own come before the command (a duration, a user)."""

USER_CHANGERS: Final = frozenset(("sudo", "doas", "gosu", "su-exec", "setuser", "runuser"))
"""Wrappers that run the command as another user, and may give it another HOME and environment."""

PYTHON_MANAGERS: Final = frozenset(("pip", "uv", "poetry", "pdm", "pipenv"))
JAVASCRIPT_MANAGERS: Final = frozenset(("npm", "yarn", "pnpm"))
SYSTEM_MANAGERS: Final = frozenset(("apt", "apk", "dnf", "yum", "microdnf", "zypper"))
CONDA_MANAGERS: Final = frozenset(("conda", "mamba", "micromamba"))
