"""The ARGs of a base's stages that reach the instructions of a file once the stages are inlined.

A stage that is FROM another stage finds its ARGs in the environment; one that is FROM an image does not.

Source: moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go` (`dispatchState.init`, `dispatchArg`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.images import PLATFORM_ARGS, PREDEFINED_ARGS, is_implicitly_read
from dockfix.facts.variables import ignores_environment, names_mentioned, uses
from dockfix.project.target import Target
from dockfix.syntax.tree import Arg, Env, Instruction, Onbuild, Run
from dockfix_codemods.local_base_image.base_build import BaseBuild, references

_READERS: Final = {"DEBIAN_FRONTEND": frozenset(("apt", "aptitude", "debconf", "dpkg"))}
"""Variables that only certain programs read (debconf(7)), by words of their names."""


def arg_blocker(own: Target, base: BaseBuild, key: str) -> str | None:
    """The first instruction of the file that would notice an ARG of the inlined stages, in words; None if none does."""
    found = next((each for each in _reached(own, base, key) if each.use is not None), None)
    if found is None:
        return None
    line = f"line {found.instruction.start_line}{found.of_file}"
    return f"{line} {found.use}, and `ARG {found.name}` of {base.target.display} would set it"


def arg_caveats(own: Target, base: BaseBuild, key: str) -> tuple[str, ...]:
    """The ARGs of the inlined stages that a RUN of the file finds in its environment, and may read."""
    reached = _reached(own, base, key)
    names = (each.name for each in reached if isinstance(each.instruction, Run) and not each.ignores_environment)
    return tuple(dict.fromkeys(names))


class _Reached(Struct, frozen=True):
    """An instruction that has an ARG of the inlined stages in its environment.

    `of_file` names its file in words, "" for the file itself. `use` says how it uses the ARG, if it is seen to.
    """

    instruction: Instruction
    of_file: str
    name: str
    use: str | None
    ignores_environment: bool


def _reached(own: Target, base: BaseBuild, key: str) -> Iterator[_Reached]:
    """The instructions that each ARG of the inlined stages reaches, in order."""
    inherited = _inherited(base)
    triggers = [node.child for node in base.stage.instructions if isinstance(node, Onbuild) and node.child]
    starts = {each.stage.index for each in references(own, key) if each.is_base}
    live: dict[int, frozenset[str]] = {}
    for stage in own.facts.graph.stages:
        if stage.index not in starts and stage.parent not in live:
            continue
        starting = stage.index in starts
        names = inherited if starting else live[stage.parent or 0]
        steps = [(node, f" of {base.target.display}") for node in triggers] if starting else []
        for node, of_file in (*steps, *((node, "") for node in stage.program)):
            # the facts of this file do not cover the triggers of the other
            ignored = not of_file and ignores_environment(own.facts, node)
            for name in sorted(names):
                yield _Reached(node, of_file, name, _use(node, name, ignored=ignored), ignored)
            names -= _sets(node)
        live[stage.index] = names


def _inherited(base: BaseBuild) -> frozenset[str]:
    """The ARGs that a stage FROM the image's stage finds in its environment.

    These are the ARGs with a value that no ENV overrides: a stage begins by setting the ENV of its base again.
    """
    found: set[str] = set()
    given = {name for name, values in defaults(base.globals).items() if values != [None]}
    given |= {*base.recipe.args, *PLATFORM_ARGS, *PREDEFINED_ARGS}
    for stage in base.facts.graph.chain(base.stage):
        for node in stage.instructions:
            pairs = node.pairs if isinstance(node, Arg) else ()
            found |= {pair.key for pair in pairs if pair.value is not None or pair.key in given}
    return frozenset(found - base.facts.end_state(base.stage).env.keys())


def defaults(nodes: Sequence[Instruction]) -> dict[str, list[str | None]]:
    """The default values of the ARGs among some instructions, by name."""
    found: dict[str, list[str | None]] = {}
    for node in nodes:
        for pair in node.pairs if isinstance(node, Arg) else ():
            found.setdefault(pair.key, []).append(pair.value)
    return found


def _use(node: Instruction, name: str, *, ignored: bool) -> str | None:
    """How an instruction uses a variable; None if nothing says that it does."""
    if not isinstance(node, Run):
        bare = {pair.key for pair in node.pairs if pair.value is None} if isinstance(node, Arg) else set[str]()
        return f"uses `{name}`" if name in uses(node) | bare else None
    mentioned = names_mentioned(node)
    if name in mentioned:
        return f"names `{name}`"
    if name in _READERS:
        return f"runs a program that reads `{name}`" if mentioned & _READERS[name] else None
    return f"runs a program that may read `{name}`" if is_implicitly_read(name) and not ignored else None


def _sets(node: Instruction) -> frozenset[str]:
    """The variables that an instruction sets to a value."""
    if isinstance(node, Env | Arg):
        return frozenset(pair.key for pair in node.pairs if pair.value is not None)
    return frozenset()
