"""The ignore comments of hadolint and BuildKit: which lines they cover."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockfix.engine.project import run_file as run
from dockfix.project.target import Target
from dockfix.rule.model import Advice, Finding
from tests.rule.samples import codemod, target


def _each(given: Target) -> Iterator[Finding]:
    for node in given.dockerfile.instructions:
        yield Advice(node.span, "found")


RULE = codemod(_each, hadolint=frozenset({"DL3002", "DL3004"}), checks=frozenset({"StageNameCasing"}))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("FROM a\n# hadolint ignore=DL3004\nRUN b\nRUN c\n", [1, 4]),
        ("FROM a\n# hadolint ignore=DL3000 , DL3004 # because\nRUN b\n", [1]),
        ("FROM a\n# Hadolint ignore = dl3004 because of a reason\nRUN b\n", [1]),
        ("FROM a\n# hadolint ignore=DL3004,\nRUN b\n", [1]),
        ("FROM a\n# hadolint ignore=DL3004\n# hadolint ignore=DL1000\nRUN b\n", [1]),
        ("FROM a\n# hadolint ignore=DL3004\n\nRUN b\n", [1, 4]),
        ("FROM a\n# hadolint ignore=nonsense,DL3004\nRUN b\n", [1, 3]),
        ("FROM a\n# hadolint ignore=DL3004,nonsense\nRUN b\n", [1, 3]),
        ("FROM a\n# hadolint ignore=DL30041\nRUN b\n", [1, 3]),
        ("FROM a\n# hadolint ignores=DL3004\nRUN b\n", [1, 3]),
        ("FROM a\n# hadolint shell=bash\nRUN b\n", [1, 3]),
        ("FROM a\nRUN b\n# hadolint global ignore=DL3004\nRUN c\nFROM d\n", []),
        ("FROM a\nRUN b\n# hadolint global ignore=DL3000\n", [1, 2]),
        ("# hadolint stage ignore=DL3004\nFROM a\nRUN b\nFROM c\nRUN d\n", [4, 5]),
        ("# hadolint stage ignore=DL3004\n\nFROM a\nRUN b\nFROM c\n", [5]),
        ("FROM a\nRUN b\n# hadolint stage ignore=DL3004\nRUN c\nRUN d\nFROM e\nRUN f\n", [1, 2, 6, 7]),
        ("FROM a\n# hadolint stage ignore=DL3004\nFROM b\nRUN c\nFROM d\n", [1, 5]),
        ("FROM a\n# hadolint stage ignore=DL3000\nRUN b\n", [1, 3]),
        ("FROM a\n# check=skip=StageNameCasing\nRUN b\nRUN c\n", [1, 4]),
        ("FROM a\n#check=skip=A,stagenamecasing;error=true because of it\nRUN b\n", [1]),
        ("FROM a\n# check=skip=StageNameCasing\n\n# more\nRUN b\n", [1]),
        ("FROM a\n# check=skip=StageNameCasing\n#\nRUN b\n", [1, 4]),
        ("FROM a\n# check=skip=all\nRUN b\n", [1]),
        ("FROM a\n# check=skip=UndefinedVar\nRUN b\n", [1, 3]),
        ("FROM a\n# check=error=true\nRUN b\n", [1, 3]),
        ("FROM a\nRUN b \\\n# check=skip=StageNameCasing\n c\n", [1, 2]),
        ("# check=skip=StageNameCasing\nFROM a\nRUN b\n", []),
        ("# a comment\n# check=skip=StageNameCasing\nFROM a\nRUN b\n", [4]),
        ("# check=skip=all\nFROM a\nRUN b\n", []),
        ("# hadolint ignore=DL3004\nFROM a\nRUN b <<E\n# hadolint ignore=DL3004\nE\n", [3]),
    ],
)
def test_what_they_cover(text: str, left: list[int]) -> None:
    assert [each.line for each in run(target(text), [RULE]).remaining] == left
    crlf = run(target(text.replace("\n", "\r\n")), [RULE])
    assert [each.line for each in crlf.remaining] == left


def test_a_rule_without_codes_is_not_suppressed() -> None:
    text = "# check=skip=all\n# hadolint global ignore=DL3004\nFROM a\n"
    assert len(run(target(text), [codemod(_each)]).remaining) == 1
    text = "# check=skip=all\nFROM a\n"
    assert len(run(target(text), [codemod(_each, hadolint=frozenset({"DL3004"}))]).remaining) == 1
