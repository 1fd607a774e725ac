"""Edits that give builds named contexts, in compose and bake files."""

from __future__ import annotations

import os
from pathlib import Path

from dockfix.edit.text import Change, Edit
from dockfix.facts.model import Refused
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation, NamedContext
from dockfix.project.problems import InputError
from dockfix.project.target import Project


def add_context(project: Project, build: BuildInvocation, name: str, value: str) -> Change:
    """The change of a build's file that gives the build a named context, or a new value to the one it has.

    Raises:
        Refused: the file cannot be edited without changing more; the reason includes the line to write by hand.
    """
    try:
        edits = context_edits(project, build, name, value)
    except Refused as error:
        raise Refused(f"{error.reason}; write {wiring.as_written(build, name, value)}") from error
    return Change(Path(os.path.realpath(build.source)), edits)


def update_context(project: Project, build: BuildInvocation, given: NamedContext, value: str) -> Change:
    """The change of a build's file that gives a named context written there another value.

    Raises:
        Refused: the value is written elsewhere, or cannot be edited without changing more.
    """
    by_hand = f"the folder that exists is {value} (line {given.line})"
    if not wiring.has_literal_value(project, build, given):
        raise Refused(f"its value comes from a variable, or from what the build extends; {by_hand}")
    try:
        edits = context_edits(project, build, given.name, value)
    except Refused as error:
        raise Refused(f"{error.reason}; {by_hand}") from error
    if any(edit.start == edit.end for edit in edits):
        raise Refused(f"its value is written in another place, which other builds may share; {by_hand}")
    return Change(Path(os.path.realpath(build.source)), edits)


def context_edits(project: Project, build: BuildInvocation, name: str, value: str) -> tuple[Edit, ...]:
    """The edits of `build.source` that give the build a named context, or another value to the one that it has.

    Raises:
        Refused: the entry cannot be written without changing more, or the file cannot be read.
    """
    from dockfix.edit import hcl, yaml  # noqa: PLC0415 - slow to import, and only fixes need them

    shown = wiring.shown_folder(project, build.source)
    try:
        text = project.files.read(build.source).text
    except InputError as error:
        raise Refused(f"{shown} {error.problem.message}") from error
    is_bake = build.kind == "bake"
    if not is_bake and yaml.key_span(text, ("services", build.service, "build")) is None:
        raise Refused(f"{shown} does not write the `build:` of {build.service} itself")
    if not is_bake and wiring.base_folder(build) is None:
        raise Refused(f"the paths of {build.service} start from another folder than that of {shown}")
    try:
        if is_bake:
            edits = hcl.set_context(
                text, wiring.bake_block(project, build), name, value, json=build.source.suffix == ".json"
            )
        else:
            path = ("services", build.service, "build", "additional_contexts", name)
            edits = yaml.set_entry(text, path, value)
    except Refused as error:
        raise Refused(f"in {shown}, {error.reason}") from error
    if not edits:
        raise Refused(f"{shown} has the entry already")
    return edits
