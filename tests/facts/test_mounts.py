"""The cache mounts of a RUN, and the caches of its commands."""

from __future__ import annotations

import pytest

from dockfix.facts.build import analyse
from dockfix.facts.mounts import Caches, caches_of
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Run


def last_run(text: str) -> Caches:
    facts = analyse(parse(text))
    stage = facts.graph.stages[-1]
    runs = [each for each in stage.instructions if isinstance(each, Run)]
    caches = caches_of(facts, runs[-1], stage)
    assert caches is not None
    return caches


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("/root/.cache/*", "/root/.cache"),
        ("~/.cache/pip/", "/root/.cache/pip"),
        ("$HOME/.npm", "/root/.npm"),
        ('"${HOME}/.npm"', "/root/.npm"),
        ("--prefix=/opt/x", "/opt/x"),
        ("relative", None),
        ("/", None),
        ("/*", None),
    ],
)
def test_paths(word: str, path: str | None) -> None:
    assert last_run("FROM debian:12\nRUN true\n").path(word) == path


def test_a_known_image_sets_only_what_its_table_lists() -> None:
    (tool,) = last_run("FROM python:3.13-slim\nRUN pip install httpx\n").tools
    assert not tool.likely
    assert [each.path for each in tool.use.dirs] == ["/root/.cache/pip"]


def test_an_unknown_image_is_assumed_to_be_like_most() -> None:
    caches = last_run("FROM acme/base\nRUN pip install httpx\n")
    assert caches.tools[0].likely
    assert (caches.home, caches.home_known, caches.root) == ("/root", False, None)


def test_nothing_is_assumed_of_an_unknown_image_with_a_user() -> None:
    caches = last_run("FROM acme/base\nUSER app\nRUN pip install httpx\n")
    assert not caches.tools[0].known
    assert caches.home == ""


def test_targets_are_expanded_and_tildes_marked() -> None:
    caches = last_run(
        "FROM debian:12\nARG C=/c\n"
        "RUN --mount=type=cache,target=$C/pip --mount=type=cache,target=~/.npm --mount=type=cache,target=rel true\n"
    )
    assert [(each.target, each.tilde) for each in caches.mounts] == [
        ("/c/pip", False),
        ("/root/.npm", True),
        (None, False),
    ]


@pytest.mark.parametrize(
    ("command", "closed"),
    [
        ("mkdir -p /x && pip install y", True),
        ("python -m venv /venv && /venv/bin/pip install y", True),
        ("python setup.py install", False),
        ("make", False),
        ("npm run build", False),
        ("find / -name x -exec rm {} +", False),
        ("go build .", True),
    ],
)
def test_which_commands_are_understood(command: str, closed: bool) -> None:
    assert last_run(f"FROM python:3.13-slim\nRUN {command}\n").closed is closed
