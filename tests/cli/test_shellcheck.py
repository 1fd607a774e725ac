"""ShellCheck and the command line: what is said if it is missing, where results are kept, and what runs by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.cli import main
from dockfix.project import shellcheck
from dockfix.rule import registry

NOTE = "shellcheck finds nothing: the program is not installed (pip install 'dockfix[shellcheck]')"
TEXT = "FROM debian:12\nRUN cd /srv; rm $HOME\n"


@pytest.fixture(autouse=True)
def dockerfile(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = project / "Dockerfile"
    path.write_text(TEXT)
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.parent / "cache"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE")
    return path


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that finds nothing, with the extra installed."""
    path = tmp_path / "shellcheck"
    path.write_text(f"#!/bin/sh\necho run >> {tmp_path}/log\necho '{{\"comments\": []}}'\n")
    path.chmod(0o755)
    monkeypatch.setattr(shellcheck, "find_program", lambda: str(path))
    monkeypatch.setattr(registry, "is_installed", lambda _: True)
    return tmp_path / "log"


@pytest.mark.parametrize("arguments", [["--rule", "shellcheck"], ["--rule", "SC2086"], ["--rule", "SC9999,image-tag"]])
def test_a_rule_or_code_without_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: None)
    assert main(["check", *arguments]) == 0
    assert capsys.readouterr().err.count(NOTE) == 1


def test_the_configuration_without_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: None)
    (project / "dockfix.toml").write_text('extend-select = ["SC2086"]\n')
    main(["check"])
    assert NOTE in capsys.readouterr().err
    (project / "dockfix.toml").write_text('ignore = ["SC2086"]\n')
    main(["check"])
    assert NOTE not in capsys.readouterr().err


def test_the_extra_turns_the_rule_on(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["check"])
    assert program.read_text() == "run\n"
    program.unlink()
    monkeypatch.setenv("XDG_CACHE_HOME", str(program.parent / "other"))
    monkeypatch.setattr(registry, "is_installed", lambda _: False)
    main(["check"])
    assert not program.exists()
    main(["check", "--rule", "SC2086"])
    assert program.exists()


def test_results_are_kept_for_the_next_run(program: Path, project: Path) -> None:
    for _ in range(2):
        main(["check", "--rule", "shellcheck"])
    assert program.read_text() == "run\n"
    assert len(list((project.parent / "cache" / "dockfix" / "shellcheck").iterdir())) == 1


def test_no_process_for_a_file_without_shell_text(program: Path, dockerfile: Path) -> None:
    dockerfile.write_text('FROM debian:12\nCMD ["run"]\n')
    main(["check", "--rule", "shellcheck"])
    assert not program.exists()
    main(["rules"])
    main(["--version"])
    assert not program.exists()


@pytest.mark.parametrize("folder", ["relative", ""])
def test_a_folder_that_is_not_absolute_is_not_used(
    program: Path, project: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", folder)
    monkeypatch.setenv("HOME", str(project.parent / "home"))
    main(["check", "--rule", "shellcheck"])
    assert program.exists()
    assert not (project / "relative").exists()
    assert (project.parent / "home" / ".cache").exists() is not bool(folder)
