"""The build model that the effect contract compares: what a Dockerfile means, aspect by aspect.

Each aspect is a plain value derived from the tree alone. An aspect must be equal before and after a codemod's fixes
unless the codemod declares the effect. Aspects other than the order of steps are compared as multisets per stage, so
that moving a step changes only `order`, and splitting a COPY changes `steps` but not `copies`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from dockfix.rule.model import Effect
from dockfix.syntax.tree import (
    Add,
    Arg,
    Copy,
    Dockerfile,
    Env,
    From,
    Instruction,
    Onbuild,
    Run,
    Shell,
    User,
    Workdir,
)

_Key = tuple[int, Hashable]
_Placed = tuple[int, Instruction]

_SPACES: Final = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[ \t\r\n]+""", re.DOTALL)
"""White space outside quotes, and what must be stepped over to find it."""

_MAX_LCS: Final = 1_000_000
"""The largest comparison of two sequences, in cells; beyond it an unclear order counts as changed."""


def changed_aspects(before: Dockerfile, after: Dockerfile) -> frozenset[Effect]:
    """The aspects of the build that differ between two versions of a Dockerfile.

    If one version has more stages, they may be inserted before the stages of the other. That reading is used if fewer
    aspects differ than with the stages compared from the top.
    """
    changed = _changed(before, after, 0)
    more = _count(after) - _count(before)
    if more and _count(before) and _count(after):
        moved = _changed(before, after, more) | {Effect.FRONT_STAGES}
        changed = moved if len(moved) < len(changed) else changed
    return frozenset(changed)


def _changed(before: Dockerfile, after: Dockerfile, front: int) -> set[Effect]:
    """The aspects that differ, without the stages that `after` (if negative, `before`) has in addition at the top."""
    old, new = _differing(list(_stages(before, max(0, -front))), list(_stages(after, max(0, front))))
    counts, others = _model(old), _model(new)
    changed = {aspect for _, aspect, _ in (counts - others) + (others - counts)}
    if _order_differs(_sequence(old), _sequence(new)):
        changed.add(Effect.ORDER)
    return changed


def _count(dockerfile: Dockerfile) -> int:
    return sum(isinstance(instruction, From) for instruction in dockerfile.instructions)


def _stages(dockerfile: Dockerfile, front: int) -> Iterator[_Placed]:
    """Instructions with the index of their stage, without `front` stages at the top; -1 before the first FROM."""
    index = -1
    for instruction in dockerfile.instructions:
        index += isinstance(instruction, From)
        if index < 0 or index >= front:
            yield max(-1, index - front), instruction


def _differing(before: list[_Placed], after: list[_Placed]) -> tuple[list[_Placed], list[_Placed]]:
    """Two versions without the instructions that are the same at their start and at their end."""
    start, most = 0, min(len(before), len(after))
    while start < most and _same(before[start], after[start]):
        start += 1
    end = 0
    while end < most - start and _same(before[-1 - end], after[-1 - end]):
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]


def _same(one: _Placed, other: _Placed) -> bool:
    (stage, first), (other_stage, second) = one, other
    return (
        stage == other_stage
        and first.logical.text == second.logical.text
        and first.escape == second.escape
        and [each.content for each in first.heredocs] == [each.content for each in second.heredocs]
    )


def _model(placed: Iterable[_Placed]) -> Counter[tuple[int, Effect, Hashable]]:
    """All aspects but the order: how often each stage has each entry of each aspect."""
    return Counter((stage, aspect, entry) for stage, instruction in placed for aspect, entry in _entries(instruction))


