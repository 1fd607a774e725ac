"""What `dockfix targets` lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.output.targets import targets_json, targets_text
from dockfix.project.listing import Row, Table, target_table
from dockfix.project.target import BuildOptions, load_project

COMPOSE = """\
services:
  api:
    image: org/api
    build:
      context: .
      dockerfile: docker/api.docker
      target: run
      args: {TOKEN: s3cret}
      additional_contexts: {packages: ./packages}
  twin:
    build: {context: other, dockerfile: ../docker/api.docker}
  inline:
    build:
      context: .
      dockerfile_inline: FROM a
  remote:
    build: https://example.org/repo.git
  gone:
    build: nowhere
  plain:
    image: redis
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "compose.yaml": COMPOSE,
        "docker/api.docker": "FROM a\n",
        "tools/Dockerfile": "FROM a\n",
        "other/x": "",
        "packages/x": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path.resolve()


def rows(root: Path, *paths: Path, options: BuildOptions | None = None) -> tuple[Row, ...]:
    return target_table(load_project(root), paths or (root,), options=options).rows


def test_every_dockerfile_with_every_build_of_it(root: Path) -> None:
    found = rows(root)
    assert [(row.dockerfile, row.exists, row.name, row.line, row.context) for row in found] == [
        ("docker/api.docker", True, "api", 4, "."),
        ("docker/api.docker", True, "twin", 11, "other"),
        ("nowhere/Dockerfile", False, "gone", 19, "nowhere"),
        ("tools/Dockerfile", True, None, 0, None),
        (None, False, "inline", 13, "."),
        (None, False, "remote", 17, None),
    ]
    api = found[0]
    assert (api.kind, api.source, api.stage, api.tags) == ("compose", "compose.yaml", "run", ("org/api",))
    assert dict(api.contexts) == {"packages": "./packages"}
    assert found[3].context_why == "no compose or bake file builds it; give --context DIR"
    assert "not a folder of this project" in found[5].context_why
    assert found[4].inline


def test_a_part_of_the_project(root: Path) -> None:
    assert [row.dockerfile for row in rows(root, root / "tools")] == ["tools/Dockerfile"]
    assert [row.name for row in rows(root, root / "docker")] == ["api", "twin"]


def test_the_command_line_wins(root: Path) -> None:
    found = rows(root, root / "docker", options=BuildOptions(context=Path("packages")))
    assert [(row.kind, row.context, row.source) for row in found] == [("command line", "packages", None)]


def test_a_table_for_people_has_no_values_of_arguments(root: Path) -> None:
    text = targets_text(target_table(load_project(root), (root,)))
    lines = text.split("\n")
    assert lines[0].split() == ["DOCKERFILE", "BUILT", "BY", "CONTEXT", "STAGE", "WITH"]
    assert lines[1].split("  ")[-1].strip() == "args TOKEN; packages=./packages"
    assert "nowhere/Dockerfile (missing)" in text
    assert "(in the file itself)" in text
    assert "s3cret" not in text


def test_a_table_for_programs(root: Path) -> None:
    data = targets_json(target_table(load_project(root), (root,)))
    assert data["version"] == 1
    assert data["targets"][0]["args"] == ["TOKEN"]
    assert data["targets"][0]["contexts"] == {"packages": "./packages"}
    assert data["targets"][3]["source"] is None
    assert data["problems"] == []


def test_names_cannot_act_on_a_terminal() -> None:
    row = Row("a\x1b[31mDockerfile", True, source="c", name="x\u202e", context=".")
    assert "\x1b" not in targets_text(Table(Path("/"), (row,), ()))
