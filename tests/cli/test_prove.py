"""`dockfix apply --prove`: what is written, what is left out and why, options and exit codes.

The session of `verify_toys.py` proves all unsafe fixes whose message does not contain `bad`.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.building import Builds, names

OLD = "FROM alpine as base\nWORKDIR good\nWORKDIR bad\nWORKDIR $X\nUSER root\n"
SAFE = OLD.replace(" as ", " AS ")
PROVEN = SAFE.replace("R good", "R /good")
SUMMARY = (
    "applied 2 fixes (1 safe, 1 proven by builds with toy 1.0) in 1 of 1 Dockerfile; 1 not fixed (-v shows why);"
    " 1 to fix by hand (-v shows it); 1 unsafe fix left out:\n"
)
LEFT_OUT = """\
  Dockerfile:3: workdir-abs relative folder bad
    image: broken
      /bad is missing
"""


@pytest.fixture
def builds(project: Path, tmp_path: Path) -> Builds:
    (project / "Dockerfile").write_text(OLD)
    return Builds(project, tmp_path)


def text(builds: Builds) -> str:
    return (builds.project / "Dockerfile").read_text()


def test_proven_fixes_are_written_and_others_left_out_with_the_evidence(builds: Builds) -> None:
    done = builds("fine", "apply", "--prove")
    assert (done.returncode, done.stdout) == (0, "")
    assert text(builds) == PROVEN
    assert done.stderr == f"Dockerfile: fixed from-as, workdir-abs (proven)\n{SUMMARY}{LEFT_OUT}"
    assert builds.said()["closed"]
    assert builds.left() == []
    assert names(builds.project) == [".git", "Dockerfile"]


def test_verbose_shows_each_fix_and_all_evidence(builds: Builds) -> None:
    seen = builds("fine", "apply", "--prove", "-v").stderr
    assert seen.startswith("Dockerfile: context web\n")
    assert "  broken     workdir-abs  image\n    /bad is missing\n    and more\n" in seen
    assert "Dockerfile:1:13: info from-as `as` in lower case [fixed]\n" in seen
    assert "Dockerfile:2:9: warning workdir-abs relative folder good [fixed: proven]\n" in seen
    assert "Dockerfile:3:9: warning workdir-abs relative folder bad [not applied: not proven]\n" in seen
    assert "Dockerfile:4:9: warning workdir-abs relative folder $X [not fixed: it holds a variable]\n" in seen
    assert "      /bad is missing\n      and more\n" in seen
    assert "    review: where it was\n" in seen


def test_quiet_says_nothing(builds: Builds) -> None:
    done = builds("fine", "apply", "--prove", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert text(builds) == PROVEN


def test_the_lines_of_fixes_left_out_are_those_of_the_file_as_it_is(builds: Builds, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM alpine as base\nCMD add-lines\nWORKDIR bad\n")
    assert "  Dockerfile:5: workdir-abs relative folder bad\n" in builds("fine", "apply", "--prove").stderr
    (project / "Dockerfile").write_text("FROM alpine as base\nCMD add-lines\nWORKDIR bad\n")
    shown = builds("fine", "apply", "--prove", "--diff").stderr
    assert f"  Dockerfile:3: workdir-abs relative folder bad\n{LEFT_OUT.partition(chr(10))[2]}" in shown


@pytest.mark.parametrize("option", ["--diff", "--check"])
def test_nothing_is_written_by(builds: Builds, option: str) -> None:
    done = builds("fine", "apply", "--prove", option)
    assert done.returncode == 1
    assert text(builds) == OLD
    assert "would apply 2 fixes (1 safe, 1 proven by builds with toy 1.0)" in done.stderr
    if option == "--diff":
        subprocess.run(["git", "apply", "-"], cwd=builds.project, input=done.stdout.encode(), check=True)
        assert text(builds) == PROVEN
    else:
        assert done.stdout == ""


def test_exit_non_zero_on_fix(builds: Builds) -> None:
    assert builds("fine", "apply", "--prove", "--exit-non-zero-on-fix").returncode == 1
    assert builds("fine", "apply", "--prove", "--exit-non-zero-on-fix").returncode == 0


def test_without_unsafe_fixes_no_builder_is_named(builds: Builds) -> None:
    (builds.project / "Dockerfile").write_text("FROM alpine as base\n")
    seen = builds("fine", "apply", "--prove").stderr
    assert seen == "Dockerfile: fixed from-as\napplied 1 fix (1 safe) in 1 of 1 Dockerfile\n"
    assert builds("fine", "apply", "--prove").stderr == "applied no fix in 1 Dockerfile\n"


def test_a_target_that_was_not_built_is_the_reason(builds: Builds) -> None:
    assert "    not built: the context has 3.0 GB\n" in builds("unbuilt", "apply", "--prove").stderr


def test_a_safe_fix_that_a_build_contradicts_is_a_defect(builds: Builds) -> None:
    done = builds("contradicted", "apply", "--prove")
    assert done.returncode == 3
    assert text(builds) == PROVEN
    assert (
        "error: Dockerfile (context web): a fix of from-as was applied, and a build has shown that its promise"
        " 'starts' is broken; please report this\n      exit code 1\n"
    ) in done.stderr


def test_a_file_that_changes_during_the_builds_is_refused(builds: Builds) -> None:
    done = builds("race", "apply", "--prove")
    assert done.returncode == 2
    assert text(builds) == "FROM other\n"
    assert "Dockerfile: changed while dockfix was working; nothing written\n" in done.stderr
    assert "applied no fix" in done.stderr


def test_unsafe_of_the_configuration_does_not_apply_what_is_not_proven(builds: Builds) -> None:
    (builds.project / "dockfix.toml").write_text("unsafe = true\n")
    builds("fine", "apply", "--prove")
    assert builds.said()["unsafe"] is False
    assert text(builds) == PROVEN


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--builder", "buildah"], "--builder can only be used with --prove"),
        (["--runs", "2", "--timeout", "9"], "--runs and --timeout can only be used with --prove"),
        (["--timeout", "2", "--max-context", "1M"], "--timeout and --max-context can only be used with --prove"),
        (["--prove", "-i"], "--prove cannot be combined with --interactive or standard input"),
        (["--prove", "-"], "--prove cannot be combined with --interactive or standard input"),
        (["--prove", "--unsafe"], "--unsafe and --prove cannot be combined: --prove applies the unsafe fixes that"),
        (["--prove", "--builder", "missing"], "the builder 'missing' is not known; use buildah"),
    ],
)
def test_bad_usage_is_one_line(builds: Builds, arguments: list[str], message: str) -> None:
    done = builds("fine", "apply", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1
    assert text(builds) == OLD
    assert builds.left() == []


def test_an_interrupt_writes_nothing(builds: Builds) -> None:
    done = builds("interrupt", "apply", "--prove")
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "dockfix: interrupted; nothing was written\n"
    assert text(builds) == OLD
    assert builds.left() == []


def test_options_of_builds_reach_the_session(builds: Builds) -> None:
    assert builds("fine", "apply", "--prove", "--runs", "2", "--builder", "podman").returncode == 0
    said = builds.said()
    assert (said["builder"], said["options"]["runs"]) == ("podman", 2)


def test_several_projects(builds: Builds, project: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / ".git").mkdir(parents=True)
    (tmp_path / "other" / "Dockerfile").write_text(OLD)
    shown = builds("fine", "apply", "--prove", "--diff", ".", "../other")
    assert shown.returncode == 1
    assert "+++ b/project/Dockerfile\n" in shown.stdout
    assert "+++ b/other/Dockerfile\n" in shown.stdout
    done = builds("fine", "apply", "--prove", ".", "../other")
    assert done.returncode == 0
    assert text(builds) == (tmp_path / "other" / "Dockerfile").read_text() == PROVEN
    assert done.stderr.count(SUMMARY) == 2
    assert "  ../other/Dockerfile:3: workdir-abs relative folder bad\n" in done.stderr
    assert builds.left() == []
