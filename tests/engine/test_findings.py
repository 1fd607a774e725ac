"""A codemod looks at a text once; what a check offers as a fix has passed the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.project import findings, run, run_project
from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Mode, Settings
from dockfix.project.files import read_file
from dockfix.project.target import Target, load_project
from dockfix.rule import Advice, Category, Change, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from tests.rule.samples import codemod, renames, target

TEXT = "FROM a\nUSER b\nRUN c\n"


class Counted:
    """A rewrite that counts the texts that it is asked to look at."""

    def __init__(self, check: Callable[[Target], Iterator[Finding]]) -> None:
        self.check = check
        self.texts: Counter[str] = Counter()
        self.__module__ = __name__

    def __call__(self, given: Target) -> Iterator[Finding]:
        self.texts[given.text] += 1
        return self.check(given)


def advises(given: Target) -> Iterator[Finding]:
    yield Advice(given.dockerfile.instructions[0].span, "advice")


@pytest.mark.parametrize("mode", [Mode(), Mode(fix=False)])
def test_nothing_looks_twice_at_a_file_that_does_not_change(tmp_path: Path, mode: Mode) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT)
    counted = Counted(advises)
    surveys: list[int] = []

    def check_project(workspace: Workspace) -> Iterator[Finding]:
        surveys.append(len(workspace.files))
        yield Advice(Span(0, 1), "whole", file=workspace.files[0].real)

    over_all = Codemod(
        "over-all", "T", Severity.INFO, Category.STYLE, frozenset(), None, "0", check_project=check_project, page="x"
    )
    workspace = Workspace(load_project(tmp_path), (read_file(tmp_path / "Dockerfile", root=tmp_path),))
    result = run_project(workspace, [codemod(counted), over_all], mode)
    assert [found.finding.message for found in result.files[0].remaining] == ["whole", "advice"]
    assert set(counted.texts.values()) == {1}
    assert surveys == [1]


@pytest.mark.parametrize("check", [True, False])
def test_nothing_looks_twice_at_a_text_while_others_change_the_file(check: bool) -> None:
    counted = Counted(advises)
    rules = [codemod(counted, "counted"), codemod(renames("b", "x"), "one"), codemod(renames("c", "y"), "two")]
    if check:
        findings(target(TEXT), rules)
        assert dict(counted.texts) == {TEXT: 1}
    else:
        final = run(target(TEXT), rules).text
        assert final == "FROM a\nUSER x\nRUN y\n"
        assert dict(counted.texts) == {TEXT: 1, final: 1}


def test_a_codemod_that_raises_is_asked_once() -> None:
    def raises(_: Target) -> Iterator[Finding]:
        raise ZeroDivisionError

    counted = Counted(raises)
    found, defects = findings(target(TEXT), [codemod(counted)])
    assert (found, [defect.gate for defect in defects]) == ((), ["crash"])
    assert dict(counted.texts) == {TEXT: 1}


def drops_the_comment(given: Target) -> Iterator[Finding]:
    at = given.text.find("# kept\n")
    if at >= 0:
        yield Fix(Span(at, at + 6), "safe", (Edit(at, at + 7, ""),), Safety.SAFE, "why")
    yield Advice(given.dockerfile.instructions[0].span, "advice")


def test_a_check_does_not_offer_a_fix_that_a_gate_rejects() -> None:
    given = target("FROM a\n# kept\nUSER b\n")
    found, defects = findings(given, [codemod(drops_the_comment, "bad"), codemod(renames("b", "x"), "good")])
    assert [(each.rule, each.finding.message) for each in found] == [("bad", "advice"), ("good", "b to x")]
    assert [(each.rule, each.gate, each.message) for each in defects] == [("bad", "gate", "a comment was lost: # kept")]


def test_a_check_holds_unsafe_fixes_to_the_gates_too_and_offers_the_safe_ones_alone() -> None:
    def both(given: Target) -> Iterator[Finding]:
        yield from renames("b", "x")(given)
        for finding in drops_the_comment(given):
            if isinstance(finding, Fix):
                yield replace(finding, message="unsafe", safety=Safety.UNSAFE, review="the comment")

    given = target("FROM a\n# kept\nUSER b\n")
    found, defects = findings(given, [codemod(both)])
    assert [each.finding.message for each in found] == ["b to x"]
    assert [each.gate for each in defects] == ["gate"]


def test_a_check_does_not_offer_what_never_ends() -> None:
    def grows(given: Target) -> Iterator[Finding]:
        at = given.dockerfile.instructions[1].args[0].span.end
        yield Fix(Span(at - 1, at), "longer", (Edit(at, at, "b"),), Safety.SAFE, "why")

    found, defects = findings(target(TEXT), [codemod(grows)])
    assert (found, [each.gate for each in defects]) == ((), ["stability"])


def breaks_compose(given: Target) -> Iterator[Finding]:
    compose = given.project.root / "compose.yaml"
    if "[" not in given.project.files.read(compose).text:
        change = Change(compose, (Edit(0, 0, "["),))
        yield Fix(Span(0, 1), "break", (), Safety.SAFE, "why", other_files=(change,))


def breaks_compose_by_project(workspace: Workspace) -> Iterator[Finding]:
    for compose in workspace.project.compose_files:
        if "[" not in workspace.text(compose.path):
            yield Fix(Span(0, 1), "break", (Edit(0, 0, "["),), Safety.SAFE, "why", file=compose.path)


@pytest.mark.parametrize("by_project", [True, False])
@pytest.mark.parametrize("fix", [True, False])
def test_neither_does_it_offer_a_fix_over_files_that_a_gate_rejects(
    tmp_path: Path, by_project: bool, fix: bool
) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT)
    (tmp_path / "compose.yaml").write_text("services: {a: {build: .}}\n")
    bad = codemod(breaks_compose, "bad")
    if by_project:
        bad = replace(bad, check=None, check_project=breaks_compose_by_project)
    registry = Registry((bad, codemod(renames("b", "x"), "good")))
    if fix:
        result = run_paths((tmp_path,), Settings(), root=tmp_path, registry=registry)
    else:
        result = check_paths((tmp_path,), Settings(), root=tmp_path, registry=registry)
    assert [(defect.rule, defect.gate) for _, defect in result.defects] == [("bad", "gate")]
    left = [found.finding.message for file in result.files for found in file.remaining]
    assert left == ([] if fix else ["b to x"])
    assert (tmp_path / "compose.yaml").read_text() == "services: {a: {build: .}}\n"


def test_effects_are_held_against_what_a_check_offers() -> None:
    found, defects = findings(target(TEXT), [codemod(renames("b", "x"), effects=frozenset({Effect.ENV}))])
    assert (found, [each.message for each in defects]) == ((), ["the change has undeclared effects: users"])
