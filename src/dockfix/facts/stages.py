"""The stages of a Dockerfile and the dependencies between them: FROM, COPY --from, and mounts.

Names are resolved as in moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go` (`addState`, `toCommand`,
`detectRunMount`, `buildDispatchStates`, `resolveBaseImage`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.expansion import UNSET, Value, expand_value
from dockfix.facts.images import PLATFORM_ARGS, BaseImage, base_image, parse_image_ref
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.syntax.tree import Arg, Copy, Dockerfile, From, Instruction, Onbuild, Run
from dockfix.syntax.words import SubstitutionError, expand


class Stage(Struct, frozen=True, eq=False, dict=True):
    """A build stage.

    `name` is in lower case, None if there is none. `instructions` are those after its FROM. `image` is the image word
    of FROM after expansion and `assumes` the ARGs whose defaults it depends on. `parent` is the index of the stage in
    its FROM, None if it starts from an image. `base_ref` is the image that the chain of parents starts from, `base`
    what is known of that image. `triggers` are the children of the parent's ONBUILDs, which run first (BuildKit,
    `initOnBuildTriggers`). `context` is the value of the named context that replaces the base image of the stage, or,
    if `replaced`, the whole stage, whose instructions then do not run.
    """

    index: int
    name: str | None
    node: From
    instructions: tuple[Instruction, ...]
    image: Fact[str]
    assumes: frozenset[str]
    parent: int | None
    base: BaseImage | None
    base_ref: Fact[str]
    triggers: tuple[Instruction, ...] = ()
    context: str | None = None
    replaced: bool = False

    @property
    def executed(self) -> tuple[Instruction, ...]:
        """The stage's own instructions, as far as the build executes them: none if the stage is replaced."""
        return () if self.replaced else self.instructions

    @cached_property
    def program(self) -> tuple[Instruction, ...]:
        """The instructions that run, in order: the triggers of the parent stage and the stage's own instructions."""
        return () if self.replaced else (*self.triggers, *self.instructions)


class StageSource(Struct, frozen=True):
    """`--from` names an earlier stage."""

    stage: Stage


class ContextSource(Struct, frozen=True):
    """`--from` names a named build context; `name` is as the build spells it."""

    name: str


class ImageSource(Struct, frozen=True):
    """`--from` names an image."""

    ref: str


class OutOfRange(Struct, frozen=True):
    """`--from` is a number that no earlier stage has; BuildKit rejects it."""

    index: int


class Invalid(Struct, frozen=True):
    """`--from` is something that BuildKit rejects; `reason` is a sentence without a full stop."""

    reason: str


Source: TypeAlias = StageSource | ContextSource | ImageSource | OutOfRange | Invalid

_SCRATCH: Final = "scratch"
_SET_BY_BUILDKIT: Final = PLATFORM_ARGS | {"BUILDOSVERSION", "TARGETOSVERSION"}  # BuildKit, `defaultArgs`


def context_key(name: str) -> str:
    """The name under which BuildKit looks for a named context: the familiar name of an image, without `:latest`.

    (moby/buildkit `frontend/dockerui/config.go`, `NamedContext`.) `docker build --build-context` converts its names to
    this form (docker/buildx `util/buildflags/context.go`); compose and bake pass them on as written (`toNamedContexts`
    in docker/buildx `bake/bake.go`), so a context `org/name:latest` is never found.
    """
    parsed = parse_image_ref(name)
    if parsed is None:
        return name
    familiar = parsed.repository if parsed.registry == "docker.io" else f"{parsed.registry}/{parsed.repository}"
    familiar = familiar.removeprefix("library/")
    tag = f":{parsed.tag}" if parsed.tag and (parsed.tag != "latest" or parsed.digest) else ""
    return familiar + tag + (f"@{parsed.digest}" if parsed.digest else "")


