"""The build of an image that is based on the one of a Dockerfile, as far as the Dockerfile shows it: its triggers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from dockfix.syntax.tree import Dockerfile, From, Instruction, Onbuild, Run


def has_run_triggers(dockerfile: Dockerfile) -> bool:
    """Whether an image of the file has an `ONBUILD RUN`."""
    return any(isinstance(node, Onbuild) and isinstance(node.child, Run) for node in dockerfile.instructions)


def with_triggers(dockerfile: Dockerfile) -> Dockerfile:
    """The same file, whose instructions are those that run if each stage is followed by an image that is based on it.

    The instructions of ONBUILD run at the end of their stage, in their order (BuildKit, `dispatchOnBuildTriggers`). The
    text and all spans are those of the file, so that what is found in a trigger can be edited.
    """
    return _Triggered(dockerfile.text, dockerfile.nodes, dockerfile.problems, dockerfile.escape)


class _Triggered(Dockerfile, frozen=True, dict=True):
    """A file in which the triggers are instructions at the end of each stage."""

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        found: list[Instruction] = []
        triggers: list[Instruction] = []
        for node in super().instructions:
            if isinstance(node, From):
                found += [*triggers, node]
                triggers = []
            elif isinstance(node, Onbuild):
                triggers += _child(node)
            else:
                found.append(node)
        return (*found, *triggers)


def _child(node: Onbuild) -> Sequence[Instruction]:
    return (node.child,) if node.child is not None else ()
