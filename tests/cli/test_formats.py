"""`dockfix check --format` and `--output`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dockfix.cli.checking import Format
from tests.cli.conftest import TOYS, Run

TEXT = b"FROM a as b\nWORKDIR x\nWORKDIR $x\nUSER root\n"


@pytest.fixture
def dockerfile(project: Path) -> Path:
    path = project / "Dockerfile"
    path.write_bytes(TEXT)
    return path


@pytest.mark.parametrize("form", list(Format))
def test_every_format_writes_the_same_to_a_file_and_to_standard_output(
    dockfix: Run, project: Path, dockerfile: Path, form: Format
) -> None:
    shown = dockfix("check", "--format", form.value)
    written = dockfix("check", "--format", form.value, "--output", "out")
    assert (shown.returncode, written.returncode) == (1, 1)
    assert (written.stdout, written.stderr) == (b"", shown.stderr)
    assert (project / "out").read_bytes() == shown.stdout
    assert b"workdir-abs" in shown.stdout
    assert b"4 findings in 1 Dockerfile" in shown.stderr


def test_text_is_the_default_in_a_pipe_and_full_on_a_terminal(dockfix: Run, project: Path, dockerfile: Path) -> None:
    assert dockfix("check").stdout == dockfix("check", "-f", "text").stdout
    parent, child = pty.openpty()
    with os.fdopen(parent, "rb", buffering=0) as terminal:
        environment = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"} | {"NO_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, str(TOYS), "check", "-q"], cwd=project, stdin=subprocess.DEVNULL, stdout=child,
            stderr=subprocess.PIPE, check=False, env=environment,
        )  # fmt: skip
        os.close(child)
        shown = b""
        try:
            while part := terminal.read(65536):
                shown += part
        except OSError:  # the end, on Linux
            pass
    assert done.returncode == 1, done.stderr
    assert shown.replace(b"\r\n", b"\n") == dockfix("check", "-f", "full").stdout


def test_paths_are_relative_to_the_root_in_formats_for_programs(dockfix: Run, project: Path) -> None:
    folder = project / "api"
    folder.mkdir()
    (folder / "Dockerfile").write_bytes(TEXT)
    (folder / "Dockerfile.bad").write_bytes(b"FROM a\nRUN <<X\n")
    assert dockfix("check", cwd=folder).stdout.startswith(b"Dockerfile:1:8")
    assert b" --> Dockerfile:1:8\n" in dockfix("check", "-f", "full", cwd=folder).stdout
    for form in ("github", "gitlab", "junit", "checkstyle", "rdjson", "sarif", "jsonl"):
        shown = dockfix("check", "-f", form, cwd=folder).stdout
        assert b"api/Dockerfile" in shown
        assert shown.count(b"Dockerfile.bad") == shown.count(b"api/Dockerfile.bad") > 0, form


def test_standard_input(dockfix: Run) -> None:
    for form in Format:
        done = dockfix("check", "-f", form.value, "-", stdin=TEXT)
        assert done.returncode == 1
        assert b"workdir-abs" in done.stdout
    assert json.loads(dockfix("check", "-f", "json", "-", stdin=TEXT).stdout)["files"][0]["path"] == "<stdin>"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_formats_for_programs_are_utf8_whatever_the_encoding_of_the_terminal(project: Path, encoding: str) -> None:
    (project / "Dockerfile").write_text("FROM a\nWORKDIR caf\u00e9\u6f22\n", encoding="utf-8")
    for form in ("json", "jsonl", "sarif", "gitlab", "rdjson", "github-suggestions"):
        done = subprocess.run(
            [sys.executable, str(TOYS), "check", "-f", form], cwd=project, capture_output=True, check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert "caf\u00e9\u6f22" in done.stdout.decode("utf-8")
        [json.loads(line) for line in (done.stdout.splitlines() if form == "jsonl" else [done.stdout])]


def test_a_file_that_cannot_be_written_keeps_its_old_content(dockfix: Run, project: Path, dockerfile: Path) -> None:
    for name, reason in (("", b"is not the name of a file"), (".", b"is not"), ("no/out", b"is not a folder")):
        done = dockfix("check", "-f", "sarif", "-o", name)
        assert (done.returncode, done.stdout) == (2, b"")
        assert reason in done.stderr
    (project / "out").write_text("old")
    (project / "out").chmod(0o640)
    assert dockfix("check", "-f", "sarif", "-o", "out").returncode == 1
    assert json.loads((project / "out").read_bytes())["version"] == "2.1.0"
    assert (project / "out").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in project.iterdir()) == [".git", "Dockerfile", "out"]


def test_defects_are_in_every_format_for_programs(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a\n# crash\n")
    for form in ("json", "jsonl", "sarif", "github", "gitlab", "junit", "checkstyle", "rdjson", "markdown"):
        done = dockfix("check", "--rule", "crasher", "-f", form)
        assert done.returncode == 3
        assert b"no such thing" in done.stdout, form
