"""Packages that only builds need: what installs them, what builds with them, and how they can be removed again.

Sources: apt-get(8) (`--auto-remove`), apt-mark(8) (`manual`), apk(8) (`--virtual`), the tables of `images`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import build_only, runtime_library
from dockfix.facts.model import known
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.toolchain import FAMILIES, builds, is_header_package, package_names, virtual_name
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage
    from dockfix.syntax.source import Span

__all__ = [
    "PackageUse",
    "Removal",
    "adjacent_builds",
    "builds_with",
    "listed",
    "main_program",
    "needed_later",
    "package_uses",
    "removal_of",
    "removed_unseen",
]

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._+][A-Za-z0-9._+-]*\Z")
_REMOVALS: Final = (Action.REMOVE, Action.PURGE)


@dataclass(frozen=True, slots=True)
class PackageUse:
    """A command that installs or removes packages of the system. `index` is that of its RUN in the stage."""

    run: Run
    index: int
    step: Step
    package: PackageCommand
    at: Span
    names: tuple[str, ...]

    @property
    def installs(self) -> bool:
        return self.package.action is Action.INSTALL

    @property
    def leftovers(self) -> tuple[str, ...]:
        """What only builds need of the packages that it certainly installs."""
        if self.step.command.context is not Context.NONE or self.step.depth or self.package.wrappers:
            return ()
        family = FAMILIES[self.package.manager]
        return tuple(name for name in self.names if build_only(name, family) and "$" not in name)


def package_uses(facts: BuildFacts, stage: Stage) -> Iterator[PackageUse]:
    """The commands of a stage that install or remove packages of the system, in order."""
    for index, run in enumerate(stage.instructions):
        if isinstance(run, Run):
            commands = facts.commands(run)
            for step in commands.packages:
                package = step.package
                if package and package.manager in FAMILIES and package.action in (Action.INSTALL, *_REMOVALS):
                    yield PackageUse(run, index, step, package, commands.span(step.command), package_names(package))


def builds_with(facts: BuildFacts, node: Instruction, install: PackageUse) -> bool | None:
    """Whether a RUN builds with what is installed; None if that cannot be known."""
    if not isinstance(node, Run):
        return False
    commands = facts.commands(node)
    start = install.step.command.end if node is install.run else 0
    found = [builds(step) for step in commands.steps if step.command.start >= start]
    return True if True in found else None if None in found or commands.script is None else False


def adjacent_builds(
    facts: BuildFacts, instructions: Sequence[Instruction], first: PackageUse, users: Sequence[int], installs: set[int]
) -> Iterator[Run]:
    """The RUNs from the first install to the last adjacent one that builds; others that install may be among them."""
    end = last = first.index
    while end < len(instructions) and isinstance(node := instructions[end], Run):
        if end not in installs and builds_with(facts, node, first) is False:
            break
        last = end if end in users else last
        end += 1
    yield from (node for node in instructions[first.index : last + 1] if isinstance(node, Run))


def removed_unseen(facts: BuildFacts, stage: Stage, removed: set[str]) -> bool:
    """Whether packages go in a way that no names tell (`apt-mark auto`, a variable), or compilers are there anyway."""
    commands = [facts.commands(node) for node in stage.instructions if isinstance(node, Run)]
    marked = any(step.command.values()[:2] == ("apt-mark", "auto") for each in commands for step in each.steps)
    return marked or any("$" in name for name in removed) or bool(stage.base and stage.base.tools & {"gcc", "make"})


def _called(facts: BuildFacts, runs: Sequence[Run]) -> frozenset[str]:
    """The programs that RUNs call by name, and git where pip or go fetch with it."""
    steps = [step for run in runs for step in facts.commands(run).steps]
    fetching = any("git+" in word.text for step in steps for word in step.command.words)
    fetching = fetching or any(step.package and step.package.manager == "go" for step in steps)
    return frozenset(step.command.basename or "" for step in steps) | ({"git"} if fetching else set())


@dataclass(frozen=True, slots=True)
class Removal:
    """How packages of some installs are removed again.

    `names` are the packages, `commands` what has to run, in order. `virtual`, if not empty, is the name that the first
    install has to give them. `remark` says what is to be looked at, and begins with `; `.
    """

    names: tuple[str, ...]
    commands: tuple[str, ...]
    virtual: str
    remark: str


def removal_of(
    facts: BuildFacts, stage: Stage, runs: Sequence[Run], installs: Sequence[PackageUse], uses: Sequence[PackageUse]
) -> Removal | str:
    """How the leftovers of some installs are removed without taking libraries along, or why they cannot be."""
    first, image = installs[0], known(stage.base_ref) or ""
    family = stage.base.family if stage.base else ""
    idle = {"git", "patch"} - _called(facts, runs)
    names = tuple(dict.fromkeys(name for use in installs for name in use.leftovers if name not in idle))
    libraries = {name: runtime_library(name, family, image) for name in names}
    unknown = [name for name in names if is_header_package(name) and libraries[name] is None]
    if unknown:
        names = tuple(name for name in names if not is_header_package(name))
    virtuals = {virtual for use in installs if (virtual := virtual_name(use.package))}
    if not all(_PLAIN_NAME.match(name) for name in virtuals):
        return "the name of the virtual package is not a plain word"
    whole = [name for use in installs for name in use.names if name not in names and name not in virtuals]
    if not names or (whole and virtuals):
        return f"which libraries go with {listed(unknown or whole)} is not known"
    there = {name for use in uses if use.installs for name in use.names}
    kept = tuple(sorted({library for name in names if (library := libraries[name])} - there))
    remark = "; that no other library that came with them is needed" + (f" ({listed(kept)} kept)" if kept else "")
    remark += f"; that {listed(unknown)} may stay, whose libraries are not known" if unknown else ""
    program = first.package.executable.text
    if first.package.manager == "apt":
        keep = (f"apt-mark manual {' '.join(kept)}",) if kept else ()
        return Removal(names, (*keep, f"{program} purge -y --auto-remove {' '.join(names)}"), "", remark)
    keep = (f"{program} add --no-cache {' '.join(kept)}",) if kept else ()
    virtual = ".build-deps"
    if virtuals or whole or len(installs) > 1 or virtual in there:
        gone = sorted(virtuals) if virtuals and len(virtuals) == len(installs) else names
        return Removal(names, (*keep, f"{program} del {' '.join(gone)}"), "", remark)
    return Removal(names, (*keep, f"{program} del {virtual}"), virtual, remark)


def main_program(facts: BuildFacts) -> str | None:
    """The program that a container of the image runs; None if there is none but a shell, or it is a build tool."""
    final = facts.final
    chain = facts.graph.chain(final) if final else ()
    for node in (node for stage in chain for node in reversed(stage.instructions)):
        if isinstance(node, Cmd | Entrypoint):
            steps = facts.commands(node).steps
            name = steps[-1].command.basename if steps else None
            return None if name is None or (has_trait(name, Trait.SHELL) and len(steps) == 1) else name
    return None


def _starts(step: Step) -> bool:
    """Whether a command only runs a script of package.json, as containers do."""
    return step.package is not None and step.package.manager in ("npm", "yarn", "pnpm") and not step.package.packages


def needed_later(facts: BuildFacts, stage: Stage, end: int) -> str:
    """Why what is installed may still be needed behind the RUNs, which end at `end`; empty if nothing speaks for it."""
    for at, node in enumerate(stage.instructions):
        if isinstance(node, Run) and at < end:
            continue
        if isinstance(node, Onbuild):
            return f"the ONBUILD on line {node.start_line} may need them"
        if isinstance(node, Run | Cmd | Entrypoint | Healthcheck):
            steps = facts.commands(node).steps
            found = [builds(step) for step in steps if isinstance(node, Run) or not _starts(step)]
            if True in found or (isinstance(node, Run) and None in found):
                return f"the {node.name} on line {node.start_line} may need them"
    for each in facts.graph.descendants(stage):
        if any(isinstance(node, Run | Cmd | Entrypoint | Healthcheck) for node in each.instructions):
            return f"the stage {each.name or each.index} is built on this one"
    return ""


def listed(names: Sequence[str]) -> str:
    """The first four names, and how many more there are."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
