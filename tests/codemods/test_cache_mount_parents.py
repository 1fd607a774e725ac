"""Which folders above a cache mount exist, and what would miss those that only the install makes."""

from __future__ import annotations

import pytest

from dockfix.facts.build import analyse
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Run
from dockfix_codemods.cache_mount.analysis.parents import missing_parents, uses_folder

NODE = "FROM node:22-slim\n{}USER node\n{}RUN yarn install --frozen-lockfile\n"
CACHE = ("/home/node/.cache", "/home/node/.cache/yarn")


def missing(text: str, path: str, *, writer_is_root: bool = False) -> tuple[str, ...]:
    facts = analyse(parse(text))
    stage = facts.graph.stages[-1]
    run = [each for each in stage.instructions if isinstance(each, Run)][-1]
    return missing_parents(facts, run, stage, path, writer_is_root=writer_is_root)


@pytest.mark.parametrize(
    ("as_root", "as_user", "expected"),
    [
        ("", "", CACHE),
        ("", "RUN mkdir -p ~/.cache\n", CACHE[1:]),
        ("", "RUN mkdir -p ~/.cache/yarn/x\n", ()),
        ("", 'RUN mkdir -p "$HOME"/.cache && true\n', CACHE[1:]),
        ("RUN mkdir -p /home/node/.cache && chown node /home/node/.cache\n", "", CACHE[1:]),
        ("", "WORKDIR /home/node/.cache/yarn\n", ()),
        ("", "COPY --chown=node x /home/node/.cache/yarn/x\n", ()),
        ("", "RUN mkdir -p ~/.cache\nRUN rm -rf ~/.cache\n", CACHE),
        ("", "RUN mkdir -p ~/.cache\nRUN rm -rf /home/node/.[!.]*\n", CACHE),
        ("", "RUN mkdir -p ~/.cache\nRUN mv ~/.cache /tmp/x\n", CACHE),
        ("", "RUN if true; then mkdir -p ~/.cache; fi\n", CACHE),
        ("", "RUN mkdir -p ~/.cache || true\n", CACHE),
        ("", "RUN --mount=type=cache,target=/home/node/.cache mkdir -p ~/.cache/yarn\n", CACHE),
        ("RUN mkdir -p ~/.cache\n", "", CACHE),
    ],
)
def test_folders_of_a_home(as_root: str, as_user: str, expected: tuple[str, ...]) -> None:
    assert missing(NODE.format(as_root, as_user), "/home/node/.cache/yarn/v6") == expected


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("RUN useradd -m app\nUSER app\n", "/home/app/.npm", ()),
        ("RUN useradd -m app\nUSER app\n", "/home/app/.cache/pip", ("/home/app/.cache",)),
        ("RUN useradd app\nWORKDIR /home/app\nUSER app\n", "/home/app/.npm", ()),
        # Only root can make a folder in /home or in /: nothing can be written there that could be before.
        ("RUN useradd app\nUSER app\n", "/home/app/.npm", ()),
        ("USER 1234\n", "/.cache/pip", ()),
        ("RUN chmod 777 /\nUSER 1234\n", "/.cache/pip", ("/.cache",)),
        ("RUN chmod -R g+w /h*\nRUN useradd app\nUSER app\n", "/home/app/.npm", ("/home/app",)),
    ],
)
def test_folders_of_a_new_user(lines: str, path: str, expected: tuple[str, ...]) -> None:
    assert missing(f"FROM debian:12\n{lines}RUN true\n", path) == expected


def test_who_can_write_to_the_folders_of_an_unknown_image_is_not_known() -> None:
    assert missing("FROM acme/base\nUSER 1234\nRUN true\n", "/.cache/pip") == ("/.cache",)


def test_whoever_runs_the_install_a_folder_is_missing() -> None:
    assert missing("FROM debian:12\nRUN true\n", "/.cache/pip", writer_is_root=True) == ("/.cache",)


@pytest.mark.parametrize(
    ("image", "path", "expected"),
    [
        ("golang:1.22", "/go/pkg/mod", ("/go/pkg",)),
        ("rust:1", "/usr/local/cargo/registry", ()),
        ("rust:1", "/usr/local/cargo/git/db", ("/usr/local/cargo/git",)),
    ],
)
def test_folders_of_an_image(image: str, path: str, expected: tuple[str, ...]) -> None:
    assert missing(f"FROM {image}\nUSER 1000\nRUN true\n", path) == expected


@pytest.mark.parametrize(
    ("command", "used"),
    [
        ("echo '{}' > /root/.cache/x", True),
        ("ls ~/.cache", True),
        ("cat $HOME/.cache/pip/x", True),
        ("cd /root && ls .cache", True),
        ("chown -R app /root/.[!.]*", True),
        ("chmod 755 /root/* /*.sh", False),
        ('python -c \'open("/root/.cache/x", "w")\'', True),
        ("rm -r /root/.cache", True),
        ("rm -rf /root/.cache", False),
        ("mkdir /root/.cache/x", True),
        ("mkdir -p /root/.cache/x", False),
        ("mkdir -p /root/.cache/x && touch /root/.cache/x/y", False),
        ("mkdir -p /root/.cache/pip && touch /root/.cache/pip/y", True),
        ("echo /root/.cache", False),
        ("ln -s /root/.cache/x /usr/bin/x", False),
        ("ln -s /usr/bin/x /root/.cache/x", True),
        ("ln /root/.cache/x /usr/bin/x", True),
        ("ls /root/.cacher", False),
        ("ls /root", False),
        ("pip install --cache-dir=/root/.cache/pip x", False),
    ],
)
def test_what_would_miss_a_folder(command: str, used: bool) -> None:
    facts = analyse(parse(f"FROM python:3.12\nRUN {command}\n"))
    run = facts.graph.stages[0].instructions[0]
    assert isinstance(run, Run)
    steps = facts.commands(run).steps
    found = any(uses_folder(facts, run, step, "/root/.cache", "/root/.cache/pip", "/root") for step in steps)
    assert found is used
