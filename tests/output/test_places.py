"""Paths in lines for people: relative to the current folder, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.edit.text import Edit
from dockfix.output.located import parts
from dockfix.output.places import Places
from dockfix.project.problems import InputProblem
from dockfix.rule.model import Advice, Diagnostic, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "compose.yaml",
        "api/Dockerfile",
        "api/src",
        "docker/base.Dockerfile",
        "Dockerfile",
        "lib/x",
        "build/x",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a (compose.yaml:7) supplies it", "a (../compose.yaml:7) supplies it"),
        ("api/Dockerfile:2 and api/.dockerignore:1", "Dockerfile:2 and api/.dockerignore:1"),
        ("compose.yaml could not be read", "../compose.yaml could not be read"),
        ("docker/base.Dockerfile does not parse", "../docker/base.Dockerfile does not parse"),
        # words, images and paths of the context
        ("the Dockerfile and the build of lib at api/src", "the Dockerfile and the build of lib at api/src"),
        (
            "python:3.13 at localhost:8000/health of nosuch.yaml:3",
            "python:3.13 at localhost:8000/health of nosuch.yaml:3",
        ),
        ("needs `docker build -f api/Dockerfile api`", "needs `docker build -f Dockerfile .`"),
        ("needs `docker build -f Dockerfile .`", "needs `docker build -f ../Dockerfile ..`"),
        (
            "`docker build --build-context 'lib=lib' --build-context x=lib -f api/Dockerfile api` and lib",
            "`docker build --build-context 'lib=../lib' --build-context x=../lib -f Dockerfile .` and lib",
        ),
        ("`docker compose -f compose.yaml build api`", "`docker compose -f ../compose.yaml build api`"),
        ("${CONTEXT}/Dockerfile:1", "${CONTEXT}/Dockerfile:1"),
    ],
)
def test_a_message_as_seen_from_a_folder(root: Path, text: str, expected: str) -> None:
    assert Places(root, root / "api").text(text) == expected
    assert Places(root, root).text(text) == text


def test_all_that_a_finding_says(root: Path) -> None:
    places = Places(root, root / "api")
    fix = Fix(Span(0, 1), "compose.yaml:1", (Edit(0, 0, "x"),), Safety.UNSAFE, "why", "whether compose.yaml:2")
    advice = Advice(Span(0, 1), "compose.yaml:1", help="compose.yaml:2")
    for finding in (fix, Refusal(Span(0, 1), "compose.yaml:1", "compose.yaml:2"), advice):
        found = Diagnostic("rule", finding, Severity.INFO, 1, 1, 1, Path("Dockerfile"))
        shown = places.found(found).finding
        assert shown.message == "../compose.yaml:1"
        assert parts(replace(found, finding=shown))[-1][1] in ("../compose.yaml:2", "whether ../compose.yaml:2")


def test_the_path_of_a_problem(root: Path) -> None:
    places = Places(root, root / "api")
    assert places.problem(InputProblem("compose.yaml", 3, "is wrong")) == InputProblem("../compose.yaml", 3, "is wrong")
    assert places.problem(InputProblem("Dockerfile", 3, "is wrong")) == InputProblem("Dockerfile", 3, "is wrong")
    assert places.problem(InputProblem("/x/y", None, "is wrong")) == InputProblem("/x/y", None, "is wrong")
