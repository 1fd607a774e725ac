"""The names of rules: each rule's own, and the codes of hadolint and BuildKit that rules answer.

A code is accepted wherever a rule is named, in any case, and names every rule that answers it. A code that a rule takes
from another tool, such as `SC2086`, names only the findings that have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from dockfix.project.problems import closest
from dockfix.rule.model import Codemod

__all__ = ["RuleNames", "UnknownRuleError", "names_of"]


_NUMBERED: Final = re.compile(r"[A-Za-z]{2}[0-9]{4}")


class UnknownRuleError(Exception):
    """A rule that no pack has; the message suggests the closest name, or says why no rule answers a code."""

    def __init__(self, name: str, known: Iterable[str], codes: Iterable[str] = ()) -> None:
        self.name = name
        self.suggestion: str | None = None
        self.is_code = False
        super().__init__(self._message(name, known, codes))

    def _message(self, name: str, known: Iterable[str], codes: Iterable[str]) -> str:
        from dockfix.rule.peers import known_code, why_unanswered  # noqa: PLC0415 - only an error needs the table

        code = known_code(name)
        if code is not None:
            self.is_code = True
            why = why_unanswered(code)
            return f"no rule answers {code}: {why}" if why else f"no installed rule answers {code}"
        written = {each.lower(): each for each in (*codes, *known)}
        close = None if _NUMBERED.fullmatch(name) else closest(name, written)  # another number is no suggestion
        self.suggestion = written[close] if close else None
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else "; `dockfix rules` lists them all"
        return f"unknown rule {name!r}{hint}"


class RuleNames(Struct, frozen=True, dict=True):
    """The names of all installed rules.

    Args:
        rules: the rules' own names.
        aliases: the codes that rules answer, in lower case, each with the rules that answer it.
        families: patterns for codes of another tool that name only some findings of a rule, by the rule's name.
    """

    rules: frozenset[str]
    aliases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> frozenset[str]:
        """The rules that a name or code is for; empty if there is none."""
        own = frozenset({name}) if name in self.rules else self.aliases.get(name.lower(), frozenset())
        return own or frozenset(rule for rule, pattern in self.families.items() if re.fullmatch(pattern, name.upper()))

    def code(self, name: str) -> str | None:
        """The code as it is usually written, if a name is one that only some findings have; None for other names."""
        if name in self.rules or name.lower() in self.aliases:
            return None
        upper = name.upper()
        return upper if any(re.fullmatch(pattern, upper) for pattern in self.families.values()) else None

    def of_all(self, names: Iterable[str]) -> frozenset[str]:
        """The rules that any of some names and codes is for."""
        return frozenset().union(*map(self.of, names))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes as they are usually written, for suggestions."""
        from dockfix.rule.peers import known_code  # noqa: PLC0415 - only an error needs the table

        return tuple(known_code(alias) or alias for alias in sorted(self.aliases))


def names_of(codemods: Iterable[Codemod]) -> RuleNames:
    """The names of some codemods."""
    codemods = tuple(codemods)
    rules: set[str] = set()
    aliases: dict[str, set[str]] = {}
    for each in codemods:
        rules.add(each.name)
        for alias in each.aliases:
            aliases.setdefault(alias, set()).add(each.name)
    families = {each.name: each.codes for each in codemods if each.codes}
    return RuleNames(frozenset(rules), {alias: frozenset(own) for alias, own in aliases.items()}, families)
