"""The build of a base image: its Dockerfile and stages, and the places where another file names the image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.build import analyse
from dockfix.facts.model import Known, Refused, Unknown
from dockfix.facts.stages import context_key
from dockfix.project.sources import context_uses
from dockfix.project.target import Target
from dockfix.syntax.tree import Copy, Dockerfile, From, Instruction, Onbuild, Run
from dockfix_codemods.local_base_image.build_recipes import BuildRecipe, recipes_of

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage
    from dockfix.syntax.source import Span

_STAGE: Final = re.compile(r"[a-z][a-z0-9_.-]*\Z", re.ASCII)


class BaseBuild(Struct, frozen=True, dict=True):
    """How an image is built: the Dockerfile, the recipe, and the stage that is the image."""

    target: Target
    recipe: BuildRecipe
    facts: BuildFacts
    stage: Stage

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the file down to the one that is the image."""
        return self.facts.graph.stages[: self.stage.index + 1]

    @cached_property
    def globals(self) -> tuple[Instruction, ...]:
        """The ARGs before the first FROM."""
        return args_before_from(self.target.dockerfile)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions that inlining copies into the other file."""
        return (*self.globals, *(node for stage in self.stages for node in (stage.node, *stage.instructions)))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the stages."""
        return frozenset(stage.name for stage in self.stages if stage.name is not None)

    @cached_property
    def uses_context(self) -> bool:
        """Whether the build may use files of the build context."""
        needed = {stage.index for stage in self.facts.graph.needed_for(self.recipe.target)}
        plain = replace(self.target, invocations=(), named_contexts={})
        found = (plain.facts.stage_of(use.instruction) for use in context_uses(plain))
        return any(stage is None or stage.index in needed for stage in found)


class Reference(Struct, frozen=True):
    """A place where a Dockerfile names the image; `span` is the name's, `None` if the name is not written literally."""

    instruction: Instruction
    stage: Stage
    span: Span | None

    @property
    def is_base(self) -> bool:
        """Whether the stage starts from the image, and does not only copy files from it."""
        return isinstance(self.instruction, From)


def base_build(target: Target, recipe: BuildRecipe) -> BaseBuild:
    """The build of an image by a recipe of its Dockerfile.

    Raises:
        Refused: the file cannot be parsed, or has no such stage.
    """
    if target.dockerfile.problems:
        raise Refused(f"{target.display} cannot be parsed")
    passed = {
        name: Unknown("its value is unknown") if value is None else Known(value) for name, value in recipe.args.items()
    }
    facts = analyse(target.dockerfile, build_args=passed, target=recipe.target, images=target.base_images)
    if facts.final is None:
        raise Refused(f"{target.display} does not have the stage that {recipe.where} builds")
    return BaseBuild(target, recipe, facts, facts.final)


def references(own: Target, key: str) -> tuple[Reference, ...]:
    """The places where a file names an image that is not one of its stages; `key` is a result of `context_key`."""
    graph = own.facts.graph
    found: dict[int, Reference] = {}
    for stage in graph.stages:
        for node, name in graph.stage_references(stage):
            if context_key(name) != key or graph.by_name(name) is not None:
                continue
            for span in _spans(own.dockerfile, node, name):
                found.setdefault(span.start if span is not None else node.span.start, Reference(node, stage, span))
    return tuple(found[at] for at in sorted(found))


def _spans(dockerfile: Dockerfile, node: Instruction, name: str) -> Iterator[Span | None]:
    if isinstance(node, From):
        places = [node.image.span if node.image is not None else None]
    elif isinstance(node, Copy):
        flag = node.flag("from")
        places = [flag.value_span if flag is not None else None]
    else:
        options = [mount.option("from") for mount in node.mounts] if isinstance(node, Run) else []
        places = [option.value_span for option in options if option is not None and option.value == name]
    for span in places:
        plain = span is not None and dockerfile.text[span.start : span.end] == name
        yield span if plain else None


def stage_name(own: Target, base: BaseBuild, key: str) -> str | None:
    """The name of the stage that is the image: its own, or one derived from the image; None if those are in use."""
    if base.stage.name is not None:
        return base.stage.name
    graph = own.facts.graph
    used = {*base.names, "context", "scratch"}
    used |= {name for stage in (*graph.stages, *base.stages) for name in (stage.name, *images_named_by(stage)) if name}
    used |= {name for recipe in recipes_of(own) for name in recipe.contexts}
    used |= {name.partition(":")[0] for name in used}
    last = key.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return next((each for each in (last, f"{last}-base") if each not in used and _STAGE.match(each)), None)


def args_before_from(dockerfile: Dockerfile) -> tuple[Instruction, ...]:
    """The instructions before the first FROM."""
    return tuple(takewhile(lambda node: not isinstance(node, From), dockerfile.instructions))


def images_named_by(stage: Stage) -> list[str]:
    """The images and stages that a stage names, as far as they are known."""
    image = [stage.image.value] if isinstance(stage.image, Known) else []
    return [*image, *(name for node in stage.instructions for name in sources_of(node))]


def sources_of(node: Instruction) -> tuple[str, ...]:
    """The `from` of an instruction, or of the ONBUILD trigger that it sets: names or numbers."""
    inner = node.child if isinstance(node, Onbuild) else node
    if isinstance(inner, Copy):
        return (inner.source_stage,) if inner.source_stage else ()
    return tuple(name for mount in inner.mounts if (name := mount.get("from"))) if isinstance(inner, Run) else ()
