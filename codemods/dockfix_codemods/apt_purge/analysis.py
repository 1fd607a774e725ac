"""Packages that only builds need: what installs them, what builds with them, and how they can be removed.

Sources: apt-get(8) (`--auto-remove`), apt-mark(8) (`manual`), apk(8) (`--virtual`), the tables of `images`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.images import build_only, runtime_library
from dockfix.facts.model import Refused, known
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

SEPARATE_STAGE: Final = "build in a separate stage, and copy the result from it"

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._+][A-Za-z0-9._+-]*\Z")
_REMOVALS: Final = (Action.REMOVE, Action.PURGE)


class PackageUse(Struct, frozen=True):
    """A command that installs or removes system packages. `index` is that of its RUN in the stage."""

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
        """Those of the packages that only builds need, if it always installs them."""
        if self.step.command.context is not Context.NONE or self.step.depth or self.package.wrappers:
            return ()
        family = FAMILIES[self.package.manager]
        return tuple(name for name in self.names if build_only(name, family) and "$" not in name)


def package_uses(facts: BuildFacts, stage: Stage) -> Iterator[PackageUse]:
    """The commands of a stage that install or remove system packages, in order."""
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


def has_unnamed_removals(facts: BuildFacts, stage: Stage, removed: set[str]) -> bool:
    """Whether a stage removes packages without naming them: by `apt-mark auto` or a variable."""
    commands = [facts.commands(node) for node in stage.instructions if isinstance(node, Run)]
    marked = any(step.command.values()[:2] == ("apt-mark", "auto") for each in commands for step in each.steps)
    return marked or any("$" in name for name in removed)


def _called(facts: BuildFacts, runs: Sequence[Run]) -> frozenset[str]:
    """The programs that RUNs call by name, and git where pip or go fetch with it."""
    steps = [step for run in runs for step in facts.commands(run).steps]
    fetching = any("git+" in word.text for step in steps for word in step.command.words)
    fetching = fetching or any(step.package and step.package.manager == "go" for step in steps)
    return frozenset(step.command.basename or "" for step in steps) | ({"git"} if fetching else set())


class Removal(Struct, frozen=True):
    """How the packages of some installs are removed.

    `names` are the packages, `commands` what must run, in order. `virtual`, if not empty, is the name that the first
    install must give them. `caveats` say what to review.
    """

    names: tuple[str, ...]
    commands: tuple[str, ...]
    virtual: str
    caveats: tuple[str, ...]


def removal_of(
    facts: BuildFacts, stage: Stage, runs: Sequence[Run], installs: Sequence[PackageUse], uses: Sequence[PackageUse]
) -> Removal:
    """How to remove the packages of some installs that only builds need, but no libraries that the program needs.

    Raises:
        Refused: which libraries would be removed is unknown, or no command can name the packages.
    """
    first, image = installs[0], known(stage.base_ref) or ""
    family = stage.base.family if stage.base else ""
    unused = {"git", "patch"} - _called(facts, runs)
    names = tuple(dict.fromkeys(name for use in installs for name in use.leftovers if name not in unused))
    libraries = {name: runtime_library(name, family, image) for name in names}
    unknown = [name for name in names if is_header_package(name) and libraries[name] is None]
    if unknown:
        names = tuple(name for name in names if not is_header_package(name))
    virtuals = {virtual for use in installs if (virtual := virtual_name(use.package))}
    if not all(_PLAIN_NAME.match(name) for name in virtuals):
        raise Refused("the name of the virtual package is not a literal word")
    whole = [name for use in installs for name in use.names if name not in names and name not in virtuals]
    if not names or (whole and virtuals):
        raise Refused(f"the libraries that would be removed with {listed(unknown or whole)} are unknown")
    installed = {name for use in uses if use.installs for name in use.names}
    kept = tuple(sorted({library for name in names if (library := libraries[name])} - installed))
    remark = f" ({listed(kept)} {'is' if len(kept) == 1 else 'are'} kept)" if kept else ""
    caveats = [f"check that no other library installed with them is needed{remark}"]
    if unknown:
        caveats.append(f"check that {listed(unknown)} may stay: the libraries of these headers are unknown")
    program = first.package.executable.text
    if first.package.manager == "apt":
        keep = (f"apt-mark manual {' '.join(kept)}",) if kept else ()
        return Removal(names, (*keep, f"{program} purge -y --auto-remove {' '.join(names)}"), "", tuple(caveats))
    keep = (f"{program} add --no-cache {' '.join(kept)}",) if kept else ()
    virtual = ".build-deps"
    if virtuals or whole or len(installs) > 1 or virtual in installed:
        removed = sorted(virtuals) if virtuals and len(virtuals) == len(installs) else names
        return Removal(names, (*keep, f"{program} del {' '.join(removed)}"), "", tuple(caveats))
    return Removal(names, (*keep, f"{program} del {virtual}"), virtual, tuple(caveats))


def main_program(facts: BuildFacts) -> str | None:
    """The program that a container of the image runs; None if it is only a shell, or unknown."""
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


def later_use_blocker(facts: BuildFacts, stage: Stage, end: int) -> str | None:
    """What may still need the installed packages after the RUNs, which end before the instruction with index `end`."""
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
            return f"the stage `{each.name or each.index}` is based on this one"
    return None


def listed(names: Sequence[str]) -> str:
    """The first four names in backticks, and how many more there are."""
    return ", ".join(f"`{name}`" for name in names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
