"""Small codemods and targets for the tests of the engine."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.edit.dockerfile import replace
from dockfix.project.target import Target, target_from_text
from dockfix.rule.model import Category, Check, Codemod, Effect, Finding, Fix, Safety, Severity
from dockfix.syntax.tree import Instruction

EVERYTHING = frozenset(Effect)


def codemod(
    check: Check,
    name: str = "sample",
    effects: frozenset[Effect] = EVERYTHING,
    *,
    hadolint: frozenset[str] = frozenset(),
    checks: frozenset[str] = frozenset(),
    triggers: tuple[str, ...] = (),
) -> Codemod:
    """A codemod of a rewrite."""
    return Codemod(
        name,
        "Title",
        Severity.WARNING,
        Category.STYLE,
        effects,
        check,
        "0.1.0",
        triggers=triggers,
        hadolint=hadolint,
        checks=checks,
    )


def target(text: str) -> Target:
    """A target of a text that parses."""
    made = target_from_text(text)
    assert made.dockerfile.ok, made.dockerfile.problems
    return made


def word(instruction: Instruction) -> str:
    """The text after the flags."""
    return instruction.text.text


def renames(old: str, new: str, *, safety: Safety = Safety.SAFE) -> Check:
    """Put `new` in place of the arguments `old` of any instruction."""

    def check(given: Target) -> Iterator[Finding]:
        for node in given.dockerfile.instructions:
            if word(node) == old:
                span = node.text.span(0, len(node.text.text))
                look = "the name" if safety is Safety.UNSAFE else ""
                yield Fix(node.span, f"{old} to {new}", (replace(span, new),), safety, "why", look)

    return check
