"""Whether the stages that make an image can stand in the Dockerfile that starts from it, with nothing else changed.

A stage and an image of it differ in little, and what they differ in is asked here. Names, numbers and ARGs before the
first FROM are shared by all stages of a file; a build has one context, one set of arguments and one frontend; and a
stage that is FROM another stage finds its ARGs in the environment, where one that is FROM an image does not. USER,
WORKDIR, SHELL, ENV, metadata and ONBUILD come from a stage as they come from an image.

Source: moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go` (`dispatchState.init`, `addState`, `toCommand`,
`resolveStages` for ONBUILD, `dispatchStages`, `dispatchArg`, `buildMetaArgs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Known, Unknown
from dockfix.facts.scope import uses
from dockfix.facts.stages import context_key
from dockfix.project.ignore import read_ignore
from dockfix.project.sources import context_uses
from dockfix.project.target import Target
from dockfix.project.wiring import shown_folder
from dockfix.syntax.tree import Arg, Copy, Dockerfile, Env, From, Instruction, Onbuild, Run
from dockfix_codemods.local_base_image.recipes import Recipe, recipes_of

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage
    from dockfix.syntax.source import Span

__all__ = ["MAX_LINES", "Origin", "Reference", "caveats", "obstacle", "origin_of", "references", "stage_name"]

MAX_LINES: Final = 60
"""Lines of a Dockerfile past which its stages are a file of their own rather than the head of another one."""

_PLAIN_FLAGS: Final = frozenset(("from", "chown", "platform"))
"""Flags that every docker/dockerfile since 1.0 knows."""
_STAGE: Final = re.compile(r"[a-z][a-z0-9_.-]*\Z", re.ASCII)
_UNEQUAL_ALLOWED: Final = frozenset(("labels", "secret", "ssh"))
"""Options that a build may have beside those of the base: they reach nothing that does not ask, or its result only."""
_READERS: Final = {"DEBIAN_FRONTEND": frozenset(("apt", "aptitude", "debconf", "dpkg"))}
"""Variables that only certain programs read (debconf(7)), by words of their names."""


@dataclass(frozen=True)
class Origin:
    """What an image is built of: a Dockerfile, the way in which it is built, and the stage that is the image."""

    target: Target
    recipe: Recipe
    facts: BuildFacts
    stage: Stage

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the file down to the one that is the image."""
        return self.facts.graph.stages[: self.stage.index + 1]

    @cached_property
    def globals(self) -> tuple[Instruction, ...]:
        """The ARGs before the first FROM."""
        return _before_from(self.target.dockerfile)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All that would stand in the other file."""
        return (*self.globals, *(node for stage in self.stages for node in (stage.node, *stage.instructions)))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the stages."""
        return frozenset(stage.name for stage in self.stages if stage.name is not None)

    @cached_property
    def uses_context(self) -> bool:
        """Whether its build may take anything from the build context."""
        needed = {stage.index for stage in self.facts.graph.needed_for(self.recipe.target)}
        plain = replace(self.target, invocations=(), named_contexts={})
        found = (plain.facts.stage_of(use.instruction) for use in context_uses(plain))
        return any(stage is None or stage.index in needed for stage in found)


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where a Dockerfile names the image; `span` is that of the name, `None` where it is spelled otherwise."""

    instruction: Instruction
    stage: Stage
    span: Span | None

    @property
    def is_base(self) -> bool:
        """Whether the stage starts from the image, and does not only take files from it."""
        return isinstance(self.instruction, From)


def origin_of(target: Target, recipe: Recipe) -> Origin | str:
    """What an image is built of; in words why that is not known."""
    from dockfix.facts.build import analyse  # noqa: PLC0415 - reading a file needs none of its tables

    if target.dockerfile.problems:
        return f"{target.display} does not parse"
    passed = {
        name: Unknown("its value is not known") if value is None else Known(value)
        for name, value in recipe.args.items()
    }
    facts = analyse(target.dockerfile, build_args=passed, target=recipe.target, images=target.base_images)
    if facts.final is None:
        return f"{target.display} has no such stage as {recipe.where} builds"
    return Origin(target, recipe, facts, facts.final)


def references(own: Target, key: str) -> tuple[Reference, ...]:
    """The places where a file names an image that is no stage of it; `key` is as `context_key` gives it."""
    graph = own.facts.graph
    found: dict[int, Reference] = {}
    for stage in graph.stages:
        for node, name in graph.names_taken(stage):
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


def stage_name(own: Target, origin: Origin, key: str) -> str:
    """The name of the stage that is the image: its own, or one after the image's; empty if all that fit are taken."""
    if origin.stage.name is not None:
        return origin.stage.name
    graph = own.facts.graph
    taken = {*origin.names, "context", "scratch"}
    taken |= {name for stage in (*graph.stages, *origin.stages) for name in (stage.name, *_taken(stage)) if name}
    taken |= {name for recipe in recipes_of(own) for name in recipe.contexts}
    taken |= {name.partition(":")[0] for name in taken}
    last = key.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return next((each for each in (last, f"{last}-base") if each not in taken and _STAGE.match(each)), "")


