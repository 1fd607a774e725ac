"""Which steps of a build, and which base images, may create accounts that are not listed.

Each of these is a gap in what `replay` knows: a base image that is not in a table, a COPY over /etc, packages
of the distribution, and programs that are not known to create no accounts.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from dockfix.facts.accounts.commands import program_values
from dockfix.facts.accounts.model import Gap
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import DISTRIBUTION_IMAGES, FAMILIES, WITH_OWN_ACCOUNTS
from dockfix.facts.tables.commands import SYSTEM_MANAGERS
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.tree import Add, Copy, Instruction, Run

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.state import State

_LANGUAGE_MANAGERS: Final = frozenset(("pip", "uv", "poetry", "pdm", "pipenv", "npm", "yarn", "pnpm", "gem", "bundler"))


def base_gaps(stage: Stage) -> Iterator[Gap]:
    """The gaps of a stage's base image."""
    if stage.base is None:
        yield Gap("the base image is not known")
    elif stage.base.family not in FAMILIES and stage.base.family != "scratch":
        yield Gap("the accounts of the base image are not known")
    elif stage.base.family != "scratch":
        yield from _own_accounts(stage)


def _own_accounts(stage: Stage) -> Iterator[Gap]:
    """Accounts of a base image in addition to those of its distribution."""
    ref = parse_image_ref(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
    name = ref.repository if ref is not None and ref.registry == "docker.io" else None
    if name is None or name.startswith(DISTRIBUTION_IMAGES):
        return
    if name.startswith("library/") and name.removeprefix("library/") not in WITH_OWN_ACCOUNTS:
        return
    yield Gap(f"the image {name} may have accounts of its own", packages=name.startswith("library/"))


def stage_gaps(
    stage: Stage, state: Callable[[Instruction], State], commands: Callable[[Instruction], Commands]
) -> Iterator[tuple[int, Gap]]:
    """The gaps of the instructions of a stage, each with the position of its instruction."""
    for position, instruction in enumerate(stage.program):
        if isinstance(instruction, Copy | Add):
            yield from ((position, gap) for gap in _copied(instruction, state(instruction)))
        elif isinstance(instruction, Run):
            yield from ((position, gap) for gap in _run_gaps(instruction, commands(instruction)))


def _copied(instruction: Copy | Add, state: State) -> Iterator[Gap]:
    target = state.expand(instruction.destination.text) if instruction.destination else Known("")
    if not isinstance(target, Known):
        yield Gap(f"what the {instruction.name} in line {instruction.start_line} writes is not known")
        return
    path = target.value
    if not path.startswith("/"):
        workdir = state.workdir
        if not isinstance(workdir, Known):
            return  # no known base image has / or /etc as its working directory
        path = posixpath.join(workdir.value, path)
    if normal_path(path) == "/" or re.match(r"/+etc(?:/+(?:passwd|group)?)?/*\Z", path):
        yield Gap(f"the {instruction.name} in line {instruction.start_line} may write /etc/passwd")


def _run_gaps(instruction: Run, commands: Commands) -> Iterator[Gap]:
    line = instruction.start_line
    if commands.script is None and not commands.steps:
        yield Gap(f"the RUN in line {line} could not be read")
        return
    for step in commands.steps:
        yield from step_gaps(step, line)


def step_gaps(step: Step, line: int) -> Iterator[Gap]:
    """Why a command may create accounts that are not listed."""
    manager = step.package.manager if step.package is not None else None
    name = step.command.basename
    program = program_values(step)
    if any(each.target is not None and "/etc/" in each.target.text for each in step.command.redirects):
        yield Gap(f"the RUN in line {line} writes into /etc")
    if manager in SYSTEM_MANAGERS:
        yield Gap(f"packages of line {line} may create accounts", packages=True)
    elif program is not None:
        if None in program[1]:
            yield Gap(f"the {program[0]} in line {line} is not literal")
    elif (
        manager not in _LANGUAGE_MANAGERS
        and not has_trait(name, Trait.NO_ACCOUNTS, Trait.EDITS_ACCOUNTS)
        and step.command.words
    ):
        yield Gap(f"{name or 'a command'} in line {line} may create accounts")
