"""The engine: rounds, order, what is held back, and defects that stop nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.edit.dockerfile import insert, insert_above, replace
from dockfix.edit.text import apply_edits
from dockfix.engine import fixes
from dockfix.engine.fixes import Shift, preview
from dockfix.engine.project import findings, run
from dockfix.project.target import Target
from dockfix.rule import Advice, Check, Diagnostic, Edit, Effect, Finding, Fix, Refusal, Safety
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Run, User
from tests.rule.samples import codemod, renames, target, word

TEXT = "FROM a\nUSER b\nRUN c\n"


def test_a_fix_is_made_and_the_target_stays_as_it_was() -> None:
    given = target(TEXT)
    outcome = run(given, [codemod(renames("b", "x"))])
    assert outcome.text == "FROM a\nUSER x\nRUN c\n"
    assert outcome.changed
    assert given.text == TEXT
    assert [(found.rule, found.line, found.column, found.end_line) for found in outcome.applied] == [
        ("sample", 2, 1, 2)
    ]
    assert (outcome.remaining, outcome.defects) == ((), ())


def inserts(before: str, lines: str) -> Check:
    """Put lines before the instruction with the arguments `before`, once."""

    def check(given: Target) -> Iterator[Finding]:
        for node in given.dockerfile.instructions:
            if word(node) == before and lines not in given.text:
                at = node.span.start
                yield Fix(node.span, "insert", (Edit(at, at, lines),), Safety.SAFE, "why")

    return check


def test_a_row_of_fixes_that_touch_is_done_by_halves() -> None:
    def check(given: Target) -> Iterator[Finding]:
        for node in given.dockerfile.instructions:
            if word(node) == "c":
                yield Fix(node.span, "remove", (Edit(*node.lines, ""),), Safety.SAFE, "why")

    outcome = run(target("FROM a\n" + "RUN c\n" * 1100 + "RUN d\n"), [codemod(check)])
    assert (outcome.text, outcome.defects) == ("FROM a\nRUN d\n", ())
    assert len(outcome.applied) == 1100


def test_fixes_at_one_place_are_done_one_after_another() -> None:
    def check(given: Target) -> Iterator[Finding]:
        for node in given.dockerfile.instructions:
            if word(node) == "c":
                end = len(given.text)
                edits = (Edit(*node.lines, ""), Edit(end, end, "RUN d\n"))
                yield Fix(node.span, "move to the end", edits, Safety.SAFE, "why")

    outcome = run(target("FROM a\n" + "RUN c\nRUN e\n" * 20), [codemod(check)])
    assert (outcome.text, outcome.defects) == ("FROM a\n" + "RUN e\n" * 20 + "RUN d\n" * 20, ())
    assert len(outcome.applied) == 20


@pytest.mark.parametrize(
    ("edits", "touches"),
    [
        ((Edit(0, 1, "x"),), False),
        ((Edit(4, 5, ""),), True),
        ((Edit(8, 8, "x"),), True),
        ((Edit(9, 9, "x"),), False),
        ((Edit(30, 31, ""), Edit(21, 22, "")), True),
        ((Edit(12, 19, ""),), False),
        ((), True),
    ],
)
def test_fixes_that_overlap_or_touch_collide(edits: tuple[Edit, ...], touches: bool) -> None:
    chosen, path = fixes.Chosen(), Path("/a")
    chosen.add({path: (Edit(20, 25, ""),)})
    chosen.add({path: (Edit(5, 8, ""), Edit(10, 11, ""))})
    assert chosen.collides({path: edits}) is touches
    assert not chosen.collides({Path("/b"): edits})


def test_a_file_that_a_fix_creates_is_its_own() -> None:
    chosen = fixes.Chosen()
    chosen.add({Path("/a"): ()})
    assert chosen.collides({Path("/a"): (Edit(0, 0, "x"),)})
    assert chosen.collides({Path("/a"): ()})


def test_fixes_have_their_lines_in_the_text_before_the_run() -> None:
    codemods = [
        codemod(inserts("b", "ENV K=1\n\n"), "first"),
        codemod(renames("b", "long"), "second"),
        codemod(renames("c", "z"), "third"),
        codemod(renames("K=1", "K=2"), "of-a-new-line"),
    ]
    outcome = run(target("FROM a\nUSER b\nRUN c\nRUN left\n"), codemods)
    assert outcome.text == "FROM a\nENV K=2\n\nUSER long\nRUN z\nRUN left\n"
    assert [(found.rule, found.line, found.column, found.end_line) for found in outcome.applied] == [
        ("first", 2, 1, 2),
        ("second", 2, 1, 2),
        ("third", 3, 1, 3),
        ("of-a-new-line", 2, 1, 2),
    ]


def test_an_offset_before_edits() -> None:
    edits = (Edit(8, 8, "++"), Edit(2, 4, "xyz"), Edit(5, 7, ""))
    after = apply_edits("0123456789", edits)
    assert after == "01xyz47++89"
    assert [Shift(edits).before(at) for at in range(len(after))] == [0, 1, 2, 2, 2, 4, 7, 8, 8, 8, 9]


def test_nothing_to_do() -> None:
    outcome = run(target(TEXT), [codemod(renames("q", "x"))])
    assert not outcome.changed
    assert (outcome.applied, outcome.remaining, outcome.defects) == ((), (), ())


def test_a_codemod_without_its_trigger_is_not_run() -> None:
    def raises(_: Target) -> Iterator[Finding]:
        raise RuntimeError

    outcome = run(target(TEXT), [codemod(raises, triggers=("copy",))])
    assert outcome.defects == ()
    assert run(target(TEXT), [codemod(raises, triggers=("copy", "user"))]).defects != ()


def test_codemods_run_in_the_order_given_each_on_the_result_of_the_one_before() -> None:
    first, second = codemod(renames("b", "x"), "one"), codemod(renames("x", "y"), "two")
    assert [found.rule for found in run(target(TEXT), [first, second]).applied] == ["one", "two"]
    # The other way round the second pass brings it about.
    outcome = run(target(TEXT), [second, first])
    assert outcome.text == "FROM a\nUSER y\nRUN c\n"
    assert [found.rule for found in outcome.applied] == ["one", "two"]


def test_fixes_that_overlap_wait_for_the_next_round() -> None:
    seen: list[str] = []

    def check(given: Target) -> Iterator[Finding]:
        seen.append(given.text)
        for node in given.dockerfile.instructions:
            if isinstance(node, User) and "b" in word(node):
                at = node.args[0].span
                yield Fix(node.span, "longer", (replace(at, word(node).replace("b", "bc")[::-1]),), Safety.SAFE, "why")
                yield Fix(node.span, "other", (replace(at, "done"),), Safety.SAFE, "why")
                return

    def both(given: Target) -> Iterator[Finding]:
        for node in given.dockerfile.instructions:
            if isinstance(node, User):
                at = node.args[0].span
                for letter in "bc":
                    if letter in word(node):
                        fresh = word(node).replace(letter, letter.upper())
                        yield Fix(node.span, f"raise {letter}", (replace(at, fresh),), Safety.SAFE, "why")

    outcome = run(target("FROM a\nUSER bc\n"), [codemod(both)])
    assert outcome.text == "FROM a\nUSER BC\n"
    assert [found.finding.message for found in outcome.applied] == ["raise b", "raise c"]
    assert outcome.defects == ()
    assert run(target(TEXT), [codemod(check)]).defects[0].gate == "stability"
    assert len(seen) > 1


def test_fixes_that_touch_wait_for_the_next_round() -> None:
    texts: list[str] = []

    def check(given: Target) -> Iterator[Finding]:
        texts.append(given.text)
        user = given.dockerfile.instructions[1].args[0]
        for offset, char in enumerate(user.text):
            if char.islower():
                at = Span(user.span.start + offset, user.span.start + offset + 1)
                yield Fix(at, f"raise {char}", (replace(at, char.upper()),), Safety.SAFE, "why")

    assert run(target("FROM a\nUSER bcd\n"), [codemod(check)]).text == "FROM a\nUSER BCD\n"
    assert "FROM a\nUSER BcD\n" in texts


def test_unsafe_fixes_are_held_back_unless_asked_for() -> None:
    rule = codemod(renames("b", "x", safety=Safety.UNSAFE))
    outcome = run(target(TEXT), [rule])
    assert outcome.text == TEXT
    assert [found.finding.message for found in outcome.fixes] == ["b to x"]
    assert run(target(TEXT), [rule], unsafe=True).text == TEXT.replace("USER b", "USER x")
    assert run(target(TEXT), [rule], unsafe=True).fixes == ()


def test_refusals_and_advice_remain_in_the_order_of_their_lines() -> None:
    def refuses(given: Target) -> Iterator[Finding]:
        yield Refusal(given.dockerfile.instructions[2].span, "refused", "why")

    def advises(given: Target) -> Iterator[Finding]:
        yield Advice(given.dockerfile.instructions[1].span, "advised")

    outcome = run(target(TEXT), [codemod(refuses, "one"), codemod(advises, "two")])
    assert [(found.rule, found.line) for found in outcome.remaining] == [("two", 2), ("one", 3)]
    assert [found.rule for found in outcome.refused] == ["one"]
    assert [found.rule for found in outcome.advice] == ["two"]


@pytest.mark.parametrize("wanted", [0, 1])
def test_one_of_two_fixes_is_declined(wanted: int) -> None:
    asked: list[int] = []

    def accept(_: Workspace, found: Diagnostic) -> bool:
        asked.append(found.line)
        return len(asked) - 1 == wanted

    outcome = run(target("FROM a\nUSER b\nUSER b\n"), [codemod(renames("b", "xyz"))], accept=accept)
    assert outcome.text == ["FROM a\nUSER xyz\nUSER b\n", "FROM a\nUSER b\nUSER xyz\n"][wanted]
    assert asked == [2, 3]
    assert [found.line for found in outcome.fixes] == [3 - wanted]


def test_nobody_is_asked_again_when_another_codemod_moves_what_was_declined() -> None:
    asked: list[str] = []

    def accept(_: Workspace, found: Diagnostic) -> bool:
        asked.append(found.finding.message)
        return found.rule == "grows"

    def grows(given: Target) -> Iterator[Finding]:
        first = given.dockerfile.instructions[0]
        if first.name == "FROM":
            yield Fix(first.span, "grow", (insert_above(given.dockerfile, first, "ARG x"),), Safety.SAFE, "why")

    outcome = run(target(TEXT), [codemod(renames("b", "x")), codemod(grows, "grows")], accept=accept)
    assert outcome.text == "ARG x\n" + TEXT
    assert asked == ["b to x", "grow"]


def wrong_scope(given: Target) -> Iterator[Finding]:
    base = given.dockerfile.instructions[0]
    if word(base) == "a":
        yield Fix(base.span, "m", (replace(base.args[0].span, "z"),), Safety.SAFE, "why")


def breaks_the_parse(given: Target) -> Iterator[Finding]:
    run_node = given.dockerfile.instructions[2]
    if isinstance(run_node, Run):
        yield Fix(run_node.span, "m", (replace(run_node.keyword.span, "RUNN"),), Safety.SAFE, "why")


def breaks_the_shell(given: Target) -> Iterator[Finding]:
    script = given.dockerfile.instructions[2].text
    if "(" not in script.text:
        yield Fix(script.span(0, 1), "m", (replace(script.span(0, 1), "if ( then"),), Safety.SAFE, "why")


def drops_a_comment(given: Target) -> Iterator[Finding]:
    at = given.text.find("# kept\n")
    if at >= 0:
        yield Fix(Span(at, at + 6), "m", (Edit(at, at + 7, ""),), Safety.SAFE, "why")


def parts_a_pragma(given: Target) -> Iterator[Finding]:
    user = given.dockerfile.instructions[1]
    if word(user) == "b":
        yield Fix(user.span, "m", (insert(user.lines.start, "USER q\n"),), Safety.SAFE, "why")
    node = given.dockerfile.instructions[2]
    if given.dockerfile.above(node) and word(node) == "c":
        yield Fix(node.span, "m", (insert(node.lines.start, "USER q\n"),), Safety.SAFE, "why")


def loops(given: Target) -> Iterator[Finding]:
    at = given.dockerfile.instructions[1].args[0].span
    yield Fix(at, "m", (insert(at.end, "b"),), Safety.SAFE, "why")


def changes_nothing(given: Target) -> Iterator[Finding]:
    at = given.dockerfile.instructions[1].args[0].span
    yield Fix(at, "m", (replace(at, given.text[at.start : at.end]),), Safety.SAFE, "why")


def overlaps_itself(given: Target) -> Iterator[Finding]:
    at = given.dockerfile.instructions[1].span
    yield Fix(at, "m", (Edit(at.start, at.end, "x"), Edit(at.start + 1, at.end, "y")), Safety.SAFE, "why")


def out_of_range(given: Target) -> Iterator[Finding]:
    yield Fix(Span(0, 1), "m", (Edit(0, 10_000, ""),), Safety.SAFE, "why")


def raises(given: Target) -> Iterator[Finding]:
    yield Advice(given.dockerfile.instructions[0].span, "m")
    raise ZeroDivisionError("by zero")


def changes_the_escape(given: Target) -> Iterator[Finding]:
    if not given.text.startswith("# escape"):
        yield Fix(Span(0, 1), "m", (insert(0, "# escape=`\n"),), Safety.SAFE, "why")


@pytest.mark.parametrize(
    ("check", "gate", "message"),
    [
        (wrong_scope, "gate", "undeclared effects: stages"),
        (breaks_the_parse, "gate", "does not parse"),
        (breaks_the_shell, "gate", "shell text no longer parses"),
        (drops_a_comment, "gate", "comment was lost: # kept"),
        (parts_a_pragma, "gate", "pragma was separated"),
        (changes_the_escape, "gate", "directives"),
        (loops, "stability", "own output"),
        (changes_nothing, "stability", "changes nothing"),
        (overlaps_itself, "edits", "overlap"),
        (out_of_range, "edits", "out of range"),
        (raises, "crash", "ZeroDivisionError: by zero"),
    ],
)
def test_a_codemod_that_does_wrong_is_caught_and_the_others_go_on(check: object, gate: str, message: str) -> None:
    text = "FROM a\nUSER b\n# kept\n# hadolint ignore=DL1\nRUN c\nWORKDIR d\n"
    assert callable(check)
    effects = frozenset(Effect) - {Effect.STAGES}
    good = codemod(renames("d", "/d"), "good")
    outcome = run(target(text), [codemod(check, "bad", effects), good])
    assert outcome.text == text.replace("WORKDIR d", "WORKDIR /d")
    assert [found.rule for found in outcome.applied] == ["good"]
    assert [(defect.rule, defect.gate) for defect in outcome.defects] == [("bad", gate)]
    assert message in outcome.defects[0].message


def test_codemods_that_undo_each_other_change_nothing() -> None:
    outcome = run(target(TEXT), [codemod(renames("b", "x"), "one"), codemod(renames("x", "b"), "two")])
    # Each pass ends where it began, so nothing is seen to change.
    assert outcome.text == TEXT
    three = [
        codemod(renames(old, new), f"r{old}{new}") for old, new in (("b", "x"), ("c", "y"), ("y", "c"), ("x", "b"))
    ]
    assert run(target(TEXT), three).text == TEXT


def test_codemods_that_go_on_for_ever_together_are_stopped() -> None:
    def longer(given: Target) -> Iterator[Finding]:
        name = word(given.dockerfile.instructions[1])
        if name.endswith("b"):
            at = given.dockerfile.instructions[1].args[0].span
            yield Fix(at, "m", (insert(at.end, "c"),), Safety.SAFE, "why")

    def longer_still(given: Target) -> Iterator[Finding]:
        name = word(given.dockerfile.instructions[1])
        if name.endswith("c"):
            at = given.dockerfile.instructions[1].args[0].span
            yield Fix(at, "m", (insert(at.end, "b"),), Safety.SAFE, "why")

    outcome = run(target(TEXT), [codemod(longer, "one"), codemod(longer_still, "two")])
    assert outcome.text == TEXT
    assert outcome.applied == ()
    assert [(defect.rule, defect.gate) for defect in outcome.defects] == [("one, two", "convergence")]


def test_findings_of_a_codemod_that_raises_are_a_defect() -> None:
    found, defects = findings(target(TEXT), [codemod(raises, "bad"), codemod(renames("b", "x"), "good")])
    assert [each.rule for each in found] == ["good"]
    assert [(defect.rule, defect.gate) for defect in defects] == [("bad", "crash")]


def test_preview_makes_one_fix() -> None:
    given = target("FROM a\nUSER b\nUSER b\n")
    found, _ = findings(given, [codemod(renames("b", "x"))])
    workspace = Workspace.of(given)
    texts = ["FROM a\nUSER x\nUSER b\n", "FROM a\nUSER b\nUSER x\n"]
    assert [[file[1:] for file in preview(workspace, each)] for each in found] == [
        [(given.text, text)] for text in texts
    ]


RULE = codemod(renames("b", "x"), "my-rule", hadolint=frozenset({"DL3002"}), checks=frozenset({"ConsistentUser"}))


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("FROM a\n# dockfix: ignore=my-rule because so\nUSER b\n", True),
        ("FROM a\n# dockfix:ignore = other , my-rule\nUSER b\n", True),
        ("FROM a\n# DOCKFIX: IGNORE=my-rule\n# more\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore=*\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore=all\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore because it is so\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore-file\nRUN c\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore=other, my-rule, because\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore\nRUN c\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore my-rule\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore: my-rule\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=\nUSER b\n", False),
        ("FROM a\n# dockfix: ignores\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=my-rules\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=other because my-rule\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=my-rule\n\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=my-rule\nRUN c\nUSER b\n", False),
        ("FROM a\nUSER b\n# dockfix: ignore=my-rule\n", False),
        ("FROM a\nUSER b\n# dockfix: ignore-file=my-rule because\n", True),
        ("FROM a\nUSER b\nRUN c \\\n # dockfix: ignore-file=my-rule\n d\n", True),
        ("FROM a\nUSER b\n# dockfix: ignore-file=other\n", False),
        ("FROM a\n# hadolint ignore=DL3002\nUSER b\n", True),
        ("FROM a\n# hadolint ignore=DL3000,dl3002\nUSER b\n", True),
        ("FROM a\n# hadolint ignore=DL3000\nUSER b\n", False),
        ("# hadolint global ignore=DL3002\nFROM a\nUSER b\n", True),
        ("# hadolint ignore=DL3002\nFROM a\nUSER b\n", False),
        ("# check=skip=consistentuser\nFROM a\nUSER b\n", True),
        ("# check=skip=A,ConsistentUser;error=true\nFROM a\nUSER b\n", True),
        ("# check=error=true;skip=all\nFROM a\nUSER b\n", True),
        ("# check=skip=A\nFROM a\nUSER b\n", False),
        ("# check=error=ConsistentUser\nFROM a\nUSER b\n", False),
        ("FROM a\n# check=error=true\nUSER b\n", False),
        ("FROM a\n# dockfix: ignore=DL3002 because so\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore=consistentUSER\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore-file=dl3002\nUSER b\n", True),
        ("FROM a\n# dockfix: ignore=DL3003\nUSER b\n", False),
        ("\ufeff# check=skip=ConsistentUser\r\nFROM a\r\nUSER b\r\n", True),
    ],
)
def test_comments_silence_rules(text: str, silenced: bool) -> None:
    outcome = run(target(text), [RULE])
    assert outcome.changed is not silenced
    assert outcome.remaining == ()


def test_another_tools_directive_silences_only_rules_that_correspond() -> None:
    rule = codemod(renames("b", "x"))
    assert run(target("# check=skip=all\nFROM a\n# hadolint ignore=DL3002\nUSER b\n"), [rule]).changed


def test_text_that_changes_outside_the_edits_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes, "apply_edits", lambda text, _: text.replace("RUN c", "RUN d"))
    outcome = run(target(TEXT), [codemod(renames("b", "x"))])
    assert outcome.text == TEXT
    assert [defect.gate for defect in outcome.defects] == ["bytes"]
