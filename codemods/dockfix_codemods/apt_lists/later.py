"""What needs the package lists that a RUN leaves: later commands of apt, in its stage and in those based on it.

Sources: apt-get(8): `update` writes the lists to /var/lib/apt/lists; `install`, `upgrade` and the like read them, and
find no package without them. apt-cache(8) and `apt list` read them, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.build import BuildFacts
from dockfix.facts.commands import Step
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.scripts import runs_script
from dockfix.facts.stages import Stage
from dockfix.syntax.tree import Cmd, Entrypoint, Instruction, Onbuild, Run

_NEEDS_NONE: Final = frozenset({Action.UPDATE, Action.REMOVE, Action.PURGE, Action.AUTOREMOVE, Action.CLEAN})
_READERS: Final = frozenset(("apt-cache", "apt-show-versions", "apt-rdepends", "apt-file", "debtree"))
_CALLERS: Final = frozenset(
    (
        "rosdep", "gdebi", "mk-build-deps", "tasksel", "apt-fast", "nala", "aptdcon", "playwright", "npx", "ansible",
        "ansible-playbook", "chef-client", "chef-solo", "puppet", "salt-call", "make", "apt-build", "install_packages",
    )
)  # fmt: skip
"""Programs that may call apt; `make` runs what a Makefile says."""


def reader_below(facts: BuildFacts, stage: Stage, run: Run) -> Instruction | None:
    """The first instruction after a RUN that needs the lists that it leaves."""
    return _reader(facts, stage, run.span.start)


def _reader(facts: BuildFacts, stage: Stage, after: int) -> Instruction | None:
    for node in stage.executed:
        if node.span.start <= after or not isinstance(node, Run | Cmd | Entrypoint):
            continue
        for step in facts.commands(node).steps:
            if _updates(step):
                return None  # later commands read the lists of this one
            if _reads(step):
                return node
    children = (each for each in facts.graph.stages if each.parent == stage.index)
    return next((found for child in children if (found := _reader(facts, child, -1)) is not None), None)


def _updates(step: Step) -> bool:
    return step.package is not None and step.package.manager == "apt" and step.package.action is Action.UPDATE


def _reads(step: Step) -> bool:
    package = step.package
    if package is None or package.manager != "apt":
        return step.command.basename in _READERS
    if package.action in _NEEDS_NONE or installs_files(package):
        return False
    return not package.has("--version", "--help")


def installs_files(package: PackageCommand) -> bool:
    """Whether an installation names only package files."""
    values = [word.value or word.text for word in package.packages]
    return bool(values) and all(value.startswith(("/", "./", "../")) or value.endswith(".deb") for value in values)


def caller_below(facts: BuildFacts, stage: Stage, run: Run) -> Instruction | None:
    """The first instruction after a RUN that may call apt without `apt-get update`, as far as dockfix can see."""
    for node in _below(facts, stage, run):
        if isinstance(node, Onbuild):
            if "apt" in node.logical.text or "RUN" in node.logical.text.upper():
                return node
        elif isinstance(node, Run):
            commands = facts.commands(node)
            if commands.script is None and not node.json:
                return node
            if any(runs_script(step) or step.command.basename in _CALLERS for step in commands.steps):
                return node
    return None


def _below(facts: BuildFacts, stage: Stage, run: Run) -> Iterator[Instruction]:
    yield from (node for node in stage.executed if node.span.start > run.span.start)
    for child in facts.graph.descendants(stage):
        yield from child.executed
