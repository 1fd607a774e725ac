"""Where an instruction uses a variable, and which name a wrong one resembles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from dockfix.edit.text import Edit
from dockfix.syntax.source import Mapped
from dockfix.syntax.tree import Arg, Dockerfile, Env, Instruction

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage

_MOST_CHANGES: Final = 2  # BuildKit suggests names at a distance below 3 (`util/suggest`)


class Definitions:
    """Where the ARGs and ENVs of a file set which name."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self._nodes: dict[str, list[Arg | Env]] = {}
        self._alike: dict[str, dict[str, None]] = {}
        for node in dockerfile.instructions:
            if isinstance(node, Arg | Env):
                for pair in node.pairs:
                    self._nodes.setdefault(pair.key, []).append(node)
                    self._alike.setdefault(_digits(pair.key), {})[pair.key] = None

    def like(self, name: str) -> Iterable[str]:
        """The names with the same digits."""
        return self._alike.get(_digits(name), ())

    def sets(self, instruction: Instruction, name: str) -> bool:
        """Whether an instruction itself sets a name."""
        return isinstance(instruction, Arg | Env) and any(pair.key == name for pair in instruction.pairs)

    def later(self, stage: Stage, instruction: Instruction, name: str) -> Instruction | None:
        """The first instruction below another one in its stage that sets a name."""
        start, end = instruction.span.start, stage.instructions[-1].span.start
        return next((node for node in self._nodes.get(name, ()) if start < node.span.start <= end), None)


def occurrences(instruction: Instruction, name: str) -> tuple[Edit, ...] | None:
    """Edits that delete the name in each `$NAME` or `${NAME}` of an instruction, to be given another text.

    None if each use has a modifier, such as `${NAME:-default}`. Empty if the places are not certain: in a heredoc, and
    where quotes or escapes may stop the expansion.
    """
    text = instruction.logical
    bodies = "".join(heredoc.content for heredoc in instruction.heredocs)
    matches = [each for each in _uses(name, text.text) if not _is_nested(text.text, each.start())]
    if not matches:
        return () if any(True for _ in _uses(name, bodies)) else None
    if bodies or "'" in text.text or f"{instruction.escape}$" in text.text:
        return ()
    return tuple(_edit(text, each) for each in matches if text.contiguous(*each.span("name"))) or ()


def _uses(name: str, text: str) -> Iterable[re.Match[str]]:
    plain = re.escape(name)
    return re.finditer(rf"\$(?:(?P<open>\{{)(?={plain}\}}))?(?P<name>{plain})(?(open)\}}|(?![A-Za-z0-9_]))", text)


def _is_nested(text: str, at: int) -> bool:
    """Whether a place is inside `${...}`, as the default of another variable, which is used only if that is unset."""
    before = text[max(0, at - 200) : at]
    return before.rfind("${") > before.rfind("}")


def _edit(text: Mapped, match: re.Match[str]) -> Edit:
    return Edit(*text.span(*match.span("name")), "")


def similar(name: str, known: Iterable[str]) -> str | None:
    """The only known name of which another is a likely typo; None if there is none, or several are as close.

    One letter may be missing, added or other, and two in a long word. Short words (`UID`, `GID`), words of four letters
    with another letter (`HOST`, `PORT`) and digits (`PORT1`, `PORT2`) are different on purpose.
    """
    found: dict[int, list[str]] = {}
    for each in known:
        distance = _typo(name, each)
        if distance is not None:
            found.setdefault(distance, []).append(each)
    nearest = found[min(found)] if found else []
    return nearest[0] if len(nearest) == 1 else None


def _typo(name: str, other: str) -> int | None:
    """The distance of two names, None if they are different on purpose, or `$` cannot be followed by the other."""
    if _digits(name) != _digits(other) or not (other.isascii() and other.isidentifier()):
        return None
    one, two = name.upper().split("_"), other.upper().split("_")
    if len(one) != len(two):
        one, two = ["".join(one)], ["".join(two)]
    distance = 0
    for word, right in zip(one, two, strict=True):
        if word == right:
            continue
        changes = _distance(word, right)
        least = min(len(word), len(right))
        if least < (5 if len(word) == len(right) else 3) or max(len(word), len(right)) < 4 or changes > 1 + (least > 5):
            return None
        distance += changes
    return distance if distance <= _MOST_CHANGES else None


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _distance(one: str, other: str) -> int:
    """The Levenshtein distance, at most `_MOST_CHANGES` + 1."""
    if abs(len(one) - len(other)) > _MOST_CHANGES:
        return _MOST_CHANGES + 1
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], number
        for index, second in enumerate(other, 1):
            change = diagonal + (letter != second)
            diagonal = row[index]
            row[index] = min(row[index] + 1, row[index - 1] + 1, change)
        if min(row) > _MOST_CHANGES:
            break
    return min(row[-1], _MOST_CHANGES + 1)