def obstacle(own: Target, origin: Origin, key: str) -> str:
    """Why the stages of an image cannot stand in a file that names it; empty if nothing would change by it.

    Args:
        own: the file that names the image.
        origin: what the image is built of.
        key: the image, as `context_key` gives it.
    """
    return next((each for each in _obstacles(own, origin, key) if each), "")


def _obstacles(own: Target, origin: Origin, key: str) -> Iterator[str]:
    lines = origin.target.text.count("\n") + (not origin.target.text.endswith("\n"))
    if lines > MAX_LINES:
        yield f"{origin.target.display} has {lines} lines, and more than {MAX_LINES} are better left where they are"
    if origin.target.real == own.real:
        yield f"it is the stage {origin.stage.name or origin.stage.index} of this file, which FROM can name itself"
    unread = (*own.unread, *origin.target.unread)
    if unread:
        yield f"{unread[0]} could not be read and may build them in other ways"
    yield _circle(own, origin)
    for recipe in recipes_of(own):
        yield from _builds_differ(own, recipe, origin)
    yield from _frontends_differ(own.dockerfile, origin)
    yield from _unfit(origin)
    yield from _references_unfit(own, key)
    yield from _names_clash(own, origin, key)
    yield _globals_clash(own.dockerfile, origin)
    yield _leaks(own, origin, key)[0]


def caveats(own: Target, origin: Origin, key: str) -> tuple[str, ...]:
    """The ARGs of the image's stages that RUNs of the other file would find in their environment, and may read."""
    return _leaks(own, origin, key)[1]


def _circle(own: Target, origin: Origin) -> str:
    from dockfix_codemods.local_base_image.comments import build_comments  # noqa: PLC0415 - as above

    made = {context_key(tag) for build in own.builds for tag in build.tags}
    made |= {context_key(tag) for comment in build_comments(own.dockerfile) for tag in comment.tags}
    circle = sorted(name for stage in origin.stages for name in _taken(stage) if context_key(name) in made)
    return f"{origin.target.display} takes {circle[0]}, which this file makes" if circle else ""


# the builds


def _builds_differ(own: Target, recipe: Recipe, origin: Origin) -> Iterator[str]:
    """What a build of the file does not share with the build of the base."""
    base = origin.recipe
    differ = f"{base.where} and {recipe.where} may differ in"
    if origin.uses_context:
        yield _contexts_differ(own, recipe, origin)
    declared = {pair.key for node in origin.instructions if isinstance(node, Arg) for pair in node.pairs}
    for name in sorted({*base.args, *recipe.args}):
        if (name in declared or _is_special(name)) and not recipe.same_arg(base, name):
            yield f"{differ} the build argument {name}"
    for name in sorted({*base.options, *recipe.options}):
        one, two = base.options.get(name), recipe.options.get(name)
        allowed = name in _UNEQUAL_ALLOWED and name not in base.options
        if not allowed and (one is None or one != two):
            yield f"{differ} `{name}`"
    for name in _context_names(origin, recipe):
        if not recipe.same_context(base, name):
            yield f"{differ} the named context {name}"


