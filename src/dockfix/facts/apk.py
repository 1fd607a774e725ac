"""Which apk commands read the index of packages, and whether one of them needs what another has left.

Sources: apk(8), apk-update(8) and apk-add(8), apk-tools 2.14: `update` writes the index to /var/cache/apk; `--no-cache`
fetches it anew and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.facts.build import BuildFacts
from dockfix.facts.commands import Commands, Step
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.stages import Stage
from dockfix.syntax.shell import Context
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Instruction, Run

__all__ = ["ApkRun", "ApkStep", "apk_run", "index_user", "indexed_before", "installs_files", "scripts_below"]

_READS_INDEX: Final = frozenset(
    ("add", "upgrade", "fix", "fetch", "search", "policy", "list", "dot", "version", "cache")
)
"""Subcommands that look into the index."""
_ELSEWHERE: Final = ("--root", "--initdb", "--cache-dir", "--no-network", "--repositories-file", "--arch")
_SHELLS: Final = frozenset(("sh", "bash", "ash", "source", ".", "eval"))
_KEPT: Final = ("/var/cache/apk", "/etc/apk/cache", "/lib/apk/db", "setup-apkcache")
_PLAIN: Final = Context.GROUP


@dataclass(frozen=True, slots=True)
class ApkStep:
    """A command of apk. `at` is where words may be put behind its subcommand, in the script."""

    step: Step
    command: PackageCommand
    verb: str
    at: Span

    @property
    def keeps_nothing(self) -> bool:
        """Whether it fetches the index itself and leaves nothing behind."""
        return self.command.has("--no-cache")


@dataclass(frozen=True, slots=True)
class ApkRun:
    """The apk commands of a RUN in their order; `why` says why they are not to be touched, if they are not.

    `scripts`: the RUN also runs scripts, which may call apk themselves.
    """

    commands: Commands
    steps: tuple[ApkStep, ...]
    why: str
    scripts: bool

    def removable(self, index: int) -> str:
        """Why the `apk update` at an index cannot be taken out of its list; empty if it can."""
        step = self.steps[index].step.command
        around = {each.text for each in (step.before, step.after) if each is not None}
        if step.context & ~_PLAIN or not around <= {"&&", ";", "\n"} or not around:
            return "it stands in a branch, a loop or beside ||"
        return "its options ask for something else" if self._has_more(index) else ""

    def _has_more(self, index: int) -> bool:
        command = self.steps[index].command
        names = {option.name for option in command.options}
        return bool(command.packages) or not names <= {
            "--quiet",
            "--no-cache",
            "--no-progress",
            "--update-cache",
            "--verbose",
        }


def apk_run(commands: Commands, run: Run) -> ApkRun | None:
    """The apk commands of a RUN in shell form; None if there are none."""
    if commands.script is None or "apk" not in commands.text.text:
        return None
    steps = tuple(_steps(commands))
    if not steps:
        return None
    why = ""
    if run.flag("network") is not None:
        why = "it may have no network to fetch the index from"
    elif any(step.step.depth for step in steps):
        why = "a shell inside the command runs apk"
    elif any(kept in commands.text.text for kept in _KEPT):
        why = "the command looks after apk's cache itself"
    elif any("apk" in option.value for mount in run.mounts for option in mount.options if option.value):
        why = "a mount keeps apk's cache"
    elif any(step.command.has(*_ELSEWHERE) for step in steps):
        why = "an option of it names another root, cache or repository file"
    return ApkRun(commands, steps, why, any(map(_is_script, commands.steps)))


def _steps(commands: Commands) -> Iterator[ApkStep]:
    for step in commands.packages:
        package = step.package
        if package is None or package.manager != "apk" or package.subcommand is None:
            continue
        word = package.subcommand
        yield ApkStep(step, package, word.value or "", Span(word.start, word.end))


def _is_script(step: Step) -> bool:
    name = step.command.name
    return name is None or step.command.basename in _SHELLS or name.endswith(".sh")


def index_user(facts: BuildFacts, stage: Stage, after: Instruction) -> Instruction | None:
    """The first RUN behind another one, in its stage or in one made from it, that needs an index which is there."""
    for instruction in _below(facts, stage, after):
        for step in facts.commands(instruction).packages:
            package = step.package
            if package is None or package.manager != "apk":
                continue
            if package.action is Action.UPDATE:
                break
            if package.verb[:1] and package.verb[0] in _READS_INDEX and not package.has("--no-cache", "--update-cache"):
                return instruction
    return None


def indexed_before(facts: BuildFacts, stage: Stage, run: Run) -> bool:
    """Whether a RUN before another one has left the index in a layer by an `apk update` that installs nothing."""
    above = [
        each for link in facts.graph.chain(stage) for each in link.instructions if each.span.start < run.span.start
    ]
    for each in above:
        if isinstance(each, Run):
            packages = [step.package for step in facts.commands(each).packages]
            actions = {each.action for each in packages if each is not None and each.manager == "apk"}
            if Action.UPDATE in actions and Action.INSTALL not in actions:
                return True
    return False


def scripts_below(facts: BuildFacts, stage: Stage, after: Instruction) -> bool:
    """Whether a RUN behind another one runs a script in which apk may be called."""
    return any(_is_script(step) for run in _below(facts, stage, after) for step in facts.commands(run).steps)


def _below(facts: BuildFacts, stage: Stage, after: Instruction) -> Iterator[Run]:
    later = [each for each in stage.instructions if each.span.start > after.span.start]
    for descendant in facts.graph.descendants(stage):
        later += descendant.instructions
    return (each for each in later if isinstance(each, Run))


def installs_files(command: PackageCommand) -> bool:
    """Whether all that an `apk add` installs are files."""
    values = [word.value or word.text for word in command.packages]
    return bool(values) and all(value.endswith(".apk") or "/" in value for value in values)
