"""The order in which services start, and the services that another waits for without naming them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.compose.waits import Wait, cycle, longest_chain
from dockfix.project.target import load_project
from dockfix_codemods.compose_depends_on.startup import unnamed_waits


def shown(waits: tuple[Wait, ...]) -> list[tuple[str, str]]:
    return [(wait.service.name, wait.dependency.name) for wait in waits]


def services(**depends_on: str) -> str:
    lines = [f"  {name}: {{image: 'corp/{name}:1', depends_on: {each}}}" for name, each in depends_on.items()]
    return "services:\n" + "\n".join(lines) + "\n"


def test_the_longest_chain_prefers_waits_for_readiness(tmp_path: Path) -> None:
    text = services(a="[]", b="{a: {condition: service_healthy}}", c="[a]", d="[c, b]")
    (tmp_path / "compose.yaml").write_text(text)
    (compose,) = load_project(tmp_path).compose_files
    assert cycle(compose) == ()
    assert shown(longest_chain(compose)) == [("d", "b"), ("b", "a")]


def test_a_cycle_begins_with_its_first_service(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(services(x="[a]", a="[c]", b="[a]", c="[b]"))
    (compose,) = load_project(tmp_path).compose_files
    assert shown(cycle(compose)) == [("a", "c"), ("c", "b"), ("b", "a")]
    assert longest_chain(compose) == ()


def test_a_long_chain_takes_no_recursion(tmp_path: Path) -> None:
    names = [f"s{index}" for index in range(1500)]
    pairs = dict(zip(names[1:], (f"[{name}]" for name in names), strict=False))
    (tmp_path / "compose.yaml").write_text(services(s0="[]", **pairs))
    (compose,) = load_project(tmp_path).compose_files
    assert len(longest_chain(compose)) == 1499


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ("", False),
        ("command: fetch http://crawler:80", True),
        ("environment: [CRAWLER_URL=x]", True),
        ("labels: {peer: crawler}", True),
        ("env_file: peer.env", True),
        ("env_file: missing.env", True),
        ("env_file: [{path: missing.env, required: false}]", False),
        ("volumes: ['./conf:/conf']", True),
        ("volumes: ['data:/conf']", False),
    ],
)
def test_the_places_in_which_a_name_is_searched(tmp_path: Path, extra: str, named: bool) -> None:
    """A file that cannot be read counts as one that names the service."""
    (tmp_path / "peer.env").write_text("PEER=crawler\n")
    (tmp_path / "compose.yaml").write_text(
        f"""\
services:
  db: {{image: "postgres:16"}}
  crawler: {{image: "corp/spider:1"}}
  api:
    image: corp/api:1
    entrypoint: [run, --db=db]
    depends_on: [crawler]
    {extra}
"""
    )
    project = load_project(tmp_path)
    found = shown(tuple(unnamed_waits(project.compose_files[0], project.files)))
    assert found == ([] if named else [("api", "crawler")])
