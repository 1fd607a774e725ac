"""Splits a `COPY . .` before an install from manifests: the manifests stay, the rest moves after the install."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockfix.edit.dockerfile import one_line_like, replace_and_move_below
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.context import Context
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Finding, Fix, Refusal, Safety
from dockfix.syntax.tree import Add, Copy, Instruction, Onbuild, Run, Volume, Workdir
from dockfix_codemods.copy_order.file_use import file_use
from dockfix_codemods.copy_order.reorder import destination_of, is_plain, uses_area

if TYPE_CHECKING:
    from dockfix.facts.copies import Area
    from dockfix.facts.packages import PackageCommand
    from dockfix.project.installs import Needs


def split_whole_contexts(target: Target, stage: Stage) -> Iterator[Finding]:
    """Find each `COPY . .` before an install from manifests, and split it."""
    for index, copy in enumerate(stage.instructions):
        if not isinstance(copy, Copy) or not is_plain(copy) or copy.json:
            continue
        if [posixpath.normpath(word.text.lstrip("/") or ".") for word in copy.sources] != ["."]:
            continue
        area = destination_of(target, copy, copy.sources[0])
        found = _install_below(target, stage.instructions[index + 1 :], area) if area else None
        if area and found and not _is_installed(target, stage.instructions[:index], found[1]):
            yield _split(target, stage, copy, area, *found)


def _is_installed(target: Target, above: Sequence[Instruction], commands: Sequence[PackageCommand]) -> bool:
    """Whether an earlier install has the dependencies, so that the later one only adds the project or prunes."""
    managers = {
        step.package.manager
        for node in above
        if isinstance(node, Run)
        for step in target.facts.commands(node).packages
        if step.package is not None and step.package.action is Action.SYNC
    }
    return all(command.manager in managers for command in commands)


def _install_below(
    target: Target, below: Sequence[Instruction], area: Area
) -> tuple[Run, tuple[PackageCommand, ...]] | None:
    """The next RUN that only installs from manifests there, unless something before it uses the copied files."""
    for node in below:
        match node:
            case Run():
                use = file_use(target.facts, node, projects=False)
                if uses_area(use, area):
                    return None
                if use.projects:
                    there = all(folder == area.path for _, folder in use.projects)
                    return (node, tuple(command for command, _ in use.projects)) if there else None
            case Copy() | Add() | Volume() | Onbuild():
                return None
            case Workdir() if area.owner is not None or not target.facts.state(node).creates_as_root:
                return None
    return None


def _split(
    target: Target, stage: Stage, copy: Copy, area: Area, run: Run, commands: Sequence[PackageCommand]
) -> Finding:
    message = f"the whole context is copied before the install on line {run.start_line}: every change reruns it"
    try:
        needed = _needed(target, copy, run, commands)
    except Refused as refused:
        return Refusal(copy.span, message, refused.reason)
    paths = dict.fromkeys(path for needs in needed for path in needs.paths)
    lines = _copies(target, copy, [path for path in paths if not _is_copied(target, stage, copy, area, path)])
    review = "; ".join(dict.fromkeys(needs.review for needs in needed))
    if target.context is None:
        review += "; check that the build context is the folder that contains these manifests"
    summary = f"copy only {', '.join(f'`{path}`' for path in paths)} before the install, and the context after it"
    edits = replace_and_move_below(target.dockerfile, copy, lines, run)
    return Fix(copy.span, message, edits, Safety.UNSAFE, summary, review)


def _needed(target: Target, copy: Copy, run: Run, commands: Sequence[PackageCommand]) -> list[Needs]:
    """What must be copied before the install, for each of its commands.

    Raises:
        Refused: that is unknown, or more than manifests.
    """
    from dockfix.project.installs import install_needs  # noqa: PLC0415 - loads what most files do not need

    relative = copy.destination is not None and not copy.destination.text.startswith("/")
    if relative and target.facts.state(copy).workdir != target.facts.state(run).workdir:
        raise Refused("its destination is relative, and the working directory changes before the install")
    contexts = [target.context] if target.context else context_candidates(target.project, target.path)
    answers: list[list[Needs]] = []
    reason = ""
    for context in contexts:
        try:
            answers.append([install_needs(command, context) for command in commands])
        except Refused as refused:
            reason = refused.reason
    if target.context is None and len(answers) != 1:
        raise Refused("the build context is unknown; pass `--context DIR`")
    if not answers:
        raise Refused(reason)
    return answers[0]


def _is_copied(target: Target, stage: Stage, copy: Copy, area: Area, path: str) -> bool:
    """Whether an earlier COPY already copies a path of the context to the same place."""
    for node in stage.instructions:
        if node is copy:
            break
        if isinstance(node, Copy) and is_plain(node):
            for word in node.sources:
                other = destination_of(target, node, word)
                if other and posixpath.normpath(word.text) == path and other.path == posixpath.join(area.path, path):
                    return True
    return False


def _copies(target: Target, copy: Copy, paths: Sequence[str]) -> list[str]:
    """COPY lines for paths of the context, in the style of `copy`: one for the files of each folder."""
    destination = copy.destination.text if copy.destination else "."
    root = destination if destination.endswith("/") else f"{destination}/"
    groups: dict[str, list[str]] = {}
    contexts: list[Context] = [target.context] if target.context else context_candidates(target.project, target.path)
    for path in paths:
        folder = path if any(context.is_dir(path) for context in contexts) else posixpath.dirname(path)
        groups.setdefault(f"{root}{folder}/" if folder else root, []).append(path)
    return [one_line_like(target.dockerfile, copy, (*names, place)) for place, names in groups.items()]