def _contexts_differ(own: Target, recipe: Recipe, origin: Origin) -> str:
    project, base = own.project, origin.recipe
    if base.context is None or recipe.context is None:
        return f"{origin.target.display} takes files from its context, and that of {recipe.where} is not known"
    if base.context != recipe.context:
        places = [shown_folder(project, each) for each in (base.context, recipe.context)]
        return (
            f"{origin.target.display} takes files from {places[0]}, and {recipe.where} builds this file in {places[1]}"
        )
    one, two = (read_ignore(base.context, path, project.files) for path in (origin.target.real, own.real))
    if one.patterns != two.patterns:
        names = [shown_folder(project, Path(each.path)) if each.path else "no ignore file" for each in (one, two)]
        return f"{names[0]} filters the context of {origin.target.display}, and {names[1]} that of this file"
    return ""


def _is_special(name: str) -> bool:
    """Whether a build argument means something without an ARG (docs.docker.com/reference/dockerfile)."""
    from dockfix.facts.images import PREDEFINED_ARGS  # noqa: PLC0415 - as above

    return name in PREDEFINED_ARGS or name.startswith("BUILDKIT_") or name == "SOURCE_DATE_EPOCH"


def _context_names(origin: Origin, recipe: Recipe) -> list[str]:
    """The names under which the base's build could be given a context."""
    if not all(isinstance(stage.image, Known) for stage in origin.stages):
        return sorted({*origin.recipe.contexts, *recipe.contexts})
    return sorted({context_key(name) for stage in origin.stages for name in (*_taken(stage), stage.name) if name})


# the files


def _frontends_differ(own: Dockerfile, origin: Origin) -> Iterator[str]:
    from dockfix.facts.mounts import frontend_is  # noqa: PLC0415 - as above

    base, name = origin.target.dockerfile, origin.target.display
    if base.escape != own.escape:
        yield f"{name} escapes with {base.escape}, and this file with {own.escape}"
    one, two = (each.directives["syntax"].value if "syntax" in each.directives else "" for each in (base, own))
    # a frontend of today knows all that BuildKit's own does; an old one knows what has always been there
    plain = all(
        not node.heredocs and {flag.name for flag in node.flags} <= _PLAIN_FLAGS for node in origin.instructions
    )
    if one != two and (one or not (frontend_is(two, 1, 0) and (plain or two.partition(":")[2] in _NEWEST))):
        yield f"{name} has {f'`# syntax={one}`' if one else 'no `# syntax=`'}, and this file {two or 'none'}"
    one, two = (each.directives["check"].value if "check" in each.directives else "" for each in (base, own))
    if one not in ("", two):
        yield f"{name} has `# check={one}`, and this file {two or 'none'}"
    if "error=true" in two.lower().replace(" ", ""):
        yield "`# check=error=true` of this file would hold the stages to its style"


_NEWEST: Final = ("", "1", "latest", "labs", "1-labs")
"""Tags of docker/dockerfile that follow its newest version."""


def _unfit(origin: Origin) -> Iterator[str]:
    """What a file cannot have and be a part of another one."""
    name, graph = origin.target.display, origin.facts.graph
    for stage in graph.chain(origin.stage):
        if stage.node.flag("platform") is not None:
            yield f"line {stage.node.start_line} of {name} sets a platform, which a stage hands on"
    for node in origin.instructions:
        if "TARGETSTAGE" in _mentioned(node):
            yield f"line {node.start_line} of {name} asks for the name of the stage that is built"
    for node in origin.stage.instructions:
        if isinstance(node, Onbuild) and any(_is_number(each) for each in _sources(node)):
            yield f"line {node.start_line} of {name} counts the stages of the file that starts from it"
    if len(origin.names) != sum(stage.name is not None for stage in origin.stages):
        yield f"{name} has two stages of one name"


