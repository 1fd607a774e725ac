"""Each rule of the built-in pack has a golden file with a case of each kind; the plug-in runs the cases."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from dockfix.rule.registry import load_registry
from dockfix.testing.cases import load_document
from dockfix.testing.checks import missing_program, needed_programs
from dockfix.testing.document import Kind

GOLDEN = Path(__file__).parent.parent / "golden"
NEEDED = {Kind.FIX, Kind.KEEP, Kind.REFUSE}
EXCUSE = re.compile(r"No `(\w+)` case: \S")


def test_every_rule_has_a_golden_file() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.md" for name in load_registry().names}


@pytest.mark.parametrize(
    "path", [path for path in sorted(GOLDEN.glob("*.md")) if needed_programs(path)], ids=lambda path: path.stem
)
def test_ci_has_the_programs_that_cases_need(path: Path) -> None:
    """Without them the cases are skipped."""
    missing = missing_program(path)
    if missing is not None and os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
        pytest.fail(f"{missing!r} is not installed, and DOCKFIX_REQUIRE_TOOLS is set")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_a_rule_has_a_case_of_each_kind(path: Path) -> None:
    """There is a fix, a keep and a refuse case, or a line before the cases says why not."""
    document = load_document(path)
    shown = {section.kind for section in document.sections}
    excused = {Kind(match[1]) for line in document.preamble if (match := EXCUSE.match(line))}
    assert NEEDED - shown <= excused
    assert not excused & shown, "a kind that the file says it lacks is there"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_a_golden_file_links_to_the_page_of_its_rule(path: Path) -> None:
    page = f"../docs/rules/{path.stem}.md"
    assert f"({page})" in "\n".join(load_document(path).preamble)
    assert (path.parent / page).is_file()
