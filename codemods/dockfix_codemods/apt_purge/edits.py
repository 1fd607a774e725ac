"""How RUNs are joined into one, if one shell runs them like several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockfix.edit import dockerfile as editing
from dockfix.facts.joining import append_operator, join_operator
from dockfix.facts.model import Refused
from dockfix.rule import Edit
from dockfix.syntax.tree import Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts


def join_runs(facts: BuildFacts, runs: Sequence[Run], *more: str) -> tuple[Edit, ...]:
    """The edits that join RUNs into one and append commands to it.

    Raises:
        Refused: the joined RUN would not do the same.
    """
    if any(run.heredocs or run.json for run in runs):
        raise Refused("a heredoc or exec form cannot be joined with `&&`")
    flags = {tuple(flag.word.text for flag in run.flags) for run in runs[1:]} - {()}
    own = tuple(flag.word.text for flag in runs[0].flags)
    if flags - {own} or (len(runs) > 1 and any(not flag.startswith("--mount=type=cache,") for flag in own)):
        raise Refused("the RUNs have different flags")
    scripts = [facts.commands(run) for run in runs]
    operator = join_operator(scripts, facts.state(runs[0]).names()) if len(runs) > 1 else ""
    end = append_operator(scripts[-1]) if more else ""
    edits = editing.merge_runs(facts.dockerfile, *runs, operator=operator) if len(runs) > 1 else ()
    return (*edits, *editing.append_commands(facts.dockerfile, runs, more, end)) if more else edits
