"""`dockfix migrate hadolint`: prints or writes a configuration, and never overwrites one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

TEXT = "ignored: [DL3002, SC2086]\nfailure-threshold: warning\n"
CONFIG = 'ignore = [\n    "DL3002",  # user-root\n]\nfail-level = "warning"\n'
FINDING = "FROM alpine\nUSER root\n"


@pytest.fixture
def source(project: Path) -> Path:
    path = project / ".hadolint.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.usefixtures("source")
def test_it_prints(dockfix: Run, project: Path) -> None:
    done = dockfix("migrate", "hadolint")
    assert (done.returncode, done.stdout.decode()) == (0, CONFIG)
    assert b".hadolint.yaml:1: ignored: SC2086: a code of ShellCheck" in done.stderr
    assert dockfix("migrate", "hadolint", "--quiet").stderr == b""
    assert [each.name for each in project.iterdir() if each.name != ".git"] == [".hadolint.yaml"]


def test_it_writes_a_file_that_dockfix_reads(dockfix: Run, project: Path, source: Path) -> None:
    (project / "Dockerfile").write_text(FINDING)
    assert dockfix("check").returncode == 1
    done = dockfix("migrate", "hadolint", "--write")
    assert (done.returncode, done.stdout) == (0, b"dockfix.toml\n")
    assert (project / "dockfix.toml").read_text() == CONFIG
    assert dockfix("check").returncode == 0
    source.write_text("ignored: [DL3000]\n")
    again = dockfix("migrate", "hadolint", "--write")
    assert (again.returncode, again.stdout) == (2, b"")
    assert b"dockfix.toml: configures dockfix already; nothing written" in again.stderr
    assert (project / "dockfix.toml").read_text() == CONFIG


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_it_extends_pyproject(dockfix: Run, project: Path, newline: str, end: str) -> None:
    pyproject = project / "pyproject.toml"
    before = f"# a comment\n[tool.ruff]\nline-length = 100{end}".replace("\n", newline).encode()
    if newline == "\r\n" and not end:
        before = before.replace(b"[tool", b"# more\r\n[tool")
    pyproject.write_bytes(before)
    pyproject.chmod(0o640)
    (project / "Dockerfile").write_text(FINDING)
    done = dockfix("migrate", "hadolint", "--write")
    assert (done.returncode, done.stdout) == (0, b"pyproject.toml\n")
    after = pyproject.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(newline.encode())
    assert b"[tool.dockfix]" in after
    assert pyproject.stat().st_mode & 0o777 == 0o640
    assert not (project / "dockfix.toml").exists()
    assert dockfix("check").returncode == 0
    again = dockfix("migrate", "hadolint", "--write")
    assert again.returncode == 2
    assert b"pyproject.toml: configures dockfix already; nothing written" in again.stderr
    assert pyproject.read_bytes() == after


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool\n", b"pyproject.toml:1: is not valid TOML: "),
        ("tool = { a = 1 }\n", b"nothing written"),
    ],
)
def test_a_pyproject_that_cannot_be_extended(dockfix: Run, project: Path, text: str, message: bytes) -> None:
    (project / "pyproject.toml").write_text(text)
    done = dockfix("migrate", "hadolint", "--write")
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr
    assert (project / "pyproject.toml").read_text() == text
    assert not (project / "dockfix.toml").exists()


def test_a_file_elsewhere(dockfix: Run, project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "lint.yml").write_text(TEXT)
    assert dockfix("migrate", "hadolint", "sub/lint.yml").stdout.decode() == CONFIG
    assert dockfix("migrate", "hadolint", "sub/lint.yml", "--write").stdout == b"sub/dockfix.toml\n"
    (project / ".hadolint.yml").write_text("{}\n")
    done = dockfix("migrate", "hadolint")
    assert (done.returncode, done.stdout) == (0, b"# nothing differs from the defaults of dockfix\n")
    done = dockfix("migrate", "hadolint", "--write")
    assert (done.returncode, done.stdout) == (0, b"# nothing differs from the defaults of dockfix\n")
    assert not (project / "dockfix.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hadolint",), b"neither .hadolint.yaml nor .hadolint.yml is in the current folder; name the file"),
        (("hadolint", "none.yaml"), b"none.yaml: "),
        (("hadolint", ""), b"'' is not a file"),
        (("hadolint", "."), b"'.' is not a file"),
        (("tally",), b"'tally' is not one of 'hadolint'"),
        (("hadolint", "bad.yaml"), b"bad.yaml:2: unknown key 'ignore'; did you mean 'ignored'?"),
    ],
)
def test_mistakes(dockfix: Run, project: Path, arguments: tuple[str, ...], message: bytes) -> None:
    (project / "bad.yaml").write_text("no-fail: true\nignore: [DL3002]\n")
    for more in ((), ("--write",)):
        done = dockfix("migrate", *arguments, *more)
        assert (done.returncode, done.stdout) == (2, b"")
        assert message in done.stderr
    assert not (project / "dockfix.toml").exists()
