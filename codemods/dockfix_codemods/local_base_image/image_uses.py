"""The images that Dockerfiles use and that the project builds itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from dockfix.facts.images import is_local_name
from dockfix.facts.stages import context_key
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.syntax.tree import Copy, From, Instruction
from dockfix_codemods.local_base_image.build_comments import BuildComment, build_comments
from dockfix_codemods.local_base_image.producers import Producers

if TYPE_CHECKING:
    from dockfix.project.compose.builds import BuildInvocation
    from dockfix.rule.workspace import Workspace

CommentInFile: TypeAlias = "tuple[Path, BuildComment]"
"""A comment that says how an image is built, with the real path of its file."""


class ImageUse(Struct, frozen=True, dict=True):
    """The first place where a file names an image of the project, and what builds the image.

    `producers` are the builds and `comments` the comments that say how; there is at least one of the two. `others` is
    the number of other Dockerfiles that use the image.
    """

    target: Target
    node: Instruction
    name: str
    supply: wiring.Supply
    producers: tuple[BuildInvocation, ...]
    comments: Sequence[CommentInFile]
    others: int

    @property
    def shown(self) -> str:
        """How the file uses the image, in words."""
        if isinstance(self.node, From):
            return f"`{self.node.keyword.text} {self.name}`"
        return f"`COPY --from={self.name}`" if isinstance(self.node, Copy) else f"a mount with `from={self.name}`"

    @property
    def by(self) -> str:
        """The first build or comment that builds the image, in words."""
        if self.producers:
            return wiring.where(self.target.project, self.producers[0])
        path, comment = self.comments[0]
        return f"{wiring.shown_folder(self.target.project, path)}:{comment.line}"

    @property
    def command(self) -> str:
        """The command that builds the image."""
        return wiring.build_command(self.target, self.producers[0]) if self.producers else self.comments[0][1].command

    def producers_in_file_of(self, build: BuildInvocation) -> list[BuildInvocation]:
        """The builds of the image that are in the same compose or bake file as a build."""
        return [each for each in self.producers if each.source == build.source]


def collect(target: Target) -> tuple[frozenset[str], tuple[BuildComment, ...]]:
    """The images that a file uses and that a project can build, and the comments that say how the file is built."""
    graph = target.facts.graph
    names = {name for stage in graph.stages for _, name in graph.stage_references(stage) if graph.by_name(name) is None}
    local = frozenset(context_key(name) for name in names if is_local_name(name))
    return local, tuple(build_comments(target.dockerfile))


def image_uses(workspace: Workspace) -> Iterator[ImageUse]:
    """The images of the project that its files use, each once per file.

    An image is left out if the command line gives a context for it, if the file builds it itself (directly or through
    other images), or if its name comes from an environment variable.
    """
    collected = dict(workspace.collected(collect))
    uses = {path: names for path, (names, _) in collected.items()}
    producers = Producers(workspace.project, uses)
    commented: dict[str, list[CommentInFile]] = {}
    for path, (_, comments) in collected.items():
        for comment in comments:
            for tag in comment.tags:
                commented.setdefault(context_key(tag), []).append((path, comment))
    users = Counter(chain.from_iterable(uses.values()))
    users.update(chain.from_iterable(collect(other)[0] for other in workspace.outside))
    for path, names in uses.items():
        said = {key: [each for each in commented.get(key, ()) if each[0] != path] for key in names}
        local = {key for key in names if key in producers.images or said[key]}
        if local:
            target = workspace.target(workspace.by_path[path])
            yield from _in_file(target, local, said, producers, users)


def _in_file(
    target: Target,
    local: Collection[str],
    comments: Mapping[str, Sequence[CommentInFile]],
    producers: Producers,
    users: Mapping[str, int],
) -> Iterator[ImageUse]:
    """The uses of images of the project in one file; `users` counts the files that use each image."""
    graph, seen = target.facts.graph, set[str]()
    for stage in graph.stages:
        for node, name in graph.stage_references(stage):
            key = context_key(name)
            if key in local and key not in seen and graph.by_name(name) is None and _may_be_shown(target, node):
                seen.add(key)
                supply = wiring.supply_of(target, stage, key)
                found = producers.of(target, supply)
                if not supply.by_command_line and found is not None:
                    yield ImageUse(target, node, name, supply, found, comments.get(key, ()), users[key] - 1)


def _may_be_shown(target: Target, node: Instruction) -> bool:
    """Whether the name of an image contains no value of an environment variable, which may be a secret."""
    return not (isinstance(node, From) and node.image and "$" in node.image.text) or wiring.args_are_plain(target)
