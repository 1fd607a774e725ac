"""The images that Dockerfiles take from elsewhere, held against those that the project makes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dockfix.facts.images import is_local_name
from dockfix.facts.stages import context_key
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.syntax.tree import From, Instruction

if TYPE_CHECKING:
    from dockfix.project.compose.builds import BuildInvocation
    from dockfix.rule.workspace import Workspace
    from dockfix_codemods.local_base_image.comments import BuildComment

__all__ = ["Claim", "ImageUse", "collect", "image_uses"]

Claim: TypeAlias = "tuple[Path, BuildComment]"
"""A comment that says how an image is built, and the real path of its file."""


@dataclass(frozen=True)
class ImageUse:
    """An image of the project that a file names, the first place where it does, and what makes the image.

    `others` is how many other Dockerfiles take it. There is a maker or a claim at least.
    """

    target: Target
    node: Instruction
    name: str
    supply: wiring.Supply
    producers: tuple[BuildInvocation, ...]
    claims: Sequence[Claim]
    others: int

    @property
    def use(self) -> str:
        """How the file uses the image, in words."""
        if isinstance(self.node, From):
            return f"{self.node.keyword.text} {self.name}"
        return f"{self.name}, which files are taken from,"

    @property
    def by(self) -> str:
        """Who makes the image, in words."""
        if self.producers:
            return wiring.where(self.target.project, self.producers[0])
        path, comment = self.claims[0]
        return f"{wiring.shown_folder(self.target.project, path)}:{comment.line}"

    @property
    def command(self) -> str:
        """The command that makes the image."""
        return wiring.build_command(self.target, self.producers[0]) if self.producers else self.claims[0][1].command

    def beside(self, build: BuildInvocation) -> list[BuildInvocation]:
        """The makers that stand in the file of a build."""
        return [each for each in self.producers if each.source == build.source]


def collect(target: Target) -> tuple[frozenset[str], tuple[BuildComment, ...]]:
    """The images that a file takes from elsewhere, and how its comments say that it is built."""
    from dockfix_codemods.local_base_image.comments import build_comments  # noqa: PLC0415 - only one rule asks

    graph = target.facts.graph
    names = {name for stage in graph.stages for _, name in graph.names_taken(stage) if graph.by_name(name) is None}
    local = frozenset(context_key(name) for name in names if is_local_name(name))
    return local, tuple(build_comments(target.dockerfile))


def image_uses(workspace: Workspace) -> Iterator[ImageUse]:
    """The images of the project that its files take, each once a file.

    Those are left out that the command line gives a context for, that the file makes itself, in however many steps,
    and whose name comes from a variable of the machine.
    """
    collected = dict(workspace.collected(collect))
    uses = {path: names for path, (names, _) in collected.items()}
    made = {context_key(tag) for build in workspace.project.invocations for tag in build.tags}
    said = [
        (context_key(tag), path, comment)
        for path, (_, comments) in collected.items()
        for comment in comments
        for tag in comment.tags
    ]
    for path, names in uses.items():
        claims: dict[str, list[Claim]] = {}
        for key, other, comment in said:
            if key in names and other != path:
                claims.setdefault(key, []).append((other, comment))
        local = names & (made | claims.keys())
        if local:
            yield from _in_file(workspace, workspace.target(workspace.by_path[path]), local, claims, uses)


def _in_file(
    workspace: Workspace,
    target: Target,
    local: frozenset[str],
    claims: Mapping[str, Sequence[Claim]],
    uses: Mapping[Path, frozenset[str]],
) -> Iterator[ImageUse]:
    graph, seen = target.facts.graph, set[str]()
    for stage in graph.stages:
        for node, name in graph.names_taken(stage):
            key = context_key(name)
            if key in local - seen and graph.by_name(name) is None and _may_be_told(target, node):
                seen.add(key)
                supply = wiring.supply_of(target, stage, key)
                producers = wiring.producers_of(target, supply, uses)
                if not supply.by_command_line and producers is not None:
                    others = sum(key in names for path, names in uses.items() if path != target.real)
                    others += sum(key in collect(other)[0] for other in workspace.outside)
                    yield ImageUse(target, node, name, supply, producers, claims.get(key, ()), others)


def _may_be_told(target: Target, node: Instruction) -> bool:
    """Whether the name of an image holds nothing that comes from a variable of the machine."""
    return not (isinstance(node, From) and node.image and "$" in node.image.text) or wiring.args_are_plain(target)
