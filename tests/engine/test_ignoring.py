"""Ignore comments that are written: the finding is ignored afterwards, and the file says the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.engine.ignoring import dockerfile_with_ignores, ignored, text_with_ignores
from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.rule.model import Advice, Category, Codemod, Diagnostic, Effect, Finding, Severity
from dockfix.rule.naming import RuleNames
from dockfix.rule.registry import Registry
from dockfix.rule.suppression import Suppressions, suppresses_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.parser import parse
from dockfix.syntax.source import Lines, Span
from tests.rule.samples import codemod
from tests.strategies import dockerfiles


def at(text: str, start: int, rule: str = "a-rule") -> Diagnostic:
    """A finding at an offset."""
    lines = Lines(text)
    finding = Advice(Span(start, start + 1), "m")
    return Diagnostic(
        rule, finding, Severity.INFO, lines.line(start), lines.column(start), lines.line(start), Path("x")
    )


def without_comments(text: str) -> list[str]:
    tree = parse(text)
    return [text[node.span.start : node.span.end] for node in tree.instructions]


@given(dockerfiles(), st.data())
def test_any_place_of_any_dockerfile_can_be_ignored(text: str, data: st.DataObject) -> None:
    tree = parse(text)
    if not tree.ok or not text:
        return
    places = data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=3))
    found = [at(text, start, f"rule-{number}") for number, start in enumerate(places)]
    new = dockerfile_with_ignores(text, found, data.draw(st.sampled_from(["", "it is so"])))
    assert new != text
    assert without_comments(new) == without_comments(text)
    after = parse(new)
    assert {name: each.value for name, each in after.directives.items()} == {
        name: each.value for name, each in tree.directives.items()
    }
    suppressions = Suppressions(after)
    assert suppressions.mistakes(RuleNames(frozenset(each.rule for each in found))) == []
    for each in found:
        inside = [node for node in tree.instructions if node.span.start <= each.finding.at.start < node.span.end]
        for node in inside:
            moved = after.instructions[tree.instructions.index(node)]
            start = moved.span.start + each.finding.at.start - node.span.start
            rule = codemod(lambda _: iter(()), each.rule)
            assert suppressions.suppresses(rule, Span(start, start + 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM a\nRUN b\n", "FROM a\n# dockfix: ignore=a-rule\nRUN b\n"),
        ("FROM a\n\\\n# c\nRUN b\n", "FROM a\n# dockfix: ignore=a-rule\n\\\n# c\nRUN b\n"),
        ("FROM a\n# dockfix: ignore=b\nRUN b\n", "FROM a\n# dockfix: ignore=b,a-rule\nRUN b\n"),
        ("FROM a\n#dockfix:ignore = b , c x\nRUN b\n", "FROM a\n#dockfix:ignore = b , c,a-rule x\nRUN b\n"),
        ("FROM a\n# dockfix: ignore=b,\nRUN b\n", "FROM a\n# dockfix: ignore=b,a-rule,\nRUN b\n"),
        ("FROM a\n# dockfix: ignore b\nRUN b\n", "FROM a\n# dockfix: ignore b\n# dockfix: ignore=a-rule\nRUN b\n"),
        ("FROM a\n# dockfix: ignore=b\n\nRUN b\n", "FROM a\n# dockfix: ignore=b\n\n# dockfix: ignore=a-rule\nRUN b\n"),
        (
            "# dockfix: ignore-file=b\nFROM a\nRUN b\n",
            "# dockfix: ignore-file=b\nFROM a\n# dockfix: ignore=a-rule\nRUN b\n",
        ),
    ],
)
def test_where_it_goes(before: str, after: str) -> None:
    assert dockerfile_with_ignores(before, [at(before, before.index("RUN"))]) == after


def test_a_place_outside_of_all_instructions_is_ignored_in_the_whole_file() -> None:
    text = "# escape=`\n# a note\n\nFROM a\n"
    found = [at(text, text.index("note")), at(text, text.index("FROM"), "b-rule")]
    new = dockerfile_with_ignores(text, found)
    assert new == "# escape=`\n# a note\n\n# dockfix: ignore-file=a-rule\n# dockfix: ignore=b-rule\nFROM a\n"
    assert dockerfile_with_ignores(new, [at(new, new.index("note"), "c")]).count("ignore-file=a-rule,c\n") == 1


COMPOSE = "services:\n  a:\n    image: x\n    command: |\n      one\n      two\n    env: {A: 1,\n      B: 2}\n"


@pytest.mark.parametrize(
    ("name", "text", "line", "new"),
    [
        ("compose.yaml", COMPOSE, 3, "    # dockfix: ignore=a-rule\n    image: x\n"),
        ("compose.yaml", COMPOSE.replace("\n", "\r\n"), 3, "    # dockfix: ignore=a-rule\r\n    image: x\r\n"),
        ("compose.yaml", COMPOSE, 8, "      # dockfix: ignore=a-rule\n      B: 2}\n"),
        ("compose.yaml", COMPOSE, 6, None),  # inside a block scalar
        ("compose.yaml", COMPOSE, 99, None),
        ("compose.yaml", "\ufeffa: 1\n", 1, "\ufeff# dockfix: ignore=a-rule\na: 1\n"),
        ("compose.yaml", "# dockfix: ignore=b because c\na: 1\n", 2, "# dockfix: ignore=b,a-rule because c\na: 1\n"),
        ("docker-bake.hcl", 'target "a" {\n  tags = []\n}\n', 2, "  # dockfix: ignore=a-rule\n  tags = []\n"),
        ("docker-bake.json", '{\n"target": {}\n}\n', 2, None),
        (".dockerignore", "a\n  b\n", 2, "# dockfix: ignore=a-rule\n  b\n"),
        (".dockerignore", "\ufeffa\n", 1, "\ufeff# dockfix: ignore=a-rule\na\n"),
    ],
)
def test_other_files(name: str, text: str, line: int, new: str | None) -> None:
    start = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    found = Diagnostic("a-rule", Advice(Span(start, start), "m"), Severity.INFO, line, 1, line, Path(name))
    after = text_with_ignores(text, Path(name), [found])
    if new is None:
        assert after == text
        return
    assert new in after
    moved = after.count("\n") - text.count("\n")
    assert suppresses_in_text(after, "a-rule", line + moved)


class TestRuns:
    """Whole runs, with a rule over the project."""

    def run(self, root: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        def check_project(workspace: Workspace) -> Iterator[Finding]:
            for name in names:
                path = workspace.project.root / name
                text = workspace.text_if_any(path)
                if text is not None and "bad" in text:
                    start = text.index("bad")
                    yield Advice(Span(start, start + 3), f"bad on line {Lines(text).line(start)}", None, path)

        rule = Codemod("awful", "T", Severity.INFO, Category.STYLE, frozenset(Effect), None, "0", page="x",
                       check_project=check_project)  # fmt: skip
        registry = Registry((rule,))
        result = check_paths([root], Settings(), root=root, registry=registry)
        done = ignored(result, result, registry.codemods, "so")
        return (
            {each.display: each.text for each in done.files if each.changed},
            [f"{each.display}:{found.line}" for each, found in done.left],
        )

    def test_all_kinds_of_files(self, tmp_path: Path) -> None:
        root = tmp_path.resolve()
        files = {"Dockerfile": "FROM a\nRUN bad\n", "compose.yaml": "x-a:\n  bad: 1\n", ".dockerignore": "bad\n"}
        for name, text in files.items():
            (root / name).write_text(text)
        texts, left = self.run(root, list(files))
        assert texts == {
            "Dockerfile": "FROM a\n# dockfix: ignore=awful because so\nRUN bad\n",
            "compose.yaml": "x-a:\n  # dockfix: ignore=awful because so\n  bad: 1\n",
            ".dockerignore": "# dockfix: ignore=awful because so\nbad\n",
        }
        assert left == []

    def test_what_no_comment_can_ignore_is_left(self, tmp_path: Path) -> None:
        root = tmp_path.resolve()
        (root / "Dockerfile").write_text("FROM a\nRUN bad\n")
        (root / "compose.yaml").write_text("x-a: |\n  good\n  bad\n")
        (root / "docker-bake.json").write_text('{"target": {"bad": {}}}\n')
        texts, left = self.run(root, ["Dockerfile", "compose.yaml", "docker-bake.json"])
        assert set(texts) == {"Dockerfile"}
        assert sorted(left) == ["compose.yaml:3", "docker-bake.json:1"]
