"""What holds of every codemod on any Dockerfile: sound, done in one run, and still one to moby's own parser."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import dockerfile as moby
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.rule.model import Codemod
from dockfix.rule.registry import load_registry
from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM, decode
from dockfix.testing import load_cases
from dockfix_codemods import ORDER
from tests.strategies import STEADY, dockerfiles

GOLDEN = Path(__file__).parent.parent / "golden"
TEXTS = tuple(decode(case.files[name].data) for case in load_cases(GOLDEN) for name in case.dockerfiles)
SOME = settings(STEADY, max_examples=60)


@st.composite
def cut_golden(draw: st.DrawFn) -> str:
    """The Dockerfile of a golden case without some of its lines, so that rules meet what they were not written for."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    gone = draw(st.sets(st.integers(0, len(lines) - 1), max_size=4))
    return "\n".join(line for index, line in enumerate(lines) if index not in gone)


ANY = st.one_of(dockerfiles(), cut_golden()) if TEXTS else dockerfiles()


def moby_takes(text: str) -> bool:
    """Whether the PyPI project `dockerfile`, a binding of moby's parser, parses a text (it wants UTF-8)."""
    try:
        moby.parse_string(text.removeprefix(BOM))
    except (moby.GoParseError, UnicodeEncodeError):
        return False
    return True


def hold(text: str, codemods: tuple[Codemod, ...], unsafe: bool) -> None:
    """Run codemods twice on a text and hold the results to what must be true of them."""
    target = target_from_text(text)
    assume(target.dockerfile.ok)
    outcome = run(target, codemods, unsafe=unsafe)
    assert outcome.defects == ()
    assert parse(outcome.text).problems == ()
    again = run(target.with_text(outcome.text), codemods, unsafe=unsafe)
    assert again.text == outcome.text
    assert again.defects == ()
    if moby_takes(text):
        assert moby_takes(outcome.text)


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("rule", ORDER)
def test_a_codemod_alone(rule: str, unsafe: bool) -> None:
    codemod = import_module(f"dockfix_codemods.{rule.replace('-', '_')}").CODEMOD

    @SOME
    @given(ANY)
    def alone(text: str) -> None:
        hold(text, (codemod,), unsafe)

    alone()


@pytest.mark.parametrize("unsafe", [False, True])
def test_all_codemods_together(unsafe: bool) -> None:
    codemods = load_registry().codemods

    @SOME
    @given(ANY)
    def together(text: str) -> None:
        hold(text, codemods, unsafe)

    together()
