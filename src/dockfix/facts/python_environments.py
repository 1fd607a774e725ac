"""Environments that `uv venv` makes, and pip in them.

Source: docs.astral.sh/uv/reference/cli (`uv venv`: the folder is `.venv` unless named, `--seed` installs pip), and what
uv 0.13.9 does: `bin/python -m pip` ends with "No module named pip", and there is no `bin/pip`.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.model import Known
from dockfix.facts.packages import Action, PackageCommand, distribution_name
from dockfix.facts.scope import State
from dockfix.syntax.python import is_python

__all__ = ["UvVenv", "lacking_in_uv", "may_bring_pip", "pip_of_environment", "uv_venv"]

_BRINGS_PIP: Final = frozenset(("pip", "pip-tools", "pip-api", "pip-audit", "pipenv", "poetry", "pdm", "jupyter"))
"""Distributions that are pip, or depend on it."""
_SHARED: Final = frozenset(
    (
        "--requirement", "--constraint", "--editable", "--no-deps", "--require-hashes", "--no-binary", "--only-binary",
        "--index-url", "--extra-index-url", "--find-links", "--no-index", "--upgrade", "--pre", "--quiet", "--verbose",
        "--no-cache-dir", "--force-reinstall", "--no-build-isolation", "--disable-pip-version-check",
    )
)  # fmt: skip
"""Options of `pip install` that `uv pip install` takes and means the same by: `uv pip install --help` of 0.13.9, and
docs.astral.sh/uv/pip/compatibility; each was tried."""


@dataclass(frozen=True, slots=True)
class UvVenv:
    """A `uv venv`: where, whether with pip, and how uv is called. Without `certain`, where is not known."""

    path: str
    seeded: bool
    uv: str
    certain: bool


def uv_venv(step: Step, state: State) -> UvVenv | None:
    """The environment that a command makes, if it is `uv venv`."""
    package = step.package
    if package is None or package.manager != "uv" or package.verb != ("venv",):
        return None
    seeded = package.has("--seed")
    variable = step.env.get("UV_VENV_SEED") or state.lookup("UV_VENV_SEED")
    named = "UV_VENV_SEED" in state.names() or "UV_VENV_SEED" in step.env
    seeded = seeded or (named and variable is not None)
    directory = step.directory(state.workdir)
    environment = "UV_PROJECT_ENVIRONMENT" in state.names()
    name = package.packages[0].value if package.packages else ".venv"
    if name is None or (environment and not package.packages):
        return UvVenv("", seeded, package.executable.text, certain=False)
    if not name.startswith("/"):
        if not isinstance(directory, Known) or package.has("--directory") or package.has("--project"):
            return UvVenv("", seeded, package.executable.text, certain=False)
        name = posixpath.join(directory.value, name)
    return UvVenv(posixpath.normpath(name), seeded, package.executable.text, certain=not step.opaque)


def pip_of_environment(step: Step, state: State) -> str:
    """The environment whose pip, by its path, a command runs; empty if it is none."""
    package = step.package
    if package is None or package.manager != "pip" or package.user_changed:
        return ""
    value = package.executable.value
    if value is None or "/" not in value:
        return ""
    folder, _, program = value.rpartition("/")
    if not (program.startswith("pip") or is_python(program)) or not folder.endswith("bin"):
        return ""
    if not folder.startswith("/"):
        directory = step.directory(state.workdir)
        if not isinstance(directory, Known):
            return ""
        folder = posixpath.join(directory.value, folder)
    folder = posixpath.normpath(folder)
    return posixpath.dirname(folder) if posixpath.basename(folder) == "bin" else ""


def may_bring_pip(step: Step) -> bool:
    """Whether a command may put pip into an environment: an install of anything that is not known to leave it out.

    Commands that are no package manager's count if they name pip (`ensurepip`, `get-pip.py`) or remove things.
    """
    package = step.package
    if package is None:
        texts = " ".join(word.text for word in step.command.words)
        return "pip" in texts or "virtualenv" in texts or " venv" in texts or step.command.basename in ("rm", "mv")
    if package.manager not in ("pip", "uv", "poetry", "pdm", "pipenv"):
        return False
    if package.action is not Action.INSTALL:
        return package.manager != "uv" or package.verb not in (("venv",), ("cache", "clean"), ("python", "install"))
    if package.unknown_operands or package.has("--requirement") or package.has("--editable"):
        return True
    names = [distribution_name(word.value) if word.value is not None else None for word in package.packages]
    return not names or any(name is None or name in _BRINGS_PIP for name in names)


def lacking_in_uv(package: PackageCommand) -> str:
    """The first option of a `pip install` that `uv pip install` does not have or means differently; empty if none."""
    return next((option.name for option in package.options if not option.known or option.name not in _SHARED), "")
