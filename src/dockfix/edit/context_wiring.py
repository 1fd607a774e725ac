"""Changes that give builds named contexts, in compose and bake files."""

from __future__ import annotations

import os
from pathlib import Path

from dockfix.edit import wiring
from dockfix.edit.text import Change
from dockfix.facts.model import Refused
from dockfix.project.compose.builds import BuildInvocation, NamedContext
from dockfix.project.target import Project


def add_context(project: Project, build: BuildInvocation, name: str, value: str) -> Change | str:
    """The change of a build's file that gives the build a named context, or another value to the one that it has.

    In words why not, with the line to write by hand, if that cannot be done honestly.
    """
    try:
        edits = wiring.context_edits(project, build, name, value)
    except Refused as error:
        return f"{error.reason}; write {wiring.as_written(build, name, value)}"
    return Change(Path(os.path.realpath(build.source)), edits)


def update_context(project: Project, build: BuildInvocation, given: NamedContext, value: str) -> Change | str:
    """The change of a build's file that gives a context that stands there another value; in words why not."""
    by_hand = f"in line {given.line}, {value} is the folder that is there"
    if not wiring.written_plainly(project, build, given):
        return f"its value comes from a variable, or from what the build extends; {by_hand}"
    try:
        edits = wiring.context_edits(project, build, given.name, value)
    except Refused as error:
        return f"{error.reason}; {by_hand}"
    if any(edit.start == edit.end for edit in edits):
        return f"its value stands in another place, which other builds may share; {by_hand}"
    return Change(Path(os.path.realpath(build.source)), edits)
