"""What needs the package lists that a RUN leaves: later steps of its stage, of those based on it, and of other images.

Sources: apt-get(8): `update` writes the lists to /var/lib/apt/lists; `install`, `upgrade` and the like read them, and
find no package without them, nor what a local package file depends on (apt 2.6, tested: "not installable").
apt-cache(8) and `apt list` read them, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Final

from msgspec import Struct

from dockfix.facts.build import BuildFacts
from dockfix.facts.commands import Step
from dockfix.facts.model import known
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.scripts import runs_script
from dockfix.facts.stages import Stage
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Cmd, Copy, Entrypoint, Instruction, Onbuild, Run
from dockfix_codemods.apt_lists.places import covers_lists, names_lists

_NEEDS_NONE: Final = frozenset({Action.UPDATE, Action.REMOVE, Action.PURGE, Action.AUTOREMOVE, Action.CLEAN})
_READERS: Final = frozenset(
    (
        "apt-cache", "apt-show-versions", "apt-rdepends", "apt-file", "debtree", "unattended-upgrade",
        "unattended-upgrades", "ubuntu-drivers",
    )
)  # fmt: skip
_CALLERS: Final = frozenset(
    (
        "rosdep", "gdebi", "mk-build-deps", "tasksel", "apt-fast", "nala", "aptdcon", "playwright", "npx", "ansible",
        "ansible-playbook", "chef-client", "chef-solo", "puppet", "salt-call", "make", "apt-build", "install_packages",
        "opam", "conan", "m-a", "module-assistant", "R", "Rscript", "install.r", "install2.r",
    )
)  # fmt: skip
"""Programs that may call apt; `make` runs what a Makefile says, R does so with bspm."""

_INTERPRETERS: Final = frozenset(("python", "perl", "ruby", "php"))
_NO_CALLERS: Final = frozenset(("setup.py", "manage.py", "composer-setup.php"))
_MAY_NOT_RUN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND


class Reader(Struct, frozen=True):
    """An instruction that needs the lists, and why. `installs`: it installs packages of an archive."""

    node: Instruction
    why: str
    installs: bool


def reader_below(facts: BuildFacts, stage: Stage, run: Run) -> Reader | None:
    """The first instruction after a RUN that needs the lists that it leaves."""
    return reader_in(facts, stage, run.span.start)


def reader_in(facts: BuildFacts, stage: Stage, after: int = -1) -> Reader | None:
    """The first instruction after an offset, in a stage or one based on it, that needs older lists."""
    open_ = [stage]
    while open_:
        at = open_.pop()
        found, updated = facts.once(("apt-lists reader", at.index, after), partial(_reader_of, facts, at, after))
        if found is not None:
            return found
        if not updated:
            open_ += reversed(facts.graph.children(at.index))
        after = -1
    return None


def _reader_of(facts: BuildFacts, stage: Stage, after: int) -> tuple[Reader | None, bool]:
    """The first instruction of a stage after an offset that needs older lists; whether the lists are updated before."""
    for node in stage.executed:
        if node.span.start <= after or not isinstance(node, Run | Cmd | Entrypoint):
            continue
        may_be_fresh = False
        for step in facts.commands(node).steps:
            conditional = bool(step.command.context & _MAY_NOT_RUN)
            if _updates(step):
                if not conditional:
                    return None, True  # later commands read the lists of this one
                may_be_fresh = True
            elif (reader := _reads(node, step)) is not None and not (may_be_fresh and conditional):
                return reader, False
    return None, False


def is_last_update(facts: BuildFacts, stage: Stage, run: Run, final: Stage) -> bool:
    """Whether the lists in the image of a stage are those of a RUN in its chain: nothing updates them later."""
    later = (each for each in facts.graph.chain(final) if each.index >= stage.index)
    nodes = (node for each in later for node in each.executed if each is not stage or node.span.start > run.span.start)
    return not any(
        _updates(step) and not step.command.context & _MAY_NOT_RUN
        for node in nodes
        if isinstance(node, Run)
        for step in facts.commands(node).steps
    )


def _updates(step: Step) -> bool:
    return step.package is not None and step.package.manager == "apt" and step.package.action is Action.UPDATE


def _reads(node: Instruction, step: Step) -> Reader | None:
    package = step.package
    if package is not None and package.manager == "apt":
        if package.action in _NEEDS_NONE or package.has("--version", "--help"):
            return None
        if package.action not in (Action.INSTALL, Action.UPGRADE):
            return Reader(node, "it reads them", installs=False)
        if installs_files(package):
            return Reader(node, "what the package files depend on is found there", installs=False)
        return Reader(node, "it installs without `apt-get update`", installs=True)
    if step.command.basename in _READERS or names_lists(step.command):
        return Reader(node, "it reads them", installs=False)
    return None


def installs_files(package: PackageCommand) -> bool:
    """Whether an installation names only package files."""
    values = [word.value or word.text for word in package.packages]
    return bool(values) and all(value.startswith(("/", "./", "../")) or value.endswith(".deb") for value in values)


def caller_below(facts: BuildFacts, stage: Stage, run: Run) -> Instruction | None:
    """The first instruction after a RUN that may call apt without `apt-get update`, as far as dockfix can see.

    Nor can it see what becomes of the lists in another stage that copies or mounts them.
    """
    callers = facts.search("apt-lists callers", lambda link, node: not link.replaced and may_call(facts, node))
    found = callers.after(stage, run.span.start)
    if found is not None:
        return found
    taken = facts.search("apt-lists taken", lambda link, node: node is link.node and any(_takers(facts, link)))
    if taken.after(stage, -1) is None:
        return None
    links = (stage, *facts.graph.descendants(stage))
    return next(chain.from_iterable(_takers(facts, link) for link in links), None)


def _takers(facts: BuildFacts, stage: Stage) -> Iterator[Instruction]:
    """The instructions of other stages that may copy or mount the lists of a stage."""
    for node in facts.graph.copied_from(stage):
        mounts = node.mounts if isinstance(node, Run) else ()
        if (isinstance(node, Copy) and _copies_lists(facts, node)) or any(
            mount.get("from") and covers_lists(mount.get("source") or "/") for mount in mounts
        ):
            yield node


def _copies_lists(facts: BuildFacts, copy: Copy) -> bool:
    state = facts.state(copy)
    return any(covers_lists(known(state.expand(word.text)) or word.text) for word in copy.sources)


def may_call(facts: BuildFacts, node: Instruction) -> bool:
    """Whether an instruction runs a script or a program that may call apt."""
    if isinstance(node, Onbuild):
        return "apt" in node.logical.text or "RUN" in node.logical.text.upper()
    if not isinstance(node, Run):
        return False
    commands = facts.commands(node)
    if commands.script is None and not node.json:
        return True
    return any(runs_script(step) or _calls(step) for step in commands.steps)


def _calls(step: Step) -> bool:
    name = step.command.basename or ""
    if name in _CALLERS:
        return True
    if name.rstrip("0123456789.") not in _INTERPRETERS:
        return False
    words = iter(step.command.args)
    for word in words:
        if word.text.startswith("-m"):
            return False  # a module that is installed, such as pip
        if word.text in ("-c", "-e", "-r"):
            return "apt" in "".join(each.text for each in words)
        if not word.text.startswith("-"):
            return word.text.rpartition("/")[2] not in _NO_CALLERS
    return any(redirect.operator.startswith("<") for redirect in step.command.redirects)


def _below(facts: BuildFacts, stage: Stage, run: Run) -> Iterator[Instruction]:
    yield from (node for node in stage.executed if node.span.start > run.span.start)
    for child in facts.graph.descendants(stage):
        yield from child.executed
