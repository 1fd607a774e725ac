"""Whether an image contains a program, and where an install can add its package."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from dockfix.facts.commands import Step
from dockfix.facts.health.checks import check_commands
from dockfix.facts.health.programs import program_of, programs
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.packages import Action
from dockfix.facts.paths import normal_path
from dockfix.facts.tables.commands import CONDA_MANAGERS, SYSTEM_MANAGERS
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.tables.tools import ALSO_BRING, PROGRAM_TREES, SYSTEM_FOLDERS, TOOL_PACKAGES
from dockfix.facts.toolchain import FAMILIES, package_names, virtual_name
from dockfix.syntax.shell import Context, SimpleCommand
from dockfix.syntax.tree import Add, Copy, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.images import BaseImage
    from dockfix.facts.packages import PackageCommand
    from dockfix.facts.stages import Stage
    from dockfix.syntax.tree import Instruction

_TREE_NAMES: Final = frozenset(
    (
        "",
        ".",
        "..",
        "bin",
        "sbin",
        "usr",
        "local",
        "opt",
        "root",
        "rootfs",
        "overlay",
        "output",
        "out",
        "dist",
        "root-out",
    )
)

_OTHER_SOURCES: Final = ("--target-release", "--default-release", "--repository", "--download-only", "--root")
_PACKAGE_FILES: Final = (".deb", ".rpm", ".apk")


def tool_package(tool: str, base: BaseImage) -> str | None:
    """The package that contains a tool in a distribution, None if no table lists one."""
    family = FAMILIES.get(base.package_manager or "")
    return TOOL_PACKAGES.get(tool, {}).get(family) if family else None


def tool_presence(facts: BuildFacts, stage: Stage, tool: str) -> Fact[bool]:
    """Whether an image of a stage contains a program: from the base image, installed, or copied.

    `tool` is a name, or the path of a program outside the system folders. Unknown, with the reason, if a base image, a
    script or a copied folder may contain it.
    """
    base = stage.base
    if base is None:
        return Unknown("the base image is not known")
    if base.family == "windows":
        return Unknown("dockfix has no data on Windows images")
    fact: Fact[bool]
    if tool in base.tools:
        fact = Known(True)
    elif tool in base.lacks:
        fact = Known(False)
    else:
        fact = Unknown(f"dockfix has no data on {tool} in the base image")
    presence = _Presence(facts, base, tool, fact)
    for each in reversed(facts.graph.chain(stage)):
        if each.replaced:
            return Unknown("a named context replaces its stage")
        for instruction in each.program:
            presence.take(instruction)
    return presence.fact


def missing_program_blocker(facts: BuildFacts, stage: Stage, text: str) -> str | None:
    """Why it is not certain that an image contains all programs of a check (`check_text`); None if it is."""
    commands = check_commands(text, facts.end_state(stage).shell)
    names = [program.name for program in programs(commands, all_of_them=True)]
    if commands.script is not None:
        names.insert(0, "sh")
    elif not commands.steps:
        return commands.why
    if any(step.command.words and program_of(step.command) is None for step in commands.steps):
        return "the name of a program that it calls is not literal"
    for name in names:
        there = tool_presence(facts, stage, name)
        if there == Known(False):
            return f"the image has no {name}"
        if isinstance(there, Unknown):
            return f"whether the image has {name} is not known: {there.why}"
    return None


def extensible_install(facts: BuildFacts, stage: Stage, package: str) -> tuple[Run, Step] | None:
    """The first install of system packages to which a package can be added permanently; None if there is none.

    In the stage, or in the nearest that it is based on. Not in a branch, not with `--virtual` or another release, not
    of packages that are removed again, and not before a removal of the package.
    """
    manager = stage.base.package_manager if stage.base is not None else None
    for each in facts.graph.chain(stage):
        runs = [run for run in each.instructions if isinstance(run, Run) and not run.json]
        steps = [(run, step) for run in runs for step in facts.commands(run).packages]
        last = max((at for at, (_, step) in enumerate(steps) if _removes(step, package)), default=-1)
        removed = {
            name
            for _, step in steps
            if step.package is not None and step.package.action in (Action.REMOVE, Action.PURGE)
            for name in package_names(step.package)
        }
        for run, step in steps[last + 1 :]:
            command = step.package
            if command is not None and command.manager == manager and _is_open(step, command, removed):
                return run, step
        if last >= 0:
            return None
    return None


def _removes(step: Step, package: str) -> bool:
    command = step.package
    removal = command is not None and command.action in (Action.REMOVE, Action.PURGE)
    return command is not None and removal and package in package_names(command)


def _is_open(step: Step, command: PackageCommand, removed: set[str]) -> bool:
    return (
        command.action is Action.INSTALL
        and command.verb in (("install",), ("add",))
        and step.command.context is Context.NONE
        and not step.depth
        and virtual_name(command) is None
        and not command.unknown_operands
        and not command.has(*_OTHER_SOURCES)
        and bool(command.packages)
        and all(word.value is not None and "/" not in word.value for word in command.packages)
        and not removed & {*package_names(command)}
    )


class _Presence:
    """What is known of one program while a stage is read from top to bottom."""

    def __init__(self, facts: BuildFacts, base: BaseImage, tool: str, fact: Fact[bool]) -> None:
        self.facts = facts
        self.tool = tool
        self.name = tool.rpartition("/")[2]
        self.package = tool_package(tool, base) or tool
        self.fact = fact
        self.virtuals: dict[str, tuple[str, ...]] = {}
        self.asked_for = False

    def take(self, instruction: Instruction) -> None:
        if isinstance(instruction, Run):
            commands = self.facts.commands(instruction)
            if commands.script is None and not instruction.json:
                self.doubt(f"the RUN on line {instruction.start_line} cannot be read")
            for step in commands.steps:
                self.step(step, instruction.start_line)
        elif isinstance(instruction, Copy | Add):
            self.copy(instruction)

    def doubt(self, why: str) -> None:
        """Record that something may have installed it."""
        if self.fact == Known(False):
            self.fact = Unknown(why)

    def step(self, step: Step, line: int) -> None:
        package = step.package
        if package is not None and package.manager in SYSTEM_MANAGERS:
            # a pinned name with a glob (`curl=7.*`) is given as written
            names = tuple(name.partition("=")[0] for name in package_names(package))
            if package.action is Action.INSTALL:
                self.install(step, names, line)
            elif package.action in (Action.REMOVE, Action.PURGE):
                # apk keeps explicitly installed packages when a virtual package that also needs them is removed
                kept = frozenset((self.package,)) if self.asked_for else frozenset[str]()
                gone = {member for name in names for member in {*self.virtuals.get(name, (name,))} - kept} | {*names}
                if self.package in gone:
                    self.asked_for = False
                    sure = not step.command.context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
                    self.fact = Known(False) if sure else Unknown(f"line {line} may remove it")
        elif package is not None:
            words = {word.value for word in step.command.words}
            if package.manager in CONDA_MANAGERS or words & {"--with-deps", "install-deps"}:
                self.doubt(f"line {line} installs more than it names")
        elif step.command.words:
            self.plain(step.command, line)

    def install(self, step: Step, names: tuple[str, ...], line: int) -> None:
        package = step.package
        virtual = virtual_name(package) if package is not None else None
        if virtual is not None:
            self.virtuals[virtual] = names
        if self.package in names:
            sure = not step.command.context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
            self.fact = Known(True) if sure else Unknown(f"line {line} installs it in a branch")
            self.asked_for = self.asked_for or (sure and virtual is None)
        elif (
            ALSO_BRING.get(self.package, frozenset()) & set(names)
            or any(char in name for name in names for char in "$`{(")
            or package is None
            or package.unknown_operands
            or any("/" in word.text or word.text.endswith(_PACKAGE_FILES) for word in package.packages)
        ):
            self.doubt(f"the packages in line {line} may install it")

    def plain(self, command: SimpleCommand, line: int) -> None:
        values = command.values()
        if any(value is not None and value.rpartition("/")[2] in (self.name, self.package) for value in values):
            self.doubt(f"line {line} names it")
            return
        name = command.basename
        inline = has_trait(name, Trait.SHELL) and any(value == "-c" for value in values) and None not in values
        folder = posixpath.dirname(command.name or "")
        if (
            name is None
            or (has_trait(name, Trait.INSTALLS_UNNAMED) and not inline)
            or (folder and folder not in SYSTEM_FOLDERS)
        ):
            self.doubt(f"the command in line {line} may install it")

    def copy(self, copy: Copy | Add) -> None:
        destination = copy.destination.text if copy.destination is not None else ""
        workdir = self.facts.state(copy).workdir
        place = destination
        if not destination.startswith("/"):
            if not isinstance(workdir, Known):
                self.doubt(f"where line {copy.start_line} copies to is not known")
                return
            place = posixpath.join(workdir.value, destination)
        folder = normal_path("/" + place.lstrip("/"))
        names = [source.text.rstrip("/").rpartition("/")[2] for source in copy.sources]
        names += [heredoc.name for heredoc in copy.heredocs]
        if "/" in self.tool:
            landed = {folder, *(posixpath.join(folder, name) for name in names)}
            if self.tool in landed:
                self.fact = Known(True)
            return
        if self.name in names or posixpath.basename(folder) == self.name:
            self.fact = Known(True)
        elif folder in PROGRAM_TREES and any(
            name in _TREE_NAMES
            or source.text.endswith("/")
            or any(char in name for char in "*?[$")
            or (folder in ("/", "/usr", "/usr/local") and "." not in name)
            or isinstance(copy, Add)
            for name, source in zip(names, copy.sources, strict=False)
        ):
            self.doubt(f"line {copy.start_line} may copy it to {folder}")
