"""Each rule's page says what a reader needs, and its example is true."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from dockfix.engine.configure import settings_of
from dockfix.engine.project import run
from dockfix.project.config import read_config
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, load_project, target_for
from dockfix.rule.model import OTHER_FILES, Codemod, Severity
from dockfix.rule.registry import Registry
from dockfix.testing import make_case, run_case
from dockfix_codemods import load_all

CODEMODS = load_all()
ORDER = [codemod.name for codemod in CODEMODS]
SECTIONS = ["What it does", "Why", "Safety", "What it leaves alone", "Sources"]
COMPOSE = re.compile(r"```yaml\n(.*?)```", re.S)
LOCK = re.compile(r"```\n(\S+@sha256:.*\n)```")
CONFIG = re.compile(r"```toml\n(.*?)```", re.S)
REPORTED = re.compile(r"```dockerfile\n(.*?)```", re.S)
BLOCK = re.compile(r"```(?:dockerfile|yaml|toml|text)(?: (?P<name>\S+))?\n(?P<text>.*?)```", re.S)
EXAMPLE = re.compile(r"```dockerfile\n(.*?)```\s+becomes\s+```dockerfile\n(.*?)```", re.S)

OVER_FILES = [each for each in CODEMODS if any(block["name"] for block in BLOCK.finditer(each.page))]
ALONE = [each for each in CODEMODS if each not in OVER_FILES]

each_codemod = pytest.mark.parametrize("codemod", CODEMODS, ids=ORDER)


@each_codemod
def test_the_page_has_every_section(codemod: Codemod) -> None:
    assert re.findall(r"^## (.*)$", codemod.page, re.M) == SECTIONS
    title = codemod.page.strip().split("\n")[0]
    assert title
    assert len(codemod.title) < 80
    assert isinstance(codemod.severity, Severity)
    assert codemod.findings


@pytest.mark.parametrize("codemod", ALONE, ids=lambda each: each.name)
def test_the_example_is_true(codemod: Codemod, tmp_path: Path) -> None:
    page = codemod.page.replace("\\\\\n", "\\\n")
    # What has no edit shows a file that is reported, and leaves it as it is.
    examples = EXAMPLE.findall(page)
    if not examples and not codemod.effects:
        examples = [(each, each) for each in REPORTED.findall(page)]
    assert examples
    locked = LOCK.search(page)
    if locked is not None:
        (tmp_path / "images.lock").write_text(locked[1])
    compose = COMPOSE.search(page)
    if compose is not None:
        (tmp_path / "compose.yaml").write_text(compose[1])
    for before, after in examples:
        (tmp_path / "packages").mkdir(exist_ok=True)
        (tmp_path / "packages" / "module.py").write_text("")
        for manifest in ("pyproject.toml", "requirements.txt", "README.md"):
            (tmp_path / manifest).write_text("")
        if codemod.effects & OTHER_FILES:
            project = {"Dockerfile": before, "packages/module.py": ""}
            project |= {"compose.yaml": compose[1]} if compose else {}
            result = run_case(make_case(project, rule=codemod.name, options="context: .\n"), codemod)
            assert result.complaints == ()
            assert [file.after for file in result.files if file.path == "Dockerfile"] == [after]
            continue
        path = tmp_path / "Dockerfile"
        path.write_text(before)
        options = BuildOptions(Path())
        config = CONFIG.search(page)
        if config is not None:
            (tmp_path / "pyproject.toml").write_text(config[1])
            settings = settings_of(read_config(tmp_path / "pyproject.toml"), Registry((codemod,)))
            options = replace(options, rule_options=settings.rule_options)
        target = target_for(load_project(tmp_path), read_file(path, root=tmp_path), options)
        outcome = run(target, [codemod], unsafe=True)
        assert outcome.defects == ()
        assert outcome.text == after
        assert outcome.changed or outcome.remaining
        again = run(replace(target, text=after), [codemod], unsafe=True)
        assert again.text == after


@pytest.mark.parametrize("codemod", OVER_FILES, ids=lambda each: each.name)
def test_the_example_of_several_files_is_true(codemod: Codemod) -> None:
    """Blocks with a file's name are the project; the same name again is what becomes of the file. A block without a
    name holds the findings, one named `pyproject.toml` the configuration.
    """
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    findings = ""
    for block in BLOCK.finditer(codemod.page):
        if block["name"] is None:
            findings += block["text"]
        else:
            (after if block["name"] in before else before)[block["name"]] = block["text"]
    assert before
    assert findings or after
    config = tomllib.loads(before.get("pyproject.toml", "tool.dockfix = {}"))["tool"]["dockfix"]
    result = run_case(make_case(before, options=json.dumps(config) if config else ""), codemod)
    assert result.complaints == ()
    assert not findings or result.findings == findings
    assert {file.path: file.after for file in result.files if file.before != file.after} == after