class Globals:
    """The ARGs before the first FROM, and the platform arguments that BuildKit sets itself.

    Only FROM sees these; a bare ARG of the same name makes one visible in a stage (BuildKit, `buildMetaArgs`).
    """

    def __init__(self, build_args: Mapping[str, Fact[str]], target: str | None, last_name: str | None) -> None:
        stage = target or last_name or "default"
        self.build_args = build_args
        self.declared: list[tuple[Arg, str, Value]] = []
        self._values: dict[str, Value] = {
            name: Value(build_args.get(name) or Unknown("the platforms of the build set it"))
            for name in sorted(_SET_BY_BUILDKIT)
        }
        self._values["TARGETSTAGE"] = Value(build_args.get("TARGETSTAGE") or Known(stage))

    def declare(self, arg: Arg) -> None:
        """Add an ARG before the first FROM."""
        for pair in arg.pairs:
            given = self.build_args.get(pair.key)
            if given is not None:
                value = Value(given)
            elif pair.value is not None:
                value = expand_value(pair.value, self.lookup, arg.escape)
                value = Value(value.fact, value.assumes | {pair.key})
            elif pair.key in self._values:
                value = self._values[pair.key]
            else:
                value = Value(Unknown(f"ARG {pair.key} has no default"))
            self.declared.append((arg, pair.key, value))
            self._values[pair.key] = value

    def lookup(self, name: str) -> Value:
        """The value of a name as FROM sees it."""
        return self._values.get(name, UNSET)

    def names(self) -> tuple[str, ...]:
        """All names that FROM sees."""
        return tuple(self._values)


