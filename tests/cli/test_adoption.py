"""Adoption: fail levels, severities, ignored rules, baselines, ignore comments, statistics and watching."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

TOYS = Path(__file__).with_name("toys.py")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
INFO = "FROM alpine as base\n"
WARNING = "FROM alpine\nWORKDIR app\n"
ERROR = "FROM alpine\nUSER root\n"
REFUSED = "FROM alpine\nWORKDIR $X\n"
ALL = "FROM alpine as base\nWORKDIR app\nWORKDIR $X\nUSER root\n"


def config(project: Path, text: str) -> None:
    (project / "dockfix.toml").write_text(text)


def rules_in(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The file and the rule of each finding that was shown."""
    return [f"{line.split(':')[0]} {line.split()[2]}" for line in done.stdout.decode().splitlines()]


class TestFailLevel:
    @pytest.mark.parametrize(
        ("text", "failing"),
        [
            (INFO, ["info"]),
            (WARNING, ["info", "warning"]),
            (REFUSED, ["info", "warning"]),
            (ERROR, ["info", "warning", "error"]),
            ("FROM alpine\n", []),
        ],
    )
    def test_levels(self, dockfix: Run, project: Path, text: str, failing: list[str]) -> None:
        (project / "Dockerfile").write_text(text)
        for level in ("info", "warning", "error", "none"):
            expected = int(level in failing)
            assert dockfix("check", "--fail-level", level).returncode == expected
            config(project, f'fail-level = "{level}"\n')
            assert dockfix("check").returncode == expected
        assert dockfix("check", "--fail-level", "info").returncode == int(bool(failing))  # overrides the configuration
        assert dockfix("check", "--fail-level", "info", "--exit-zero").returncode == 0

    def test_a_refusal_of_severity_info_does_not_count(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(REFUSED)
        config(project, 'severity = { workdir-abs = "info" }\n')
        done = dockfix("check")
        assert b" info workdir-abs" in done.stdout
        assert done.returncode == 0

    def test_exit_zero_does_not_hide_what_could_not_be_checked(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text("NONSENSE\n")
        assert dockfix("check", "--exit-zero").returncode == 2
        (project / "Dockerfile").write_text("FROM a\nCMD crash\n")
        assert dockfix("check", "--exit-zero", "--rule", "crasher").returncode == 3

    def test_a_wrong_level(self, dockfix: Run, project: Path) -> None:
        done = dockfix("check", "--fail-level", "fatal")
        assert done.returncode == 2
        assert b"fatal" in done.stderr
        assert project.is_dir()


class TestSeverity:
    def test_it_is_shown_everywhere(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(INFO)
        config(project, '[severity]\nfrom-as = "error"\n')
        assert b" error from-as " in dockfix("check").stdout
        (file,) = json.loads(dockfix("check", "--format", "json").stdout)["files"]
        assert [each["severity"] for each in file["findings"]] == ["error"]
        assert dockfix("check", "--fail-level", "error").returncode == 1

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ('[severity]\n\nfrom-at = "info"\n', 3, b"severity: unknown rule 'from-at'; did you mean 'from-as'?"),
            ('[severity]\nfrom-as = "bad"\n', 2, b"but 'from-as' has the string 'bad'"),
            ('[per-file-ignores]\n"x/**" = ["from-at"]\n', 2, b"unknown rule 'from-at'; did you mean 'from-as'?"),
            ('[per-file-ignores]\n"[" = ["from-as"]\n', 2, b"'[' is not a valid pattern of .gitignore"),
            ('[per-file-ignores]\n"" = ["from-as"]\n', 2, b"'' is not a valid pattern of .gitignore"),
            ('[per-file-ignores]\nx = "from-as"\n', 2, b"but 'x' has the string 'from-as'"),
            ('[[targets]]\nfiles = "["\ncontext = "."\n', 2, b"'[' is not a valid pattern of .gitignore"),
        ],
    )
    def test_mistakes(self, dockfix: Run, project: Path, text: str, line: int, message: bytes) -> None:
        config(project, text)
        done = dockfix("check")
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        if line != 2 or b"pattern" not in message:
            assert f"dockfix.toml:{line}: ".encode() in done.stderr
        assert message in done.stderr


class TestPerFileIgnores:
    def test_of_check_and_apply(self, dockfix: Run, project: Path) -> None:
        for name in ("a", "legacy/deep"):
            (project / name).mkdir(parents=True)
            (project / name / "Dockerfile").write_text(ALL)
        config(project, '[per-file-ignores]\n"legacy/" = ["from-as", "user-root"]\n')
        shown = rules_in(dockfix("check"))
        assert [each for each in shown if each.startswith("legacy")] == ["legacy/deep/Dockerfile workdir-abs"] * 2
        assert len(shown) == 6
        assert dockfix("apply").returncode == 0
        assert (project / "legacy/deep/Dockerfile").read_text() == ALL
        assert (project / "a/Dockerfile").read_text() == ALL.replace(" as ", " AS ")
        text = (project / "legacy/deep/Dockerfile").read_bytes()
        filtered = dockfix("apply", "-", "--stdin-filename", "legacy/deep/Dockerfile", stdin=text)
        assert filtered.stdout == text

    def test_a_pattern_for_all_others(self, dockfix: Run, project: Path) -> None:
        (project / "a").mkdir()
        (project / "a/Dockerfile").write_text(INFO)
        (project / "Dockerfile").write_text(INFO)
        config(project, '[per-file-ignores]\n"!/a/" = ["from-as"]\n')
        assert rules_in(dockfix("check")) == ["a/Dockerfile from-as"]

    def test_a_comment_for_an_ignored_rule_is_not_called_unused(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text("# dockfix: ignore=from-as because x\nFROM alpine\n")
        assert b"unused" in dockfix("check").stderr
        config(project, '[per-file-ignores]\n"Dockerfile" = ["from-as"]\n')
        assert b"unused" not in dockfix("check").stderr

    def test_in_several_processes(self, dockfix: Run, project: Path) -> None:
        for number in range(45):
            (project / f"{number:02}.Dockerfile").write_text(INFO)
        config(project, '[per-file-ignores]\n"0*" = ["from-as"]\n[severity]\nfrom-as = "error"\n')
        done = dockfix("check", "--jobs", "2")
        assert len(rules_in(done)) == 35
        assert done.stdout.count(b" error ") == 35


class TestBaseline:
    def test_only_new_findings_are_shown(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(ALL)
        done = dockfix("baseline")
        assert done.returncode == 0
        assert b"4 findings accepted in .dockfix-baseline.json" in done.stderr
        config(project, 'baseline = ".dockfix-baseline.json"\n')
        clean = dockfix("check")
        assert (clean.returncode, clean.stdout) == (0, b"")
        assert b"4 findings in the baseline not shown" in clean.stderr
        (project / "Dockerfile").write_text(f"# moved\n\n{ALL}WORKDIR other\n")
        done = dockfix("check")
        assert rules_in(done) == ["Dockerfile workdir-abs"]
        assert b":7:9:" in done.stdout
        assert done.returncode == 1

    def test_equal_findings_are_counted(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(WARNING)
        dockfix("baseline")
        (project / "Dockerfile").write_text(f"{WARNING}  WORKDIR   app\n")
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert rules_in(done) == ["Dockerfile workdir-abs"]
        dockfix("baseline")
        (entry,) = json.loads((project / ".dockfix-baseline.json").read_text())["findings"]
        assert entry["count"] == 2

    def test_obsolete_entries_are_named_and_removed(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(ALL)
        (project / "b.Dockerfile").write_text(ALL)
        dockfix("baseline")
        (project / "Dockerfile").write_text(ERROR)
        (project / "b.Dockerfile").unlink()
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert done.returncode == 0
        assert b".dockfix-baseline.json: 7 entries are obsolete; `dockfix baseline` removes them" in done.stderr
        assert b"    Dockerfile: from-as `as` in lower case\n" in done.stderr
        assert b"and 2 more (-v shows all)" in done.stderr
        # what a run does not check is neither obsolete nor removed
        only = dockfix("check", "--baseline", ".dockfix-baseline.json", "--rule", "user-root", "Dockerfile")
        assert b"obsolete" not in only.stderr
        assert b"1 added, " not in dockfix("baseline", "Dockerfile").stderr
        left = json.loads((project / ".dockfix-baseline.json").read_text())["findings"]
        assert {each["path"] for each in left} == {"Dockerfile", "b.Dockerfile"}
        assert b"1 finding accepted in .dockfix-baseline.json: 0 added, 4 removed" in dockfix("baseline").stderr

    def test_a_changed_line_makes_a_finding_new_and_update_accepts_it(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(f"FROM alpine as base\nWORKDIR app\nWORKDIR lib\n{REFUSED}")
        dockfix("baseline")
        changed = "FROM alpine:3 as base\nWORKDIR app2\nWORKDIR new\nWORKDIR lib\nUSER root\n"
        (project / "Dockerfile").write_text(changed)
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert len(rules_in(done)) == 4
        assert (
            b"3 new findings have an obsolete entry of the same rule in the same file, so perhaps only the lines have"
            b" changed: `dockfix baseline --update` accepts only them"
        ) in done.stderr
        updated = dockfix("baseline", "--update")
        assert b"4 findings accepted in .dockfix-baseline.json: 3 added, 3 removed" in updated.stderr
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert rules_in(done) == ["Dockerfile user-root"]
        assert b"obsolete" not in done.stderr

    def test_findings_of_one_cause_are_counted_as_check_counts_them(self, project: Path) -> None:
        (project / "Dockerfile").write_text("FROM alpine:3.22\nWORKDIR /a\nVOLUME /b\nuser 1\nuser 2\n")

        def said(*arguments: str) -> str:
            command = [sys.executable, "-m", "dockfix", *arguments, "--rule", "keyword-case"]
            return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stderr

        assert said("check").startswith("1 finding in 1 Dockerfile (")
        assert said("baseline").startswith("1 finding (2 places) accepted in .dockfix-baseline.json; ")
        assert said("check", "--baseline", ".dockfix-baseline.json").splitlines() == [
            "0 findings in 1 Dockerfile",
            "1 finding in the baseline not shown",
        ]

    def test_update_accepts_no_more_than_there_was(self, dockfix: Run, project: Path) -> None:
        assert dockfix("baseline", "--update").returncode == 2
        (project / "Dockerfile").write_text("FROM alpine\nWORKDIR a\n")
        dockfix("baseline", "-o", "b.json")
        (project / "Dockerfile").write_text("FROM alpine\nWORKDIR b\nWORKDIR c\n")
        done = dockfix("check", "--baseline", "b.json")
        assert b"1 new finding has an obsolete entry" in done.stderr
        assert b"`dockfix baseline --output b.json --update` accepts only it" in done.stderr
        assert (
            b"1 finding accepted in b.json: 1 added, 1 removed"
            in dockfix("baseline", "-o", "b.json", "--update").stderr
        )
        assert len(rules_in(dockfix("check", "--baseline", "b.json"))) == 1
        (project / "Dockerfile").write_text("FROM alpine\n")
        assert b"0 findings accepted" in dockfix("baseline", "-o", "b.json", "--update").stderr

    def test_it_is_sorted_and_does_not_change_without_reason(self, dockfix: Run, project: Path) -> None:
        for name in ("b.Dockerfile", "Dockerfile", "a.Dockerfile"):
            (project / name).write_text(ALL)
        dockfix("baseline", "--output", "one.json")
        dockfix("baseline", "--output", "two.json", "b.Dockerfile", "a.Dockerfile", "Dockerfile")
        one = (project / "one.json").read_bytes()
        assert one == (project / "two.json").read_bytes()
        entries = [(each["path"], each["rule"], each["message"]) for each in json.loads(one)["findings"]]
        assert entries == sorted(entries)
        assert one.endswith(b"}\n")
        before = (project / "one.json").stat()
        dockfix("baseline", "-o", "one.json")
        assert (project / "one.json").stat() == before

    def test_it_keeps_no_line_of_the_file(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text("FROM a as b\nUSER root # --token=hunter2\n")
        assert dockfix("baseline").returncode == 0
        assert b"hunter2" not in (project / ".dockfix-baseline.json").read_bytes()

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", b":1: is not a dockfix baseline: invalid JSON: "),
            (b'{\n"kind": \x00', b":2: is not a dockfix baseline: invalid JSON: "),
            (b'{"kind": "dockfix baseline", \n<<<<<<< HEAD\n', b":2: is not a dockfix baseline: invalid JSON: "),
            (b"[]", b'has no "kind": "dockfix baseline"'),
            (b"{}", b'has no "kind": "dockfix baseline"'),
            (b"\xff\xfe", b"it is not UTF-8"),
            (b"[" * 100_000, b"is not a dockfix baseline"),
            (b'{"kind": "dockfix baseline", "version": 2}', b"has another version of the format than 1"),
            (b'{"kind": "dockfix baseline", "version": 1}', b"`findings` is not a list"),
            (b'{"kind": "dockfix baseline", "version": 1, "findings": [1]}', b"entry 1 of `findings` needs"),
            (
                b'{"kind": "dockfix baseline", "version": 1, "findings":'
                b' [{"path": "a", "rule": "b", "message": "c", "lines": "d", "count": -1}]}',
                b"entry 1 of `findings` needs",
            ),
            (b'{"kind": "\x1b[31m', b"is not a dockfix baseline"),
        ],
    )
    def test_a_file_that_is_not_one(self, dockfix: Run, project: Path, data: bytes, message: bytes) -> None:
        (project / "Dockerfile").write_text(ALL)
        (project / "b.json").write_bytes(data)
        for arguments in (("check", "--baseline", "b.json"), ("baseline", "--output", "b.json")):
            done = dockfix(*arguments)
            assert done.returncode == 2
            assert done.stdout == b""
            (line,) = done.stderr.splitlines()
            assert message in line
            assert b"b.json" in line
            assert b"\x1b" not in line
            assert (project / "b.json").read_bytes() == data

    def test_files_that_are_not_there(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(ALL)
        os.mkfifo(project / "pipe")
        missing = b"does not exist; `dockfix baseline --output none.json` writes it"
        cases = {"none.json": missing, ".": b"is ", "": b"''", "pipe": b"is not a regular file"}
        for name, message in cases.items():
            done = dockfix("check", "--baseline", name)
            assert (done.returncode, done.stdout) == (2, b"")
            assert message in done.stderr
        assert dockfix("baseline", "--output", "none/b.json").returncode == 2
        assert dockfix("baseline", "--output", ".").returncode == 2
        assert dockfix("baseline", "-").returncode == 2

    def test_nothing_is_written_if_a_file_cannot_be_checked(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(ALL)
        (project / "b.Dockerfile").write_text("NONSENSE\n")
        assert dockfix("baseline").returncode == 2
        assert not (project / ".dockfix-baseline.json").exists()

    def test_a_configuration_names_no_file_outside(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_text(ALL)
        (project / "folder").symlink_to("..")
        for name in ("../b.json", f"{project.parent}/b.json", "folder/b.json", "/etc/passwd"):
            config(project, f'baseline = "{name}"\n')
            for command in ("check", "baseline"):
                done = dockfix(command)
                assert (done.returncode, done.stdout) == (2, b"")
                assert b"is outside the project root" in done.stderr
        (project / "dockfix.toml").unlink()
        (project / ".dockfix-baseline.json").symlink_to("../b.json")
        assert dockfix("baseline").returncode == 2
        assert not (project.parent / "b.json").exists()
        assert dockfix("baseline", "--output", "../b.json").returncode == 0  # whoever runs it may name it

    def test_names_that_are_not_utf_8(self, dockfix: Run, project: Path) -> None:
        Path(os.fsdecode(os.fsencode(project) + b"/\xff\x1b.Dockerfile")).write_text(ALL)
        assert dockfix("baseline").returncode == 0
        data = (project / ".dockfix-baseline.json").read_bytes()
        assert b"\x1b" not in data
        data.decode("ascii")
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert (done.returncode, done.stdout) == (0, b"")

    def test_of_a_subfolder(self, dockfix: Run, project: Path) -> None:
        (project / "a").mkdir()
        (project / "a/Dockerfile").write_text(ALL)
        dockfix("baseline", cwd=project / "a")
        assert (project / ".dockfix-baseline.json").exists()
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert (done.returncode, done.stdout) == (0, b"")


class TestAddIgnore:
    def test_the_file_has_no_finding_afterwards(self, dockfix: Run, project: Path) -> None:
        file = project / "Dockerfile"
        file.write_text(f"# syntax=docker/dockerfile:1\n{ALL}RUN <<EOF\nUSER root\nEOF\n")
        done = dockfix("check", "--add-ignore", "--reason", "of the old image")
        assert (done.returncode, done.stdout) == (0, b"")
        assert b"4 findings ignored by comments in 1 file" in done.stderr
        assert file.read_text() == (
            "# syntax=docker/dockerfile:1\n"
            "# dockfix: ignore=from-as because of the old image\nFROM alpine as base\n"
            "# dockfix: ignore=workdir-abs because of the old image\nWORKDIR app\n"
            "# dockfix: ignore=workdir-abs because of the old image\nWORKDIR $X\n"
            "# dockfix: ignore=user-root because of the old image\nUSER root\n"
            "RUN <<EOF\nUSER root\nEOF\n"
        )
        clean = dockfix("check")
        assert (clean.returncode, clean.stdout) == (0, b"")
        assert b"unused" not in clean.stderr

    def test_without_a_reason_and_with_other_line_ends(self, dockfix: Run, project: Path) -> None:
        file = project / "Dockerfile"
        file.write_bytes(b"\xef\xbb\xbfFROM alpine as b\r\n  WORKDIR \\\r\n # note\r\n  app")
        assert dockfix("check", "--add-ignore").returncode == 0
        assert file.read_bytes() == (
            b"\xef\xbb\xbf# dockfix: ignore=from-as\r\nFROM alpine as b\r\n"
            b"# dockfix: ignore=workdir-abs\r\n  WORKDIR \\\r\n # note\r\n  app"
        )
        assert dockfix("check").stdout == b""

    def test_comments_that_are_there_are_extended(self, dockfix: Run, project: Path) -> None:
        file = project / "Dockerfile"
        file.write_text("# ours\n# dockfix: ignore=user-root,racer because it is old\n# more\nFROM alpine as base\n")
        assert dockfix("check", "--add-ignore", "--reason", "new").returncode == 0
        assert "# dockfix: ignore=user-root,racer,from-as because it is old\n# more\n" in file.read_text()
        assert dockfix("check").stdout == b""

    def test_only_findings_that_are_shown(self, dockfix: Run, project: Path) -> None:
        file = project / "Dockerfile"
        file.write_text(WARNING)
        dockfix("baseline")
        file.write_text(f"{WARNING}USER root\n")
        assert dockfix("check", "--add-ignore", "--baseline", ".dockfix-baseline.json").returncode == 0
        assert file.read_text() == f"{WARNING}# dockfix: ignore=user-root\nUSER root\n"

    def test_what_cannot_be_written(self, dockfix: Run, project: Path) -> None:
        file = project / "Dockerfile"
        file.write_text(ALL)
        os.link(file, project / "other")
        done = dockfix("check", "--add-ignore")
        assert done.returncode == 2
        assert b"has other hard links" in done.stderr
        assert file.read_text() == ALL

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--reason", "x"),
            ("--add-ignore", "--reason", "a\nUSER root"),
            ("--add-ignore", "--reason", ""),
            ("--add-ignore", "--reason", "\x1b[31m"),
            ("--add-ignore", "-"),
            ("--add-ignore", "--output", "x"),
            ("--watch", "-"),
        ],
    )
    def test_wrong_combinations(self, dockfix: Run, project: Path, arguments: tuple[str, ...]) -> None:
        (project / "Dockerfile").write_text(ALL)
        done = dockfix("check", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert len(done.stderr.splitlines()) == 1
        assert (project / "Dockerfile").read_text() == ALL


@pytest.mark.parametrize("form", ["full", "jsonl", "sarif", "markdown"])
def test_statistics_have_two_formats(dockfix: Run, project: Path, form: str) -> None:
    (project / "Dockerfile").write_text("FROM alpine as base\n")
    done = dockfix("check", "--statistics", "--format", form)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == f"error: --statistics has the formats text and json, not {form}\n".encode()


def test_statistics(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text(ALL)
    done = dockfix("check", "--statistics")
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert rows == [
        ["rule", "findings", "safe", "unsafe", "refused", "advice"],
        ["workdir-abs", "2", "0", "1", "1", "0"],
        ["from-as", "1", "1", "0", "0", "0"],
        ["user-root", "1", "0", "0", "0", "1"],
    ]
    assert done.returncode == 1
    data = json.loads(dockfix("check", "--statistics", "--format", "json").stdout)
    assert data["statistics"][0] == {
        "rule": "workdir-abs", "findings": 2, "safe": 0, "unsafe": 1, "refused": 1, "advice": 0,
    }  # fmt: skip
    (project / "Dockerfile").write_text("FROM alpine\n")
    assert dockfix("check", "--statistics").stdout == b""


def test_watch(project: Path) -> None:
    file = project / "Dockerfile"
    file.write_text("FROM alpine\n")
    command = [sys.executable, str(TOYS), "check", "--watch"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=project, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stderr.readline().startswith("0 findings")
            assert process.stderr.readline().startswith("watching for changes")
            time.sleep(0.05)
            file.write_text(ERROR)
            assert "user-root" in process.stdout.readline()
            assert process.stderr.readline().startswith("1 finding")
            assert process.stderr.readline().startswith("watching for changes")
            (project / "dockfix.toml").write_text("unsave = true\n")
            assert "did you mean 'unsafe'?" in process.stderr.readline()
            assert process.stderr.readline().startswith("watching for changes")
            (project / "dockfix.toml").write_text('ignore = ["user-root"]\n')
            assert process.stderr.readline().startswith("0 findings")
            assert process.stderr.readline().startswith("watching for changes")
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert (process.stdout.read(), process.stderr.read()) == ("", "")
        finally:
            process.kill()


def test_watch_ends_if_the_first_check_fails(dockfix: Run, project: Path) -> None:
    config(project, "unsave = true\n")
    assert dockfix("check", "--watch").returncode == 2


def test_watch_waits_between_checks(project: Path) -> None:
    """A file from the future and an output file in the project are no changes."""
    file = project / "Dockerfile"
    file.write_text("FROM alpine\n")
    os.utime(file, (time.time() + 10_000, time.time() + 10_000))
    command = [sys.executable, str(TOYS), "check", "--watch", "--output", "found.txt"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert process.stderr.readline().startswith("0 findings")
            assert process.stderr.readline().startswith("watching for changes")
            time.sleep(1)
            (project / "new").mkdir()
            (project / "new" / "Dockerfile").write_text(ERROR)
            lines = [process.stderr.readline()]
            while not lines[-1].startswith("1 finding"):
                lines.append(process.stderr.readline())
            assert len(lines) <= 4  # the folder may have been seen before its file
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        finally:
            process.kill()