def _references_unfit(own: Target, key: str) -> Iterator[str]:
    for each in references(own, key):
        node = each.instruction
        if isinstance(node, From) and node.image is not None and "$" in node.image.text:
            yield f"line {node.start_line} has the name from a variable, by which another image can be taken"
        if each.span is None:
            yield f"line {node.start_line} does not spell the name out in one piece"
        if isinstance(node, From) and node.flag("platform") is not None:
            yield f"line {node.start_line} asks for a platform, and a stage has that for which it is built"


def _names_clash(own: Target, origin: Origin, key: str) -> Iterator[str]:
    name, graph = origin.target.display, own.facts.graph
    stages = {stage.name: stage.node for stage in graph.stages if stage.name is not None}
    for each in sorted(origin.names & stages.keys()):
        yield f"both files have a stage {each} (line {stages[each].start_line})"
    for stage in graph.stages:
        if not isinstance(stage.image, Known):
            yield f"line {stage.node.start_line} starts from an image that is not known, and may be one of its stages"
        for each in _taken(stage):
            if each.lower() in origin.names and context_key(each) != key and graph.by_name(each) is None:
                yield f"the image {each} would become the stage {each.lower()} of {name}"
        for node in stage.instructions:
            if any(_is_number(each) for each in _sources(node)):
                yield f"line {node.start_line} names a stage by its number, which would be another"
    for stage in origin.stages:
        for node in stage.instructions:
            for each in _sources(node):
                if each.lower() in stages and each.lower() not in origin.names:
                    yield f"the image {each} in line {node.start_line} of {name} would become a stage of this file"
    if not stage_name(own, origin, key):
        yield f"the stage of {name} has no name, and those after the image are taken"


def _globals_clash(own: Dockerfile, origin: Origin) -> str:
    """Why the ARGs before the first FROM of both files cannot stand together."""
    name = origin.target.display
    one, two = _defaults(origin.globals), _defaults(_before_from(own))
    for each in sorted(one.keys() & two.keys()):
        if one[each] != two[each]:
            return f"ARG {each} before the first FROM has another default in {name}"
    ours = {each for node in own.instructions if isinstance(node, From | Arg) for each in _mentioned(node)}
    theirs = {each for node in origin.instructions if isinstance(node, From | Arg) for each in _mentioned(node)}
    for each in sorted(one.keys() - two.keys()):
        if each in ours:
            return f"ARG {each} before the first FROM of {name} would reach {each} in this file"
    for each in sorted(two.keys() - one.keys()):
        if each in theirs:
            return f"ARG {each} before the first FROM of this file would reach {each} in {name}"
    return ""


def _defaults(nodes: Sequence[Instruction]) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for node in nodes:
        for pair in node.pairs if isinstance(node, Arg) else ():
            found.setdefault(pair.key, []).append(pair.value)
    return found


def _before_from(dockerfile: Dockerfile) -> tuple[Instruction, ...]:
    found: list[Instruction] = []
    for node in dockerfile.instructions:
        if isinstance(node, From):
            break
        found.append(node)
    return tuple(found)


# what a stage hands on and an image does not


