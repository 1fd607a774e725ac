"""Whether an instruction means the same after its white space was changed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from dockfix.edit.dockerfile import edited
from dockfix.rule import Edit
from dockfix.syntax.shell import Token, tokens
from dockfix.syntax.tree import Dockerfile, Instruction, Onbuild, Run


def means_the_same(dockerfile: Dockerfile, instruction: Instruction, edits: Sequence[Edit]) -> bool:
    """Whether the parser finds the same words, flags, heredocs and comments after the edits.

    White space between the words of a RUN in shell form may differ, if its text is that of a shell.
    """
    new = edited(dockerfile, instruction, edits)
    return new is not None and _parts(new) == _parts(instruction) and _same_text(instruction, new)


def _parts(instruction: Instruction) -> Hashable:
    own = isinstance(instruction, Run) and not instruction.json
    return (
        instruction.name,
        instruction.json,
        tuple(flag.word.text for flag in instruction.flags),
        () if own else tuple(word.text for word in instruction.args),
        tuple((each.name, each.content, each.expand, each.chomp) for each in instruction.heredocs),
        tuple(comment.text for comment in instruction.comments),
        instruction.shape.original.strip(" \t") if isinstance(instruction, Onbuild) else "",
    )


def _same_text(old: Instruction, new: Instruction) -> bool:
    if not isinstance(old, Run) or old.json:
        return True
    before = old.command_line.text if old.command_line else ""
    after = new.command_line.text if isinstance(new, Run) and new.command_line else ""
    if before == after:
        return True
    return not old.heredocs and bool(spelled(before)) and spelled(before) == spelled(after)


def spelled(script: str) -> tuple[Hashable, ...]:
    """The tokens of a script without their places; none if it does not parse."""
    return tuple(_spelled(token) for token in tokens(script))


def _spelled(token: Token) -> Hashable:
    words = tuple(word.text for word in token.words)
    assigned = tuple((each.name, each.append, each.value.text if each.value else "") for each in token.assignments)
    return token.text, words, assigned, token.redirected, token.negated
