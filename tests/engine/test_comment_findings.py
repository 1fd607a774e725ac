"""Mistakes in dockfix's comments: findings if the rule that reports them runs in a check, else warnings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths, check_text, run_paths
from dockfix.engine.settings import Settings
from dockfix.project.policy import PathPattern, Policy
from dockfix.rule.model import Severity
from dockfix.rule.registry import Registry
from tests.rule.samples import codemod, renames

REPORTS = replace(codemod(lambda _: iter(()), "comments", hadolint=frozenset({"DL1001"})), reports_comments=True)
REGISTRY = Registry((REPORTS, codemod(renames("b", "x"), "own")))

TEXT = """\
FROM a
  # dockfix: ignore own
USER c
# dockfix: ignore=own,owm because
USER d
"""
COMPOSE = "services:\n  app: {build: .} # dockfix: ignore=nothing\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(TEXT)
    return tmp_path


def check(root: Path, settings: Settings = Settings()) -> RunResult:  # noqa: B008 - a frozen value
    return check_paths([root], settings, root=root, registry=REGISTRY)


def found(result: RunResult) -> list[tuple[str, int, int, str]]:
    return [
        (each.display, every.line, every.column, every.finding.message.partition(":")[0].partition(";")[0])
        for each in result.files
        for every in each.remaining
        if every.rule == "comments"
    ]


FOUND = [
    ("Dockerfile", 2, 3, "this comment ignores nothing"),
    ("Dockerfile", 4, 1, "unknown rule 'owm' in a dockfix comment"),
    ("Dockerfile", 4, 1, "unused dockfix comment"),
]


def test_they_are_findings_of_the_rule(root: Path) -> None:
    result = check(root)
    assert found(result) == FOUND
    assert result.warnings == ()
    assert result.fails(Severity.WARNING)
    severities = Settings(policy=Policy({"comments": "info"}))
    assert {each.severity for file in check(root, severities).files for each in file.remaining} == {Severity.INFO}
    assert not check(root, severities).actionable


def test_of_standard_input_and_of_other_line_ends(root: Path) -> None:
    for text in (TEXT, TEXT.replace("\n", "\r\n"), f"\ufeff{TEXT}"):
        result = check_text(text.encode(), Settings(), root=root, registry=REGISTRY)
        assert [each[1:] for each in found(result)] == [each[1:] for each in FOUND]
        (file,) = result.files
        (first, *_) = file.remaining
        assert file.text[first.finding.at.start : first.finding.at.end] == "# dockfix: ignore own"


def test_of_other_files(root: Path) -> None:
    (root / "compose.yaml").write_text(COMPOSE)
    result = check(root)
    assert found(result) == [*FOUND, ("compose.yaml", 2, 19, "unknown rule 'nothing' in a dockfix comment")]
    assert not result.files[-1].is_dockerfile
    (root / "compose.yaml").write_text(COMPOSE.replace("=nothing", "=nothing,comments because"))
    assert found(check(root)) == FOUND


@pytest.mark.parametrize("settings", [Settings(select=("own",)), Settings(select=("DL1001",))])
def test_only_if_the_rule_runs(root: Path, settings: Settings) -> None:
    result = check(root, settings)
    messages = [each.message.partition(":")[0].partition(";")[0] for each in result.warnings]
    if settings.select == ("own",):
        assert found(result) == []
        assert messages == [each[3] for each in FOUND]
    else:
        assert found(result) == FOUND[:2]  # whether another rule has a finding is not known
        assert messages == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings(ignore=("comments",)),
        Settings(ignore=("dl1001",)),
        Settings(policy=Policy({}, [(PathPattern("Docker*"), frozenset({"comments"}))])),
    ],
)
def test_the_rule_can_be_ignored(root: Path, settings: Settings) -> None:
    result = check(root, settings)
    assert (found(result), result.warnings) == ([], ())


@pytest.mark.parametrize("names", ["comments", "DL1001", "all"])
def test_it_can_be_ignored_in_the_file(root: Path, names: str) -> None:
    (root / "Dockerfile").write_text(f"{TEXT}# dockfix: ignore-file={names} because\n")
    result = check(root)
    assert (found(result), result.warnings) == ([], ())


def test_applying_fixes_warns(root: Path) -> None:
    def messages(result: RunResult) -> Sequence[str]:
        return [each.message.partition(":")[0].partition(";")[0] for each in result.warnings]

    result = run_paths([root], Settings(), root=root, registry=REGISTRY)
    assert found(result) == []
    assert messages(result) == [each[3] for each in FOUND]
    ignored = run_paths([root], Settings(ignore=("comments",)), root=root, registry=REGISTRY)
    assert messages(ignored) == []
