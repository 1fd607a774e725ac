"""Stages, and how BuildKit resolves FROM and --from."""

from __future__ import annotations

import pytest

from dockfix.facts.build import BuildFacts, analyse
from dockfix.facts.model import Known, OneOf, Unknown
from dockfix.facts.stages import ContextSource, ImageSource, Invalid, OutOfRange, StageSource
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Copy, Instruction, Run


def facts_of(text: str, **contexts: str) -> BuildFacts:
    return analyse(parse(text), named_contexts=contexts)


def find(facts: BuildFacts, kind: type[Instruction], number: int = 0) -> Instruction:
    return [node for node in facts.dockerfile.instructions if isinstance(node, kind)][number]


def test_stages_have_lower_cased_names_and_their_instructions() -> None:
    facts = facts_of("ARG A\nFROM alpine AS Build\nRUN a\nRUN b\nFROM scratch\nCOPY --from=build /a /a\n")
    first, second = facts.graph.stages
    assert (first.name, second.name) == ("build", None)
    assert [node.name for node in first.instructions] == ["RUN", "RUN"]
    assert facts.stage_of(first.instructions[1]) is first
    assert facts.stage_of(first.node) is first
    assert facts.stage_of(facts.dockerfile.instructions[0]) is None
    assert facts.final is second


def test_from_expands_the_arguments_before_it() -> None:
    facts = facts_of("ARG V=3.19\nARG IMAGE=alpine:$V\nFROM ${IMAGE}\n")
    stage = facts.graph.stages[0]
    assert stage.image == Known("alpine:3.19")
    assert stage.assumes == {"V", "IMAGE"}
    assert stage.base is not None
    assert stage.base.family == "alpine"


def test_from_does_not_see_arguments_of_a_stage() -> None:
    facts = facts_of("FROM alpine\nARG V=3.19\nFROM debian:${V:-12}\n")
    assert facts.graph.stages[1].image == Known("debian:12")


def test_a_passed_argument_is_not_an_assumption() -> None:
    dockerfile = parse("ARG V=1\nFROM alpine:$V\n")
    stage = analyse(dockerfile, build_args={"V": Known("3.20")}).graph.stages[0]
    assert stage.image == Known("alpine:3.20")
    assert not stage.assumes
    several = analyse(dockerfile, build_args={"V": OneOf(("3.19", "3.20"))}).graph.stages[0]
    assert several.image == OneOf(("alpine:3.19", "alpine:3.20"))
    assert several.base is None


def test_arguments_without_a_value_and_platforms_are_unknown() -> None:
    facts = facts_of("ARG V\nFROM alpine:$V\nFROM x-$TARGETARCH\nFROM x-$TARGETSTAGE AS last\n")
    images = [stage.image for stage in facts.graph.stages]
    assert isinstance(images[0], Unknown)
    assert isinstance(images[1], Unknown)
    assert images[2] == Known("x-last")


def test_stages_inherit_the_base_of_their_parent() -> None:
    facts = facts_of("FROM debian:12 AS a\nFROM a AS b\nFROM b\nFROM alpine\n")
    a, b, c, d = facts.graph.stages
    assert (a.parent, b.parent, c.parent, d.parent) == (None, 0, 1, None)
    assert c.base_ref == Known("debian:12")
    assert c.base == a.base
    assert facts.graph.chain(c) == (c, b, a)
    assert facts.graph.descendants(a) == (b, c)
    assert facts.graph.in_image(a, c)
    assert not facts.graph.in_image(a)


def test_from_looks_names_up_as_they_are_written() -> None:
    facts = facts_of("FROM alpine AS build\nFROM Build\n")
    assert facts.graph.stages[1].parent is None


def test_a_stage_is_from_the_last_stage_of_a_name_before_it() -> None:
    facts = facts_of("FROM alpine AS a\nFROM debian AS a\nFROM a\nFROM busybox AS a\n")
    assert facts.graph.stages[2].parent == 1
    assert facts.graph.by_name("A") is facts.graph.stages[3]


def test_a_stage_can_take_the_name_of_the_image_that_it_is_from() -> None:
    facts = facts_of("FROM alpine AS alpine\nFROM alpine\n")
    assert facts.graph.stages[0].parent is None
    assert facts.graph.stages[1].parent == 0


STAGES = "FROM alpine AS one\nFROM alpine AS two\nFROM scratch AS three\n"


@pytest.mark.parametrize(
    ("ref", "index"),
    [("one", 0), ("ONE", 0), ("two", 1), ("0", 0), ("1", 1), ("+1", 1)],
)
def test_copy_from_a_stage(ref: str, index: int) -> None:
    graph = facts_of(STAGES).graph
    assert graph.resolve(ref, graph.stages[2]) == StageSource(graph.stages[index])


@pytest.mark.parametrize("ref", ["2", "3", "-1", "99"])
def test_copy_from_a_number_without_an_earlier_stage(ref: str) -> None:
    graph = facts_of(STAGES).graph
    assert graph.resolve(ref, graph.stages[2]) == OutOfRange(int(ref))


