"""`dockfix init`: flags, prompts on a terminal, and what it does not overwrite."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockfix.project.templates import TEMPLATES, render, suggest

TOYS = Path(__file__).with_name("toys.py")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_the_list(dockfix: Run) -> None:
    done = dockfix("init", "--list")
    assert done.returncode == 0
    assert [line.split()[0].decode() for line in done.stdout.splitlines()] == [*TEMPLATES]
    assert dockfix("init").returncode == 2
    assert b"there is no template 'perl'; there are python, node, " in dockfix("init", "perl").stderr


def test_a_misspelt_template_is_the_first_error(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM mine\n")
    done = dockfix("init", "pyton")
    assert (done.returncode, done.stderr) == (2, b"error: there is no template 'pyton'; did you mean 'python'?\n")


def test_it_writes_both_files_and_names_what_is_missing(dockfix: Run, project: Path) -> None:
    (project / "package.json").write_text('{"name": "web", "main": "a.js"}')
    done = dockfix("init", "node")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [b"Dockerfile", b".dockerignore"]
    assert b"the build needs package-lock.json" in done.stderr
    assert (project / "Dockerfile").read_text() == render(suggest("node", project)).dockerfile
    assert b"node_modules" in (project / ".dockerignore").read_bytes()


def test_it_overwrites_nothing(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM mine\n")
    done = dockfix("init", "go")
    assert done.returncode == 2
    assert b"Dockerfile already exists; --force overwrites it" in done.stderr
    assert (project / "Dockerfile").read_text() == "FROM mine\n"
    assert not (project / ".dockerignore").exists()
    assert dockfix("init", "go", "--force").returncode == 0
    assert dockfix("init", "go", "--output", "none/Dockerfile").returncode == 2


def test_all_answers_by_flags_to_standard_output(dockfix: Run, project: Path) -> None:
    done = dockfix(
        "init", "python", "--name", "x-y", "--port", "81", "--python-version", "3.12", "--package-manager", "pip",
        "--entrypoint", "gunicorn 'a b:c'", "--uid", "20000", "-o", "-",
    )  # fmt: skip
    assert done.returncode == 0
    text = done.stdout.decode()
    assert text.endswith('CMD ["gunicorn", "a b:c"]\n')
    for each in ("# x-y: ", "FROM python:3.12-slim", "EXPOSE 81\n", "USER 20000:20000", "install -r requirements.txt"):
        assert each in text
    assert [*project.iterdir()] == [project / ".git"]


def test_rust_by_flags(dockfix: Run, project: Path) -> None:
    (project / "Cargo.toml").write_text('[package]\nname = "shop"\n')
    done = dockfix("init", "rust", "--rust-version", "1.90", "--entrypoint", "server", "--port", "0")
    assert done.returncode == 0
    assert b"the build needs Cargo.lock" in done.stderr
    assert b"Cargo.toml" not in done.stderr
    text = (project / "Dockerfile").read_text()
    for each in ("# shop: ", "FROM rust:1.90-bookworm", "--bin server", "target/release/server /out/app"):
        assert each in text
    assert "EXPOSE" not in text
    assert b"\ntarget\n" in (project / ".dockerignore").read_bytes()
    done = dockfix("init", "rust", "--entrypoint", "server --all", "--force")
    assert done.returncode == 2
    assert b"'server --all' is not a binary" in done.stderr


def test_the_jar_is_where_the_build_tool_leaves_it(dockfix: Run, project: Path) -> None:
    (project / "pom.xml").write_text("<project/>")
    for flags, jar in (
        ([], b"/src/target/*.jar "),
        (["--package-manager", "gradle"], b"/src/build/libs/*.jar "),
        (["--package-manager", "gradle", "--entrypoint", "web/build/libs/web.jar"], b"/src/web/build/libs/web.jar "),
    ):
        done = dockfix("init", "java", "--java-version", "17", "-o", "-", *flags)
        assert done.returncode == 0
        assert jar in done.stdout
        assert b"FROM eclipse-temurin:17-jre\n" in done.stdout


def test_an_answer_that_cannot_be_used(dockfix: Run, project: Path) -> None:
    for flags in (
        ["--uid", "0"],
        ["--name", "A\nRUN x"],
        ["--entrypoint", "'"],
        ["--package-manager", "npm"],
        ["--output", ""],
        ["--output", "/"],
    ):
        done = dockfix("init", "python", *flags)
        assert done.returncode == 2
        assert done.stderr.startswith(b"error: ")
        assert b"Traceback" not in done.stderr
    assert not (project / "Dockerfile").exists()


@pytest.mark.parametrize("text", ["gunicorn 'a", "a b\\"])
def test_a_command_that_cannot_be_split_names_the_option(dockfix: Run, text: str) -> None:
    done = dockfix("init", "python", "--entrypoint", text)
    assert done.returncode == 2
    reason = b"has a quotation mark that is not closed" if "'" in text else b"ends in a backslash that escapes nothing"
    assert done.stderr.startswith(b"error: --entrypoint: the command ")
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("files", "flags", "command"),
    [
        (["demo/__init__.py", "demo/__main__.py"], ["--name", "demo"], ["python", "-m", "demo"]),
        (["demo/__init__.py", "demo/__main__.py"], ["--name", "shop"], ["python", "-m", "demo"]),
        (["demo/__init__.py", "demo/__main__.py"], [], ["python", "-m", "demo"]),
        (["my_demo/__init__.py", "tests/__init__.py"], ["--name", "my-demo"], ["python", "-m", "my_demo"]),
        (["demo/__init__.py", "demo/main.py"], ["--name", "demo"], ["python", "-m", "demo.main"]),
        (["a/__init__.py", "b/__init__.py"], ["--name", "b"], ["python", "-m", "b"]),
        (["main.py"], ["--name", "demo"], ["python", "-m", "main"]),
        ([], ["--name", "demo"], ["python", "-m", "demo"]),
    ],
)
def test_the_command_runs_the_package_that_is_there(
    dockfix: Run, project: Path, files: list[str], flags: list[str], command: list[str]
) -> None:
    for name in files:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).touch()
    assert dockfix("init", "python", "-y", *flags).returncode == 0
    assert (project / "Dockerfile").read_text().endswith(f"CMD {json.dumps(command)}\n")


def test_a_package_below_src_runs_once_it_is_installed(dockfix: Run, project: Path) -> None:
    (project / "src" / "demo").mkdir(parents=True)
    (project / "src" / "demo" / "__main__.py").touch()
    (project / "pyproject.toml").write_text('[project]\nname = "other"\n[build-system]\nrequires = []\n')
    assert dockfix("init", "python", "-y").returncode == 0
    assert (project / "Dockerfile").read_text().endswith('CMD ["python", "-m", "demo"]\n')


def on_a_terminal(project: Path, answers: bytes, *arguments: str) -> tuple[int, bytes]:
    """The exit code of `dockfix init` on a terminal on which somebody types, and what it shows there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, str(TOYS), "init", *arguments]
    env = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=project, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        os.write(ours, answers)
        shown = b""
        with contextlib.suppress(OSError):  # how the end of a terminal is told on Linux
            while data := os.read(ours, 10_000):
                shown += data
    os.close(ours)
    return process.returncode, shown


