"""What the engine makes of the findings of a rule in `ONBUILD RUN`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.triggers import findings_in_triggers
from dockfix.facts.model import Known
from dockfix.project.target import Target
from dockfix.rule import Advice, Change, Edit, Finding, Fix, InOnbuild, Refusal, Safety
from tests.rule.samples import target, word

TEXT = "FROM a\nONBUILD USER b\nRUN one\nONBUILD RUN two\nONBUILD COPY c d\nUSER e\n"
START = TEXT.index("RUN two")


def fixes(given: Target) -> Iterator[Finding]:
    for _, run in given.facts.runs():
        yield Fix(run.span, "m", (Edit(*run.keyword.span, "run"),), Safety.SAFE, "h", cause="c")


def found(given: Target, policy: InOnbuild = InOnbuild.FIX) -> list[Finding]:
    return list(findings_in_triggers(fixes, policy, given))


def test_a_safe_fix_needs_review_there() -> None:
    (fix,) = found(target(TEXT))
    assert isinstance(fix, Fix)
    assert (fix.at.start, fix.safety, fix.cause) == (START, Safety.UNSAFE, "c in triggers")
    assert "based on this one" in fix.review


def test_the_review_of_the_rule_stays() -> None:
    def unsure(given: Target) -> Iterator[Finding]:
        for fix in fixes(given):
            assert isinstance(fix, Fix)
            yield replace(fix, safety=Safety.UNSAFE, review="ask")

    (fix,) = findings_in_triggers(unsure, InOnbuild.FIX, target(TEXT))
    assert isinstance(fix, Fix)
    assert fix.review.startswith("ask; ")


@pytest.mark.parametrize(("after", "root"), [("USER 0", True), ("ONBUILD USER 7", True), ("USER 7", False)])
def test_triggers_are_steps_at_the_end_of_their_stage(after: str, *, root: bool) -> None:
    text = f"FROM alpine:3.22\nONBUILD RUN two\n{after}\nFROM alpine:3.22\nRUN one\n"
    other = target(text).with_triggers
    run = next(run for _, run in other.facts.runs())
    assert (word(run), other.facts.state(run).is_root) == ("two", Known(root))


def test_a_policy_that_advises() -> None:
    (advice,) = found(target(TEXT), InOnbuild.ADVICE)
    assert isinstance(advice, Advice)
    assert advice.message == "m"


def test_a_rule_that_does_not_look_there() -> None:
    assert found(target(TEXT), InOnbuild.IGNORED) == []


def test_a_fix_that_changes_more_is_advice() -> None:
    def wide(given: Target) -> Iterator[Finding]:
        for fix in fixes(given):
            assert isinstance(fix, Fix)
            yield replace(fix, edits=(Edit(0, 4, "from"),))
            yield replace(fix, other_files=(Change(Path("other"), (Edit(0, 0, "x"),)),))

    assert [type(each) for each in findings_in_triggers(wide, InOnbuild.FIX, target(TEXT))] == [Advice, Advice]


def test_a_refusal_stays() -> None:
    def refuses(given: Target) -> Iterator[Finding]:
        yield from (Refusal(run.span, "m", "n") for _, run in given.facts.runs())

    assert [type(each) for each in findings_in_triggers(refuses, InOnbuild.FIX, target(TEXT))] == [Refusal]
