"""Completion offers values as shells show them, through the environment variables that shells set."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dockfix.cli import main
from dockfix.cli.checking import FailLevel, Format
from dockfix.cli.completing import join_options
from dockfix.project.templates.answers import TEMPLATES
from dockfix.rule.registry import load_registry


def complete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str, shell: str = "bash"
) -> list[str]:
    """What a shell is offered for the last of the words after `dockfix`."""
    monkeypatch.setenv("_DOCKFIX_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", "\n".join(("dockfix", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", " ".join(("dockfix", *words)))
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    main([])
    return [each for each in capsys.readouterr().out.splitlines() if each]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("explain", "postgres"), {"postgres-preload", "postgres-extension"}),
        (("check", "--rule", "postgres"), {"postgres-preload", "postgres-extension"}),
        (("apply", "-r", "postgres"), {"postgres-preload", "postgres-extension"}),
        (
            ("verify", "--skip", "cache-mount,postgres"),
            {"cache-mount,postgres-preload", "cache-mount,postgres-extension"},
        ),
        (("check", "--rule", "user-group,postgres"), {"user-group,postgres-preload", "user-group,postgres-extension"}),
        (("check", "--rule", "=", "postgres"), {"postgres-preload", "postgres-extension"}),
        (("check", "--rule", "no-such"), set()),
        (("explain", "DL4006"), {"DL4006"}),
        (("check", "--skip", "arg-scope,UndefinedV"), {"arg-scope,UndefinedVar"}),
        (("report", "--preset", ""), {"recommended", "strict", "all"}),
        (("migrate", ""), {"hadolint"}),
        (("check", "--format", ""), {str(each) for each in Format}),
        (("check", "--format", "=", "sar"), {"sarif"}),
        (("check", "--fail-level", ""), {str(each) for each in FailLevel}),
        (("check", "--color", ""), {"auto", "always", "never"}),
        (("verify", "--builder", "build"), {"buildx", "buildctl", "buildah"}),
        (("init", ""), set(TEMPLATES)),
        (("init", "python", "--package-manager", "p"), {"pip", "poetry", "pnpm"}),
        (("expl",), {"explain"}),
        (("check", "--stat"), {"--statistics"}),
    ],
)
def test_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], offered: set[str]
) -> None:
    assert set(complete(capsys, monkeypatch, *words)) == offered


def test_all_rules_are_offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete(capsys, monkeypatch, "explain", "") == sorted(load_registry().names)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_that_show_help_get_the_titles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    title = load_registry().get("cache-mount").title
    assert any(title in each for each in complete(capsys, monkeypatch, "explain", "cache-m", shell=shell))


@pytest.mark.parametrize("value", ["postgres", "user-group,postgres", "none-such"])
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_that_complete_whole_words_get_the_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shell: str, value: str
) -> None:
    before = value.rpartition(",")[0]
    found = "\n".join(complete(capsys, monkeypatch, "check", f"--rule={value}", shell=shell))
    names = re.findall(r"--rule=([\w,-]+)", found)
    expected = [] if value == "none-such" else ["postgres-extension", "postgres-preload"]
    assert names == [f"{before},{name}" if before else name for name in expected]
    assert complete(capsys, monkeypatch, "check", "--stat", shell=shell)[0].count("--statistics") == 1


def test_an_equals_sign_that_is_a_word_of_its_own() -> None:
    environment = {"COMP_WORDS": "dockfix\ncheck\n--rule\n=\na\n=\nb", "COMP_CWORD": "4"}
    join_options(environment)
    assert environment == {"COMP_WORDS": "dockfix\ncheck\n--rule\na\n=\nb", "COMP_CWORD": "3"}
    for odd in ({}, {"COMP_CWORD": "x"}, {"COMP_WORDS": "", "COMP_CWORD": "9"}):
        join_options(odd)  # whatever the environment holds


def test_completion_is_light_and_reads_no_project(tmp_path: Path) -> None:
    """Nothing that a run needs is loaded, and a broken project changes nothing."""
    (tmp_path / "pyproject.toml").write_text("[tool.dockfix\n")
    (tmp_path / ".dockfix.toml").write_text("broken [")
    code = (
        "import sys, atexit; from pathlib import Path; from dockfix.cli import main\n"
        "def opened(event, args):\n"
        "    if event == 'open' and str(args[0]).startswith(str(Path.cwd())): print('opened', args[0])\n"
        "sys.addaudithook(opened)\n"
        "try: main([])\n"
        "finally: print([each for each in ('libcst', 'ruamel.yaml', 'tree_sitter', 'tomllib', 'hcl2', 'dockfix.engine',"
        " 'dockfix.project.config') if each in sys.modules])\n"
    )
    environment = {"_DOCKFIX_COMPLETE": "complete_bash", "COMP_WORDS": "dockfix\nexplain\nuser-g", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (["user-group", "[]"], "")