def _leaking(origin: Origin) -> frozenset[str]:
    """The ARGs that a stage which is FROM the image's finds in its environment.

    That is, those that have a value and that no ENV covers: a stage begins by setting the ENV of its base again.
    """
    from dockfix.facts.images import PLATFORM_ARGS, PREDEFINED_ARGS  # noqa: PLC0415 - as above

    found: set[str] = set()
    given = {name for name, values in _defaults(origin.globals).items() if values != [None]}
    given |= {*origin.recipe.args, *PLATFORM_ARGS, *PREDEFINED_ARGS}
    for stage in origin.facts.graph.chain(origin.stage):
        for node in stage.instructions:
            pairs = node.pairs if isinstance(node, Arg) else ()
            found |= {pair.key for pair in pairs if pair.value is not None or pair.key in given}
    return frozenset(found - origin.facts.end_state(origin.stage).env.keys())


def _leaks(own: Target, origin: Origin, key: str) -> tuple[str, tuple[str, ...]]:
    """Why it matters that ARGs of the image's stages reach those of the file; else those that a RUN may read."""
    from dockfix.facts.names import ignores_environment  # noqa: PLC0415 - as above

    leaking = _leaking(origin)
    triggers = [node.child for node in origin.stage.instructions if isinstance(node, Onbuild) and node.child]
    starts = {each.stage.index for each in references(own, key) if each.is_base}
    live: dict[int, frozenset[str]] = {}
    doubtful: dict[str, None] = {}
    for stage in own.facts.graph.stages:
        if stage.index not in starts and stage.parent not in live:
            continue
        starting = stage.index in starts
        names = leaking if starting else live[stage.parent or 0]
        steps = [(node, f" of {origin.target.display}") for node in triggers] if starting else []
        for node, where in (*steps, *((node, "") for node in stage.program)):
            # what the facts of this file know of a trigger of the other is nothing
            deaf = not where and ignores_environment(own.facts, node)
            for name in sorted(names):
                why = _notices(node, name, deaf=deaf)
                if why:
                    line = f"line {node.start_line}{where}"
                    return f"{line} {why}, and ARG {name} of {origin.target.display} would set it", ()
                if isinstance(node, Run) and not deaf:
                    doubtful[name] = None
            names -= _sets(node)
        live[stage.index] = names
    return "", tuple(doubtful)


def _notices(node: Instruction, name: str, *, deaf: bool) -> str:
    """How an instruction would notice that a variable is set; empty if nothing says that it does."""
    from dockfix.facts.images import is_silently_read  # noqa: PLC0415 - as above

    if not isinstance(node, Run):
        bare = {pair.key for pair in node.pairs if pair.value is None} if isinstance(node, Arg) else set[str]()
        return f"uses {name}" if name in uses(node) | bare else ""
    mentioned = _mentioned(node)
    if name in mentioned:
        return f"names {name}"
    if name in _READERS:
        return f"runs what reads {name}" if mentioned & _READERS[name] else ""
    return f"runs what may read {name}" if is_silently_read(name) and not deaf else ""


def _sets(node: Instruction) -> frozenset[str]:
    """The variables that have a value of the file's own behind an instruction."""
    if isinstance(node, Env | Arg):
        return frozenset(pair.key for pair in node.pairs if pair.value is not None)
    return frozenset()


# instructions


def _mentioned(node: Instruction) -> frozenset[str]:
    from dockfix.facts.names import names_mentioned  # noqa: PLC0415 - reading a file needs none of its tables

    return names_mentioned(node)


def _is_number(name: str) -> bool:
    from dockfix.facts.stages import stage_number  # noqa: PLC0415 - as above

    return stage_number(name) is not None


def _sources(node: Instruction) -> tuple[str, ...]:
    """What an instruction, or the trigger that it sets, takes files from by a name or number."""
    inner = node.child if isinstance(node, Onbuild) else node
    if isinstance(inner, Copy):
        return (inner.source_stage,) if inner.source_stage else ()
    return tuple(name for mount in inner.mounts if (name := mount.get("from"))) if isinstance(inner, Run) else ()


def _taken(stage: Stage) -> list[str]:
    """The images and stages that a stage names, as far as they are known."""
    image = [stage.image.value] if isinstance(stage.image, Known) else []
    return [*image, *(name for node in stage.instructions for name in _sources(node))]