def _entries(instruction: Instruction) -> Iterator[tuple[Effect, Hashable]]:
    yield Effect.STEPS, instruction.name
    match instruction:
        case From():
            yield Effect.STAGES, _spelled(instruction)
        case Run():
            for flag in instruction.flags:
                yield Effect.MOUNTS, flag.word.text
            yield Effect.COMMANDS, _command(instruction)
        case Copy() | Add():
            for transfer in _transfers(instruction):
                yield Effect.COPIES, transfer
        case Env() | Arg():
            aspect = Effect.ENV if isinstance(instruction, Env) else Effect.ARGS
            for pair in instruction.pairs:
                yield aspect, (pair.key, pair.value)
        case User():
            yield Effect.USERS, _spelled(instruction)
        case Workdir():
            yield Effect.WORKDIR, _spelled(instruction)
        case Shell():
            yield Effect.SHELL, _spelled(instruction)
        case Onbuild(child=Run() as child):
            yield Effect.METADATA, ("ONBUILD", child.name)
            yield from ((aspect, ("ONBUILD", entry)) for aspect, entry in _entries(child) if aspect is not Effect.STEPS)
        case _:
            contents = tuple(heredoc.content for heredoc in instruction.heredocs)
            yield Effect.METADATA, (_spelled(instruction), contents)


def _spelled(instruction: Instruction) -> Hashable:
    return (
        instruction.name,
        instruction.json,
        tuple(flag.word.text for flag in instruction.flags),
        tuple(word.text for word in instruction.args),
        instruction.shape.original.strip() if instruction.shape.child else "",
    )


def _command(run: Run) -> Hashable:
    if run.json:
        return run.argv
    script = run.script
    text = script.text if script else ""
    # White space between words has no meaning in a one-line script; a heredoc is compared exactly.
    return text if run.heredocs else _joined(text.strip())


@lru_cache(maxsize=256)
def _joined(text: str) -> str:
    """A script with one space for white space. Each is asked for often: for each version of a file."""
    return _SPACES.sub(_one_space, text)


def _one_space(match: re.Match[str]) -> str:
    return " " if match[0].isspace() else match[0]


def _transfers(copy: Copy | Add) -> Iterator[Hashable]:
    """One entry per source, so that a split COPY has the same entries."""
    flags = tuple(flag.word.text for flag in copy.flags)
    destination = copy.destination.text if copy.destination else ""
    contents = tuple((heredoc.name, heredoc.content) for heredoc in copy.heredocs)
    for source in copy.sources:
        yield copy.name, flags, source.text, destination, contents


def _order_differs(first: list[_Key], second: list[_Key]) -> bool:
    """Whether the steps that exist in both versions have another order."""
    counts, others = Counter(first), Counter(second)
    common = counts & others
    if _restrict(first, common) == _restrict(second, common):
        return False
    if all(counts[key] == others[key] for key in common):
        return True
    # Some copies of repeated steps were added or removed: the order is the same if some choice of the others has it,
    # that is, if the longest common subsequence contains all of them.
    one = [key for key in first if key in common]
    other = [key for key in second if key in common]
    return len(one) * len(other) > _MAX_LCS or _longest_common(one, other) < common.total()


def _longest_common(first: Sequence[_Key], second: Sequence[_Key]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for one in first:
        diagonal = 0
        for index, other in enumerate(second, 1):
            above = row[index]
            row[index] = diagonal + 1 if one == other else max(above, row[index - 1])
            diagonal = above
    return row[-1]


def _sequence(placed: Iterable[_Placed]) -> list[_Key]:
    keys: list[_Key] = []
    for stage, instruction in placed:
        # Flags of a RUN are left out: adding a mount moves nothing.
        match instruction:
            case Run():
                keys.append((stage, ("RUN", _command(instruction))))
            case Copy() | Add():
                keys.extend((stage, entry) for entry in _transfers(instruction))
            case _:
                keys.append((stage, _spelled(instruction)))
    return keys


def _restrict(keys: list[_Key], common: Counter[_Key]) -> list[_Key]:
    left = Counter(common)
    kept = []
    for key in keys:
        if left[key] > 0:
            left[key] -= 1
            kept.append(key)
    return kept
