"""Which ARGs can move down to their first use, and which of these moves are safe."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.edit.dockerfile import own_comments
from dockfix.facts.images import is_implicitly_read
from dockfix.facts.model import Known, Refused
from dockfix.facts.variables import ignores_environment, names_mentioned
from dockfix.project import wiring
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run
from dockfix.syntax.words import variables

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage
    from dockfix.project.target import Target

_LOGIN: Final = re.compile(r"-[a-zA-Z]*[li]|--login")
_SYSTEM: Final = re.compile(r"/+\Z|/+(?:bin|sbin|usr|lib|etc)(?:/|\Z)|.*\$")
"""The folders of programs and of shell settings."""

_TARGET_ARGS: Final = frozenset(("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"))
"""Set by BuildKit to the same value in every build for a platform (docs.docker.com/reference/dockerfile)."""


class Place(Struct, frozen=True):
    """A place for ARGs: directly above `use`, moved in one fix. `alone` is the ARG of a fix of its own, else -1."""

    use: Instruction
    safe: bool
    alone: int


class Move(Struct, frozen=True):
    """An ARG that can move to a place, past the `skipped` instructions."""

    arg: Arg
    skipped: Sequence[Instruction]
    place: Place


def skipped_and_use(
    arg: Arg, below: Sequence[Instruction], at: int | None, moves: Mapping[int, Move]
) -> tuple[Sequence[Instruction], Instruction | None]:
    """The first instruction that mentions an ARG, and those before it. If it is an ARG that moves, where that goes.

    Args:
        arg: the ARG.
        below: the instructions after it.
        at: which of them mentions it first; None if none does.
        moves: the ARGs that move.
    """
    names = {pair.key for pair in arg.pairs}
    if at is None:
        return below, None
    move = moves.get(below[at].span.start)
    if move is None:
        return below[:at], below[at]
    moving = {start for start, other in moves.items() if other.place == move.place}
    skipped = [node for node in below[: below.index(move.place.use)] if node.span.start not in moving]
    if any(names & names_mentioned(node) for node in skipped):
        return below[:at], below[at]
    return skipped, move.place.use


def may_move(target: Target, stage: Stage, arg: Arg, skipped: Sequence[Instruction]) -> bool:
    """Whether a move past the skipped instructions would keep a RUN cached."""
    is_of_target = {pair.key for pair in arg.pairs} <= _TARGET_ARGS
    return any(isinstance(node, Run) for node in skipped) and (not is_of_target or _is_shared(target, stage))


def find_move(
    target: Target,
    stage: Stage,
    index: int,
    arg: Arg,
    skipped: Sequence[Instruction],
    use: Instruction,
    moves: Mapping[int, Move],
) -> Move | None:
    """The move of the ARG at `index` of a stage; None if it can move only after another one has.

    Raises:
        Refused: the ARG must keep its place.
    """
    names = {pair.key for pair in arg.pairs}
    below = stage.instructions[index + 1 :]
    blocker = _blocker(arg, skipped) or _shared_comment_blocker(target, arg, below[0])
    if blocker is not None:
        raise Refused(blocker)
    unaffected = all(ignores_environment(target.facts, node) for node in skipped)
    safe = unaffected and not _may_run_other_programs(target, stage, skipped) and wiring.never_passed(target, names)
    # a pragma above an ARG applies to that ARG alone
    alone = arg.span.start if any(map(is_pragma, target.dockerfile.above(arg))) else -1
    place = Place(use, safe, alone)
    user = next(node for node in below if names & names_mentioned(node))
    if user is not use and place != moves[user.span.start].place:
        return None  # it moves in the next pass
    return Move(arg, skipped, place)


def _may_run_other_programs(target: Target, stage: Stage, skipped: Sequence[Instruction]) -> bool:
    """Whether RUNs may run other programs than they name: copied ones, or the profile of a login shell."""
    chain = target.facts.graph.chain(stage)
    copies = [node for link in chain for node in link.instructions if isinstance(node, Copy | Add)]
    places = [_destination(target, node) for node in copies]
    shells = [target.facts.state(node).shell for node in skipped if isinstance(node, Run)]
    login = any(not isinstance(shell, Known) or any(map(_LOGIN.match, shell.value[1:])) for shell in shells)
    return stage.base is None or login or any(_SYSTEM.match(place) for place in places)


def _destination(target: Target, copy: Copy | Add) -> str:
    """The absolute path that a COPY or ADD writes to; below `/` if the working directory is unknown."""
    workdir = target.facts.state(copy).workdir
    text = copy.destination.text if copy.destination is not None else ""
    return posixpath.normpath(posixpath.join(workdir.value if isinstance(workdir, Known) else "/", text))


def _is_shared(target: Target, stage: Stage) -> bool:
    """Whether builds for several platforms share a stage, as in cross-compilation."""
    flags = [flag for each in (stage, *target.facts.graph.chain(stage)) for flag in each.node.flags]
    return any(flag.name == "platform" and "TARGETPLATFORM" not in (flag.value or "") for flag in flags)


def _blocker(arg: Arg, skipped: Sequence[Instruction]) -> str | None:
    """Why an ARG must keep its place; None if it can move."""
    if len(arg.pairs) != 1:
        return "the instruction declares several arguments"
    pair = arg.pairs[0]
    if is_implicitly_read(pair.key):
        return f"tools read `{pair.key}` from the environment even if no command mentions it"
    related = {pair.key} | variables(pair.value or "", arg.escape)
    for node in skipped:
        shared = related & {other.key for other in node.pairs} if isinstance(node, Env | Arg) else set()
        if shared:
            return f"line {node.start_line} sets `{min(shared)}`, which this ARG also sets or uses"
    return None


def _shared_comment_blocker(target: Target, arg: Arg, following: Instruction) -> str | None:
    """Why the comment above an ARG holds it in place: it may be the heading of several ARGs."""
    comments = own_comments(target.dockerfile, arg)
    if comments and isinstance(following, Arg) and following.start_line == arg.end_line + 1:
        return "the comment above it may also apply to the ARGs below it"
    return None