class StageGraph(Struct, frozen=True, eq=False, dict=True):
    """The stages in order, and what each takes from the others."""

    stages: tuple[Stage, ...]
    named_contexts: Mapping[str, str]
    target: str | None

    @cached_property
    def _names(self) -> dict[str, Stage]:
        return {stage.name: stage for stage in self.stages if stage.name is not None}

    @cached_property
    def final(self) -> Stage | None:
        """The stage that is built: the target, or the last; None if there is no such stage."""
        if self.target:
            return self.by_name(self.target)
        return self.stages[-1] if self.stages else None

    def by_name(self, name: str) -> Stage | None:
        """The stage with a name, in any case; of several, the last one in the file, as in BuildKit."""
        return self._names.get(name.lower())

    def named_context(self, name: str) -> str | None:
        """The key in `named_contexts` that provides `name`, None if there is none."""
        if name.lower() in (_SCRATCH, "context"):
            return None
        key = context_key(name)
        return key if key in self.named_contexts else None

    def resolve(self, ref: str, before: Stage, *, mount: bool = False) -> Source:
        """What `COPY --from=ref`, or with `mount` a mount's `from=ref`, means in the stage `before`.

        BuildKit's order: a named context (which also replaces a stage of its name), a stage name, a stage number (not
        for mounts, where it is an image of that name), an image.
        """
        if mount:
            if "$" in ref[:-1]:
                return Invalid("a mount's from takes no variables")
        else:
            try:
                plain = expand(ref, lambda _name: None).text == ref
            except SubstitutionError as error:
                return Invalid(str(error))
            if not plain:
                return Invalid("--from takes no variables")
            number = stage_number(ref)
            if number is not None:
                if not 0 <= number < before.index:
                    return OutOfRange(number)
                return self._stage_source(self.stages[number])
        stage = self.by_name(ref)
        if stage is not None:
            if stage.replaced:
                return self._stage_source(stage)
            if stage is before:
                return Invalid(f"the stage {stage.name} copies from itself")
            if stage.index > before.index:
                return Invalid(f"the stage {stage.name} comes later in the file")
            return StageSource(stage)
        if ref != _SCRATCH and parse_image_ref(ref) is None:
            return Invalid("it is neither a stage nor a valid image reference")
        context = self.named_context(ref)
        return ContextSource(context) if context is not None else ImageSource(ref)

    def _stage_source(self, stage: Stage) -> Source:
        context = self.named_context(stage.name) if stage.replaced and stage.name else None
        return ContextSource(context) if context is not None else StageSource(stage)

    def sources(self, instruction: Instruction, stage: Stage) -> tuple[Source, ...]:
        """The sources of an instruction other than the build context."""
        if isinstance(instruction, Copy) and instruction.source_stage:
            return (self.resolve(instruction.source_stage, stage),)
        if isinstance(instruction, Run):
            refs = (mount.get("from") for mount in instruction.mounts)
            return tuple(self.resolve(ref, stage, mount=True) for ref in refs if ref)
        return ()

    def stage_references(self, stage: Stage) -> Iterator[tuple[Instruction, str]]:
        """What a stage takes by name, as written: its base image, sources of its COPYs and mounts.

        Each with the instruction. A base that is another stage is omitted, and so are stages given by number.
        """
        if stage.parent is None and isinstance(stage.image, Known) and self.by_name(stage.image.value) is None:
            yield stage.node, stage.image.value
        for instruction in stage.instructions:
            if isinstance(instruction, Copy) and instruction.source_stage:
                names = [instruction.source_stage]
            elif isinstance(instruction, Run):
                names = [name for mount in instruction.mounts if (name := mount.get("from"))]
            else:
                continue
            yield from ((instruction, name) for name in names if stage_number(name) is None)

    def chain(self, stage: Stage) -> tuple[Stage, ...]:
        """The stage and the stages in its chain of FROMs, nearest first."""
        found = [stage]
        while (parent := found[-1].parent) is not None:
            found.append(self.stages[parent])
        return tuple(found)

    def in_image(self, stage: Stage, target: Stage | None = None) -> bool:
        """Whether the target (by default the stage that is built) is this stage or is based on it."""
        if target is not None and target is not self.final:
            return stage in self.chain(target)
        return stage.index in self._in_final

    @cached_property
    def _in_final(self) -> frozenset[int]:
        return frozenset(each.index for each in self.chain(self.final)) if self.final is not None else frozenset()

    def descendants(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages that are based on this one, directly or not, in order."""
        found: list[int] = []
        open_ = [stage.index]
        while open_:
            children = [each.index for each in self.children(open_.pop())]
            found += children
            open_ += children
        return tuple(self.stages[index] for index in sorted(found))

    def children(self, index: int) -> Sequence[Stage]:
        """The stages that are based directly on the stage with an index, in order."""
        return self._children.get(index, ())

    @cached_property
    def _children(self) -> dict[int, list[Stage]]:
        found: dict[int, list[Stage]] = {}
        for stage in self.stages:
            if stage.parent is not None:
                found.setdefault(stage.parent, []).append(stage)
        return found

    @cached_property
    def _links(self) -> tuple[tuple[Stage, Instruction, Stage], ...]:
        """Every (consumer, instruction, source) between stages."""
        return tuple(self._find_links())

    def _find_links(self) -> Iterator[tuple[Stage, Instruction, Stage]]:
        for stage in self.stages:
            for instruction in stage.program:
                for source in self.sources(instruction, stage):
                    if isinstance(source, StageSource):
                        yield stage, instruction, source.stage

    @cached_property
    def _takers(self) -> dict[int, list[Instruction]]:
        found: dict[int, list[Instruction]] = {}
        for _, instruction, giver in self._links:
            found.setdefault(giver.index, []).append(instruction)
        return found

    def copied_from(self, stage: Stage) -> tuple[Instruction, ...]:
        """The instructions that COPY --from this stage or mount it, in order."""
        return tuple(dict.fromkeys(self._takers.get(stage.index, ())))

    @cached_property
    def _reachable(self) -> tuple[Stage, ...]:
        providers: dict[int, set[int]] = {}
        for taker, _, giver in self._links:
            providers.setdefault(taker.index, set()).add(giver.index)
        found: set[int] = set()
        open_ = [self.final.index] if self.final is not None else []
        while open_:
            index = open_.pop()
            if index in found:
                continue
            found.add(index)
            open_.extend(providers.get(index, ()))
            parent = self.stages[index].parent
            if parent is not None:
                open_.append(parent)
        return tuple(self.stages[index] for index in sorted(found))

    def reachable(self) -> tuple[Stage, ...]:
        """The stages that BuildKit builds: the final one and all that it depends on, in order."""
        return self._reachable

    def needed_for(self, target: str | None) -> tuple[Stage, ...]:
        """The stages that a build of the stage `target` (None: the last) builds, in order; all if there is no such
        stage."""
        if target is None:
            return self._reachable
        if self.by_name(target) is None:
            return self.stages
        return replace(self, target=target).reachable()


def stage_number(text: str) -> int | None:
    """The stage number in `COPY --from`: Go's `strconv.Atoi`, an optional sign and ASCII digits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits or len(digits) > 18 or not (digits.isascii() and digits.isdigit()):
        return None
    return int(text)


def build_graph(
    dockerfile: Dockerfile,
    build_args: Mapping[str, Fact[str]],
    named_contexts: Mapping[str, str],
    target: str | None,
    images: Mapping[str, BaseImage | str],
) -> tuple[StageGraph, Globals]:
    """The stages of a Dockerfile, and the arguments that its FROMs see; `images` extends the table of base images."""
    instructions = dockerfile.instructions
    starts = [index for index, node in enumerate(instructions) if isinstance(node, From)]
    last = instructions[starts[-1]] if starts else None
    globals_ = Globals(build_args, target, last.stage_name if isinstance(last, From) else None)
    for node in instructions[: starts[0] if starts else len(instructions)]:
        if isinstance(node, Arg):
            globals_.declare(node)
    graph = StageGraph((), named_contexts, target)
    stages: list[Stage] = []
    by_name: dict[str, Stage] = {}
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(instructions)
        node = instructions[start]
        if isinstance(node, From):
            stage = _stage(graph, globals_, stages, by_name, images, node, instructions[start + 1 : end])
            stages.append(stage)
            if stage.name is not None:
                by_name[stage.name] = stage
    return StageGraph(tuple(stages), named_contexts, target), globals_


def _stage(
    contexts: StageGraph,
    globals_: Globals,
    stages: Sequence[Stage],
    by_name: Mapping[str, Stage],
    images: Mapping[str, BaseImage | str],
    node: From,
    instructions: tuple[Instruction, ...],
) -> Stage:
    name = node.stage_name
    if node.image is None:
        image = Value(Unknown("FROM names no image"))
    else:
        image = expand_value(node.image.text, globals_.lookup, node.escape)
    ref = image.fact if image.fact is not None else Unknown("FROM names no image")
    parent: Stage | None = None
    triggers: tuple[Instruction, ...] = ()
    stand_in = contexts.named_context(name) if name else None
    replaced = stand_in is not None
    if stand_in is None and isinstance(ref, Known):
        # BuildKit looks an image word up among the lower-cased stage names as it is, so `FROM Build` is an image.
        parent = by_name.get(ref.value)
        if parent is None:
            stand_in = contexts.named_context(ref.value)
    context = contexts.named_contexts[stand_in] if stand_in is not None else None
    if parent is not None:
        base, base_ref = parent.base, parent.base_ref
        triggers = tuple(
            each.child
            for each in (() if parent.replaced else parent.instructions)
            if isinstance(each, Onbuild) and each.child is not None
        )
    else:
        base_ref = ref if context is None else _image_of_context(context)
        base = base_image(base_ref.value, images) if isinstance(base_ref, Known) else None
        platform = node.flag("platform")
        if platform is not None and (platform.value or "").lower().startswith("windows") and base is not None:
            base = base if base.family == "windows" else None  # the tag has another variant for Windows
    return Stage(
        index=len(stages),
        name=name,
        node=node,
        instructions=instructions,
        image=ref,
        assumes=image.assumes,
        parent=parent.index if parent is not None else None,
        base=base,
        base_ref=base_ref,
        triggers=triggers,
        context=context,
        replaced=replaced,
    )


def _image_of_context(value: str) -> Fact[str]:
    ref = value.removeprefix("docker-image://")
    return Known(ref) if ref != value and "$" not in ref else Unknown("a named build context replaces it")
