"""Which variables an instruction uses, which it only mentions, and whether it may read others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.tree import (
    Add,
    Arg,
    Copy,
    Env,
    Expose,
    From,
    Instruction,
    Label,
    Pair,
    Run,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from dockfix.syntax.words import SubstitutionError, template, variables

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts

_RAW_MENTION: Final = re.compile(r"\\.|\$\{?([A-Za-z_][A-Za-z0-9_]*)", re.DOTALL)


def uses(instruction: Instruction) -> frozenset[str]:
    """The names that BuildKit itself expands in an instruction (not those that a shell will expand).

    What expands is in moby/buildkit `instructions/commands.go` (`Expand`, `ExpandRaw`); `ONBUILD` expands nothing until
    its child runs, in another build or stage: call this with the child.
    """
    return frozenset(name for text in _expanding(instruction) for name in variables(text, instruction.escape)) | (
        _raw_uses(instruction)
    )


def plain_key(pair: Pair, escape: str) -> str | None:
    """The key of an ENV or LABEL without quotes and escapes; None if it has a variable."""
    try:
        texts = template(pair.key, escape)
    except SubstitutionError:
        return None
    return texts[0] if len(texts) == 1 else None


def _expanding(instruction: Instruction) -> Iterator[str]:
    """The texts of an instruction that expand."""
    match instruction:
        case From():
            yield from _flag_values(instruction, ("platform",))
            if instruction.image is not None:
                yield instruction.image.text
        case Add() | Copy():
            yield from _flag_values(instruction, ("chown", "chmod", "checksum"))
            yield from (word.text for word in instruction.paths)
            if instruction.destination is not None:
                yield instruction.destination.text
        case Env() | Label():
            for pair in instruction.pairs:
                yield pair.key
                yield pair.value or ""
        case Arg():
            yield from (pair.value for pair in instruction.pairs if pair.value is not None)
        case Expose() | Stopsignal() | User() | Volume() | Workdir():
            yield from (word.text for word in instruction.args)
        case Run():
            for mount in instruction.mounts:
                yield from (option.value for option in mount.options if option.value and option.key != "from")
        case _:
            pass


def _flag_values(instruction: Instruction, names: Sequence[str]) -> Iterator[str]:
    yield from (flag.value for flag in instruction.flags if flag.name in names and flag.value)


def _raw_uses(instruction: Instruction) -> frozenset[str]:
    """The names that expand in the heredocs of COPY and ADD, where quotes are literal."""
    if not isinstance(instruction, Add | Copy):
        return frozenset()
    bodies = (heredoc.content for heredoc in instruction.heredocs if heredoc.expand)
    return frozenset(match[1] for body in bodies for match in _RAW_MENTION.finditer(body) if match[1])


_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names_used(facts: BuildFacts, instruction: Instruction) -> frozenset[str]:
    """The names that the build itself expands in an instruction, or that the shell of a RUN does.

    Names that the shell text sets itself are omitted, since their values come from the script. For a RUN whose shell is
    not understood only the first are listed; see `names_mentioned`.
    """
    found = uses(instruction)
    if isinstance(instruction, Run) and (script := facts.commands(instruction).script) is not None:
        # `--mount=type=secret,env=NAME` puts the secret under that name (moby/buildkit `convert_runmount.go`)
        secrets = {mount.get("env") for mount in instruction.mounts if mount.kind == "secret"}
        found |= script.variables - script.assigned - secrets
    return found


def names_mentioned(instruction: Instruction) -> frozenset[str]:
    """Every identifier in the text and heredocs of an instruction: a superset of the variables that it could read by
    name."""
    texts = [instruction.logical.text, *(heredoc.content for heredoc in instruction.heredocs)]
    return frozenset(name for text in texts for name in _IDENTIFIER.findall(text))


def ignores_environment(facts: BuildFacts, instruction: Instruction) -> bool:
    """Whether an instruction certainly runs nothing that reads its environment, except for the locale."""
    if not isinstance(instruction, Run):
        return True
    commands = facts.commands(instruction)
    return commands.script is not None and all(
        has_trait(step.command.name, Trait.IGNORES_VARIABLES)
        and all(word.value is not None for word in step.command.words)
        for step in commands.steps
    )
