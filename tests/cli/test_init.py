"""`dockfix init`: flags, prompts on a terminal, and what it does not overwrite."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dockfix.project.init import TEMPLATES, render, suggest

TOYS = Path(__file__).with_name("toys.py")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_the_list(dockfix: Run) -> None:
    done = dockfix("init", "--list")
    assert done.returncode == 0
    assert [line.split()[0].decode() for line in done.stdout.splitlines()] == [*TEMPLATES]
    assert dockfix("init").returncode == 2
    assert b"there is no template 'perl'" in dockfix("init", "perl").stderr


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
    assert b"Dockerfile is there; --force overwrites it" in done.stderr
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
    assert b"'server --all' is no binary" in done.stderr


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
    for flags in (["--uid", "0"], ["--name", "A\nRUN x"], ["--entrypoint", "'"], ["--package-manager", "npm"]):
        done = dockfix("init", "python", *flags)
        assert done.returncode == 2
        assert done.stderr.startswith(b"error: ")
        assert b"Traceback" not in done.stderr
    assert not (project / "Dockerfile").exists()


def test_prompts_on_a_terminal(project: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(TOYS), "init", "python", "--port", "90"],
        cwd=project,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        os.write(ours, b"shop\n\npoetry\nserve --all\n")
    asked = os.read(ours, 10_000)
    os.close(ours)
    assert process.returncode == 0
    assert b"Name of the image [project]" in asked
    assert b"Port" not in asked
    assert asked.endswith(b"Dockerfile\r\n.dockerignore\r\n")
    text = (project / "Dockerfile").read_text()
    assert 'CMD ["serve", "--all"]' in text
    assert "# shop: " in text
    assert "poetry install" in text


def test_digests_come_from_the_lock_file_of_the_project(dockfix: Run, project: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    (project / "pyproject.toml").write_text('[tool.dockfix]\nimage-lock = "images.lock"\n')
    (project / "images.lock").write_text(f"python:3.13-slim-bookworm@{digest}\n")
    done = dockfix("init", "python", "--package-manager", "uv", "--yes")
    assert done.returncode == 0, done.stderr
    text = (project / "Dockerfile").read_text()
    assert text.count(f"FROM python:3.13-slim-bookworm@{digest}") == 2


def test_a_wrong_lock_file_is_an_error_and_nothing_is_written(dockfix: Run, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.dockfix]\nimage-lock = "images.lock"\n')
    (project / "images.lock").write_text("python\n")
    done = dockfix("init", "python", "--yes")
    assert done.returncode == 2
    assert b"images.lock:1: must be IMAGE:TAG@sha256:" in done.stderr
    assert not (project / "Dockerfile").exists()
