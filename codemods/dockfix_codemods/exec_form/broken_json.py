"""Arrays that are meant as JSON and are not: the builder takes them as a shell command or as plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Edit, Finding, Fix, Safety
from dockfix.syntax.source import Mapped
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Healthcheck, Instruction, Onbuild, Run, Volume

_STARTED: Final = Cmd | Entrypoint
"""What a container starts; its text is never a test of the shell for its own sake."""
_FIXABLE: Final = _STARTED | Healthcheck | Volume
_PATHS: Final = Copy | Add | Volume
_TEXT_CUT: Final = 60

_STRING: Final = r"""(?:"[^"\\$]*"|'[^'"\\$]*')"""
_ARRAY: Final = re.compile(rf"\[\s*{_STRING}(?:\s*,\s*{_STRING}|\s+{_STRING})*\s*(?:,\s*)?\]?")
"""Strings whose meaning is clear, with commas or without them; the bracket at the end may be missing."""
_LIST: Final = re.compile(r"""\[\s*(?:"[^"]*"|'[^']*'|[\w./-]+)\s*,|\[["'\u201c\u2018]|"[^"]*"\s*,|'[^']*'\s*,""")
"""The start of an array: a bracket with a comma after the first word, or with a quote directly after it, or a list
without its bracket. A test of the shell (`[ "$A" = b ]`) has neither.
"""
_OPENED: Final = re.compile(r"""\[[^\s\[]|\[\s*["'](?!.*\s(?:!?=+|-[a-z]+)\s).*\]$""")
"""The same for what a container starts."""


def broken_json(target: Target) -> Iterator[Finding]:
    """The instructions of a file whose array is not valid JSON."""
    for outer in target.dockerfile.instructions:
        node = outer.child if isinstance(outer, Onbuild) else outer
        if node is None or node.json or node.heredocs or not looks_like_json(node):
            continue
        text = _argument(node)
        at = text.span(0, len(text.text))
        shown = " ".join(text.text.split())
        shown = shown if len(shown) <= _TEXT_CUT else f"{shown[:_TEXT_CUT]}..."
        taken = "its words are paths as they are" if isinstance(node, _PATHS) else "a shell runs it"
        message = f"this `{node.name}` is not valid JSON, so {taken}: `{shown}`"
        edits = _repaired(text) if isinstance(outer, _FIXABLE) and _ARRAY.fullmatch(text.text) else ()
        if edits:
            review = "check that a program of that name is meant: today the shell looks for one named `[...`"
            if isinstance(outer, Volume):
                review = "check that the image is meant to have these volumes: today their names have the brackets"
            yield Fix(at, message, edits, Safety.UNSAFE, "make it an array of JSON", review)
        else:
            yield Advice(at, message, help="correct the JSON: each word in double quotes, with commas between")


def looks_like_json(node: Instruction) -> bool:
    """Whether an instruction that is not in exec form begins like an array of JSON."""
    text = _argument(node).text
    if isinstance(node, _STARTED) and not text.startswith("[[") and _OPENED.match(text):
        return True
    if isinstance(node, Volume) and text.startswith("["):
        return True
    return isinstance(node, _STARTED | _PATHS | Healthcheck | Run) and _LIST.match(text) is not None


def _argument(node: Instruction) -> Mapped:
    """The text that would be the array: the command of a HEALTHCHECK, the arguments of others."""
    low, high = node.shape.command_span if isinstance(node, Healthcheck) else node.shape.text_span
    return node.logical.slice(low, high)


def _repaired(text: Mapped) -> tuple[Edit, ...]:
    """The edits that make an array of JSON of clear strings: quotes, missing and surplus commas, the last bracket."""
    strings = list(re.finditer(_STRING, text.text))
    edits: list[Edit] = []
    for index, each in enumerate(strings):
        if each[0][0] == "'":
            edits += [Edit(*text.span(at, at + 1), '"') for at in (each.start(), each.end() - 1)]
        end = strings[index + 1].start() if index + 1 < len(strings) else len(text.text)
        comma = text.text.find(",", each.end(), end)
        if index + 1 < len(strings) and comma < 0:
            edits.append(_inserted(text, each.end(), ","))
        elif index + 1 == len(strings) and comma >= 0:
            edits.append(Edit(*text.span(comma, comma + 1), ""))
    if not text.text.endswith("]"):
        edits.append(_inserted(text, len(text.text), "]"))
    return tuple(edits)


def _inserted(text: Mapped, offset: int, new: str) -> Edit:
    at = text.end(offset)
    return Edit(at, at, new)
