"""Each rule's page says what a reader needs, and its example is true."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dockfix.codemod.changeset import Mode, judge, settle
from dockfix.codemod.engine import run
from dockfix.codemod.model import Codemod, Severity
from dockfix.codemod.registry import load_registry
from dockfix.codemod.workspace import Workspace
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, load_project, target_for

CODEMODS = load_registry().codemods
ORDER = [codemod.name for codemod in CODEMODS]
SECTIONS = ["What it does", "Why", "Safety", "What it leaves alone", "Sources"]
FILES = re.compile(r"```yaml\n(.*?)```\s+becomes\s+```yaml\n(.*?)```", re.S)
NAMED = re.compile(r"```dockerfile\n# (\S+)\n(.*?)```", re.S)
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
    examples = EXAMPLE.findall(codemod.page.replace("\\\\\n", "\\\n"))
    assert examples or FILES.search(codemod.page)
    for before, after in examples:
        (tmp_path / "packages").mkdir(exist_ok=True)
        (tmp_path / "packages" / "module.py").write_text("")
        for manifest in ("pyproject.toml", "requirements.txt", "README.md"):
            (tmp_path / manifest).write_text("")
        path = tmp_path / "Dockerfile"
        path.write_text(before)
        target = target_for(load_project(tmp_path), read_file(path, root=tmp_path), BuildOptions(Path()))
        outcome = run(target, [codemod], unsafe=True)
        assert outcome.defects == ()
        assert outcome.text == after
        again = run(replace(target, text=after), [codemod], unsafe=True)
        assert again.text == after


@pytest.mark.parametrize(
    "codemod", [codemod for codemod in CODEMODS if FILES.search(codemod.page)], ids=lambda codemod: codemod.name
)
def test_the_example_over_files_is_true(codemod: Codemod, tmp_path: Path) -> None:
    """A compose file of a page, with the Dockerfiles whose path stands in a comment on their first line."""
    for before, after in FILES.findall(codemod.page):
        (tmp_path / "compose.yaml").write_text(before)
        for name, text in NAMED.findall(codemod.page):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        files = tuple(read_file(tmp_path / name, root=tmp_path) for name, _ in NAMED.findall(codemod.page))
        workspace = Workspace(load_project(tmp_path), files)
        judged = [
            judge(target, target.file, [codemod], Mode(unsafe=True)) for target in workspace.targets if target.file
        ]
        settled = settle(workspace, judged, [codemod], Mode(unsafe=True))
        assert settled.defects == ()
        assert [other.after for other in settled.others] == [after]
