"""Which RUNs call the uv of an install, and at which paths."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.model import Known, Refused
from dockfix.facts.packages import Action, distribution_name
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import StageSource
from dockfix.facts.tables.programs import Trait, programs_with
from dockfix.facts.uv_installs.installs import UvInstall
from dockfix.facts.uv_installs.on_path import SYSTEM_PATH, is_uv, is_within, spelling
from dockfix.facts.uv_installs.starts import start_blocker
from dockfix.syntax.tree import Copy, Instruction, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage

_NEVER_CALL_IT: Final = programs_with(
    Trait.NO_PATHS, Trait.NAMED_FILES, Trait.UNPACKS, Trait.DOWNLOADS, Trait.SETS_IDS
) | {"cd", "git", "dpkg", "rpm", "yes"}

_HOLDERS: Final = frozenset(("", "uv", "uvx", "bin", ".local", ".cargo", "local", "usr", "root"))


class UvUse(Struct, frozen=True):
    """A RUN that calls uv, and the paths at which uv must be."""

    run: Run
    targets: tuple[str, ...]


def uv_uses(facts: BuildFacts, install: UvInstall) -> tuple[UvUse, ...]:
    """The RUNs that call the uv of an install, in all stages that contain it; at least one.

    Raises:
        Refused: they are not known, or something else may call it.
    """
    uses: list[UvUse] = []
    # A stage that others are based on is an image only if it is the target.
    started_from = {stage.parent for stage in facts.graph.stages}
    for stage in facts.graph.stages:
        has_it = install.stage in facts.graph.chain(stage)
        for instruction in stage.executed:
            if stage is install.stage and instruction.span.start < install.run.span.start:
                continue
            if has_it and isinstance(instruction, Run):
                targets = _targets(facts, instruction, install)
                if targets:
                    uses.append(UvUse(instruction, targets))
            elif has_it and isinstance(instruction, Onbuild):
                raise Refused("an ONBUILD may call it")
            if blocker := _copy_blocker(facts, instruction, stage, install):
                raise Refused(blocker)
        is_image = stage is facts.graph.final or stage.index not in started_from
        if has_it and is_image and (blocker := start_blocker(facts, stage)):
            raise Refused(blocker)
    if not uses:
        raise Refused("nothing in the file calls it, so it may be intended for the image")
    return tuple(uses)


def _copy_blocker(facts: BuildFacts, instruction: Instruction, stage: Stage, install: UvInstall) -> str | None:
    """Why a stage that is not based on the install may take uv from one that is; None if it does not."""
    for source in facts.graph.sources(instruction, stage):
        if not isinstance(source, StageSource) or install.stage not in facts.graph.chain(source.stage):
            continue
        paths = [word.text for word in instruction.sources] if isinstance(instruction, Copy) else ["/"]
        if any(_may_hold_uv(path) for path in paths):
            return f"line {instruction.start_line} may copy it into another stage"
    return None


def _may_hold_uv(path: str) -> bool:
    """Whether a COPY of this path may include the program: by its name, or with a folder that contains it."""
    parts = normal_path(path).split("/")
    return any(mark in path for mark in "$*?[") or parts[-1] in _HOLDERS or parts[1:2] == ["home"]


def _targets(facts: BuildFacts, run: Run, install: UvInstall) -> tuple[str, ...]:
    """The paths at which a RUN needs uv; none if it does not call it.

    Raises:
        Refused: they are not known, or something else in the RUN may call it.
    """
    commands = facts.commands(run)
    line = run.start_line
    if not commands.steps and commands.script is None:
        raise Refused(f"line {line} may call it: {commands.why}")
    targets: list[str] = []
    opaque: str | None = None
    for step in commands.steps:
        if run is install.run and install.cut and is_within(step.command, install.cut):
            continue
        package = step.package
        if package is not None and package.manager == "uv":
            targets.append(_target(facts, run, step))
            mentioned = [word for word in step.command.args if word is not package.executable]
        else:
            if package is not None and any(distribution_name(word.value or "") == "uv" for word in package.packages):
                raise Refused(f"line {line} installs another one")
            if opaque is None and not _cannot_call_it(step):
                opaque = step.command.basename or "a command"
            mentioned = list(step.command.words)
        if any(is_uv(spelling(word), bare=True) for word in mentioned):
            raise Refused(f"line {line} mentions it")
    if opaque and not any(posixpath.dirname(target) in SYSTEM_PATH for target in targets):
        raise Refused(f"{opaque} in line {line} may call it")
    there = {mount.target for mount in run.mounts}
    return tuple(target for target in dict.fromkeys(targets) if target not in there)


def _target(facts: BuildFacts, run: Run, step: Step) -> str:
    """The path at which a command that calls uv needs it.

    Raises:
        Refused: a mount of the program does not provide it there.
    """
    line = f"line {run.start_line}"
    package = step.package
    value = package.executable.value if package is not None else None
    if not value:
        raise Refused(f"{line} calls it through a variable")
    if value.rpartition("/")[2] != "uv":
        raise Refused(f"{line} calls {value}, which the mount of one program does not provide")
    if value.startswith("/"):
        return value
    if "/" in value:
        raise Refused(f"{line} calls {value}")
    path = step.env.get("PATH") or facts.state(run).lookup("PATH")
    folders = path.value.split(":") if isinstance(path, Known) else list(SYSTEM_PATH)
    folder = next((each for each in SYSTEM_PATH if each in folders), None)
    if folder is None:
        raise Refused(f"{line} has another PATH")
    return f"{folder}/uv"


def _cannot_call_it(step: Step) -> bool:
    """Whether a command is known to run no program of the project."""
    package = step.package
    if package is not None:
        return package.action not in (Action.RUN, Action.BUILD) and not package.unknown_operands
    if step.command.name is None:
        return not step.command.words
    words = step.command.values()
    if (step.command.basename or "").startswith("python"):
        return words[1:3] in (("-m", "venv"), ("-m", "ensurepip"), ("-m", "compileall"))
    return step.command.basename in _NEVER_CALL_IT
