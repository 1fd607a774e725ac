"""The steps of each stage, and what makes the build run them again.

BuildKit runs a step again if its text, the step before it, or what it takes has changed: files of the context by their
content, another stage by the files that are copied, every ARG that is in effect at a RUN by its value (moby/buildkit
`dockerfile2llb/convert.go`, `dispatchRun`, `dispatchCopy`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import PLATFORM_ARGS, PREDEFINED_ARGS, parse_image_ref
from dockfix.facts.model import known
from dockfix.facts.stages import ContextSource, ImageSource, StageSource
from dockfix.facts.variables import uses
from dockfix.output.words import listed
from dockfix.report.model import Layer, StageLayers, Trigger
from dockfix.syntax.tree import Add, Arg, Copy, From, Instruction, Run, Workdir

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage
    from dockfix.project.target import Target

__all__ = ["built_stages", "layers_of", "stage_title"]

_ORDER: Final = tuple(Trigger)
_MAX_TEXT: Final = 200
"""Characters of an instruction that are shown."""
_LISTED: Final = 4
"""Names that a sentence lists; of more, their number."""
_REMOTE: Final = ("http://", "https://", "git://", "git@", "ssh://")
_ALL: Final = ("", ".", "*", "**")


def layers_of(target: Target) -> tuple[StageLayers, ...]:
    """The stages that a build runs, each with its steps."""
    facts = target.facts
    ends: dict[int, tuple[Trigger, int]] = {}
    found: list[StageLayers] = []
    for stage in built_stages(target):
        if stage.replaced:
            continue
        worst = (Trigger.TEXT, stage.node.start_line)
        if stage.parent is not None:
            worst = ends.get(stage.parent, worst)
        layers: list[Layer] = []
        for node in (stage.node, *stage.executed):
            own = list(_reasons(facts, stage, node))
            trigger = max((each for each, _ in own), key=_ORDER.index, default=Trigger.TEXT)
            if _ORDER.index(trigger) > _ORDER.index(worst[0]):
                worst = (trigger, node.start_line)
            text = target.secrets.hide(_one_line(node), target.text)
            writes = isinstance(node, Run | Copy | Add | Workdir)
            why = tuple(dict.fromkeys(target.secrets.hide(each, target.text) for _, each in own))
            layers.append(Layer(node.start_line, text, writes, why, *worst))
        ends[stage.index] = worst
        found.append(StageLayers(stage_title(stage), facts.graph.in_image(stage), tuple(layers)))
    return tuple(found)


def built_stages(target: Target) -> tuple[Stage, ...]:
    """The stages that the known builds run, in order; if no build is known, those that the last stage needs."""
    graph = target.facts.graph
    wanted = {build.target for build in target.builds} or {None}
    needed = {stage.index for each in wanted for stage in graph.needed_for(each)}
    return tuple(stage for stage in graph.stages if stage.index in needed)


def stage_title(stage: Stage) -> str:
    """The name of a stage, or its number."""
    return stage.name or f"stage {stage.index}"


def _one_line(node: Instruction) -> str:
    text = " ".join(node.logical.text.split())
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def _reasons(facts: BuildFacts, stage: Stage, node: Instruction) -> Iterator[tuple[Trigger, str]]:
    match node:
        case From():
            yield from _base(facts, stage)
        case Copy() if node.source_stage:
            yield from _taken(facts, stage, node)
        case Copy() | Add():
            yield from _copied(node)
        case Run():
            yield from _taken(facts, stage, node)
            yield from _mounted(node)
            names = [name for name in facts.state(node).args if name not in PREDEFINED_ARGS]
            if names:
                yield Trigger.ARGUMENT, f"another value of {_quoted(sorted(names))}"
            return
    if not isinstance(node, From):
        names = [name for name in sorted(uses(node)) if name in facts.state(node).args]
        if names:
            yield Trigger.ARGUMENT, f"another value of {_quoted(names)}"


def _base(facts: BuildFacts, stage: Stage) -> Iterator[tuple[Trigger, str]]:
    if stage.parent is not None:  # how often, `layers_of` takes from the steps of that stage
        yield Trigger.TEXT, f"a change of the stage `{stage_title(facts.graph.stages[stage.parent])}`"
        return
    if known(stage.image) == "scratch":
        return
    if stage.context is not None:
        yield Trigger.CONTEXT, "a change of the named context"
        return
    names = _arguments(facts, stage)
    if names:
        yield Trigger.ARGUMENT, f"another value of {_quoted(sorted(names))}"
    ref = parse_image_ref(known(stage.image) or "")
    if ref is None or ref.digest is None:
        yield Trigger.BASE, "another image under the name of the base image"


def _arguments(facts: BuildFacts, stage: Stage) -> set[str]:
    """The ARGs above the first FROM that the base image of a stage depends on."""
    declared = {
        pair.key
        for node in facts.dockerfile.instructions
        if isinstance(node, Arg) and facts.stage_of(node) is None
        for pair in node.pairs
    }
    return {*stage.assumes, *(uses(stage.node) & declared - PLATFORM_ARGS)}


def _taken(facts: BuildFacts, stage: Stage, node: Instruction) -> Iterator[tuple[Trigger, str]]:
    """Reasons in other stages, images and named contexts."""
    for source in facts.graph.sources(node, stage):
        match source:
            case StageSource(stage=other):
                yield Trigger.STAGE, f"a change of the files that it takes from the stage `{stage_title(other)}`"
            case ContextSource(name=name):
                yield Trigger.CONTEXT, f"a change of the files that it takes from the named context `{name}`"
            case ImageSource(ref=ref):
                parsed = parse_image_ref(ref)
                if parsed is None or parsed.digest is None:
                    yield Trigger.BASE, f"another image under the name `{ref}`"


def _copied(node: Copy | Add) -> Iterator[tuple[Trigger, str]]:
    sources = [word.text for word in node.paths]
    remote = [each for each in sources if isinstance(node, Add) and each.lower().startswith(_REMOTE)]
    own = [each for each in sources if each not in remote]
    if remote:
        yield Trigger.REMOTE, f"a change of {_quoted(remote)}"
    if any(each.lstrip("./").strip("/") in _ALL for each in own):
        yield Trigger.CONTEXT, "a change of any file of the build context"
    elif own:
        yield Trigger.FILES, f"a change of {_quoted(own)}"


def _mounted(node: Run) -> Iterator[tuple[Trigger, str]]:
    """Reasons in files of the context that a RUN mounts."""
    for mount in node.mounts:
        if mount.kind != "bind" or mount.get("from"):
            continue
        source = mount.get("source") or mount.get("src") or "."
        if source.lstrip("./").strip("/") in _ALL:
            yield Trigger.CONTEXT, "a change of any file of the build context"
        else:
            yield Trigger.FILES, f"a change of `{source}`"


def _quoted(names: list[str]) -> str:
    return listed([f"`{name}`" for name in names], last="or", most=_LISTED)
