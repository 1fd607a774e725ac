"""Environments created by `uv venv`, and pip inside them.

Source: docs.astral.sh/uv/reference/cli (`uv venv`: the folder is `.venv` unless named, `--seed` installs pip), and the
behaviour of uv 0.13.9: `bin/python -m pip` ends with "No module named pip", and there is no `bin/pip`.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.commands import Step
from dockfix.facts.images import image_names
from dockfix.facts.model import Known, Refused, known
from dockfix.facts.packages import Action, PackageCommand, distribution_name
from dockfix.facts.paths import normal_path
from dockfix.facts.state import State
from dockfix.facts.tables.commands import PYTHON_MANAGERS
from dockfix.syntax.python import is_python
from dockfix.syntax.tree import Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

_BRINGS_PIP: Final = frozenset(("pip", "pip-tools", "pip-api", "pip-audit", "pipenv", "poetry", "pdm", "jupyter"))
"""pip, and distributions that depend on it."""
_SHARED: Final = frozenset(
    (
        "--requirement", "--constraint", "--editable", "--no-deps", "--require-hashes", "--no-binary", "--only-binary",
        "--index-url", "--extra-index-url", "--find-links", "--no-index", "--upgrade", "--pre", "--quiet", "--verbose",
        "--no-cache-dir", "--force-reinstall", "--no-build-isolation", "--disable-pip-version-check",
    )
)  # fmt: skip
"""Options with the same meaning in `pip install` and `uv pip install`: `uv pip install --help` of 0.13.9, and
docs.astral.sh/uv/pip/compatibility; each was tried."""


class UvVenv(Struct, frozen=True):
    """A `uv venv`: its path, whether its Python has pip, how uv is called, and if the path is known (`certain`)."""

    path: str
    seeded: bool
    uv: str
    certain: bool


def uv_venv(step: Step, state: State) -> UvVenv | None:
    """The environment that a command creates, if it is `uv venv`."""
    package = step.package
    if package is None or package.manager != "uv" or package.verb != ("venv",):
        return None
    seeded = package.has("--seed", "--system-site-packages")  # seen: `bin/python -m pip` is then that of the system
    variable = step.env.get("UV_VENV_SEED") or state.lookup("UV_VENV_SEED")
    named = state.sets("UV_VENV_SEED") or "UV_VENV_SEED" in step.env
    seeded = seeded or (named and variable is not None)
    directory = step.directory(state.workdir)
    environment = state.sets("UV_PROJECT_ENVIRONMENT")
    name = package.packages[0].value if package.packages else ".venv"
    if name is None or (environment and not package.packages):
        return UvVenv("", seeded, package.executable.text, certain=False)
    if not name.startswith("/"):
        if not isinstance(directory, Known) or package.has("--directory") or package.has("--project"):
            return UvVenv("", seeded, package.executable.text, certain=False)
        name = posixpath.join(directory.value, name)
    return UvVenv(normal_path(name), seeded, package.executable.text, certain=not step.opaque)


def pip_of_environment(step: Step, state: State) -> str | None:
    """The environment whose pip a command runs by its path; None if it does not."""
    package = step.package
    if package is None or package.manager != "pip" or package.user_changed:
        return None
    value = package.executable.value
    if value is None or "/" not in value:
        return None
    folder, _, program = value.rpartition("/")
    if not (program.startswith("pip") or is_python(program)) or not folder.endswith("bin"):
        return None
    if not folder.startswith("/"):
        directory = step.directory(state.workdir)
        if not isinstance(directory, Known):
            return None
        folder = posixpath.join(directory.value, folder)
    folder = normal_path(folder)
    return posixpath.dirname(folder) if posixpath.basename(folder) == "bin" else None


def environment_on_path(step: Step, state: State) -> str | None:
    """The folder of the environment whose `bin` comes first on PATH for a command; None if none does, or if PATH is
    not known.

    A system folder is not an environment. `/usr/local/sbin`, which contains no Python, is skipped.
    """
    path = step.env.get("PATH") or state.lookup("PATH")
    folders = path.value.split(":") if isinstance(path, Known) else []
    first = normal_path(next((folder for folder in folders if folder != "/usr/local/sbin"), "."))
    environment = posixpath.dirname(first)
    is_environment = posixpath.basename(first) == "bin" and environment not in ("/", "/usr", "/usr/local")
    return environment if is_environment and first.startswith("/") else None


def may_install_pip(step: Step) -> bool:
    """Whether a command may install pip into an environment: it installs something that may depend on pip.

    Commands other than package managers count if they name pip (`ensurepip`, `get-pip.py`) or remove files.
    """
    package = step.package
    if package is None:
        texts = " ".join(word.text for word in step.command.words)
        return "pip" in texts or "virtualenv" in texts or " venv" in texts or step.command.basename in ("rm", "mv")
    if package.manager not in PYTHON_MANAGERS:
        return False
    if package.action is not Action.INSTALL:
        return package.manager != "uv" or package.verb not in (("venv",), ("cache", "clean"), ("python", "install"))
    if package.unknown_operands or package.has("--requirement") or package.has("--editable"):
        return True
    names = [distribution_name(word.value) if word.value is not None else None for word in package.packages]
    return not names or any(name is None or name in _BRINGS_PIP for name in names)


def uv_pip_blocker(package: PackageCommand) -> str | None:
    """Why a `pip install` cannot be run unchanged by `uv pip install`: an option that uv lacks or interprets
    differently; None if it can."""
    names = (option.name for option in package.options if not option.known or option.name not in _SHARED)
    name = next(names, None)
    return f"`{name}` may have another meaning in `uv pip install`" if name is not None else None


def uv_pip_options(facts: BuildFacts, stage: Stage, run: Run, step: Step) -> str:
    """The options by which `uv pip install` installs into the environment of this pip.

    "" where uv finds the environment by itself, through VIRTUAL_ENV. It would also find one through PATH, but only
    without a `.venv` in the working directory or above it (docs.astral.sh/uv/pip/environments; seen with 0.13.9), so
    that one is named.

    Raises:
        Refused: the environment is unknown.
    """
    unknown = Refused("the environment that this `pip` installs into is unknown")
    state = facts.state(run)
    named = pip_of_environment(step, state)
    if named is not None and named not in ("/usr", "/usr/local"):
        return f"--python {named}/bin/python"
    value = step.package.executable.value if step.package is not None else None
    path = step.env.get("PATH") or state.lookup("PATH")
    if value is None or "/" in value or not isinstance(path, Known):
        raise unknown
    # No image of the table sets VIRTUAL_ENV, and the PATH of an unknown image is unknown too.
    is_set = state.sets("VIRTUAL_ENV") or "VIRTUAL_ENV" in step.env
    active = (step.env.get("VIRTUAL_ENV") or state.lookup("VIRTUAL_ENV")) if is_set else None
    if environment := environment_on_path(step, state):
        if not _has_pip(facts, run, step, environment):
            raise unknown
        if active == Known(environment):
            return ""
        if active is not None:
            raise unknown
        return f"--python {environment}/bin/python"
    if not path.value.removeprefix("/usr/local/sbin:").startswith("/usr/local/bin:"):
        raise unknown
    image = known(stage.base_ref) or ""
    is_system = "python" in image_names(image) and active is None and state.is_root == Known(True)
    if not is_system:
        raise unknown
    return "--system"


def _has_pip(facts: BuildFacts, run: Run, step: Step, environment: str) -> bool:
    """Whether the file last created an environment with a pip of its own at a path, before a command."""
    has_pip = False
    for earlier in facts.dockerfile.instructions:
        if not isinstance(earlier, Run) or earlier.span.start > run.span.start:
            continue
        state = facts.state(earlier)
        for each in facts.commands(earlier).steps:
            if earlier is run and each.command.start >= step.command.start:
                break
            made = uv_venv(each, state)
            if made is not None and made.path == environment:
                has_pip = made.seeded and made.certain
            elif environment in _python_venvs(each, state):
                has_pip = not {"--without-pip", "--no-pip", "--no-seed"} & set(each.command.values())
    return has_pip


def _python_venvs(step: Step, state: State) -> tuple[str, ...]:
    """Where `python -m venv` or `virtualenv` creates an environment."""
    words = step.command.args
    if is_python(step.command.basename or "") and step.command.values()[1:3] in (("-m", "venv"), ("-m", "virtualenv")):
        words = words[2:]
    elif step.command.basename != "virtualenv":
        return ()
    directory = step.directory(state.workdir)
    paths: list[str] = []
    for word in words:
        value = word.value
        if value is None and not any(name in step.env or name in step.variables for name in word.variables):
            expanded = state.expand(word.text)
            value = known(expanded)
        if value is not None and not value.startswith(("-", "/")) and isinstance(directory, Known):
            value = posixpath.join(directory.value, value)
        paths += [normal_path(value)] if value is not None and value.startswith("/") else []
    return tuple(paths)
