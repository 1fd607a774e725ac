"""Which commands need compilers, headers or git, and which packages contain them."""

from __future__ import annotations

import re
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.tables.commands import SYSTEM_MANAGERS
from dockfix.facts.tables.programs import Trait, has_trait

FAMILIES: Final = {"apt": "debian", "apk": "alpine", "dnf": "rhel", "yum": "rhel", "microdnf": "rhel"}
"""System package manager to the family under which tables list its packages."""

_COMPILERS: Final = frozenset(
    (
        *("build-essential", "gcc", "g++", "gcc-c++", "gfortran", "gcc-gfortran", "clang", "rustc", "cargo", "rust"),
        *("golang", "golang-go", "go", "build-base", "alpine-sdk", "abuild", "rpm-build", "devscripts", "dpkg-dev"),
    )
)
_BUILDING: Final = frozenset((Action.INSTALL, Action.SYNC, Action.BUILD, Action.UPGRADE))
_IDLE: Final = frozenset((Action.CLEAN, Action.REMOVE, Action.OTHER, Action.UPDATE))
_FRONT_ENDS: Final = frozenset(
    ("pip", "setuptools", "wheel", "virtualenv", "pipenv", "poetry", "uv", "bundler", "rake", "npm", "yarn", "pnpm")
)
"""Package managers and similar tools, which other managers install without building anything."""
_VERSION: Final = re.compile(r"-?[0-9][0-9.]*\Z")
_VERSIONED: Final = re.compile(r"[=<>~@:/]")


def builds(step: Step) -> bool | None:
    """Whether a command uses compilers, headers or git, or may do so while installing packages.

    None if that is not known: a script, a program that no table lists, a word that expands.
    """
    package = step.package
    if package is not None:
        if package.manager in SYSTEM_MANAGERS or package.action in _IDLE:
            return False
        if package.packages and all(word.value in _FRONT_ENDS for word in package.packages):
            return False
        return True if package.action in _BUILDING else None
    command = step.command
    if not command.words:
        return False
    name = command.basename
    if name is None:
        return None
    if has_trait(name, Trait.COMPILES) or has_trait(_VERSION.sub("", name), Trait.COMPILES):
        return True
    if name.startswith("python") and any((word.value or "").endswith("setup.py") for word in command.args[:1]):
        return True
    return False if has_trait(name, Trait.NEVER_COMPILES) and command.name == name else None


def virtual_name(package: PackageCommand) -> str | None:
    """The name of the virtual package that an `apk add` creates (`--virtual NAME`), None if there is none."""
    option = package.option("--virtual")
    return option.literal if package.manager == "apk" and option is not None else None


def package_names(package: PackageCommand) -> tuple[str, ...]:
    """The packages that a system package manager command installs or removes, without versions, releases and
    architectures.

    A word that expands is given as written; the virtual package of an `apk add` counts as installed.
    """
    if package.verb == ("build-dep",):
        return ()
    words = (
        word.text if word.value is None else _VERSIONED.split(word.value, maxsplit=1)[0] for word in package.packages
    )
    virtual = virtual_name(package)
    return (*(word for word in words if word), *((virtual,) if virtual else ()))


def is_header_package(name: str) -> bool:
    """Whether a package contains headers, which belong to a library, rather than a tool."""
    return name.endswith(("-dev", "-devel", "-headers"))


def is_compiler(name: str) -> bool:
    """Whether a package is a compiler or a collection with one: these make an image large."""
    return name in _COMPILERS or _VERSION.sub("", name) in _COMPILERS