def test_the_template_is_asked_for_on_a_terminal(project: Path) -> None:
    (project / "go.mod").write_text("module example.org/shop\n")
    code, shown = on_a_terminal(project, b"perl\n\n\n\n\n\n")
    assert code == 0
    assert b"Template (python, node, go, rust, java) [go]: " in shown
    assert b"error: there is no template 'perl'" in shown
    assert "# shop: a Go program" in (project / "Dockerfile").read_text()


def test_a_wrong_answer_is_asked_for_again_at_once(project: Path) -> None:
    code, shown = on_a_terminal(project, b"A B\nshop\nx\n3.12\nnpm\npip\nhttp\n99999\n80\na 'b\nserve\n", "python")
    assert code == 0
    assert shown.count(b"error: ") == 6
    questions = (b"Name of the image", b"Version", b"Package manager")
    assert [shown.count(each) for each in questions] == [2, 2, 2]
    text = (project / "Dockerfile").read_text()
    for each in ("# shop: ", "FROM python:3.12-slim", "requirements.txt", "EXPOSE 80\n", 'CMD ["serve"]'):
        assert each in text


def test_what_would_be_overwritten_is_said_before_the_questions(project: Path) -> None:
    (project / "Dockerfile").touch()
    code, shown = on_a_terminal(project, b"", "python")
    assert code == 2
    assert b"Name of the image" not in shown


def test_prompts_on_a_terminal(project: Path) -> None:
    code, asked = on_a_terminal(project, b"shop\n\npoetry\nserve --all\n", "python", "--port", "90")
    assert code == 0
    assert b"Name of the image [project]" in asked
    assert b"Port" not in asked
    assert b"Dockerfile\r\n.dockerignore\r\n" in asked
    text = (project / "Dockerfile").read_text()
    assert 'CMD ["serve", "--all"]' in text
    assert "# shop: " in text
    assert "poetry install" in text


def test_digests_come_from_the_lock_file_of_the_project(dockfix: Run, project: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    (project / "pyproject.toml").write_text('[tool.dockfix.rules.image-pin]\nlock-file = "images.lock"\n')
    (project / "images.lock").write_text(f"python:3.13-slim-bookworm@{digest}\n")
    done = dockfix("init", "python", "--package-manager", "uv", "--yes")
    assert done.returncode == 0, done.stderr
    text = (project / "Dockerfile").read_text()
    assert text.count(f"FROM python:3.13-slim-bookworm@{digest}") == 2


def test_a_wrong_lock_file_is_an_error_and_nothing_is_written(dockfix: Run, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.dockfix.rules.image-pin]\nlock-file = "images.lock"\n')
    (project / "images.lock").write_text("python\n")
    done = dockfix("init", "python", "--yes")
    assert done.returncode == 2
    assert b"images.lock:1: must be IMAGE:TAG@sha256:" in done.stderr
    assert not (project / "Dockerfile").exists()
