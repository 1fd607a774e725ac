"""Severities and ignored rules of the configuration, for fixes and rules over several files."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.project.policy import PathPattern, Policy, TargetContext
from dockfix.rule import (
    Advice,
    Category,
    Change,
    Check,
    CheckProject,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Safety,
    Severity,
)
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span

COMPOSE = "services:\n  web:\n    build: .\n    user: old\n"


def rule(check: Check | None = None, check_project: CheckProject | None = None) -> Registry:
    return Registry((Codemod("over", "T", Severity.WARNING, Category.STYLE, frozenset(Effect), check, "0",
                             check_project=check_project, page="x"),))  # fmt: skip


def ignoring(pattern: str) -> Settings:
    return Settings(policy=Policy(per_file_ignores=((PathPattern(pattern), frozenset({"over"})),)))


def new_user(workspace: Workspace) -> Iterator[Finding]:
    """`old` becomes `new` in the Dockerfile and in the compose file, in one fix that is found in the Dockerfile."""
    compose = workspace.project.root / "compose.yaml"
    text = workspace.text(compose)
    for target in workspace.targets:
        if "USER old" in target.text and "user: old" in text:
            at = target.text.index("old")
            other = text.index("old")
            yield Fix(
                Span(at, at + 3), "one user", (Edit(at, at + 3, "new"),), Safety.SAFE, "why",
                other_files=(Change(compose, (Edit(other, other + 3, "new"),)),), file=target.real,
            )  # fmt: skip


def in_compose(workspace: Workspace) -> Iterator[Finding]:
    compose = workspace.project.root / "compose.yaml"
    at = workspace.text(compose).index("user")
    yield Advice(Span(at, at + 4), "a user", Severity.INFO, compose)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM a\nUSER old\n")
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path.resolve()


def test_a_fix_that_would_change_an_ignored_file_is_refused(root: Path) -> None:
    registry = rule(check_project=new_user)
    result = run_paths([root], ignoring("compose.yaml"), root=root, registry=registry)
    assert (root / "Dockerfile").read_text() == "FROM a\nUSER old\n"
    assert (root / "compose.yaml").read_text() == COMPOSE
    ((found,),) = [each.remaining for each in result.files]
    assert isinstance(found.finding, Refusal)
    assert found.finding.note == "the fix would also change compose.yaml, in which the configuration ignores this rule"
    assert run_paths([root], Settings(), root=root, registry=registry).applied == 1


def test_a_rule_over_the_project_is_ignored_in_a_file(root: Path) -> None:
    for check, name in ((new_user, "Dockerfile"), (in_compose, "compose.*")):
        registry = rule(check_project=check)
        assert any(each.remaining for each in check_paths([root], Settings(), root=root, registry=registry).files)
        result = check_paths([root], ignoring(name), root=root, registry=registry)
        assert not any(each.remaining for each in result.files)


@pytest.mark.parametrize(
    ("override", "own", "shown"),
    [
        ("error", None, Severity.ERROR), ("info", None, Severity.INFO), ("error", Severity.INFO, Severity.INFO),
        ("info", Severity.ERROR, Severity.INFO), ("warning", Severity.ERROR, Severity.WARNING),
    ],
)  # fmt: skip
def test_severities(root: Path, override: str, own: Severity | None, shown: Severity) -> None:
    def check(workspace: Workspace) -> Iterator[Finding]:
        for target in workspace.targets:
            yield Advice(Span(0, 1), "x", own, target.real)

    settings = Settings(policy=Policy(severity={"over": override}))
    result = check_paths([root], settings, root=root, registry=rule(check_project=check))
    assert [found.severity for each in result.files for found in each.remaining] == [shown]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("legacy/", "legacy/a/Dockerfile", True),
        ("legacy/**", "legacy/Dockerfile", True),
        ("legacy", "a/legacy/Dockerfile", True),
        ("/legacy", "a/legacy/Dockerfile", False),
        ("*.Dockerfile", "a/b.Dockerfile", True),
        ("Dockerfile/", "Dockerfile", False),
        ("!legacy/", "legacy/Dockerfile", False),
        ("!legacy/", "Dockerfile", True),
        ("services/*/Dockerfile", "services/a/b/Dockerfile", False),
        ("a\\*", "a*", True),
        ("*" * 50 + "x", "a" * 5_000, False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert PathPattern(pattern).matches(path) is matches


def test_a_policy_can_be_sent_to_another_process() -> None:
    policy = Policy({"a": "info"}, ((PathPattern("x/[a-c]*"), frozenset({"a"})),), frozenset({"a", "b"}))
    assert policy.ignores("a", "x/b/Dockerfile")
    sent = pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own
    assert sent == policy
    assert sent.ignores("c", "y")


def test_words_in_the_names_of_folders_are_not_replaced() -> None:
    context = TargetContext((PathPattern("*"),), Path("/r"), "{root}/x/{dir}")
    dockerfile = Path("/r/{root}/Dockerfile")
    assert context.context_of(dockerfile, Path("/{dir}")) == Path("/{dir}/x//r/{root}")
