"""How RUNs are joined to one, where running them in one shell is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockfix.edit import dockerfile as surgery
from dockfix.rule import Edit
from dockfix.syntax.tree import Run
from dockfix_codemods.apt_purge.scripts import append_operator, join_all

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts

__all__ = ["join_runs"]


def join_runs(facts: BuildFacts, runs: Sequence[Run], *more: str) -> tuple[Edit, ...] | str:
    """The edits that join RUNs to one, with commands behind them, or why that cannot be done."""
    if any(run.heredocs or run.json for run in runs):
        return "a heredoc or exec form cannot be joined with `&&`"
    flags = {tuple(flag.word.text for flag in run.flags) for run in runs[1:]} - {()}
    own = tuple(flag.word.text for flag in runs[0].flags)
    if flags - {own} or (len(runs) > 1 and any(not flag.startswith("--mount=type=cache,") for flag in own)):
        return "the RUNs have different flags"
    scripts = [facts.commands(run) for run in runs]
    end = append_operator(scripts[-1])
    join_result = join_all(scripts, facts.state(runs[0]).names()) if len(runs) > 1 else end
    if join_result.why or (more and end.why):
        return join_result.why or end.why
    edits = surgery.merge_runs(facts.dockerfile, *runs, operator=join_result.operator) if len(runs) > 1 else ()
    if edits is None:
        return "a comment or a pragma stands in the way"
    return (*edits, *surgery.append_commands(facts.dockerfile, runs, more, end.operator)) if more else edits
