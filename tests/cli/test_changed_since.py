"""`dockfix check --changed-since`: only findings on lines that a branch has changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RequireTool

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Git = Callable[..., str]
OLD = "FROM alpine\nWORKDIR app\nRUN true\nUSER root\n"


@pytest.fixture
def git(project: Path, require_tool: RequireTool) -> Git:
    """Run git in the project, which is a repository with one commit on `main` and is on the branch `topic`."""
    program = require_tool("git")
    names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def run(*arguments: str, cwd: Path = project) -> str:
        done = subprocess.run(
            [program, *arguments], cwd=cwd, env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout

    (project / ".git").rmdir()
    run("init", "-q", "-b", "main")
    (project / "Dockerfile").write_text(OLD)
    (project / "old").mkdir()
    (project / "old" / "Dockerfile").write_text(OLD + "LABEL a=b\n" * 20)
    run("add", "-A")
    run("commit", "-q", "-m", "first")
    run("checkout", "-q", "-b", "topic")
    return run


def shown(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The file and the line of each finding that was shown."""
    return [":".join(line.split(":")[:2]) for line in done.stdout.decode("utf-8", "surrogateescape").splitlines()]


def test_nothing_has_changed(dockfix: Run, git: Git) -> None:
    assert git("status", "--short") == ""
    done = dockfix("check", "--changed-since", "main")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"4 findings on lines that have not changed since main not shown" in done.stderr


def test_lines_of_commits_and_of_the_work_tree(dockfix: Run, git: Git, project: Path) -> None:
    file = project / "Dockerfile"
    file.write_text(OLD.replace("WORKDIR app", "WORKDIR other"))
    git("commit", "-q", "-a", "-m", "second")
    assert shown(dockfix("check", "--changed-since", "main")) == ["Dockerfile:2"]
    file.write_text(file.read_text().replace("RUN true", "RUN false\nWORKDIR c"))
    assert shown(dockfix("check", "--changed-since", "main")) == ["Dockerfile:2", "Dockerfile:4"]
    git("add", "-A")
    assert shown(dockfix("check", "--changed-since", "HEAD")) == ["Dockerfile:4"]


def test_the_merge_base_counts(dockfix: Run, git: Git, project: Path) -> None:
    git("checkout", "-q", "main")
    (project / "Dockerfile").write_text("FROM alpine\nUSER root\nWORKDIR theirs\n")
    git("commit", "-q", "-a", "-m", "on main")
    git("checkout", "-q", "topic")
    assert shown(dockfix("check", "--changed-since", "main")) == []


def test_renamed_and_new_files(dockfix: Run, git: Git, project: Path) -> None:
    git("mv", "old", "new")
    (project / "new" / "Dockerfile").write_text((project / "new" / "Dockerfile").read_text() + "WORKDIR more\n")
    (project / "b.Dockerfile").write_text(OLD)  # not known to git
    expected = ["b.Dockerfile:2", "b.Dockerfile:4", "new/Dockerfile:25"]
    assert shown(dockfix("check", "--changed-since", "main")) == expected
    git("commit", "-q", "-a", "-m", "moved")
    assert shown(dockfix("check", "--changed-since", "main")) == expected


def test_other_line_ends_are_no_change(dockfix: Run, git: Git, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD.replace("\n", "\r\n").encode())
    assert git("status", "--short") != ""
    assert shown(dockfix("check", "--changed-since", "main")) == []


def test_in_a_folder_of_the_repository(dockfix: Run, git: Git, project: Path) -> None:
    (project / "old" / "dockfix.toml").write_text("")
    text = (project / "old" / "Dockerfile").read_text()
    (project / "old" / "Dockerfile").write_text(f"FROM b\nWORKDIR x\n{text}")
    git("add", "-A")
    assert shown(dockfix("check", "--changed-since", "main", cwd=project / "old")) == ["Dockerfile:2"]


def test_standard_input(dockfix: Run, git: Git) -> None:
    assert git("status", "--short") == ""
    text = OLD.replace("app", "else").encode()
    done = dockfix("check", "-", "--stdin-filename", "Dockerfile", "--changed-since", "main", stdin=text)
    assert shown(done) == ["Dockerfile:2"]
    assert dockfix("check", "-", "--changed-since", "main", stdin=text).returncode == 2


@pytest.mark.parametrize("name", ["a b", 'q"u\\ote', "new\nline", "tab\t", "ü\udcff", "-x", ":(top)x", "a\x1b[31m"])
def test_hostile_names(dockfix: Run, git: Git, project: Path, name: str) -> None:
    file = project / f"{name}.Dockerfile"
    file.write_text(OLD)
    git("add", "-A")
    git("commit", "-q", "-m", "named")
    file.write_text(OLD.replace("app", "other"))
    done = dockfix("check", "--changed-since", "HEAD")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert b"\x1b" not in done.stdout + done.stderr


