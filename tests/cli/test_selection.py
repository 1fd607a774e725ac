"""Which rules run: presets, and rules named by the codes of hadolint and BuildKit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TEXT = "FROM alpine as b\nWORKDIR app\nUSER root\nEXPOSE 80\n"
"""A finding of from-as, workdir-abs and user-root each, and of breaker, which is in the preset `all`."""


@pytest.fixture
def dockerfile(project: Path) -> Path:
    path = project / "Dockerfile"
    path.write_text(TEXT)
    return path


def config(project: Path, text: str) -> None:
    (project / "dockfix.toml").write_text(text)


def rules_of(dockfix: Run, *arguments: str) -> set[str]:
    data = json.loads(dockfix("check", "--format", "json", *arguments).stdout)
    return {found["rule"] for file in data["files"] for found in file["findings"]} | {
        defect["rule"] for file in data["files"] for defect in file["defects"]
    }


DEFAULT = {"from-as", "workdir-abs", "user-root"}


@pytest.mark.usefixtures("dockerfile")
class TestCodes:
    @pytest.mark.parametrize("code", ["DL3000", "dl3000", "WorkdirRelativePath", "workdirrelativepath"])
    def test_in_options(self, dockfix: Run, code: str) -> None:
        assert rules_of(dockfix, "--rule", code) == {"workdir-abs"}
        assert rules_of(dockfix, "--rule", f"from-as,{code}") == {"from-as", "workdir-abs"}
        assert rules_of(dockfix, "--skip", code) == DEFAULT - {"workdir-abs"}

    @pytest.mark.parametrize(
        ("text", "rules"),
        [
            ('select = ["DL3000"]', {"workdir-abs"}),
            ('select = ["from-as"]\nextend-select = ["dl3002"]', {"from-as", "user-root"}),
            ('ignore = ["DL3000", "DL3002"]', {"from-as"}),
            ('per-file-ignores = {"Docker*" = ["WorkdirRelativePath"]}', DEFAULT - {"workdir-abs"}),
        ],
    )
    def test_in_the_configuration(self, dockfix: Run, project: Path, text: str, rules: set[str]) -> None:
        config(project, f"{text}\n")
        assert rules_of(dockfix) == rules

    def test_severities(self, dockfix: Run, project: Path) -> None:
        config(project, '[severity]\nDL3000 = "error"\n')
        assert b"error workdir-abs" in dockfix("check").stdout
        config(project, '[severity]\nworkdir-abs = "info"\nDL3000 = "error"\n')
        assert b"info workdir-abs" in dockfix("check").stdout

    def test_comments(self, dockfix: Run, dockerfile: Path) -> None:
        dockerfile.write_text(TEXT.replace("WORKDIR", "# dockfix: ignore=DL3000,DL3002 because\nWORKDIR"))
        done = dockfix("check")
        assert b"workdir-abs" not in done.stdout
        assert b"Dockerfile:2: warning: unused dockfix comment: DL3002 has no finding here" in done.stderr
        assert b"DL3000" not in done.stderr
        dockerfile.write_text(TEXT.replace("WORKDIR", "# dockfix: ignore=DL1000,DL300 because\nWORKDIR"))
        warnings = dockfix("check").stderr
        assert b"Dockerfile:2: warning: no rule answers DL1000: " in warnings
        assert b"Dockerfile:2: warning: unknown rule 'DL300' in a dockfix comment; did you mean 'DL300" in warnings

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("DL1000", b"no rule answers DL1000: dockfix reports what BuildKit refuses as a problem of the input"),
            ("SC2086", b"no rule answers SC2086: it is a code of ShellCheck"),
            ("DL9999", b"unknown rule 'DL9999'; `dockfix rules` lists them all"),
        ],
    )
    def test_a_code_that_no_rule_answers(self, dockfix: Run, project: Path, code: str, message: bytes) -> None:
        for arguments in (("check", "--rule", code), ("check", "--skip", code), ("explain", code)):
            done = dockfix(*arguments)
            assert done.returncode == 2
            assert message in done.stderr
        config(project, f'ignore = [\n"{code}"]\n')
        done = dockfix("check")
        assert done.returncode == 2
        assert b"dockfix.toml:1: ignore: " + message in done.stderr


@pytest.mark.usefixtures("dockerfile")
class TestPresets:
    def test_on_the_command_line(self, dockfix: Run) -> None:
        assert rules_of(dockfix) == rules_of(dockfix, "--preset", "recommended") == DEFAULT
        assert rules_of(dockfix, "--preset", "strict") == DEFAULT
        assert rules_of(dockfix, "--preset", "all") == {*DEFAULT, "breaker"}
        assert rules_of(dockfix, "--preset", "all", "--skip", "DL3000,from-as") == {"user-root", "breaker"}

    def test_in_the_configuration(self, dockfix: Run, project: Path) -> None:
        config(project, 'preset = "all"\nignore = ["from-as"]\n')
        assert rules_of(dockfix) == {"workdir-abs", "user-root", "breaker"}
        assert rules_of(dockfix, "--preset", "strict") == {"workdir-abs", "user-root"}
        assert rules_of(dockfix, "--rule", "user-root") == {"user-root"}
        config(project, 'preset = "strict"\nextend-select = ["breaker"]\n')
        assert rules_of(dockfix) == {*DEFAULT, "breaker"}

    def test_it_overrides_select(self, dockfix: Run, project: Path) -> None:
        config(project, 'select = ["from-as"]\nextend-select = ["user-root"]\n')
        assert rules_of(dockfix) == {"from-as", "user-root"}
        assert rules_of(dockfix, "--preset", "recommended") == DEFAULT

    def test_each_project_has_its_own(self, dockfix: Run, project: Path) -> None:
        (project / "nested").mkdir()
        (project / "nested" / "Dockerfile").write_text(TEXT)
        (project / "nested" / "dockfix.toml").write_text('preset = "all"\n')
        data = json.loads(dockfix("check", "--format", "json").stdout)
        assert [bool(file["defects"]) for file in data["files"]] == [False, True]

    @pytest.mark.parametrize("command", ["apply", "verify", "report", "baseline"])
    def test_all_commands_that_run_rules_have_it(self, dockfix: Run, command: str) -> None:
        done = dockfix(command, "--preset", "none")
        assert done.returncode == 2
        assert b"'none' is not one of 'recommended', 'strict', 'all'" in done.stderr

    def test_apply(self, dockfix: Run) -> None:
        assert dockfix("apply", "--preset", "all", "--diff").returncode == 3
        assert dockfix("apply", "--preset", "strict", "--diff").returncode == 1

    def test_mistakes(self, dockfix: Run, project: Path) -> None:
        done = dockfix("check", "--preset", "all", "--rule", "from-as")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"--preset and --rule cannot be combined" in done.stderr
        config(project, 'select = ["from-as"]\npreset = "all"\n')
        done = dockfix("check")
        assert done.returncode == 2
        assert b"dockfix.toml:2: preset has no effect if select says which rules run" in done.stderr
        config(project, 'preset = "everything"\n')
        done = dockfix("check")
        assert done.returncode == 2
        message = b"dockfix.toml:1: preset must be recommended, strict or all, not the string 'everything'"
        assert message in done.stderr


class TestAdviceOfSeverityInfo:
    """Advice of severity info does not fail a run unless that is asked for; fixes do, refusals never."""

    ADVICE = "FROM alpine\nUSER root\n"
    INFO = 'severity = { user-root = "info", workdir-abs = "info" }\n'

    def test_it_is_shown_and_does_not_fail(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(self.ADVICE)
        assert dockfix("check").returncode == 1
        config(project, self.INFO)
        done = dockfix("check")
        assert b"info user-root" in done.stdout
        assert done.returncode == 0

    def test_it_fails_if_that_is_asked_for(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(self.ADVICE)
        config(project, self.INFO)
        assert dockfix("check", "--fail-level", "info").returncode == 1
        assert dockfix("check", "--fail-level", "warning").returncode == 0
        config(project, f'fail-level = "info"\n{self.INFO}')
        assert dockfix("check").returncode == 1
        assert dockfix("check", "--fail-level", "warning").returncode == 0
        assert dockfix("check", "--exit-zero").returncode == 0

    def test_fixes_count_and_refusals_do_not(self, dockfix: Run, project: Path) -> None:
        config(project, self.INFO)
        (project / "Dockerfile").write_text("FROM alpine\nWORKDIR app\n")
        assert dockfix("check").returncode == 1
        (project / "Dockerfile").write_text("FROM alpine\nWORKDIR $app\n")
        for arguments in ((), ("--fail-level", "info")):
            done = dockfix("check", *arguments)
            assert b"info workdir-abs" in done.stdout
            assert done.returncode == 0
