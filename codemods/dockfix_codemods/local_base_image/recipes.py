"""Recipes: all that makes an image of a Dockerfile, whoever says it, so that two ways to build can be held together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.project.compose.model import BuildInvocation, NamedContext, Option
from dockfix.project.files import resolve_inside
from dockfix.project.target import Project, Target
from dockfix.project.wiring import shown_folder, where

if TYPE_CHECKING:
    from dockfix_codemods.local_base_image.comments import BuildComment

__all__ = ["Recipe", "recipe_of_build", "recipe_of_comment", "recipes_of"]


@dataclass(frozen=True)
class Recipe:
    """One way in which an image is built. `where` says in words who builds it so.

    `dockerfile` and `context` are real paths, `None` if they are not known. `args` have `None` for a value that is not
    known, and `raw_args` the text as written; `options` is as in `BuildInvocation`.
    """

    where: str
    dockerfile: Path | None
    context: Path | None
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    raw_args: Mapping[str, str | None] = field(default_factory=dict)
    contexts: Mapping[str, NamedContext] = field(default_factory=dict)
    options: Mapping[str, Option | None] = field(default_factory=dict)

    def same_arg(self, other: Recipe, name: str) -> bool:
        """Whether both pass the same value for an argument on any machine, or neither passes one."""
        if (name in self.args) != (name in other.args) or self.args.get(name) != other.args.get(name):
            return False
        raws = [each.raw_args.get(name, each.args.get(name)) for each in (self, other)]
        if self.args.get(name) is None and name in self.args:
            # both may take it from one variable of the environment; without the text that is not known
            return name in self.raw_args and name in other.raw_args and raws[0] == raws[1]
        return raws[0] == raws[1] or not any("$" in raw for raw in raws if raw)

    def same_context(self, other: Recipe, name: str) -> bool:
        """Whether both give the same named context under a name, or neither gives one."""
        one, two = self.contexts.get(name), other.contexts.get(name)
        if one is None or two is None:
            return one is two
        # what `service:` and `target:` name is another thing in another file
        files = one.source == two.source or one.kind not in ("service", "target")
        return files and (one.kind, one.value, one.path) == (two.kind, two.value, two.path) and one.kind != "unknown"

    def same_image(self, other: Recipe) -> bool:
        """Whether both make the same image, as far as it is known."""
        return (
            (self.dockerfile, self.context, self.target) == (other.dockerfile, other.context, other.target)
            and all(self.same_arg(other, name) for name in {*self.args, *other.args})
            and all(self.same_context(other, name) for name in {*self.contexts, *other.contexts})
            and self.options == other.options
            and None not in self.options.values()
        )


def recipe_of_build(project: Project, build: BuildInvocation) -> Recipe:
    """What a compose service or bake target says. What compose has from a variable may be another thing elsewhere, and
    is not known.
    """
    known = {name for name in ("context", "dockerfile", "target") if "$" not in build.raw.get(name, "")}
    by_file = build.dockerfile is not None and len(known) == len(("context", "dockerfile", "target"))
    return Recipe(
        where(project, build),
        Path(os.path.realpath(build.dockerfile)) if build.dockerfile is not None and by_file else None,
        Path(os.path.realpath(build.context)) if build.context is not None and "context" in known else None,
        build.target,
        build.args,
        build.raw_args,
        build.additional_contexts,
        build.options,
    )


def recipe_of_comment(project: Project, dockerfile: Path, comment: BuildComment) -> Recipe:
    """What a build command in a comment of a Dockerfile says; `dockerfile` is its real path.

    Its paths are relative to the folder from which the command finds the Dockerfile, between the project's root and the
    Dockerfile's own folder. If there is none, or more than one, neither file nor context is known.
    """
    from dockfix_codemods.local_base_image.comments import read_command  # noqa: PLC0415 - reading a file needs none of its tables

    command = read_command(comment.command)
    by = f"{shown_folder(project, dockerfile)}:{comment.line}"
    found: set[Path] = set()
    for folder in dockerfile.parents:
        if not folder.is_relative_to(project.root):
            break
        context = resolve_inside(project.root, folder / command.context)
        named = folder / command.file if command.file else (context or folder) / "Dockerfile"
        if context is not None and resolve_inside(project.root, named) == dockerfile and project.files.is_dir(context):
            found.add(context)
    known = len(found) == 1
    return Recipe(
        by,
        dockerfile if known else None,
        found.pop() if known else None,
        command.target or None,
        command.args,
        options=dict.fromkeys(option.lstrip("-") for option in command.options),
    )


def recipes_of(target: Target) -> tuple[Recipe, ...]:
    """Every way that is known in which a Dockerfile is built: compose, bake, the comments above its first instruction.

    A context and named contexts of the command line hold for all of them; without any other, a context that is given
    there is one.
    """
    from dockfix_codemods.local_base_image.comments import build_comments  # noqa: PLC0415 - reading a file needs none of its tables

    project = target.project
    found = [recipe_of_build(project, build) for build in target.builds]
    found += [recipe_of_comment(project, target.real, each) for each in build_comments(target.dockerfile)]
    given = target.context is not None and target.context_why == "command line"
    if given and not found:
        found = [Recipe("the command line", target.real, None)]
    root = target.context.root if given and target.context is not None else None
    named = {name: each[0] for name, each in target.named_contexts.items() if not each[0].line}
    return tuple(replace(each, context=root or each.context, contexts={**each.contexts, **named}) for each in found)
