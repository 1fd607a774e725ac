"""Running dockfix in a folder that holds modules of its own: none of them is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = (
    "click", "dockerfile_parse", "dockfix_codemods", "hcl2", "libcst", "pathspec", "rich", "ruamel", "tree_sitter",
    "tree_sitter_bash", "typer",
)  # fmt: skip
# `main` sets it for its workers, and another test may have called it in this process.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
FILES = 45
"""Enough for several processes."""
SPAWN = """\
import multiprocessing
import sys
from dockfix.cli import main
get_context = multiprocessing.get_context
multiprocessing.get_context = lambda _: get_context("spawn")  # as on macOS
if __name__ == "__main__":
    sys.exit(main(["apply", "--jobs", "2"]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a module for every name that could be imported, each of which leaves a trace."""
    (tmp_path / "probe.py").write_text("import sys; print(*sys.modules)")
    probe = subprocess.run(
        [sys.executable, "-m", "probe"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    (tmp_path / "probe.py").unlink()
    # Python imports these to find the module that -m names, before that module can do anything.
    early = {name.partition(".")[0] for name in probe.stdout.split()}
    hostile = tmp_path / "hostile"
    (hostile / ".git").mkdir(parents=True)
    for name in {*sys.stdlib_module_names, *PACKAGES} - early:
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write(__name__ + ' ')\n")
    for number in range(FILES):
        (hostile / f"{number}.Dockerfile").write_text("FROM alpine:3.20\nRUN apk add curl\n")
    (hostile / "compose.yaml").write_text("services: {web: {build: {context: ., dockerfile: 0.Dockerfile}}}\n")
    (hostile / "dockfix.toml").write_text("jobs = 2\n")
    return hostile


def trace(folder: Path) -> str:
    file = folder.parent / "trace"
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize(
    "arguments", [("--version",), ("check",), ("apply", "--jobs", "2"), ("targets",), ("rules",), ("--help",)]
)
def test_no_module_of_the_current_folder_is_run(folder: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dockfix", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert b"Traceback" not in done.stderr
    assert trace(folder) == ""
    fixed = [path for path in folder.glob("*.Dockerfile") if "--no-cache" in path.read_text()]
    assert len(fixed) == (FILES if "apply" in arguments else 0)


def test_nor_by_workers_that_are_started_anew(folder: Path) -> None:
    program = folder.parent / "program.py"
    program.write_text(SPAWN)
    done = subprocess.run(
        [sys.executable, program], cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert trace(folder) == ""
    assert all("--no-cache" in path.read_text() for path in folder.glob("*.Dockerfile"))
