"""Codes that only some findings of a rule have: selected, ignored, given a severity, and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dockfix.engine.configure import settings_of
from dockfix.engine.ignoring import dockerfile_with_ignores
from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.output.json import findings_json
from dockfix.project.config import read_config
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Preset, Safety, Severity
from dockfix.rule.registry import Registry, UnknownRuleError
from dockfix.syntax.tree import Run

TEXT = "FROM a\nRUN one\nRUN two\n"


def check(target: Target) -> Iterator[Finding]:
    """A finding with a code for each RUN, and one without a code."""
    named = target.own_options.policy.named
    for node, code in zip(target.dockerfile.instructions[1:], ("TC0001", "TC0002"), strict=False):
        if isinstance(node, Run):
            yield Advice(node.keyword.span, f"{code}: found{' by name' if code in named else ''}", code=code)
    yield Advice(target.dockerfile.instructions[0].keyword.span, "no code")


LINTER = Codemod(
    "linter", "T", Severity.WARNING, Category.STYLE, frozenset(), check, "0", page="x", codes="TC[0-9]{4}",
    code_page="https://example.org/{code}",
)  # fmt: skip
OTHER = Codemod("other", "T", Severity.WARNING, Category.STYLE, frozenset(), lambda _: iter(()), "0", page="x")
REGISTRY = Registry((LINTER, OTHER))
ALL = ["no code", "TC0001: found", "TC0002: found"]


def run(folder: Path, settings: Settings, text: str = TEXT, registry: Registry = REGISTRY) -> RunResult:
    (folder / "Dockerfile").write_text(text)
    return check_paths([folder], settings, root=folder, registry=registry)


DEFAULTS = Settings()


def messages(folder: Path, settings: Settings = DEFAULTS, text: str = TEXT, registry: Registry = REGISTRY) -> list[str]:
    return [each.finding.message for file in run(folder, settings, text, registry).files for each in file.remaining]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ALL),
        (Settings(select=("linter",)), ALL),
        (Settings(select=("tc0001",)), ["no code", "TC0001: found by name"]),
        (Settings(select=("TC0001", "TC0002")), ["no code", "TC0001: found by name", "TC0002: found by name"]),
        (Settings(select=("TC0001", "linter")), ["no code", "TC0001: found by name", "TC0002: found"]),
        (Settings(extend_select=("TC0001",)), ["no code", "TC0001: found by name", "TC0002: found"]),
        (Settings(select=("other",), extend_select=("TC0002",)), ["no code", "TC0002: found by name"]),
        (Settings(ignore=("TC0001",)), ["no code", "TC0002: found"]),
        (Settings(ignore=("linter",)), []),
        (Settings(select=("TC0001",), ignore=("tc0001",)), ["no code"]),
        (Settings(select=("TC9999",)), ["no code"]),
    ],
)
def test_settings(tmp_path: Path, settings: Settings, expected: list[str]) -> None:
    assert messages(tmp_path, settings) == expected


def test_a_code_turns_on_a_rule_that_is_off_by_default(tmp_path: Path) -> None:
    registry = Registry((replace(LINTER, preset=Preset.ALL), OTHER))
    assert messages(tmp_path, registry=registry) == []
    assert messages(tmp_path, Settings(extend_select=("TC0001",)), registry=registry) == [
        "no code",
        "TC0001: found by name",
    ]
    assert messages(tmp_path, Settings(preset=Preset.ALL), registry=registry) == ALL


def test_a_rule_whose_extra_is_missing_runs_if_it_is_named(tmp_path: Path) -> None:
    registry = Registry((replace(LINTER, extra="dockfix-no-such-distribution"), OTHER))
    assert messages(tmp_path, registry=registry) == []
    assert messages(tmp_path, Settings(select=("linter",)), registry=registry) == ALL
    assert messages(tmp_path, Settings(preset=Preset.ALL), registry=registry) == ALL
    assert messages(tmp_path, registry=Registry((replace(LINTER, extra="pytest"),))) == ALL


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# dockfix: ignore=TC0001 because", ["no code", "TC0002: found"]),
        ("# dockfix: ignore=tc0001", ["no code", "TC0002: found"]),
        ("# dockfix: ignore=linter", ["no code", "TC0002: found"]),
        ("# dockfix: ignore=TC0002", ALL),
        ("# dockfix: ignore-file=TC0001,TC0002", ["no code"]),
    ],
)
def test_comments(tmp_path: Path, comment: str, left: list[str]) -> None:
    assert messages(tmp_path, text=TEXT.replace("RUN one", f"{comment}\nRUN one")) == left


def test_a_comment_with_a_code_is_never_unused(tmp_path: Path) -> None:
    text = TEXT.replace("RUN one", "# dockfix: ignore=TC0009,linter because\nRUN one").replace("RUN two\n", "")
    assert run(tmp_path, Settings(), text).warnings == ()
    text = "FROM a\n# dockfix: ignore=TC0001,linter because\nUSER b\n"
    assert [each.message for each in run(tmp_path, Settings(), text).warnings] == [
        "unused dockfix comment: linter has no finding here"
    ]


def configured(folder: Path, text: str) -> Settings:
    (folder / "dockfix.toml").write_text(text)
    return settings_of(read_config(folder / "dockfix.toml"), REGISTRY)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('select = ["tc0001"]', ["no code", "TC0001: found by name"]),
        ('ignore = ["TC0001"]', ["no code", "TC0002: found"]),
        ('[per-file-ignores]\n"Dockerfile" = ["TC0002"]', ["no code", "TC0001: found"]),
        ('[per-file-ignores]\n"other" = ["TC0002"]', ALL),
        ('[severity]\nTC0001 = "error"', ["no code", "TC0001: found by name", "TC0002: found"]),
    ],
)
def test_a_configuration(tmp_path: Path, config: str, expected: list[str]) -> None:
    assert messages(tmp_path, configured(tmp_path, config)) == expected


def test_severities(tmp_path: Path) -> None:
    def levels(config: str) -> list[str]:
        (file,) = run(tmp_path, configured(tmp_path, config)).files
        return [each.severity.value for each in file.remaining]

    assert levels("") == ["warning", "warning", "warning"]
    assert levels('[severity]\nTC0001 = "error"') == ["warning", "error", "warning"]
    assert levels('[severity]\nTC0001 = "error"\nlinter = "info"') == ["info", "error", "info"]


def test_a_nested_configuration(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "Dockerfile").write_text(TEXT)
    (tmp_path / "below" / "dockfix.toml").write_text('ignore = ["TC0002"]')

    def nearest(config: Any) -> Settings:
        return settings_of(config, REGISTRY)

    settings = replace(configured(tmp_path, 'select = ["TC0002"]'), nearest=nearest)
    result = run(tmp_path, settings)
    found = {file.display: [each.finding.message for each in file.remaining] for file in result.files}
    assert found == {
        "Dockerfile": ["no code", "TC0002: found by name"],
        "below/Dockerfile": ["no code", "TC0001: found"],
    }


def test_names() -> None:
    assert REGISTRY.chosen(["tc0001", "linter", "TC0001"]) == ("TC0001", "linter")
    assert REGISTRY.resolved(["tc0001"]) == ("linter",)
    assert REGISTRY.is_code("TC0001")
    assert not REGISTRY.is_code("linter")
    with pytest.raises(UnknownRuleError):
        REGISTRY.chosen(["TC001"])


def test_the_code_is_in_json_and_in_ignore_comments(tmp_path: Path) -> None:
    result = run(tmp_path, Settings())
    data = json.loads(findings_json(result))
    assert [each.get("code") for each in data["files"][0]["findings"]] == [None, "TC0001", "TC0002"]
    (file,) = result.files
    assert dockerfile_with_ignores(TEXT, file.remaining) == (
        "# dockfix: ignore=linter\nFROM a\n# dockfix: ignore=TC0001\nRUN one\n# dockfix: ignore=TC0002\nRUN two\n"
    )


def fixes(target: Target) -> Iterator[Finding]:
    """A fix with a code for each RUN."""
    for node, code in zip(target.dockerfile.instructions[1:], ("TC0001", "TC0002"), strict=False):
        start = node.keyword.span.end + 1
        if target.text[start] != "x":
            yield Fix(node.keyword.span, code, (Edit(start, start, "x"),), Safety.SAFE, "help", code=code)


def test_only_the_fixes_of_the_code_are_made(tmp_path: Path) -> None:
    registry = Registry((replace(LINTER, check=fixes, effects=frozenset({Effect.COMMANDS})),))
    (tmp_path / "Dockerfile").write_text(TEXT)
    run_paths([tmp_path], Settings(select=("TC0002",)), root=tmp_path, registry=registry)
    assert (tmp_path / "Dockerfile").read_text() == "FROM a\nRUN one\nRUN xtwo\n"
