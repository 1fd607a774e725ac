"""The installed Python distributions that no copied file uses.

Manifests and sources are read as data. Where it is unknown what the image runs, there is a blocker instead of a claim.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from dockfix.facts.model import Known
from dockfix.facts.packages import Action, distribution_name
from dockfix.facts.stages import Stage
from dockfix.project.problems import InputError
from dockfix.project.target import Target
from dockfix.syntax.tree import Arg, Cmd, Entrypoint, Env, Healthcheck, Run
from dockfix_codemods.unused_python_deps.copied import copied_files
from dockfix_codemods.unused_python_deps.installs import PythonInstall, python_installs
from dockfix_codemods.unused_python_deps.names import (
    hosts,
    import_names,
    loaders_in_code,
    may_be_pickled,
    needed_by_others,
)
from dockfix_codemods.unused_python_deps.table import NOT_IMPORTED
from dockfix_codemods.unused_python_deps.usage import Usage


class UnusedDistributions(Struct, frozen=True):
    """The distributions of one RUN that no copied file uses.

    Args:
        run: the RUN.
        unused: their names.
        total: how many distributions the RUN installs.
        unchecked: how many of these were not checked: they are used without an import, needed by others, or unknown.
        files: how many Python files were read.
        blocker: what may use them anyway; None if nothing is known.
    """

    run: Run
    unused: tuple[str, ...]
    total: int
    unchecked: int
    files: int
    blocker: str | None = None


def unused_distributions(target: Target) -> tuple[UnusedDistributions, ...]:
    """For each install of the image, the distributions that no copied file and no command of the image uses.

    Empty if nothing is installed that can be checked, if no Python is copied, and if all distributions are used.
    """
    installs = python_installs(target)
    installed = {name for install in installs for name in install.names}
    if not any(import_names(name) for name in installed):
        return ()
    files = copied_files(target)
    usage = Usage(files, _texts(target))
    if not usage.count and not files.blocker:
        return ()
    checked = {name: modules for name in sorted(installed) if (modules := import_names(name)) is not None}
    used = {name for name, modules in checked.items() if usage.uses(name, modules, loaders_in_code(name))}
    found: list[UnusedDistributions] = []
    for install in installs:
        idle = [name for name in install.names if name in checked and name not in used]
        unused = [name for name in idle if not needed_by_others(name, installed, used)]
        if unused and usage.unpickles:
            unused = [name for name in unused if not may_be_pickled(name)]
        if unused:
            blocker = files.blocker or _blocker(target, install, installed) or usage.dynamic_blocker
            unchecked = sum(name not in checked for name in install.names) + len(idle) - len(unused)
            total = len(install.names)
            found.append(UnusedDistributions(install.run, tuple(unused), total, unchecked, usage.count, blocker))
    return tuple(found)


def _texts(target: Target) -> Iterator[str]:
    """The commands and variables of the image, and the compose files: texts that may name a module or a command."""
    for stage in target.facts.graph.reachable():
        for node in stage.program:
            if isinstance(node, Run):
                yield from _besides_installs(target, node)
            elif isinstance(node, Cmd | Entrypoint | Healthcheck | Env | Arg):
                yield node.logical.text
    for compose in target.project.compose_files:
        try:
            yield target.project.files.read(compose.path).text
        except InputError:
            continue


def _besides_installs(target: Target, run: Run) -> Iterator[str]:
    """The text of a RUN without its install commands."""
    commands = target.facts.commands(run)
    if not commands.steps:
        yield run.logical.text
        return
    text = commands.text.text
    for step in commands.packages:
        if step.package is not None and step.package.action in (Action.INSTALL, Action.SYNC) and not step.depth:
            text = text[: step.command.start] + " " * (step.command.end - step.command.start) + text[step.command.end :]
    yield text


def _blocker(target: Target, install: PythonInstall, installed: set[str]) -> str | None:
    """What else may use the installed distributions, in addition to the copied files."""
    if install.closure:
        return f"{install.closure} also lists the dependencies of other distributions"
    running = hosts(installed)
    if running:
        return f"`{running[0]}` runs code and loads packages that no file of the image names"
    graph = target.facts.graph
    for stage in graph.reachable():
        if stage.context is not None or (stage.parent is None and not stage.replaced and _brings_code(stage)):
            image = f"the image `{stage.node.image.text}`" if stage.node.image else "the image of another build"
            return f"{image} may contain Python code"
        for node in stage.program:
            if isinstance(node, Run) and (fetched := _fetch_blocker(target, node)):
                return fetched
    return _program_blocker(target, installed)


def _brings_code(stage: Stage) -> bool:
    if isinstance(stage.base_ref, Known) and stage.base_ref.value == "scratch":
        return False
    if stage.base is None:
        return True
    return isinstance(stage.base_ref, Known) and re.search(r"jupyter|anaconda", stage.base_ref.value) is not None


def _fetch_blocker(target: Target, run: Run) -> str | None:
    """How a RUN adds code that dockfix does not read; None if it does not seem to."""
    commands = target.facts.commands(run)
    if not commands.steps:
        return f"the commands in line {run.start_line} are unknown" if not run.json else None
    for step in commands.steps:
        words = [word.value if word.value is not None else word.text for word in step.command.words]
        if not words:
            continue
        program = posixpath.basename(words[0])
        if program in ("git", "svn", "hg") and {"clone", "checkout", "submodule", "pull"} & set(words[1:3]):
            return f"line {run.start_line} fetches code with `{program}`"
        if program in ("curl", "wget") and any(re.search(r"\.(?:py|whl|pyz)\b|/archive/", word) for word in words[1:]):
            return f"line {run.start_line} fetches code with `{program}`"
    return None


def _program_blocker(target: Target, installed: set[str]) -> str | None:
    """The program that the image runs, if it belongs to a distribution that no table knows: it may load others."""
    final = target.facts.final
    for node in final.program if final is not None else ():
        if isinstance(node, Cmd | Entrypoint):
            for step in target.facts.commands(node).steps:
                name = posixpath.basename((step.command.words[0].value or "") if step.command.words else "")
                distribution = distribution_name(name)
                if (
                    distribution in installed
                    and import_names(distribution) is None
                    and distribution not in NOT_IMPORTED
                ):
                    return f"the image runs `{name}`, which may load other distributions"
    return None
