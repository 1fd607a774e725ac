"""Which apk commands read the package index, and whether one of them needs what another has left.

Sources: apk(8), apk-update(8) and apk-add(8), apk-tools 2.14: `update` writes the index to /var/cache/apk; `--no-cache`
fetches it anew and keeps nothing. What installs fetches an index that is missing (`autoupdate` in src/database.c); what
only reads does not. `--no-cache` came with Alpine 3.3 (its release notes); the first official images with `alpine` in a
tag, of 2016, are built on that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.build import BuildFacts
from dockfix.facts.commands import Commands, Step
from dockfix.facts.expansion import END
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import known
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.scripts import runs_script
from dockfix.facts.stages import Stage
from dockfix.syntax.shell import Context
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Instruction, Run

_READS_INDEX: Final = frozenset(
    ("add", "upgrade", "fix", "fetch", "search", "policy", "list", "dot", "version", "cache")
)
"""Subcommands that read the index."""
_FETCHES: Final = frozenset(("add", "del", "upgrade", "fix", "update"))
"""Subcommands that need no index or fetch it."""
_OF_INSTALLED: Final = frozenset(("info", "audit", "verify", "stats", "manifest"))
"""Subcommands that show what is installed, unless they name another package."""
_ELSEWHERE: Final = ("--root", "--initdb", "--cache-dir", "--no-network", "--repositories-file", "--arch")
_KEPT: Final = ("/var/cache/apk", "/etc/apk/cache", "/lib/apk/db", "setup-apkcache")
_CACHE: Final = ("cache/apk", "APKINDEX")
_PLAIN: Final = Context.GROUP
_NO_CACHE_SINCE: Final = (3, 3)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")
_VARIANT: Final = re.compile(r"alpine-?v?(\d+)\.(\d+)")


class ApkStep(Struct, frozen=True):
    """A command of apk. `at` is the span of its subcommand in the script, after which words can be inserted."""

    step: Step
    command: PackageCommand
    verb: str
    at: Span

    @property
    def keeps_nothing(self) -> bool:
        """Whether it fetches the index itself and leaves nothing in the layer."""
        return self.command.has("--no-cache")


class ApkRun(Struct, frozen=True):
    """The apk commands of a RUN in order. `scripts`: the RUN also runs scripts, which may call apk themselves."""

    run: Run
    commands: Commands
    steps: tuple[ApkStep, ...]
    scripts: bool

    def removal_blocker(self, index: int) -> str | None:
        """Why the `apk update` at an index cannot be removed from its command list."""
        step = self.steps[index].step.command
        around = {each.text for each in (step.before, step.after) if each is not None}
        if step.context & ~_PLAIN or not around <= {"&&", ";", "\n"} or not around:
            return "it is in a branch, in a loop or next to `||`"
        return "its options do more than update the index" if self._has_more(index) else None

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
    """The apk commands of a RUN in shell form; None if there are none, or if they do not use the index as usual."""
    if run.json or commands.script is None or "apk" not in commands.text.text:
        return None
    steps = tuple(_steps(commands))
    unusual = (
        run.flag("network") is not None  # there may be no network to fetch the index from
        or any(step.step.depth for step in steps)  # a nested shell runs apk
        or any(kept in commands.text.text for kept in _KEPT)  # the script handles apk's cache itself
        or any("apk" in option.value for mount in run.mounts for option in mount.options if option.value)
        or any(step.command.has(*_ELSEWHERE) for step in steps)
    )
    if not steps or unusual:
        return None
    return ApkRun(run, commands, steps, any(map(runs_script, commands.steps)))


def _steps(commands: Commands) -> Iterator[ApkStep]:
    for step in commands.packages:
        package = step.package
        if package is None or package.manager != "apk" or package.subcommand is None:
            continue
        word = package.subcommand
        yield ApkStep(step, package, word.value or "", Span(word.start, word.end))


def index_user(facts: BuildFacts, stage: Stage, after: Instruction) -> Instruction | None:
    """The first RUN after another one, in its stage or in one based on it, that needs an existing index."""

    def needs(_: Stage, instruction: Instruction) -> bool:
        for step in facts.commands(instruction).packages if isinstance(instruction, Run) else ():
            package = step.package
            if package is None or package.manager != "apk":
                continue
            if package.action is Action.UPDATE:
                break
            if package.verb[:1] and package.verb[0] in _READS_INDEX and not package.has("--no-cache", "--update-cache"):
                return True
        return False

    return facts.search("apk-cache needs", needs).after(stage, after.span.start)


def index_reader(facts: BuildFacts, stage: Stage, run: Run, after: Step) -> Instruction | None:
    """The first RUN, starting after a step of `run`, that reads an existing index and would not fetch it."""
    own = facts.once(("apk-cache own", run.span.start), lambda: _read_after(facts.commands(run).steps))
    if own[id(after)]:
        return run

    def reads(_: Stage, instruction: Instruction) -> bool:
        return isinstance(instruction, Run) and _read_before_update(facts.commands(instruction).steps)

    return facts.search("apk-cache reads", reads).after(stage, run.span.start)


def _read_before_update(steps: Sequence[Step]) -> bool:
    """Whether steps of a RUN read the index that was there before."""
    return next((answer for step in steps if (answer := _reads(step)) is not None), False)


def _read_after(steps: Sequence[Step]) -> dict[int, bool]:
    """Whether the steps after each step of a RUN read the index that was there before, by the id of the step."""
    found: dict[int, bool] = {}
    answer = False
    for step in reversed(steps):
        found[id(step)] = answer
        own = _reads(step)
        answer = own if own is not None else answer
    return found


def _reads(step: Step) -> bool | None:
    """Whether a step reads an existing index; None if what follows it says so."""
    package = step.package
    if package is None or package.manager != "apk":
        return None
    if package.action is Action.UPDATE:
        return False
    return True if _reads_index(package) else None


def _reads_index(package: PackageCommand) -> bool:
    operands = [word.value or word.text for word in package.words[1:] if not word.text.startswith("-")]
    verb = package.verb[0] if package.verb else next(iter(operands), "")
    if not verb or verb in _FETCHES or package.has("--no-cache", "--update-cache"):
        return False
    return verb not in _OF_INSTALLED or bool(package.packages)


def cache_user(facts: BuildFacts, stage: Stage, run: Run) -> Instruction | None:
    """The first other instruction that names the directory or the file of the index, except to `rm -f` it."""
    naming = facts.once("apk-cache names", lambda: _naming(facts))
    if not naming:
        return None
    chain = [*reversed(facts.graph.chain(stage)), *facts.graph.descendants(stage)]
    takers = [each for link in chain for each in facts.graph.copied_from(link)]
    own = (node for link in chain for node in naming.get(link.index, ()))
    taken = (each for each in takers if _names_cache(facts, each))
    return next((each for each in (*own, *taken) if each is not run), None)


def _naming(facts: BuildFacts) -> dict[int, list[Instruction]]:
    """The instructions that name the directory or the file of the index, by the stage."""
    found: dict[int, list[Instruction]] = {}
    for stage in facts.graph.stages:
        for node in stage.instructions:
            if _names_cache(facts, node):
                found.setdefault(stage.index, []).append(node)
    return found


def _names_cache(facts: BuildFacts, node: Instruction) -> bool:
    named = any(name in node.logical.text for name in _CACHE)
    return named and not (isinstance(node, Run) and _only_removes(facts.commands(node)))


def _only_removes(commands: Commands) -> bool:
    """Whether a script names the cache only in `rm -f` commands."""
    removals = [
        step.command
        for step in commands.steps
        if step.command.basename == "rm"
        and any(word.text == "--force" or re.match(r"-[a-zA-Z]*f", word.text) for word in step.command.args)
    ]
    return commands.script is not None and all(
        commands.text.text.count(name) == sum(word.text.count(name) for each in removals for word in each.words)
        for name in _CACHE
    )


def knows_no_cache(facts: BuildFacts, stage: Stage) -> bool | None:
    """Whether the apk of a stage has the option `--no-cache`; None if that is unknown."""
    ref = known(stage.base_ref) or ""
    version = _alpine_version(ref)
    if version is not None:
        return version >= _NO_CACHE_SINCE
    if _is_recent(ref, listed=stage.base is not None):
        return True
    # an apk that succeeds with the option today has it
    used = facts.search("apk-cache option", lambda link, node: not link.replaced and _uses_option(facts, node))
    return True if used.before(stage, END) is not None else None


def _uses_option(facts: BuildFacts, node: Instruction) -> bool:
    return isinstance(node, Run) and any(
        step.package is not None
        and step.package.manager == "apk"
        and step.package.has("--no-cache")
        and step.package.subcommand is not None
        and not step.depth
        and not step.command.context & ~_PLAIN
        and all(each is None or each.text in ("&&", ";", "\n") for each in (step.command.before, step.command.after))
        for step in facts.commands(node).steps
    )


def _alpine_version(ref: str) -> tuple[int, int] | None:
    """The version of Alpine in an image's tag."""
    parsed = parse_image_ref(ref)
    if parsed is None or parsed.tag is None:
        return None
    found = _VARIANT.search(parsed.tag)
    if found is None and parsed.repository.rpartition("/")[2] == "alpine":
        found = _VERSION.match(parsed.tag)
    version = (int(found[1]), int(found[2])) if found is not None else None
    return version if version is not None and version[0] > 1 else None


