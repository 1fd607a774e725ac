"""Each rule's page has the sections that readers expect, and its examples are true."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from dockfix.cli import main
from dockfix.rule.model import Codemod
from dockfix.testing import make_case, run_case
from dockfix_codemods import load_all

CODEMODS = load_all()
SECTIONS = ["What it does", "Why is this bad?", "Example", "Fix safety", "When it does not apply", "References"]

FENCE = re.compile(r"^```(?P<language>\w*)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
EXAMPLE = re.compile(r"^```dockerfile\n(.*?)^```\s+Use instead:\s+^```dockerfile\n(.*?)^```$", re.M | re.S)
# What the context of an example holds, so that COPY finds its sources.
CONTEXT = ("packages/module.py", "pyproject.toml", "requirements.txt", "README.md")


def blocks(page: str) -> list[re.Match[str]]:
    return list(FENCE.finditer(page))


def is_project(codemod: Codemod) -> bool:
    """Whether the Dockerfiles of a page have names: the example is a project, not one Dockerfile."""
    return any(block["name"] for block in blocks(codemod.page) if block["language"] == "dockerfile")


ONE_FILE = [each for each in CODEMODS if not is_project(each)]
PROJECT = [each for each in CODEMODS if is_project(each)]


def option_keys(codemod: Codemod) -> list[str]:
    declared = getattr(codemod, "options", None)
    return [each.name.replace("_", "-") for each in fields(declared)] if is_dataclass(declared) else []


def expected_sections(codemod: Codemod) -> list[list[str]]:
    """The lists of sections that a page may have: `Options` if the rule has options, no `Fix safety` needed if it never
    changes the build.
    """
    options = ["Options"] if option_keys(codemod) else []
    full = [*SECTIONS[:-1], *options, SECTIONS[-1]]
    return [full] if codemod.effects else [full, [each for each in full if each != "Fix safety"]]


@pytest.mark.parametrize("codemod", CODEMODS, ids=lambda each: each.name)
def test_the_page_has_every_section(codemod: Codemod) -> None:
    assert re.findall(r"^## (.*)$", codemod.page, re.M) in expected_sections(codemod)
    first, second = codemod.page.strip().split("\n")[:2]
    assert first.endswith(".")
    assert second == "", "the title is one line"
    assert len(codemod.title) < 80
    assert not codemod.title.endswith(".")


@pytest.mark.parametrize("codemod", [each for each in CODEMODS if option_keys(each)], ids=lambda each: each.name)
def test_the_page_describes_every_option(codemod: Codemod) -> None:
    section = re.split(r"^## ", codemod.page.partition("## Options\n")[2], flags=re.M)[0]
    assert re.findall(r"^- `([\w-]+)`: ", section, re.M) == option_keys(codemod)


def dockfix(*arguments: str) -> int:
    return main([*arguments, "--root", ".", "--quiet"])


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8", newline="")


def fixed(rule: str, project: dict[str, str], *options: str) -> dict[str, str]:
    """What one rule makes of a project in the current folder; it must find something, and be done in one run."""
    write(project)
    selected = ("--rule", rule, *options)
    assert dockfix("check", *selected) == 1, "nothing is found"
    assert dockfix("apply", "--unsafe", *selected) == 0
    now = {path.as_posix(): path.read_bytes().decode() for path in Path().rglob("*") if path.is_file()}
    assert dockfix("apply", "--unsafe", "--check", *selected) == 0
    return now


@pytest.mark.parametrize("codemod", ONE_FILE, ids=lambda each: each.name)
def test_the_example_is_true(codemod: Codemod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = codemod.page
    examples = EXAMPLE.findall(page)
    # A rule that only reports shows a file that it leaves as it is.
    if not examples and not codemod.effects:
        examples = [(block["text"], block["text"]) for block in blocks(page) if block["language"] == "dockerfile"]
    assert examples
    project = dict.fromkeys(CONTEXT, "")
    names = {"yaml": "compose.yaml", "toml": "pyproject.toml", "": "images.lock"}
    for block in blocks(page):
        if block["name"] or block["language"] in names:
            project[block["name"] or names[block["language"]]] = block["text"]
    for number, (before, after) in enumerate(examples):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        result = fixed(codemod.name, project | {"Dockerfile": before}, "--context", ".")
        assert result["Dockerfile"] == after
        assert result.items() >= project.items()  # it may have created files, too


@pytest.mark.parametrize("codemod", PROJECT, ids=lambda each: each.name)
def test_the_example_of_several_files_is_true(
    codemod: Codemod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks with the name of a file are the project; a second block of one name is what becomes of the file. A `text`
    block without a name holds the findings.
    """
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    findings = ""
    for block in blocks(codemod.page):
        if block["name"] is None:
            findings += block["text"] if block["language"] == "text" else ""
        else:
            (after if block["name"] in before else before)[block["name"]] = block["text"]
    assert before
    assert findings or after
    monkeypatch.chdir(tmp_path)
    assert fixed(codemod.name, before) == before | after
    if findings:
        result = run_case(make_case(before), codemod)
        assert result.complaints == ()
        assert result.findings == findings
