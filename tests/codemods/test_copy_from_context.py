"""Projects with a file that cannot be read, which golden cases do not cover."""

from __future__ import annotations

from pathlib import Path

from dockfix.engine.project import findings
from dockfix.project.files import read_file
from dockfix.project.target import load_project, target_for
from dockfix.rule.model import Fix, Refusal
from dockfix_codemods.copy_from_context import CODEMOD


def found(root: Path) -> Fix | Refusal:
    target = target_for(load_project(root), read_file(root / "Dockerfile", root=root))
    (one,), _ = findings(target, [CODEMOD])
    assert isinstance(one.finding, Fix | Refusal)
    return one.finding


def test_a_compose_file_that_cannot_be_read_may_supply_the_context(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.13-slim\nCOPY --from=packages . /app/packages/\n")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "module.py").write_text("")
    assert isinstance(found(tmp_path), Fix)
    (tmp_path / "compose.yaml").write_text("services: [\n")
    refusal = found(tmp_path)
    assert isinstance(refusal, Refusal)
    assert refusal.note == "compose.yaml cannot be read, and a build in it may supply `packages`"
