"""Build recipes: all that decides what image a Dockerfile becomes, so that two ways to build it can be compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.compose.model import BuildInvocation, NamedContext, Option
from dockfix.project.files import resolve_inside
from dockfix.project.target import Project, Target
from dockfix.project.wiring import shown_folder, where
from dockfix_codemods.local_base_image.build_comments import BuildComment, build_comments, read_command


class BuildRecipe(Struct, frozen=True):
    """One way in which an image is built; `where` says in words which build or comment it is from.

    `dockerfile` and `context` are real paths, `None` if unknown. `args` have `None` for an unknown value; `raw_args`
    are as written, and `options` as in `BuildInvocation`.
    """

    where: str
    dockerfile: Path | None
    context: Path | None
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    raw_args: Mapping[str, str | None] = field(default_factory=dict)
    contexts: Mapping[str, NamedContext] = field(default_factory=dict)
    options: Mapping[str, Option | None] = field(default_factory=dict)

    def same_arg(self, other: BuildRecipe, name: str) -> bool:
        """Whether both pass the same value for an argument on every machine, or neither passes one."""
        if (name in self.args) != (name in other.args) or self.args.get(name) != other.args.get(name):
            return False
        raws = [each.raw_args.get(name, each.args.get(name)) for each in (self, other)]
        if self.args.get(name) is None and name in self.args:
            # both may take it from the same environment variable; without the text that is unknown
            return name in self.raw_args and name in other.raw_args and raws[0] == raws[1]
        return raws[0] == raws[1] or not any("$" in raw for raw in raws if raw)

    def same_context(self, other: BuildRecipe, name: str) -> bool:
        """Whether both supply the same named context of that name, or neither supplies one."""
        one, two = self.contexts.get(name), other.contexts.get(name)
        if one is None or two is None:
            return one is two
        # `service:` and `target:` refer to the same file
        files = one.source == two.source or one.kind not in ("service", "target")
        return files and (one.kind, one.value, one.path) == (two.kind, two.value, two.path) and one.kind != "unknown"

    def same_image(self, other: BuildRecipe) -> bool:
        """Whether both are known to build the same image."""
        return (
            (self.dockerfile, self.context, self.target) == (other.dockerfile, other.context, other.target)
            and all(self.same_arg(other, name) for name in {*self.args, *other.args})
            and all(self.same_context(other, name) for name in {*self.contexts, *other.contexts})
            and self.options == other.options
            and None not in self.options.values()
        )


def recipe_of_build(project: Project, build: BuildInvocation) -> BuildRecipe:
    """The recipe of a compose service or bake target.

    A value that compose takes from a variable may differ on another machine, so it is unknown.
    """
    known = {name for name in ("context", "dockerfile", "target") if "$" not in build.raw.get(name, "")}
    by_file = build.dockerfile is not None and len(known) == len(("context", "dockerfile", "target"))
    return BuildRecipe(
        where(project, build),
        Path(os.path.realpath(build.dockerfile)) if build.dockerfile is not None and by_file else None,
        Path(os.path.realpath(build.context)) if build.context is not None and "context" in known else None,
        build.target,
        build.args,
        build.raw_args,
        build.additional_contexts,
        build.options,
    )


def recipe_of_comment(project: Project, dockerfile: Path, comment: BuildComment) -> BuildRecipe:
    """The recipe of a build command in a comment of a Dockerfile; `dockerfile` is its real path.

    Its paths are relative to the folder from which the command finds the Dockerfile, between the project's root and the
    Dockerfile's own folder. If there is no such folder, or several, file and context are unknown.
    """
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
    return BuildRecipe(
        by,
        dockerfile if known else None,
        found.pop() if known else None,
        command.target or None,
        command.args,
        options=dict.fromkeys(option.lstrip("-") for option in command.options),
    )


def recipes_of(target: Target) -> tuple[BuildRecipe, ...]:
    """All known recipes of a Dockerfile: compose, bake, and the comments above its first instruction.

    The context and named contexts of the command line apply to all of them; if there is none, a context on the command
    line is a recipe of its own.
    """
    project = target.project
    found = [recipe_of_build(project, build) for build in target.builds]
    found += [recipe_of_comment(project, target.real, each) for each in build_comments(target.dockerfile)]
    given = target.context is not None and target.own_options.context is not None
    if given and not found:
        found = [BuildRecipe("the command line", target.real, None)]
    root = target.context.root if given and target.context is not None else None
    named = {name: each[0] for name, each in target.named_contexts.items() if not each[0].line}
    return tuple(replace(each, context=root or each.context, contexts={**each.contexts, **named}) for each in found)
