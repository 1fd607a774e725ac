"""Runs the fixes of sed-unverified with GNU sed and BusyBox sed, on files that match and files that do not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.sed_unverified import CODEMOD

RequireTool = Callable[[str], Path]

SCRIPTS = [
    ("sed -i 's/^mode=.*/mode=production/' FILE", "mode=old\n"),
    ("set -e; sed -i 's|a/b|c/defg|g' FILE; echo done", "x a/b y a/b\n"),
    ("echo a && \\\n  sed -ri 's/(old|older)\\/x/--new [x]/' FILE && \\\n  echo done", "older/x\n"),
    ('set -eu; \\\n  f=FILE; \\\n  sed -i -e \'s/[o]ld/"$new.*"/\' "$f"; \\\n  echo done', "old\n"),
    ("set -e; sed -ri \"s/^#?libs\\s*=.*/libs = 'pg_cron'/\" FILE; echo done", "#libs = ''\n"),
    ("<<EOF\nset -e\nsed -i 's/old/newer/' FILE\necho done\nEOF", "old\n"),
]


def script(text: str) -> str:
    node = target_from_text(text).dockerfile.instructions[-1]
    assert isinstance(node, Run)
    assert node.script is not None
    return node.script.text


@pytest.mark.parametrize("kind", ["gnu", "busybox"])
@pytest.mark.parametrize(("text", "matching"), SCRIPTS)
def test_a_sed_that_changes_nothing_fails(
    require_tool: RequireTool, tmp_path: Path, text: str, matching: str, kind: str
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if kind == "busybox":
        busybox = require_tool("busybox")
        for tool in ("sed", "grep"):
            (folder / tool).symlink_to(busybox)
    file = tmp_path / "app.conf"
    before = f"FROM debian:12\nRUN {text.replace('FILE', str(file))}\n"
    outcome = run(target_from_text(before), [CODEMOD], unsafe=True)
    assert not outcome.defects
    assert outcome.changed
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    for content, expected in ((matching, True), ("something else\n", False)):
        results = []
        for version in (before, outcome.text):
            file.write_text(content)
            done = subprocess.run(
                ["sh", "-c", script(version)], env=environment, capture_output=True, check=False, timeout=60
            )
            results.append((done.returncode == 0, file.read_text()))
        assert results[0][0]
        assert results[1][0] == expected
        assert results[0][1] == results[1][1]
        assert (results[0][1] != content) == expected
