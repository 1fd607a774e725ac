"""The edits of compose and bake files that build a stage by its name."""

from __future__ import annotations

import os
from pathlib import Path

from dockfix.edit.text import Change, Edit
from dockfix.facts.model import Refused
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.problems import InputError
from dockfix.project.target import Target


def target_changes(target: Target, name: str, new: str) -> tuple[Change, ...]:
    """The changes of the compose and bake files whose builds of this Dockerfile have the target `name`, in any case.

    Raises:
        Refused: a target comes from a variable or another place, or its file cannot be edited.
    """
    found: dict[Path, dict[Edit, None]] = {}
    for build in target.builds:
        if build.target is not None and build.target != new and build.target.lower() == name:
            edits = _edits(target, build, new)
            found.setdefault(Path(os.path.realpath(build.source)), {}).update(dict.fromkeys(edits))
    return tuple(Change(path, tuple(edits)) for path, edits in found.items() if edits)


def _edits(target: Target, build: BuildInvocation, new: str) -> tuple[Edit, ...]:
    shown = wiring.describe_builds(target.project, (build,))
    if build.raw.get("target", build.target) != build.target:
        raise Refused(f"the `target` of {shown} comes from a variable")
    try:
        text = target.project.files.read(build.source).text
    except InputError as error:
        raise Refused(f"{wiring.shown_folder(target.project, build.source)} {error.problem.message}") from error
    if build.kind == "bake":
        return _bake_edits(target, build, text, new)
    from dockfix.edit import yaml  # noqa: PLC0415 - slow to import, and only fixes need it

    path = ("services", build.service, "build", "target")
    if yaml.value_span(text, path) is None:
        raise Refused(f"the `target` of {shown} is written in another place")
    return yaml.replace_scalar(text, path, new)


def _bake_edits(target: Target, build: BuildInvocation, text: str, new: str) -> tuple[Edit, ...]:
    from dockfix.project.bake.reader import parse_bake  # noqa: PLC0415 - slow to import, and only fixes need it
    from dockfix.project.bake.tree import Literal, Syntax  # noqa: PLC0415 - as above

    shown = wiring.describe_builds(target.project, (build,))
    try:
        document = parse_bake(text, json=build.source.suffix == ".json")
    except Syntax as error:
        raise Refused(f"the file {error.message}") from None
    block = wiring.bake_block(target.project, build)
    blocks = [each for each in document.body.blocks if each.kind == "target" and each.labels == (block,)]
    found = [each for node in blocks for each in node.body.attributes if each.name == "target"]
    if len(found) != 1:
        raise Refused(f"the `target` of {shown} is written in another place")
    value = found[0].value
    if not isinstance(value, Literal) or text[value.span.start : value.span.end] != f'"{build.target}"':
        raise Refused(f"the `target` of {shown} is computed")
    return (Edit(*value.span, f'"{new}"'),)
