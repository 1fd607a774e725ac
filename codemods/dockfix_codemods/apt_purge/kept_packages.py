"""Packages that only builds need and that nothing removes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from dockfix.edit import dockerfile as editing
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.facts.toolchain import is_compiler
from dockfix.project.target import Target
from dockfix.rule import Advice, Edit, Finding, Fix, Refusal, Safety
from dockfix_codemods.apt_purge.analysis import (
    SEPARATE_STAGE,
    PackageUse,
    adjacent_builds,
    builds_with,
    has_unnamed_removals,
    later_use_blocker,
    listed,
    main_program,
    removal_of,
)
from dockfix_codemods.apt_purge.edits import join_runs


def check_kept_packages(target: Target, stage: Stage, uses: Sequence[PackageUse]) -> Iterator[Finding]:
    """Remove the build tools of a stage in the RUN that installs them, joined with the RUNs that use them."""
    facts, instructions = target.facts, stage.instructions
    removed = {name for use in uses if not use.installs for name in use.names}
    left = [use for use in uses if use.installs and use.leftovers and not removed & {*use.names}]
    left = list(dropwhile(lambda use: not any(is_compiler(name) for name in use.leftovers), left))
    has_compilers = stage.base is not None and bool(stage.base.tools & {"gcc", "make"})
    if not left or has_compilers or has_unnamed_removals(facts, stage, removed):
        return
    first = left[0]
    users = [
        at for at, node in enumerate(instructions) if at >= first.index and builds_with(facts, node, first) is True
    ]
    program = main_program(facts)
    if not users or not program:
        return
    runs = list(adjacent_builds(facts, instructions, first, users, {use.index for use in uses if use.installs}))
    adjacent = [at for at in users if at < first.index + len(runs)]
    message = f"the image keeps {listed(first.leftovers)}"
    if len(adjacent) < len(users) or first.package.manager not in ("apt", "apk") or stage.base is None:
        line = instructions[users[-1]].start_line
        message += f", which no instruction after line {line} builds with"
        yield Advice(first.at, message, help=SEPARATE_STAGE)
        return
    try:
        if blocker := later_use_blocker(facts, stage, first.index + len(runs)):
            raise Refused(blocker)
        removal = removal_of(facts, stage, runs, [use for use in left if use.run in runs], uses)
        edits = (*_named(target, first, removal.virtual), *join_runs(facts, runs, *removal.commands))
    except Refused as refused:
        yield Refusal(first.at, message, refused.reason)
        return
    names = listed(removal.names)
    help_ = f"remove {names} in the RUN that installs and uses {'it' if len(removal.names) == 1 else 'them'}"
    review = f"check that `{program}` and what it starts need none of {names}"
    review = "; ".join((review, *removal.caveats))
    yield Fix(first.at, f"the image keeps {names}, which only the build needs", edits, Safety.UNSAFE, help_, review)


def _named(target: Target, install: PackageUse, virtual: str) -> tuple[Edit, ...]:
    """Give the packages of an `apk add` a virtual name, by which they are removed."""
    if not virtual:
        return ()
    ahead = max(word.end for word in install.package.words if word.end < install.package.packages[0].start)
    return (editing.insert_text_after(target.facts.commands(install.run).text, ahead, f" --virtual {virtual}"),)