def test_no_program_of_the_repository_is_run(dockfix: Run, git: Git, project: Path) -> None:
    trap = project / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {project}/sprung\ncat\n")
    trap.chmod(0o755)
    (project / ".gitattributes").write_text("* filter=trap diff=trap\n")
    git("add", "-A")
    git("commit", "-q", "-m", "attributes")
    for key in ("core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.external",
                "diff.trap.command", "diff.trap.textconv", "core.pager", "core.editor", "core.sshCommand"):  # fmt: skip
        git("config", key, str(trap))
    git("config", "core.hooksPath", str(project))
    git("config", "alias.diff-index", f"!{trap}")
    (project / "Dockerfile").write_text(OLD.replace("app", "other"))
    assert shown(dockfix("check", "--changed-since", "main")) == ["Dockerfile:2"]
    assert not (project / "sprung").exists()


class TestMistakes:
    """One line, exit code 2, and no finding."""

    def check(self, done: subprocess.CompletedProcess[bytes], message: bytes) -> None:
        assert (done.returncode, done.stdout) == (2, b"")
        (line,) = done.stderr.splitlines()
        assert line.startswith(b"error: --changed-since: ")
        assert message in line
        assert b"\x1b" not in line

    @pytest.mark.parametrize("name", ["nope", "topic..main", "\x1b[31m", "HEAD~99", "HEAD:Dockerfile", "main^{tree}"])
    def test_no_such_revision(self, dockfix: Run, git: Git, name: str) -> None:
        assert git("status", "--short") == ""
        self.check(dockfix("check", "--changed-since", name), b"git has no revision ")

    @pytest.mark.parametrize("name", ["", "-x", "--output=x", "a b", "a\nb"])
    def test_not_the_name_of_a_revision(self, dockfix: Run, git: Git, project: Path, name: str) -> None:
        assert git("status", "--short") == ""
        self.check(dockfix("check", f"--changed-since={name}"), b"is not the name of a revision")
        assert not (project / "x").exists()

    def test_no_git(self, dockfix: Run, project: Path) -> None:
        done = dockfix("check", "--changed-since", "main", env={"PATH": str(project)})
        self.check(done, b"git is not installed")

    def test_no_repository(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(OLD)
        done = dockfix("check", "--changed-since", "main", env={"GIT_CEILING_DIRECTORIES": str(project.parent)})
        self.check(done, b"is not in a git repository")

    def test_no_commit(self, dockfix: Run, project: Path, require_tool: RequireTool) -> None:
        subprocess.run([require_tool("git"), "init", "-q", project], check=True)
        self.check(dockfix("check", "--changed-since", "HEAD"), b"git has no revision HEAD")

    def test_no_common_commit(self, dockfix: Run, git: Git) -> None:
        git("checkout", "-q", "--orphan", "lone")
        git("commit", "-q", "-m", "lone")
        self.check(dockfix("check", "--changed-since", "main"), b"main and HEAD have no common commit")

    def test_a_shallow_clone(self, dockfix: Run, git: Git, project: Path, tmp_path: Path) -> None:
        (project / "Dockerfile").write_text("FROM b\n")
        git("commit", "-q", "-a", "-m", "second")
        git("checkout", "-q", "main")
        git("commit", "-q", "--allow-empty", "-m", "third")
        clone = tmp_path / "clone"
        git("clone", "-q", "--depth", "1", "--no-single-branch", "-b", "topic", f"file://{project}", str(clone))
        self.check(dockfix("check", "--changed-since", "origin/main", cwd=clone), b"`fetch-depth: 0`")
        self.check(dockfix("check", "--changed-since", "v1.0", cwd=clone), b"`fetch-depth: 0`")
        git("fetch", "-q", "--unshallow", cwd=clone)
        assert dockfix("check", "--changed-since", "origin/main", cwd=clone).returncode == 0

    def test_a_damaged_repository(self, dockfix: Run, git: Git, project: Path) -> None:
        blob = git("rev-parse", "main:Dockerfile").strip()
        (project / "Dockerfile").write_text(OLD.replace("app", "other"))
        (project / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        self.check(dockfix("check", "--changed-since", "main"), b"git cannot read Dockerfile of the merge base")


def test_lines_that_were_deleted_from_an_instruction(dockfix: Run, git: Git, project: Path) -> None:
    text = "FROM alpine\nRUN true && \\\n    false && \\\n    true\nWORKDIR \\\n  # a\n  app\n"
    (project / "Dockerfile").write_text(text)
    git("commit", "-q", "-a", "-m", "long")
    (project / "Dockerfile").write_text(text.replace("    false && \\\n", ""))
    assert shown(dockfix("check", "--changed-since", "HEAD")) == []
    (project / "Dockerfile").write_text(text.replace("  # a\n", ""))
    assert shown(dockfix("check", "--changed-since", "HEAD")) == ["Dockerfile:6"]
    (project / "Dockerfile").write_text(text.replace("    true\n", "    true\nUSER x\n", 1))
    git("commit", "-q", "-a", "-m", "user")
    (project / "Dockerfile").write_text(text)  # a whole instruction is gone: its neighbours are as they were
    assert shown(dockfix("check", "--changed-since", "HEAD")) == []
