"""Removals of packages that an earlier RUN installs, and the fix that joins the RUNs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Fix, Refusal, Safety
from dockfix.syntax.tree import Run
from dockfix_codemods.apt_purge.analysis import SEPARATE_STAGE, PackageUse, listed, package_uses
from dockfix_codemods.apt_purge.edits import join_runs


class LateRemoval(Struct, frozen=True):
    """A removal of packages that an earlier RUN installs. `start` and `end` are the indexes of the two RUNs."""

    removal: PackageUse
    names: tuple[str, ...]
    start: int
    end: int


def late_removals(
    target: Target, stage: Stage, removal: PackageUse, uses: Sequence[PackageUse]
) -> Iterator[Advice | LateRemoval]:
    """What a removal removes too late: at most one finding, as advice if the RUNs cannot be joined anyway."""
    here = {name for use in uses if use.installs and use.index == removal.index for name in use.names}
    names = [name for name in removal.names if name not in here]
    providers = [use for use in uses if use.installs and use.index < removal.index and set(names) & set(use.names)]
    if not providers:
        for parent in target.facts.graph.chain(stage)[1:]:
            installs = (use for use in package_uses(target.facts, parent) if use.installs)
            if any(set(names) & set(use.names) for use in installs):
                layer = f"the layers of stage `{parent.name or parent.index}` keep"
                yield Advice(removal.at, _message(names, layer), help=SEPARATE_STAGE)
        return
    first = providers[0]
    names = [name for name in names if any(name in use.names for use in providers)]
    between = stage.instructions[first.index : removal.index + 1]
    other = next((node for node in between if not isinstance(node, Run)), None)
    if other is not None:
        message = _message(names, f"the layer of line {first.run.start_line} keeps")
        message += f" ({other.name} on line {other.start_line} is between)"
        yield Advice(removal.at, message, help=SEPARATE_STAGE)
        return
    yield LateRemoval(removal, tuple(names), first.index, removal.index)


def _message(names: Sequence[str], layer_keeps: str) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} removed too late: {layer_keeps} the files"


def overlapping(late: Sequence[LateRemoval]) -> Iterator[list[LateRemoval]]:
    """Groups of removals whose RUNs must be joined in one fix, because they share some."""
    group: list[LateRemoval] = []
    for each in sorted(late, key=lambda found: (found.start, found.end)):
        if group and each.start > max(other.end for other in group):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def join_group(target: Target, stage: Stage, group: Sequence[LateRemoval]) -> Iterator[Finding]:
    """Join the RUNs of a group into one, or, if that is not possible, those of each removal."""
    end = max(each.end for each in group)
    runs = [node for node in stage.instructions[group[0].start : end + 1] if isinstance(node, Run)]
    names = tuple(dict.fromkeys(name for each in group for name in each.names))
    message = _message(names, f"the layer of line {runs[0].start_line} keeps")
    at = group[0].removal.at
    try:
        edits = join_runs(target.facts, runs)
    except Refused as refused:
        if len(group) == 1:
            yield Refusal(at, message, refused.reason)
            return
        for each in group:
            yield from join_group(target, stage, [each])
        return
    lines = f"lines {runs[0].start_line} to {runs[-1].end_line}"
    review = f"check that {lines} may be one layer: they are then rebuilt together"
    yield Fix(at, message, edits, Safety.UNSAFE, f"join the RUNs of {lines} into one", review)
