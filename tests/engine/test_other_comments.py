"""Warnings about ignore comments that only a check of the whole project can give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.model import Advice, Category, Codemod, Effect, Finding, Severity
from dockfix.rule.naming import RuleNames
from dockfix.rule.registry import Registry
from dockfix.rule.suppression import disarmed_text, suppresses_in_text, unused_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from tests.rule.samples import codemod, renames

FILES = ("Dockerfile", "compose.yaml", "docker-bake.hcl", ".dockerignore")


def bad(workspace: Workspace) -> Iterator[Finding]:
    """A finding at the first `bad` of each file."""
    for name in FILES:
        path = workspace.project.root / name
        text = workspace.text_if_any(path)
        if text is not None and "bad" in text:
            at = text.index("bad")
            yield Advice(Span(at, at + 3), "bad", None, path)


OVER = Codemod("over", "T", Severity.INFO, Category.STYLE, frozenset(Effect), None, "0", page="x", check_project=bad)
REGISTRY = Registry((OVER, codemod(renames("old", "new"), "own")))


def warnings(root: Path, files: dict[str, str], *paths: str, fix: bool = False) -> list[str]:
    for name, text in files.items():
        (root / name).write_text(text)
    given = [root / path for path in paths or (".",)]
    run = run_paths if fix else check_paths
    result = run(given, Settings(), root=root, registry=REGISTRY)
    return [f"{Path(each.path).name}:{each.line}: {each.message}" for each in result.warnings]


USED = {
    "Dockerfile": "FROM a\n# dockfix: ignore=over\nRUN bad\n",
    "compose.yaml": "services: {}\n# dockfix: ignore=over\nx-bad: 1\n",
    "docker-bake.hcl": 'target "a" {\n  # dockfix: ignore=over\n  tags = ["bad"]\n}\n',
    ".dockerignore": "# dockfix: ignore-file=over because\n\nbad\n",
}


def test_comments_that_ignore_something_are_not_reported(tmp_path: Path) -> None:
    assert warnings(tmp_path, USED) == []


def test_comments_that_ignore_nothing_are(tmp_path: Path) -> None:
    files = {name: text.replace("bad", "good") for name, text in USED.items()}
    assert warnings(tmp_path, files) == [
        "Dockerfile:2: unused dockfix comment: over has no finding here",
        ".dockerignore:1: unused dockfix comment: over has no finding here",
        "compose.yaml:2: unused dockfix comment: over has no finding here",
        "docker-bake.hcl:2: unused dockfix comment: over has no finding here",
    ]
    # a part of the project does not tell
    assert warnings(tmp_path, files, "Dockerfile", "compose.yaml") == []


def test_a_rule_for_dockerfiles_ignores_nothing_elsewhere(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM a\n", "compose.yaml": "# dockfix: ignore=own,over\nx-bad: 1\n"}
    assert warnings(tmp_path, files) == ["compose.yaml:1: unused dockfix comment: own has no finding here"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore=ovr", "unknown rule 'ovr' in a dockfix comment; did you mean 'over'?"),
        ("ignore over", "ignores nothing"),
    ],
)
def test_mistakes_in_ignore_files(tmp_path: Path, comment: str, message: str) -> None:
    (warning,) = warnings(tmp_path, {"Dockerfile": "FROM a\n", ".dockerignore": f"x\n# dockfix: {comment}\n"})
    assert warning.startswith(".dockerignore:2: ")
    assert message in warning


def test_comments_for_all_rules(tmp_path: Path) -> None:
    used = {name: text.replace("=over", "") for name, text in USED.items()}
    assert warnings(tmp_path, used) == []
    files = {name: text.replace("bad", "good") for name, text in used.items()}
    assert warnings(tmp_path, files) == [
        "Dockerfile:2: unused dockfix comment: no rule has a finding here",
        ".dockerignore:1: unused dockfix comment: no rule has a finding here",
        "compose.yaml:2: unused dockfix comment: no rule has a finding here",
        "docker-bake.hcl:2: unused dockfix comment: no rule has a finding here",
    ]
    files["Dockerfile"] = "FROM a\n# dockfix: ignore\nUSER old\n# dockfix: ignore=all\nUSER new\n"
    assert warnings(tmp_path, files)[0] == "Dockerfile:4: unused dockfix comment: no rule has a finding here"
    some = check_paths([tmp_path], Settings(select=("over",)), root=tmp_path, registry=REGISTRY)
    assert some.warnings == ()


def test_not_after_a_fix(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM a\nUSER old\n# dockfix: ignore=over\nRUN x\n"}
    assert warnings(tmp_path, files, fix=True) == []
    assert (tmp_path / "Dockerfile").read_text() == files["Dockerfile"].replace("old", "new")


TEXT = "# dockfix: ignore=a\n# dockfix: ignore=b,c\nx\ny # dockfix: ignore=a\n# dockfix: ignore=a\n"


@pytest.mark.parametrize("line", range(1, 7))
@pytest.mark.parametrize("rule", ["a", "b", "c", "d"])
def test_unused_agrees_with_what_is_suppressed(rule: str, line: int) -> None:
    """A comment is used if the finding is shown without it alone."""
    rules = {"a", "b", "c"}
    unused = unused_in_text(TEXT, [(rule, line)], rules)
    directives = [(1, "a"), (2, "b"), (2, "c"), (4, "a"), (5, "a")]
    used = [each for each in directives if each not in unused]
    assert all(name == rule for _, name in used)
    assert bool(used) == suppresses_in_text(TEXT, rule, line)


def test_disarmed_comments_keep_all_places() -> None:
    text = disarmed_text(f"{TEXT}# Dockfix : ignore-file\n# about dockfix\n")
    assert len(text) == len(f"{TEXT}# Dockfix : ignore-file\n# about dockfix\n")
    assert not any(suppresses_in_text(text, "a", line) for line in range(1, 9))
    assert text.endswith("# about dockfix\n")


def test_a_rule_may_be_named_by_a_code() -> None:
    text = "services:\n  # dockfix: ignore=DL3002,dl3003\n  app: {}\n"
    assert suppresses_in_text(text, "a-rule", 3, frozenset({"dl3002"}))
    assert suppresses_in_text(text, "a-rule", 3, frozenset({"dl3003"}))
    assert not suppresses_in_text(text, "a-rule", 3, frozenset({"dl3004"}))
    known = RuleNames(frozenset({"a", "b"}), {"dl3002": frozenset({"a", "b"}), "dl3003": frozenset({"b"})})
    assert unused_in_text(text, [("a", 3)], {"a", "b"}, known) == [(2, "dl3003")]
    assert unused_in_text(text, [("a", 3)], {"a"}, known) == []
