"""Stages inlined from files that are not part of the run, or that have unusual names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockfix.engine.project import run_project
from dockfix.engine.results import RunResult
from dockfix.engine.settings import Mode
from dockfix.project.files import read_file
from dockfix.project.target import load_project
from dockfix.rule.model import Refusal
from dockfix.rule.workspace import Workspace
from dockfix_codemods.local_base_image import CODEMOD

BASE = "FROM python:3.13-slim\nCOPY requirements.txt .\n"
WORKER = "FROM org/base:latest\nRUN make\n"


def run(root: Path, base: str | None = BASE, name: str = "base/Dockerfile", more: str = "") -> RunResult:
    """The result of a run over the Dockerfile of the worker alone."""
    for path, text in ((name, base), ("worker/Dockerfile", WORKER), ("jobs/Dockerfile", WORKER)):
        if text is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    (root / "compose.yaml").write_text(
        "services:\n  base:\n    image: org/base\n    profiles: [build]\n    build:\n      context: .\n"
        f"      dockerfile: {json.dumps(name)}\n"
        f"  worker:\n    build:\n      context: .\n      dockerfile: worker/Dockerfile\n{more}"
    )
    files = (read_file(root / "worker/Dockerfile", root=root),)
    workspace = Workspace(load_project(root), files)
    result = run_project(workspace, [CODEMOD], Mode(unsafe=True))
    assert result.defects == ()
    return result


def reason(result: RunResult) -> str:
    (found,) = result.files[0].remaining
    assert isinstance(found.finding, Refusal)
    return found.finding.note.rpartition("its stages are not inlined: ")[2]


def test_the_base_need_not_be_part_of_the_run(tmp_path: Path) -> None:
    assert run(tmp_path).files[0].text == (
        "# The stages of base/Dockerfile, which make org/base\n"
        "FROM python:3.13-slim AS base\nCOPY requirements.txt .\n\nFROM base\nRUN make\n"
    )


def test_other_files_that_use_the_base_need_not_be_either(tmp_path: Path) -> None:
    more = "  jobs:\n    build:\n      context: .\n      dockerfile: jobs/Dockerfile\n"
    assert reason(run(tmp_path, more=more)) == "1 other Dockerfile uses it too, and copies would drift apart"


def test_a_file_that_cannot_be_read_may_also_build_them(tmp_path: Path) -> None:
    (tmp_path / "compose.ci.yaml").write_text("services: [\n")
    assert reason(run(tmp_path)) == "compose.ci.yaml cannot be read and may build them in other ways"


@pytest.mark.parametrize(
    ("base", "why"),
    [
        (None, "the Dockerfile of base (compose.yaml:5) cannot be read"),
        ("FROM a\nRUN <<EOF\n", "base/Dockerfile cannot be parsed"),
        (f"{BASE}RUN make \\\n", "the end of base/Dockerfile would continue into this file"),
        (f"{BASE}RUN make \\\n# the end\n\n", "the end of base/Dockerfile would continue into this file"),
        (f'{BASE}CMD ["run", "it]\n', "line 3 of base/Dockerfile has shell text that cannot be parsed"),
        ("ARG X\n", "base/Dockerfile cannot be parsed"),
    ],
)
def test_a_base_that_cannot_be_read_or_ends_in_a_continuation(tmp_path: Path, base: str | None, why: str) -> None:
    assert reason(run(tmp_path, base)) == why


def test_the_name_of_a_file_cannot_add_lines(tmp_path: Path) -> None:
    text = run(tmp_path, name="a\nRUN evil\n/Dockerfile").files[0].text
    assert text.startswith("# The stages of another Dockerfile, which make org/base\nFROM python:3.13-slim AS base\n")
    assert "evil" not in text


def test_a_byte_order_mark_stays_at_the_top_of_its_file(tmp_path: Path) -> None:
    text = run(tmp_path, f"\ufeff{BASE}").files[0].text
    assert "FROM python:3.13-slim AS base\n" in text
    assert "\ufeff" not in text


def test_a_problem_of_another_service_may_move_to_another_line(tmp_path: Path) -> None:
    for name, text in (("base", BASE), ("worker", WORKER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    services = "  base:\n    image: org/base\n    build: base\n  worker:\n    build: worker\n"
    (tmp_path / "compose.yaml").write_text(f"services:\n{services}  other:\n    extends: nosuch\n")
    files = tuple(read_file(tmp_path / name / "Dockerfile", root=tmp_path) for name in ("base", "worker"))
    workspace, mode = Workspace(load_project(tmp_path), files), Mode(unsafe=True)
    assert workspace.project.problems
    result = run_project(workspace, [CODEMOD], mode)
    assert result.defects == ()
    assert any("org/base: service:base" in text for text in result.workspace.project.files.changes.values())
