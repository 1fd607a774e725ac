"""Every `--help` fits the terminal, is complete, and describes every option."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from dockfix.cli import main
from dockfix.cli.app import app

PROGRAM: Any = typer.main.get_command(app)
COMMANDS = sorted(PROGRAM.commands)


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, *words: str) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_line_fits_and_no_name_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, width: int
) -> None:
    text = shown(capsys, monkeypatch, width, *command.split())
    assert [line for line in text.splitlines() if len(line) > width or line.endswith("-")] == []
    assert "\ue000" not in text
    assert not re.search(r"(?<!\])\.\.\.(?!\s*$)", text, re.MULTILINE)
    assert not re.search(r"\w\.\.\.$", text, re.MULTILINE)  # a sentence that was cut


def test_the_program_shows_a_whole_sentence_for_each_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = " ".join(shown(capsys, monkeypatch, 80).split())
    for name, command in PROGRAM.commands.items():
        sentence = command.get_short_help_str()
        assert sentence.endswith(".")
        assert f" {name} {sentence} " in words


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_text_and_a_value_in_capitals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    words = " ".join(shown(capsys, monkeypatch, 80, command).split())
    for each in PROGRAM.commands[command].params:
        assert each.help, each.name
        assert each.help.endswith("."), each.help
        assert each.help in words
        assert all(name in words for name in each.opts if name.startswith("-"))
        if not getattr(each, "is_flag", False):
            assert re.fullmatch(r"\[?[A-Z]+(=[A-Z]+)?\]?(\.\.\.)?", each.metavar or ""), each.name


@pytest.mark.parametrize("command", COMMANDS)
def test_exit_codes_are_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    text = shown(capsys, monkeypatch, 80, command)
    assert re.search(r"\n\nExit codes:\n  0 +\w.*\n", text)
    assert re.search(r"\n  130  interrupted\n?$", text)


def test_options_are_in_sections(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    titles = re.findall(r"^(\S.*):$", shown(capsys, monkeypatch, 80, "apply"), re.MULTILINE)
    assert titles == [
        "Arguments", "Options", "Builds (with --prove)", "Project and configuration", "File selection",
        "Other options", "Exit codes",
    ]  # fmt: skip
    few = re.findall(r"^(\S.*):$", shown(capsys, monkeypatch, 80, "explain"), re.MULTILINE)
    assert few == ["Arguments", "Options", "Exit codes"]


def test_the_usage_line_names_the_arguments(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [shown(capsys, monkeypatch, 80, each).splitlines()[0] for each in ("check", "explain", "init")]
    assert lines == [
        "Usage: dockfix check [OPTIONS] [PATHS]...",
        "Usage: dockfix explain [OPTIONS] RULE",
        "Usage: dockfix init [OPTIONS] [TEMPLATE]",
    ]
