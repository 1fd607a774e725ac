"""apk-cache checked by running the fixed script with a stub `apk` that logs its arguments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.apk_cache import CODEMOD


def calls(text: str, folder: Path) -> list[str]:
    """The arguments of each `apk` call in the last RUN of a Dockerfile."""
    node = target_from_text(text).dockerfile.instructions[-1]
    assert isinstance(node, Run)
    assert node.script is not None
    log = folder / "log"
    log.write_text("")
    stub = folder / "apk"
    stub.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\n')
    stub.chmod(0o755)
    subprocess.run(
        ["sh", "-c", node.script.text], env={"PATH": f"{folder}:{os.environ['PATH']}"}, check=True, timeout=60
    )
    return log.read_text().splitlines()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apk update && apk upgrade && apk add --no-cache curl", ["upgrade --no-cache", "add --no-cache curl"]),
        ("set -eux; apk update; apk add curl; true", ["add --no-cache curl"]),
        ("set -eux; \\\n  apk update && apk add --no-cache a; \\\n  echo", ["add --no-cache a"]),
        ("apk update \\\n && apk add -t .deps \\\n  # gcc\n  gcc \\\n && true", ["add --no-cache -t .deps gcc"]),
        ("apk add \\\n  a \\\n  b", ["add --no-cache a b"]),
        ("apk -U add a", ["--no-cache add a"]),
        (
            "apk add --virtual build-base && apk del build-base",
            ["add --no-cache --virtual build-base", "del build-base"],
        ),
        ("<<EOF\nset -e\napk update\napk add a\nEOF", ["add --no-cache a"]),
        ("false; apk update && apk add a", ["add --no-cache a"]),
        ("if true; then apk add a; fi", ["add --no-cache a"]),
        ("apk add -X https://example.org/testing a", ["add --no-cache -X https://example.org/testing a"]),
    ],
)
def test_the_calls_after_the_edit(tmp_path: Path, script: str, expected: list[str]) -> None:
    outcome = run(target_from_text(f"FROM alpine:3.20\nRUN {script}\n"), [CODEMOD])
    assert not outcome.defects
    assert calls(outcome.text, tmp_path) == expected
