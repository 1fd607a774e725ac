"""Every codemod on random and on cut Dockerfiles: no defect, done in one run, and the result parses in BuildKit."""

from __future__ import annotations

from pathlib import Path

import dockerfile as moby
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from dockfix.engine.project import run
from dockfix.project.target import Target, target_from_text
from dockfix.rule.model import Codemod
from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM, decode
from dockfix.testing import load_cases
from dockfix_codemods import load_all
from tests.strategies import STEADY, dockerfiles

CODEMODS = load_all()
GOLDEN = Path(__file__).parent.parent / "golden"
TEXTS = tuple(decode(case.files[name].data) for case in load_cases(GOLDEN) for name in case.dockerfiles)
SOME = settings(STEADY, max_examples=200)


@st.composite
def cut_golden(draw: st.DrawFn) -> str:
    """The Dockerfile of a golden case without some of its lines: input that no rule was written for."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    gone = draw(st.sets(st.integers(0, len(lines) - 1), max_size=4))
    return "\n".join(line for index, line in enumerate(lines) if index not in gone)


ANY = st.one_of(dockerfiles(), cut_golden()) if TEXTS else dockerfiles()


def moby_takes(text: str) -> bool:
    """Whether moby's parser accepts a text (through the PyPI project `dockerfile`, which requires UTF-8)."""
    try:
        moby.parse_string(text.removeprefix(BOM))
    except (moby.GoParseError, UnicodeEncodeError):
        return False
    return True


def hold(target: Target, codemods: tuple[Codemod, ...]) -> None:
    """Run codemods twice on a file, with unsafe fixes and without, and check what must be true of the results."""
    results = set()
    for unsafe in (False, True):
        outcome = run(target, codemods, unsafe=unsafe)
        assert outcome.defects == ()
        results.add(outcome.text)
        again = run(target.with_text(outcome.text), codemods, unsafe=unsafe)
        assert again.text == outcome.text
        assert again.defects == ()
    for result in results - {target.text}:
        assert parse(result).problems == ()
        assert moby_takes(result) or not moby_takes(target.text)


@SOME
@given(ANY)
def test_each_codemod_alone(text: str) -> None:
    target = target_from_text(text)
    assume(target.dockerfile.ok)
    for codemod in CODEMODS:
        note(codemod.name)
        hold(target, (codemod,))


@SOME
@given(ANY)
def test_all_codemods_together(text: str) -> None:
    target = target_from_text(text)
    assume(target.dockerfile.ok)
    hold(target, CODEMODS)
