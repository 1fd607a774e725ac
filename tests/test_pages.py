"""Each rule's page says what a reader needs, and its example is true."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dockfix.codemod.engine import run
from dockfix.codemod.model import Codemod, Severity
from dockfix.codemod.registry import load_registry
from dockfix.project.config import read_config
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, load_project, target_for

CODEMODS = load_registry().codemods
ORDER = [codemod.name for codemod in CODEMODS]
SECTIONS = ["What it does", "Why", "Safety", "What it leaves alone", "Sources"]
COMPOSE = re.compile(r"```yaml\n(.*?)```", re.S)
CONFIG = re.compile(r"```toml\n(.*?)```", re.S)
REPORTED = re.compile(r"```dockerfile\n(.*?)```", re.S)
EXAMPLE = re.compile(r"```dockerfile\n(.*?)```\s+becomes\s+```dockerfile\n(.*?)```", re.S)

each_codemod = pytest.mark.parametrize("codemod", CODEMODS, ids=ORDER)


@each_codemod
def test_the_page_has_every_section(codemod: Codemod) -> None:
    assert re.findall(r"^## (.*)$", codemod.page, re.M) == SECTIONS
    title = codemod.page.strip().split("\n")[0]
    assert title
    assert len(codemod.title) < 80
    assert isinstance(codemod.severity, Severity)
    assert codemod.findings


@each_codemod
def test_the_example_is_true(codemod: Codemod, tmp_path: Path) -> None:
    page = codemod.page.replace("\\\\\n", "\\\n")
    # What has no edit shows a file that is reported, and leaves it as it is.
    examples = EXAMPLE.findall(page) if codemod.effects else [(each, each) for each in REPORTED.findall(page)]
    assert examples
    compose = COMPOSE.search(page)
    if compose is not None:
        (tmp_path / "compose.yaml").write_text(compose[1])
    for before, after in examples:
        (tmp_path / "packages").mkdir(exist_ok=True)
        (tmp_path / "packages" / "module.py").write_text("")
        for manifest in ("pyproject.toml", "requirements.txt", "README.md"):
            (tmp_path / manifest).write_text("")
        path = tmp_path / "Dockerfile"
        path.write_text(before)
        options = BuildOptions(Path())
        config = CONFIG.search(page)
        if config is not None:
            (tmp_path / "dockfix.toml").write_text(config[1])
            options = replace(options, recommended_env=read_config(tmp_path / "dockfix.toml").recommended_env)
        target = target_for(load_project(tmp_path), read_file(path, root=tmp_path), options)
        outcome = run(target, [codemod], unsafe=True)
        assert outcome.defects == ()
        assert outcome.text == after
        assert outcome.changed or outcome.remaining
        again = run(replace(target, text=after), [codemod], unsafe=True)
        assert again.text == after
