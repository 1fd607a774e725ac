"""Findings for people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.results import RunResult, shown_path
from dockfix.engine.session import STDIN, check_paths, run_text
from dockfix.engine.settings import Settings
from dockfix.output.excerpt import excerpt
from dockfix.output.full import findings_full
from dockfix.output.github import findings_github
from dockfix.output.json import findings_json
from dockfix.output.located import located
from dockfix.output.suggestions import suggestions_json
from dockfix.output.text import findings_text, problem_line
from dockfix.project.problems import InputProblem
from dockfix.rule.model import Fix
from dockfix.rule.registry import load_registry
from dockfix.syntax.source import Lines, Span
from tests.output.format_samples import GOLDEN, REGISTRY, golden_runs, hostile_project

ALL = load_registry()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return hostile_project(tmp_path_factory.mktemp("hostile") / "project")


def test_full(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nLABEL safe="漢字\tx"\n# end\n', encoding="utf-8")
    result = check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY)
    assert findings_full(result, REGISTRY).split("\n")[2:] == [
        "   |",
        " 1 | FROM scratch",
        ' 2 | LABEL safe="漢字    x"',
        "   |       ^^^^^^^^^^^^^^^^",
        " 3 | # end",
        "   |",
        '  = help: do "漢字\\tx"',
        f"  = fix: `dockfix apply --rule marked {shown_path(tmp_path / 'Dockerfile')}` makes this change",
        "  | @@ -1,3 +1,3 @@",
        "  |  FROM scratch",
        '  | -LABEL safe="漢字\tx"',
        '  | +LABEL done="漢字\tx"',
        "  |  # end",
        "  = page: https://github.com/dockfix/dockfix/blob/main/docs/rules/marked.md",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("-x", "dockfix apply --rule twice ./-x"), ("it's", """dockfix apply --rule twice 'it'"'"'s'"""),
     (STDIN, "dockfix apply --rule twice -")],
)  # fmt: skip
def test_the_command_of_a_fix_is_for_a_shell(path: str, expected: str) -> None:
    result = run_text(b"FROM scratch\nLABEL a=twice\n", Settings(), root=Path("/"), registry=REGISTRY, fix=False)
    named = replace(result, files=tuple(replace(each, path=path) for each in result.files))
    assert f"  = fix: `{expected}` makes this change\n" in findings_full(named, REGISTRY)


def test_advice_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL advice=x\n")
    result = check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY)
    full = findings_full(result, REGISTRY).split("\n")
    assert (full[0], full[7]) == ("error[marked]: label x [advice]", "  = help: try x")
    assert findings_text(result).endswith("/Dockerfile:2:7: error marked label x [advice: try x]\n")


@pytest.mark.parametrize("columns", [1, 40, 60, 80, 120, None])
@pytest.mark.parametrize(("before", "inside"), [(0, 5), (5, 200), (70, 8), (300, 60), (300, 5)])
@pytest.mark.parametrize("character", ["x", "漢", "\t"])
def test_the_place_is_in_sight_on_every_terminal(columns: int | None, before: int, inside: int, character: str) -> None:
    text = f"FROM a\nRUN {character * before}{'^' * inside}{'y' * 200}\n"
    at = Span(11 + before, 11 + before + inside)
    lines = list(excerpt(text, Lines(text), at, "error", columns=columns))
    width = {None: 170, 1: 30}.get(columns, columns)
    sizes = [sum(2 if each == "漢" else 1 for each in line) for line in lines]
    assert width is not None
    assert max(sizes) <= width
    source, carets = lines[2], lines[3]
    marked = carets.split("| ")[1]
    column = len(marked) - len(marked.lstrip())
    cells = "".join(each * (2 if each == "漢" else 1) for each in source.split("| ")[1])
    assert cells[column] == "^"
    assert 0 < marked.count("^") <= inside
    assert cells[column : column + marked.count("^")] == "^" * marked.count("^")


def test_no_line_for_people_is_a_command_of_a_ci_system(hostile: RunResult, tmp_path: Path) -> None:
    """GitHub Actions takes `::` at the start of a line and `##[` anywhere in it for a command."""
    folder = tmp_path / "::error::x"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nLABEL safe=1\n")
    (folder / "Dockerfile.bad").write_text("FROM scratch\nRUN <<X\n")
    named = replace(check_paths([folder], Settings(), root=folder, registry=REGISTRY))
    named = replace(named, files=tuple(replace(each, path="::error::x/Dockerfile") for each in named.files))
    for result in (hostile, named):
        for text in (findings_full(result, REGISTRY), findings_text(result, verbose=True)):
            assert "##[" not in text
            assert not [line for line in text.split("\n") if line.lstrip().startswith("::")]
    assert problem_line(InputProblem("::error::x", 1, "##[error]")) == "./::error::x:1: ##\\x5berror]"


DOCUMENTED = "FROM python:3.11-slim\nRUN pip install -r requirements.txt\n"


def test_the_examples_of_the_page_are_true(tmp_path: Path) -> None:
    page = (GOLDEN.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCUMENTED)
    settings = Settings(select=("cache-mount",))
    result = check_paths([tmp_path], settings, root=tmp_path, registry=ALL)
    here = replace(result, files=tuple(replace(each, path=each.display) for each in result.files))
    assert f"```text\n{findings_full(here, ALL).removesuffix(chr(10))}```\n" in page
    assert f"```text\n{findings_text(here)}```\n" in page
    (finding,) = json.loads(findings_json(result))["files"][0]["findings"]
    blocks = [json.loads(each) for each in re.findall(r"^```json\n(.*?)^```", page, re.M | re.S)]
    assert finding == blocks[0]
    (made,), (shown,) = json.loads(suggestions_json(result, ALL))["comments"], blocks[1]["comments"]
    assert made["body"].endswith(shown.pop("body").removeprefix("... "))
    made.pop("body")
    assert shown == made
    assert findings_github(result).startswith(re.findall(r"^(::notice.*) \.\.\.$", page, re.M)[0])


def test_a_long_line_and_a_long_finding_are_cut(tmp_path: Path) -> None:
    value = "y" * 5000
    (tmp_path / "Dockerfile").write_text(f'FROM scratch\nENV a="{value}"\nLABEL b="{value}" c="LABEL advice=1"\n')
    result = check_paths([tmp_path], Settings(), root=tmp_path, registry=REGISTRY)
    lines = findings_full(result, REGISTRY).split("\n")
    assert max(map(len, lines)) < 200
    (source,) = (line for line in lines if "advice=1" in line and line.startswith(" 3 |"))
    carets = lines[lines.index(source) + 1]
    assert source[carets.index("^") : carets.rindex("^") + 1] == 'advice=1"'


def test_every_fix_of_the_golden_cases_has_its_hunk() -> None:
    for name in ("cache-mount", "dockerignore-comment", "uid-map"):
        for _, result in golden_runs(GOLDEN / f"{name}.md"):
            fixes = sum(isinstance(each.found.finding, Fix) for each in located(result))
            assert findings_full(result, ALL).count("makes this change\n  | ") == fixes
