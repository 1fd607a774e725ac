"""Suggestions do what the engine does: they are applied as GitHub applies them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from dockfix.engine.fixes import fixed
from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.output.line_changes import anchored, line_change
from dockfix.output.suggestions import comments, review
from dockfix.rule import Edit, Fix
from dockfix.rule.registry import load_registry
from dockfix.syntax.source import Lines
from dockfix.testing.variants import Variant
from tests.output.format_samples import GOLDEN, REGISTRY, fix, golden_runs, hostile_project, run_with

ALL = load_registry()


def block(comment: dict[str, Any]) -> list[str] | None:
    """The lines of the suggestion of a comment, as a Markdown parser reads them."""
    fences = [token for token in MarkdownIt("commonmark").parse(comment["body"]) if token.type == "fence"]
    found = [token.content for token in fences if token.info == "suggestion"]
    assert len(found) <= 1
    return found[0].split("\n")[:-1] if found else None


def as_github(text: str, made: Sequence[dict[str, Any]]) -> str:
    """The text after suggestions: GitHub replaces the lines `start_line` to `line` by those of the block."""
    lines = text.split("\n")
    for comment in sorted(made, key=lambda each: -int(each["line"])):
        new = block(comment)
        assert new is not None
        start = comment.get("start_line", comment["line"])
        assert 1 <= start <= comment["line"] <= len(lines)
        assert ("start_line" in comment) == (start != comment["line"]) == ("start_side" in comment)
        lines[start - 1 : comment["line"]] = new
    return "\n".join(lines)


def compare(result: RunResult) -> tuple[int, int]:
    """Apply each suggestion alone and all together; returns how many suggestions and how many diffs there are."""
    made, data = comments(result), review(result, ALL)["comments"]
    assert len(made) == len(data)
    by_file: dict[str, list[int]] = {}
    for number, (comment, shown) in enumerate(zip(made, data, strict=True)):
        assert (block(shown) is None) == (comment.change is None) == bool(comment.why)
        if comment.change is None:
            continue
        workspace = fixed(result.workspace, [each.found for each in comment.found])
        path = next(path for path in _paths(result) if result.workspace.display(path) == comment.file.path)
        assert as_github(comment.file.text, [shown]) == workspace.text_if_any(path), shown
        by_file.setdefault(comment.file.path, []).append(number)
    for numbers in by_file.values():
        file = made[numbers[0]].file
        workspace = fixed(result.workspace, [each.found for number in numbers for each in made[number].found])
        path = next(path for path in _paths(result) if result.workspace.display(path) == file.path)
        assert as_github(file.text, [data[number] for number in numbers]) == workspace.text_if_any(path)
    count = sum(each.change is not None for each in made)
    return count, len(made) - count


def _paths(result: RunResult) -> set[Path]:
    others = {
        change.path
        for file in result.files
        for found in file.remaining
        if isinstance(found.finding, Fix)
        for change in found.finding.other_files
    }
    return {file.real for file in result.files} | others


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_golden_cases(path: Path) -> None:
    """Each suggestion gives the text that the engine gives; where all fixes are suggestions, its whole result."""
    fixes = suggested = whole = 0
    final = {case.name: run for case, run in golden_runs(path, fix=True)}
    for case, result in golden_runs(path):
        count, diffs = compare(result)
        fixes += result.fixable + result.fixable_unsafe
        suggested += count
        run = final[case.name]
        if count and not diffs and run.applied == result.fixable + result.fixable_unsafe:
            data = review(result, ALL)["comments"]
            for file in run.changed:
                own = [each for each in data if each["path"] == file.display]
                assert as_github(file.before, own) == file.text
            whole += 1
    if fixes and not any(each.others for each in final.values()):
        assert suggested
        assert whole


@pytest.mark.parametrize("variant", [Variant.BOM, Variant.NO_FINAL_NEWLINE])
def test_variants(variant: Variant) -> None:
    assert sum(compare(result)[0] for _, result in golden_runs(GOLDEN / "cache-mount.md", variant))


def test_lines_that_end_with_crlf_are_never_suggested() -> None:
    diffs = 0
    for _, result in golden_runs(GOLDEN / "cache-mount.md", Variant.CRLF):
        diffs += compare(result)[1]
        for comment in comments(result):
            assert comment.change is None or "\r" not in "".join((*comment.change.old, *comment.change.new))
    assert diffs


def check(tmp_path: Path, text: str | bytes) -> RunResult:
    (tmp_path / ".git").mkdir()
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "Dockerfile").write_bytes(data)
    return check_paths([tmp_path / "Dockerfile"], Settings(), root=tmp_path, registry=REGISTRY)


def test_overlapping_fixes_of_one_rule_are_one_comment(tmp_path: Path) -> None:
    result = check(tmp_path, 'FROM scratch\nLABEL safe=1 b="LABEL safe=2"\n')
    assert compare(result) == (1, 0)
    (comment,) = review(result, REGISTRY)["comments"]
    assert block(comment) == ['LABEL done=1 b="LABEL done=2"']
    assert comment["body"].count("- help: ") == 2


def test_of_overlapping_fixes_of_two_rules_the_second_is_a_diff(tmp_path: Path) -> None:
    result = check(tmp_path, "FROM scratch\nLABEL safe=twice\nLABEL unsafe=twice\n")
    assert compare(result) == (2, 2)
    bodies = [each["body"] for each in review(result, REGISTRY)["comments"]]
    assert sum("another suggestion changes the same lines" in each for each in bodies) == 2
    # on line 3 the safe fix is the suggestion
    assert [block(each) for each in review(result, REGISTRY)["comments"] if block(each)] == [
        ["LABEL done=twice"],
        ["LABEL unsafe=once"],
    ]


def test_an_insertion_and_a_deletion_take_the_next_line(tmp_path: Path) -> None:
    text = "FROM scratch\nA\nB\n"
    lines = Lines(text)
    for edit, suggestions in (
        (Edit(13, 13, "X\n"), [(1, ("FROM scratch\n", "X\n")), (2, ("X\n", "A\n"))]),
        (Edit(13, 15, ""), [(1, ("FROM scratch\n",)), (2, ("B\n",))]),
        (Edit(0, 0, "X\n"), [(1, ("X\n", "FROM scratch\n"))]),
        (Edit(len(text), len(text), "X\n"), [(3, ("B\n", "X\n"))]),
        (Edit(len(text) - 1, len(text), ""), []),
    ):
        found = anchored(line_change(text, lines, [edit]), text, lines)
        assert [(each.start, each.new) for each in found] == suggestions


def test_a_fix_of_several_files_is_a_diff(tmp_path: Path) -> None:
    result = check(tmp_path, "FROM scratch\nLABEL both=1\n")
    (comment,) = review(result, REGISTRY)["comments"]
    assert "Not a suggestion: it changes several files" in comment["body"]
    assert "+LABEL done=1" in comment["body"]
    assert comment["line"] == 2


def test_crlf_is_a_diff(tmp_path: Path) -> None:
    result = check(tmp_path, b"FROM scratch\r\nLABEL safe=1\r\n")
    (comment,) = review(result, REGISTRY)["comments"]
    assert block(comment) is None
    assert "its lines end with CRLF" in comment["body"]


def test_a_fix_of_several_places_is_one_suggestion_and_its_fence_is_long_enough(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY <<A /\none\n````\n```suggestion\ntwo\nA\n"
    places = [text.index("one"), text.index("two")]
    result = run_with(tmp_path, text, fix(*(Edit(at, at, "x") for at in places)))
    assert compare(result) == (1, 0)
    (comment,) = review(result, REGISTRY)["comments"]
    assert (comment["start_line"], comment["line"]) == (3, 6)
    assert block(comment) == ["xone", "````", "```suggestion", "xtwo"]


def test_fixes_of_one_rule_that_conflict_are_not_joined(tmp_path: Path) -> None:
    text = "FROM scratch\nLABEL a=b c=d\n"
    at = text.index("a=b")
    found = fix(Edit(at, at + 3, "A")), fix(Edit(at + 1, at + 5, "B")), fix(Edit(at + 6, at + 7, "C"))
    result = run_with(tmp_path, text, *found)
    assert compare(result) == (1, 1)
    (comment, other) = review(result, REGISTRY)["comments"]
    assert block(comment) == ["LABEL A c=C"]
    assert "another suggestion" in other["body"]


def test_hostile_files(tmp_path: Path) -> None:
    suggested, diffs = compare(hostile_project(tmp_path / "p"))
    assert suggested
    assert diffs
    for comment in review(hostile_project(tmp_path / "q"), REGISTRY)["comments"]:
        assert len(comment["body"]) <= 65_536
        for token in MarkdownIt("commonmark").enable("table").parse(comment["body"]):
            assert token.type != "html_block", comment["body"]
            for child in token.children or ():
                assert child.type not in ("html_inline", "image"), comment["body"]
                assert not str(child.attrs.get("href", "https://github.com/dockfix/")).startswith("https://evil")
