"""What a Dockerfile takes from its build context, and what another ignore file would remove from it."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.commands import Step
from dockfix.facts.model import Fact, Known
from dockfix.facts.packages import PackageCommand, manifests_for
from dockfix.project.context import Context
from dockfix.project.ignore import IgnoreRules
from dockfix.project.installs import builds_project
from dockfix.project.manifests import pyproject_facts
from dockfix.project.patterns import has_wildcard
from dockfix.project.target import Target
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Instruction, Run


class ContextUse(Struct, frozen=True):
    """A source in the build context. `source` is its path there, variables expanded; `instruction` says whose it is."""

    instruction: Instruction
    source: Fact[str]


def context_uses(target: Target) -> Iterator[ContextUse]:
    """The sources of COPY, ADD and bind mounts that are in the build context."""
    for stage in target.facts.graph.stages:
        for instruction in stage.program:
            if isinstance(instruction, Copy | Add) and instruction.flag("from") is None:
                for word in instruction.paths:
                    source = target.facts.state(instruction).expand(word.text)
                    if not (isinstance(instruction, Add) and isinstance(source, Known) and _is_remote(source.value)):
                        yield ContextUse(instruction, source)
            elif isinstance(instruction, Run):
                for mount in instruction.mounts:
                    if mount.kind == "bind" and mount.get("from") is None:
                        source = target.facts.state(instruction).expand(mount.get("source") or ".")
                        yield ContextUse(instruction, source)


def _is_remote(source: str) -> bool:
    return "://" in source or source.startswith("git@")


def excluded_path(context: Context, source: str, rules: IgnoreRules) -> str | None:
    """A path that a source names and that only `rules` would exclude; `None` if there is none.

    Files below a folder that a source names do not count: ignore files exist to exclude some of them. A source without
    a wildcard counts even if it does not exist, since a step before the build may create it. With too many files to
    check, the result is the source itself.
    """
    after = replace(context, ignore=rules)
    if not has_wildcard(source):
        path = posixpath.normpath("/" + source).lstrip("/") or "."
        return path if path != "." and after.ignored(path) and not context.ignored(path) else None
    found = context.glob(source, sent_only=True)
    if found is None:
        return source
    return next((path for path in found if after.ignored(path)), None)


def excluded_files(sent: Sequence[str], rules: IgnoreRules, lines: Collection[int]) -> list[str]:
    """The files that a build sends now and that `rules` would exclude; only some of their `lines` are new."""
    patterns = [pattern for pattern in rules.patterns if pattern.line in lines]
    folders = {path[:at] for path in sent for at, letter in enumerate(path) if letter == "/"}
    below = tuple(f"{folder}/" for folder in folders if any(pattern.matches(folder) for pattern in patterns))
    met = (path for path in sent if path.startswith(below) or any(pattern.matches(path) for pattern in patterns))
    return [path for path in met if rules.ignored(path)]


def use_of_excluded(target: Target, context: Context, gone: Sequence[str]) -> tuple[Instruction, str] | None:
    """A command that uses one of the files that an ignore file would exclude and that a copied folder includes now.

    It names the path in a word, or installs from a manifest or a project that needs the file. `None` if there is none.
    """
    folders = [
        "" if use.source.value.strip("./") == "" else posixpath.normpath("/" + use.source.value).lstrip("/") + "/"
        for use in context_uses(target)
        if isinstance(use.source, Known)
    ]
    brought = sorted(path for path in gone if any(path.startswith(folder) for folder in folders))
    if not brought:
        return None
    readme = _readme(context)
    for stage in target.facts.graph.stages:
        for instruction in stage.instructions:
            if isinstance(instruction, Run | Cmd | Entrypoint):
                for step in target.facts.commands(instruction).steps:
                    used = _uses(step, brought, readme)
                    if used is not None:
                        return instruction, used
    return None


def _uses(step: Step, paths: Sequence[str], readme: str | None) -> str | None:
    package = step.package
    patterns = manifests_for(package) if package is not None else ()
    words = [word.value.removeprefix("./") for word in step.command.args if word.value is not None]
    for path in paths:
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return path
        if any(word == path or word.endswith(f"/{path}") for word in words):
            return path
        if path == readme and package is not None and (builds_project(package) or _installs_folder(package)):
            return path
    return None


def _installs_folder(command: PackageCommand) -> bool:
    """Whether pip installs a folder, which may be the project."""
    values = [word.value or "" for word in command.packages]
    return command.manager in ("pip", "uv") and any(value.startswith((".", "/")) for value in values)


def _readme(context: Context) -> str | None:
    """The README of the project in the context, without which some build backends fail."""
    text = context.read_text("pyproject.toml")
    facts = pyproject_facts(text) if text is not None else None
    return facts.readme if facts is not None else None
