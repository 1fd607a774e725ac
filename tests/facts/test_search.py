"""`Search` against a walk over all instructions, and how often it looks at one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from dockfix.facts.build import BuildFacts, analyse
from dockfix.facts.stages import Stage
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Instruction


def build(seed: int) -> BuildFacts:
    """Stages that are based on random earlier ones, with few RUNs that have the property."""
    chance = random.Random(seed)  # noqa: S311 - a sample
    lines = []
    for number in range(8):
        base = f"s{chance.randrange(number)}" if number and chance.random() < 0.7 else "alpine:3.20"
        lines.append(f"FROM {base} AS s{number}")
        lines += [f"RUN {'yes' if chance.random() < 0.2 else 'no'}" for _ in range(chance.randrange(5))]
    return analyse(parse("\n".join(lines) + "\n"))


def has_it(_: Stage, node: Instruction) -> bool:
    return node.logical.text == "RUN yes"


def first(nodes: Sequence[Instruction]) -> Instruction | None:
    return next((node for node in nodes if node.logical.text == "RUN yes"), None)


@pytest.mark.parametrize("seed", range(60))
def test_finds_what_a_walk_finds(seed: int) -> None:
    facts = build(seed)
    search = facts.search("test", has_it)
    places = [(stage, node.span.start) for stage in facts.graph.stages for node in (stage.node, *stage.instructions)]
    random.Random(seed).shuffle(places)  # noqa: S311 - a sample
    for stage, offset in places:
        below = [node for child in facts.graph.descendants(stage) for node in child.instructions]
        later = [node for node in stage.instructions if node.span.start > offset]
        assert search.after(stage, offset) is first([*later, *below])
        own = first([node for node in stage.instructions if node.span.start < offset])
        above = (first(each.instructions) for each in facts.graph.chain(stage)[1:])
        assert search.before(stage, offset) is (own or next((each for each in above if each is not None), None))


def test_looks_at_each_instruction_once() -> None:
    seen: Counter[int] = Counter()

    def counted(_: Stage, node: Instruction) -> bool:
        seen[node.span.start] += 1
        return False

    facts = analyse(parse("FROM a AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\nRUN b\nRUN c\n" for i in range(20))))
    search = facts.search("test", counted)
    for stage in facts.graph.stages:
        for node in stage.instructions:
            assert search.after(stage, node.span.start) is None
            assert search.before(stage, node.span.start) is None
    assert max(seen.values()) == 1