@pytest.mark.parametrize("ref", ["$X", "${X}", "Nginx", "a b", "two", "three"])
def test_copy_from_sources_that_buildkit_rejects(ref: str) -> None:
    graph = facts_of(STAGES).graph
    assert isinstance(graph.resolve(ref, graph.stages[1]), Invalid)


@pytest.mark.parametrize("ref", ["nginx", "nginx:1", "localhost:5000/a/b", "scratch", "four"])
def test_copy_from_an_image(ref: str) -> None:
    graph = facts_of(STAGES).graph
    assert graph.resolve(ref, graph.stages[2]) == ImageSource(ref)


def test_a_mount_from_a_number_is_an_image() -> None:
    graph = facts_of(STAGES).graph
    assert graph.resolve("0", graph.stages[2], mount=True) == ImageSource("0")
    assert graph.resolve("One", graph.stages[2], mount=True) == StageSource(graph.stages[0])
    assert isinstance(graph.resolve("$X", graph.stages[2], mount=True), Invalid)
    assert isinstance(graph.resolve("two", graph.stages[0], mount=True), Invalid)


def test_a_named_context_comes_first() -> None:
    facts = facts_of(STAGES + "COPY --from=one a b\n", one="./one", packages="./packages", nginx="docker-image://x")
    graph = facts.graph
    last = graph.stages[2]
    assert graph.resolve("packages", last) == ContextSource("packages")
    assert graph.resolve("one", last) == ContextSource("one")
    assert graph.resolve("0", last) == ContextSource("one")
    assert graph.resolve("docker.io/library/nginx:latest", last) == ContextSource("nginx")
    assert graph.resolve("nginx:1", last) == ImageSource("nginx:1")
    assert graph.stages[0].replaced
    assert graph.reachable() == (last,)


def test_a_named_context_replaces_an_image() -> None:
    facts = facts_of("FROM org/base:latest\n", **{"org/base": "docker-image://alpine:3.19"})
    stage = facts.graph.stages[0]
    assert stage.base_ref == Known("alpine:3.19")
    assert not stage.replaced
    folder = facts_of("FROM org/base\n", **{"org/base": "./rootfs"}).graph.stages[0]
    assert isinstance(folder.base_ref, Unknown)
    assert folder.base is None


def test_instructions_that_copy_from_a_stage() -> None:
    facts = facts_of(
        "FROM alpine AS a\nFROM alpine AS b\nCOPY --from=0 x y\n"
        "RUN --mount=from=a,target=/a --mount=from=A,target=/b true\nFROM scratch\nCOPY --from=b / /\n"
    )
    graph = facts.graph
    assert graph.copied_from(graph.stages[0]) == (find(facts, Copy), find(facts, Run))
    assert graph.copied_from(graph.stages[1]) == (find(facts, Copy, 1),)
    assert graph.copied_from(graph.stages[2]) == ()


def test_stages_built_for_a_target() -> None:
    text = "FROM alpine AS a\nFROM alpine AS b\nFROM b AS c\nCOPY --from=a x y\nFROM alpine AS d\n"
    graph = facts_of(text).graph
    assert [stage.name for stage in graph.reachable()] == ["d"]
    graph = analyse(parse(text), target="C").graph
    assert graph.final is graph.stages[2]
    assert [stage.name for stage in graph.reachable()] == ["a", "b", "c"]
    assert graph.in_image(graph.stages[1])
    missing = analyse(parse(text), target="nope").graph
    assert missing.final is None
    assert missing.reachable() == ()


def test_onbuild_of_a_parent_runs_in_its_children() -> None:
    facts = facts_of("FROM alpine AS a\nFROM alpine AS b\nONBUILD COPY --from=a x y\nFROM b\nRUN z\nFROM scratch\n")
    graph = facts.graph
    assert [node.name for node in graph.stages[2].program] == ["COPY", "RUN"]
    assert graph.stages[3].program == ()
    assert len(graph.copied_from(graph.stages[0])) == 1


def test_files_without_a_stage() -> None:
    for text in ("", "RUN a\n", "ARG X\n", "FROM\n", "FROM a b c d\n"):
        graph = facts_of(text).graph
        assert len(graph.stages) == text.count("FROM")
        for node in parse(text).instructions:
            facts_of(text).state(node).lookup("X")


def test_many_stages_in_a_chain_are_cheap() -> None:
    text = "FROM alpine AS s0\nENV A=0\n" + "".join(f"FROM s{n} AS s{n + 1}\nENV A=$A V{n}=$A\n" for n in range(1500))
    facts = facts_of(text)
    last = facts.graph.stages[-1]
    assert facts.end_state(last).lookup("V3") == Known("0")
    assert len(facts.graph.chain(last)) == 1501


def test_the_table_of_images_can_be_extended() -> None:
    tree = parse("FROM registry.example.org/team/base:3\nRUN true\n")
    assert analyse(tree).graph.stages[0].base is None
    base = analyse(tree, images={"registry.example.org/team/base": "debian:12-slim"}).graph.stages[0].base
    assert base is not None
    assert base.family == "debian"