def _is_recent(ref: str, *, listed: bool) -> bool:
    """Whether an image is certainly not older than Alpine 3.3; `listed`: it is in the table of base images."""
    parsed = parse_image_ref(ref)
    if parsed is None or parsed.registry != "docker.io" or not parsed.repository.startswith("library/"):
        return listed and any(name in ref for name in ("wolfi", "chainguard"))
    tag = parsed.tag or ("" if parsed.digest is not None else "latest")
    if parsed.repository == "library/alpine" or "alpine" in tag:
        return bool(tag)
    return listed and bool(tag) and not re.match(r"v?[01]\.", tag)


def indexed_before(facts: BuildFacts, stage: Stage, run: Run) -> bool:
    """Whether an earlier RUN leaves the index in a layer: it runs `apk update` and installs nothing."""

    def leaves(_: Stage, node: Instruction) -> bool:
        packages = [step.package for step in facts.commands(node).packages] if isinstance(node, Run) else []
        actions = {each.action for each in packages if each is not None and each.manager == "apk"}
        return Action.UPDATE in actions and Action.INSTALL not in actions

    return facts.search("apk-cache leaves", leaves).before(stage, run.span.start) is not None


def scripts_below(facts: BuildFacts, stage: Stage, after: Instruction) -> bool:
    """Whether a RUN after another one runs a script that may call apk."""

    def runs(_: Stage, node: Instruction) -> bool:
        return isinstance(node, Run) and any(runs_script(step) for step in facts.commands(node).steps)

    return facts.search("apk-cache scripts", runs).after(stage, after.span.start) is not None


def installs_files(command: PackageCommand) -> bool:
    """Whether an `apk add` installs only package files."""
    values = [word.value or word.text for word in command.packages]
    return bool(values) and all(value.endswith(".apk") or "/" in value for value in values)
