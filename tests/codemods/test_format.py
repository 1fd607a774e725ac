"""`format` on files with arbitrary white space: every instruction means the same afterwards."""

from __future__ import annotations

from collections.abc import Hashable

import dockerfile as moby
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dockfix
from dockfix.syntax.parser import parse
from dockfix.syntax.shell import tokens
from dockfix.syntax.source import BOM
from dockfix.syntax.tree import Comment, Instruction, Run
from dockfix_codemods.format import FormatOptions
from tests.strategies import STEADY, dockerfiles

SPACES = st.sampled_from(("", "", " ", "  ", "\t", "    ", "\t  "))


@st.composite
def spaced(draw: st.DrawFn) -> str:
    """A Dockerfile with white space inserted at the beginning and at the end of its lines, and with blank lines."""
    lines = draw(dockerfiles()).split("\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        body = lines[at].removesuffix("\r")
        lines[at] = draw(SPACES) + body + draw(SPACES) + lines[at][len(body) :]
        if draw(st.booleans()):
            lines.insert(at, draw(SPACES))
    return "\n".join(lines)


def formatted(text: str, columns: int = 0) -> str:
    options = {FormatOptions: FormatOptions(indent=columns)}
    return dockfix.fix_text(text, dockfix.Settings(select=("format",), rule_options=options)).text


def meaning(text: str) -> list[Hashable]:
    """The instructions and comments of a file, with the words of its scripts."""
    found: list[Hashable] = []
    for node in parse(text).nodes:
        if isinstance(node, Comment):
            found.append(node.text)
        elif isinstance(node, Instruction):
            script = node.command_line.text if isinstance(node, Run) and node.command_line else ""
            pieces = tuple((token.text, *(word.text for word in token.words)) for token in tokens(script))
            words = (
                tuple(word.text for word in node.args) if node.json or not isinstance(node, Run) else pieces or script
            )
            heredocs = tuple((each.name, each.content) for each in node.heredocs)
            flags = tuple(flag.word.text for flag in node.flags)
            found.append((node.name, node.json, flags, words, heredocs, tuple(each.text for each in node.comments)))
    return found


def values(text: str) -> list[Hashable]:
    """The instructions as moby's own parser reads them; white space is left out of what a RUN runs."""
    return [
        (
            each.cmd,
            each.json,
            each.flags,
            tuple("".join(v.split()) if each.cmd.upper() == "RUN" else v for v in each.value),
        )
        for each in moby.parse_string(text.removeprefix(BOM))
    ]


@STEADY
@given(spaced(), st.sampled_from((0, 0, 2, 4)))
def test_formatting_changes_no_value(text: str, columns: int) -> None:
    tree = parse(text)
    assume(tree.ok)
    result = formatted(text, columns)
    assert meaning(result) == meaning(text)
    assert formatted(result, columns) == result
    try:
        before = values(text)
    except (moby.GoParseError, UnicodeEncodeError):
        return
    assert values(result) == before


@pytest.mark.parametrize("columns", [-1, 17])
def test_the_option_has_limits(columns: int) -> None:
    with pytest.raises(ValueError, match="indent"):
        FormatOptions(indent=columns)
