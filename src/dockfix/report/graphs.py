"""The stages of a Dockerfile, and the services of a project, with what depends on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import known
from dockfix.facts.stages import ContextSource, ImageSource, StageSource, context_key
from dockfix.output.words import lines_text
from dockfix.report.layers import built_stages, stage_title
from dockfix.report.model import Edge, Graph, Node
from dockfix.syntax.tree import Copy, Run

if TYPE_CHECKING:
    from dockfix.facts.stages import Source, Stage
    from dockfix.project.compose.builds import BuildInvocation
    from dockfix.project.compose.model import ComposeFile, Service
    from dockfix.project.target import Target
    from dockfix.rule.workspace import Workspace

__all__ = ["services_graph", "short_ref", "stage_graph"]

_DIGEST: Final = len("sha256:") + 8
_UNKNOWN: Final = "an image that is not known"


def stage_graph(target: Target) -> Graph | None:
    """The stages of a Dockerfile with their base images and what they copy; None without a stage."""
    graph = target.facts.graph
    if graph.final is None:
        return None
    reachable = {stage.index for stage in built_stages(target)}
    targets = [graph.by_name(build.target) for build in target.builds if build.target]
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str], list[int]] = {}
    sentences: list[str] = []
    hide = target.secrets.hide

    def provider(source: Source) -> str | None:
        match source:
            case StageSource(stage=other):
                return _id(other)
            case ContextSource(name=name):
                nodes.setdefault(f"context:{name}", Node(f"context:{name}", name, ("named context",), "context"))
                return f"context:{name}"
            case ImageSource(ref=ref):
                shown = short_ref(hide(ref, target.text))
                nodes.setdefault(f"image:{ref}", Node(f"image:{ref}", shown, (), "image"))
                return f"image:{ref}"
            case _:
                return None

    for stage in graph.stages:
        base, words = _base_of(stage, graph.stages)
        if base is not None and not base.startswith("stage:"):
            kind = "context" if stage.context is not None else "image"
            nodes.setdefault(base, Node(base, hide(words, target.text), (), kind))
        kind = "final" if stage is graph.final else "stage" if stage.index in reachable else "unused"
        steps = len(stage.executed)
        lines = (f"line {stage.node.start_line}, {steps} {'step' if steps == 1 else 'steps'}",)
        nodes[_id(stage)] = Node(_id(stage), stage_title(stage), lines, kind)
        said = [f"starts from {_words(base, words)}"] if base else []
        if base is not None:
            edges[base, _id(stage), "base"] = [stage.node.start_line]
        taken: dict[tuple[str, str, str], list[int]] = {}
        for node in stage.executed:
            for source in graph.sources(node, stage) if isinstance(node, Copy | Run) else ():
                other = provider(source)
                if other is not None:
                    key = (other, _id(stage), "copy" if isinstance(node, Copy) else "mount")
                    taken.setdefault(key, []).append(node.start_line)
        edges |= taken
        said += _taken(taken, nodes)
        other = " (also built as an image)" if stage in targets else ""
        role = {"final": " (the image)", "unused": " (not built)"}.get(nodes[_id(stage)].kind, other)
        sentences.append(f"{stage_title(stage)}{role}: {hide('; '.join(said), target.text) or 'starts from nothing'}")
    arrows = tuple(Edge(*key, _label(key[2], len(lines))) for key, lines in edges.items())
    return Graph("Stages", tuple(nodes.values()), arrows, tuple(sentences))


def _words(base: str, words: str) -> str:
    if words == _UNKNOWN:
        return words
    return f"the stage `{words}`" if base.startswith("stage:") else f"`{words}`"


def _id(stage: Stage) -> str:
    return f"stage:{stage.index}"


def _base_of(stage: Stage, stages: Sequence[Stage]) -> tuple[str | None, str]:
    """What a stage starts from: the id of its node, and its words."""
    if stage.parent is not None:
        return _id(stages[stage.parent]), stage_title(stages[stage.parent])
    if stage.context is not None:
        return f"context:{stage.index}", "named context"
    image = known(stage.image)
    if image == "scratch":
        return None, ""
    return f"image:{image or stage.index}", short_ref(image) if image else _UNKNOWN


def _taken(edges: Mapping[tuple[str, str, str], list[int]], nodes: Mapping[str, Node]) -> Iterator[str]:
    verbs = {"copy": "copies from", "mount": "mounts files of"}
    for (source, _, kind), lines in edges.items():
        yield f"{verbs[kind]} `{nodes[source].title if source in nodes else source}` ({lines_text(lines, most=4)})"


def _label(kind: str, number: int) -> str:
    if kind == "base":
        return ""
    return kind if number == 1 else f"{number} {'copies' if kind == 'copy' else 'mounts'}"


def services_graph(compose: ComposeFile, workspace: Workspace) -> Graph | None:
    """The services of a compose file with what builds them and what they wait for; None if there is nothing to show."""
    nodes: dict[str, Node] = {}
    origins: dict[str, str] = {}
    edges: dict[tuple[str, str, str], str] = {}
    made = {context_key(tag): each.service for each in compose.invocations for tag in each.tags}
    builds = {each.service: each for each in compose.invocations}
    for name, service in compose.services.items():
        build = builds.get(name)
        lines, origins[_service(name)] = _origin(service, build, workspace)
        if build is not None and build.dockerfile is not None:
            for other in _images_used(workspace, build.dockerfile, made):
                if other != name:
                    edges[_service(other), _service(name), "base"] = "base image"
        if service.profiles:
            lines.append(f"profile {', '.join(service.profiles)}")
        nodes[_service(name)] = Node(_service(name), name, tuple(lines), "service" if build is None else "build")
    for name, service in compose.services.items():
        for each in service.depends_on:
            if each.name in compose.services:
                edges[_service(each.name), _service(name), "waits"] = each.until or "a condition that is not known"
    if not edges:
        return None
    title = workspace.display(compose.path)
    arrows = tuple(Edge(*key, label) for key, label in edges.items())
    return Graph(title, tuple(nodes.values()), arrows, tuple(_sentences(nodes, origins, edges)))


def _origin(service: Service, build: BuildInvocation | None, workspace: Workspace) -> tuple[list[str], str]:
    """Where the image of a service is from: the lines in its node, and the words of its sentence."""
    image = service.raw.get("image")
    if build is None and isinstance(image, str):
        return [short_ref(image)], f"runs `{short_ref(image)}`"
    if build is None:  # an override file: compose merges it with the file that has the rest
        return [], "has neither an image nor a build in this file"
    if build.dockerfile is None:
        return [], "is built from a Dockerfile in this file" if build.inline else "is built"
    file = workspace.display(workspace.project.files.real(build.dockerfile) or build.dockerfile)
    stage = build.raw.get("target")
    return [file, f"target {stage}"] if stage else [file], f"is built from `{file}`"


def _service(name: str) -> str:
    return f"service:{name}"


def short_ref(ref: str) -> str:
    """An image reference with the beginning of its digest, which is enough for a reader."""
    name, at, digest = ref.partition("@")
    return f"{name}{at}{digest[:_DIGEST]}…" if len(digest) > _DIGEST else ref


def _images_used(workspace: Workspace, dockerfile: Path, made: Mapping[str, str]) -> Iterator[str]:
    """The services whose images the stages of a Dockerfile start from."""
    target = workspace.at(dockerfile)
    if target is None:
        return
    for stage in target.facts.graph.reachable():
        image = known(stage.image) if stage.parent is None else None
        if image is not None and context_key(image) in made:
            yield made[context_key(image)]


def _sentences(
    nodes: Mapping[str, Node], origins: Mapping[str, str], edges: Mapping[tuple[str, str, str], str]
) -> Iterator[str]:
    said = {name: [origin] for name, origin in origins.items()}
    for (source, target, kind), label in edges.items():
        title = nodes[source].title
        base = f"starts from the image that `{title}` builds"
        said[target].append(base if kind == "base" else f"waits for `{title}` ({label})")
    yield from (f"{nodes[name].title}: {'; '.join(words)}" for name, words in said.items())
