"""`dockfix apply`, as people and programs meet it: files, streams and exit codes."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOYS = Path(__file__).with_name("toys.py")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
OLD = b"FROM alpine as base\nWORKDIR app\nWORKDIR $X\nUSER root\n"
SAFE = OLD.replace(b" as ", b" AS ")
ALL = SAFE.replace(b"R app", b"R /app")


def test_safe_fixes_are_written_and_the_rest_is_counted(dockfix: Run, project: Path) -> None:
    file = project / "Dockerfile"
    file.write_bytes(OLD)
    done = dockfix("apply")
    assert (done.returncode, done.stdout) == (0, b"")
    assert file.read_bytes() == SAFE
    assert b"applied 1 fix in 1 " in done.stderr
    assert b"1 needs review (--unsafe applies it, --prove if a build proves it)" in done.stderr
    assert b"1 not fixed" in done.stderr
    assert b"it holds a variable" not in done.stderr
    again = dockfix("apply", "-v")
    assert (again.returncode, file.read_bytes()) == (0, SAFE)
    assert b"Dockerfile:3:9: warning workdir-abs relative folder $X [not fixed: it holds a variable]" in again.stderr
    assert b"[not applied: needs review]" in again.stderr
    assert dockfix("apply", "--unsafe", "-q").stderr == b""
    assert file.read_bytes() == ALL


def test_diff_prints_nothing_but_the_diff(dockfix: Run, project: Path) -> None:
    folder = project / "my app"
    folder.mkdir()
    (folder / "Dockerfile").write_bytes(OLD.replace(b"\n", b"\r\n"))
    (project / "b.Dockerfile").write_bytes(b"FROM \x80\xff as x")
    (project / "c.Dockerfile").write_bytes(b"FROM a\nNONSENSE\n")
    done = dockfix("apply", "--diff", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith(b"--- a/my app/Dockerfile\t\n+++ b/my app/Dockerfile\t\n@@ -1,4 +1,4 @@\n-FROM")
    whole = dockfix("apply", "--dry-run", "--unsafe")
    assert whole.returncode == 2
    assert b"c.Dockerfile:2: unknown instruction: NONSENSE" in whole.stderr.split(b"\n")
    subprocess.run(["git", "apply", "-"], cwd=project, input=whole.stdout, check=True)
    assert (folder / "Dockerfile").read_bytes() == ALL.replace(b"\n", b"\r\n")
    assert (project / "b.Dockerfile").read_bytes() == b"FROM \x80\xff AS x"


def test_diff_of_all_is_what_apply_does(dockfix: Run, project: Path) -> None:
    for number in range(45):  # enough for several processes
        (project / f"{number:02}.Dockerfile").write_bytes(OLD + b"LABEL n=%d\n" % number)
    diff = dockfix("apply", "--diff", "--jobs", "2")
    assert diff.stdout == dockfix("apply", "--diff", "--jobs", "1").stdout
    assert diff.stdout.count(b"+++ b/") == 45
    assert dockfix("apply", "--jobs", "2").returncode == 0
    after = {path.name: path.read_bytes() for path in project.glob("*.Dockerfile")}
    assert all(text.startswith(SAFE) for text in after.values())
    subprocess.run(["patch", "-p1", "-R", "--quiet"], cwd=project, input=diff.stdout, check=True)
    assert (project / "44.Dockerfile").read_bytes() == OLD + b"LABEL n=44\n"


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_nothing_is_written_by(dockfix: Run, project: Path, option: str) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    assert dockfix("apply", option).returncode == 1
    assert (project / "Dockerfile").read_bytes() == OLD
    (project / "Dockerfile").write_bytes(SAFE)
    assert dockfix("apply", option).returncode == 0


def test_exit_non_zero_on_fix(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    assert dockfix("apply", "--exit-non-zero-on-fix").returncode == 1
    assert (project / "Dockerfile").read_bytes() == SAFE
    assert dockfix("apply", "--exit-non-zero-on-fix").returncode == 0


def test_rules_are_chosen(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    assert dockfix("apply", "--check", "--skip", "from-as,user-root").returncode == 0
    assert dockfix("apply", "--check", "-r", "workdir-abs,from-as").returncode == 1
    assert dockfix("apply", "--check", "-r", "workdir-abs").returncode == 0
    wrong = dockfix("apply", "--rule", "from-os")
    assert wrong.returncode == 2
    assert b"unknown rule 'from-os'; did you mean 'from-as'?" in wrong.stderr


@pytest.mark.parametrize("arguments", [["--rule", ""], ["-r", ","], ["--skip", " "], ["--rule", "from-as", "-r", ""]])
def test_a_list_of_rules_without_a_name_is_an_error_and_not_all_rules(
    dockfix: Run, project: Path, arguments: list[str]
) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    done = dockfix("apply", *arguments)
    assert done.returncode == 2
    assert b"names no rule" in done.stderr
    assert (project / "Dockerfile").read_bytes() == OLD


def test_a_defect_is_reported_and_its_change_discarded(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM alpine as a\nEXPOSE 80\n")
    (project / "x.Dockerfile").write_bytes(b"NONSENSE\n")
    done = dockfix("apply", "--rule", "breaker,from-as")
    assert done.returncode == 3
    assert b"Dockerfile: defect in breaker (gate)" in done.stderr
    assert (project / "Dockerfile").read_bytes() == b"FROM alpine AS a\nEXPOSE 80\n"


def test_a_file_that_changes_meanwhile_is_left_alone(dockfix: Run, project: Path) -> None:
    (project / "a.Dockerfile").write_bytes(b"FROM x\nCMD race\n")
    (project / "b.Dockerfile").write_bytes(OLD)
    done = dockfix("apply")
    assert done.returncode == 2
    assert b"a.Dockerfile: changed while dockfix was working; nothing written" in done.stderr
    assert b"applied 1 fix in 1 " in done.stderr
    assert (project / "a.Dockerfile").read_bytes() == b"FROM changed\n"
    assert (project / "b.Dockerfile").read_bytes() == SAFE


class TestBadInput:
    """One line that names the file, exit code 2, and the other files done."""

    def check(self, dockfix: Run, project: Path, line: bytes, *arguments: str | bytes) -> None:
        good = project / "good" / "Dockerfile"
        good.parent.mkdir()
        good.write_bytes(OLD)
        done = dockfix("apply", *arguments, "good")
        assert done.returncode == 2
        assert [each for each in done.stderr.split(b"\n") if each.startswith(line)] != []
        assert b"Traceback" not in done.stderr
        assert good.read_bytes() == SAFE

    def test_does_not_parse(self, dockfix: Run, project: Path) -> None:
        (project / "D").write_bytes(b"FROM a as b\n\nRAN x\n")
        self.check(dockfix, project, b"D:3: unknown instruction: RAN", "D")
        assert (project / "D").read_bytes() == b"FROM a as b\n\nRAN x\n"

    def test_empty(self, dockfix: Run, project: Path) -> None:
        (project / "D").write_bytes(b"")
        self.check(dockfix, project, b"D:1: file with no instructions", "D")

    def test_missing(self, dockfix: Run, project: Path) -> None:
        self.check(dockfix, project, b"D: does not exist", "D")

    def test_dangling(self, dockfix: Run, project: Path) -> None:
        (project / "D").symlink_to("nowhere")
        self.check(dockfix, project, b"D: is a symlink to a file that does not exist", "D")

    def test_loop(self, dockfix: Run, project: Path) -> None:
        (project / "D").symlink_to("D")
        self.check(dockfix, project, b"D: is a symlink that leads back to itself", "D")

    def test_link_out_of_the_root(self, dockfix: Run, project: Path) -> None:
        (project.parent / "D").write_bytes(OLD)
        (project / "D").symlink_to("../D")
        self.check(dockfix, project, b"D: lies outside the project root", "D")
        assert (project.parent / "D").read_bytes() == OLD

    def test_outside_of_the_root(self, dockfix: Run, project: Path) -> None:
        (project.parent / "D").write_bytes(OLD)
        self.check(dockfix, project, b"../D: is outside the project root", "--root", ".", "../D")
        assert b"--root" in dockfix("apply", "--root", ".", "../D").stderr
        assert (project.parent / "D").read_bytes() == OLD

    def test_folder_outside_of_the_root(self, dockfix: Run, project: Path) -> None:
        self.check(dockfix, project, b"..: is outside the project root", "--root", ".", "..")

    def test_binary(self, dockfix: Run, project: Path) -> None:
        (project / "D").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(64))
        self.check(dockfix, project, b"D: is not a Dockerfile", "D")

    def test_fifo(self, dockfix: Run, project: Path) -> None:
        os.mkfifo(project / "D")
        self.check(dockfix, project, b"D: is not a regular file", "D")

    def test_ten_megabytes_of_one_line(self, dockfix: Run, project: Path) -> None:
        (project / "D").write_bytes(b"RUN " + b"x" * 10_000_000)
        self.check(dockfix, project, b"D: is larger than", "D")

    def test_odd_name(self, dockfix: Run, project: Path) -> None:
        (project / "a\x1b[31m\udcff").write_bytes(b"FROM\n")
        self.check(dockfix, project, b"a\\x1b[31m\\xff:1: ", b"a\x1b[31m\xff")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_unreadable(self, dockfix: Run, project: Path) -> None:
        (project / "D").write_bytes(OLD)
        (project / "D").chmod(0)
        self.check(dockfix, project, b"D: cannot be read: permission denied", "D")


def test_no_dockerfile_is_a_note(dockfix: Run) -> None:
    done = dockfix("apply")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"no Dockerfile found\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--root", "none"], "--root: none is not a folder"),
        (["--context", "none"], "--context: none is not a folder"),
        (["--context", ".."], "--context: .. is outside"),
        (["--build-context", "name"], "is not NAME=REF"),
        (["--config", "x", "--no-config"], "--config and --no-config cannot be combined"),
        (["--config", ""], "--config: '' is not a file"),
        (["--root", ""], "--root: '' is not a folder"),
        (["--context", ""], "--context: '' is not a folder"),
        (["--exclude", "a\\"], "--exclude: a\\ is not a valid pattern"),
        ([""], "a path is empty; use . for the current folder"),
        (["--config", "none.yaml"], "none.yaml: does not exist"),
        (["-", "Dockerfile"], "cannot be combined with other paths"),
        (["--stdin-filename", "x"], "needs - as the path"),
        (["-i", "--diff"], "--interactive"),
        (["-i", "-"], "--interactive"),
        (["--jobs", "0"], "0 is not a whole number from 1 on"),
        (["--jobs", "x"], "'x' is not a whole number"),
        (["--nonsense"], "error: no such option: --nonsense\n"),
        (["--ruel", "x"], "error: no such option: --ruel; did you mean --rule?"),
        (["--\x1b[2J\u202e"], "no such option: --\\x1b[2J\\u202e"),
        (["--color", "blue"], "'blue' is not one of 'auto', 'always', 'never'"),
        (["--rule"], "'--rule' requires an argument"),
    ],
)
def test_bad_usage(dockfix: Run, project: Path, arguments: list[str], message: str) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    done = dockfix("apply", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert not any(each in done.stderr for each in (b"Traceback", b"Value error", b"Input should", b"\x1b"))
    assert (project / "Dockerfile").read_bytes() == OLD


def test_configuration(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    config = project / "dockfix.yaml"
    config.write_text("ignore: [from-as]\nunsafe: true\n")
    dockfix("apply")
    assert (project / "Dockerfile").read_bytes() == OLD.replace(b"R app", b"R /app")
    dockfix("apply", "--no-config")
    assert (project / "Dockerfile").read_bytes() == ALL
    config.write_text("jobs: 2\nignore: [from-os]\n")
    wrong = dockfix("apply")
    assert wrong.returncode == 2
    assert f"{config.name}:2: ignore: unknown rule 'from-os'; did you mean 'from-as'?" in wrong.stderr.decode()
    for text, message in (
        ("context: none\n", "dockfix.yaml:1: context: none is not a folder"),
        ("exclude: ['a\\']\n", f"{config.name}:1: exclude: 'a\\\\' is not a valid pattern of .gitignore"),
    ):
        config.write_text(text)
        assert message in dockfix("apply").stderr.decode()
    config.write_text("exclude: [Dockerfile]\n")
    assert dockfix("apply").stderr == b"no Dockerfile found\n"


class TestForceExclude:
    """What the configuration excludes stays as it is, even if a hook names it."""

    @pytest.fixture(autouse=True)
    def files(self, project: Path) -> None:
        (project / "dockfix.toml").write_text('exclude = ["vendor/", "/old.Dockerfile"]\n')
        for name in ("Dockerfile", "old.Dockerfile", "vendor/a/Dockerfile", "node_modules/Dockerfile"):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_bytes(OLD)

    def changed(self, project: Path) -> set[str]:
        return {str(path.relative_to(project)) for path in project.rglob("*Dockerfile") if path.read_bytes() != OLD}

    def test_only_what_a_search_would_find_is_changed(self, dockfix: Run, project: Path) -> None:
        done = dockfix(
            "apply", "--force-exclude", "Dockerfile", "old.Dockerfile", "vendor/a/Dockerfile", "vendor",
            "node_modules/Dockerfile",
        )  # fmt: skip
        assert done.returncode == 0
        assert b"applied 1 fix in 1 Dockerfile" in done.stderr
        assert self.changed(project) == {"Dockerfile"}

    def test_paths_are_taken_from_where_the_command_runs(self, dockfix: Run, project: Path) -> None:
        dockfix("apply", "--force-exclude", "Dockerfile", "../../Dockerfile", cwd=project / "vendor" / "a")
        assert self.changed(project) == {"Dockerfile"}

    def test_what_is_named_is_meant_otherwise(self, dockfix: Run, project: Path) -> None:
        dockfix("apply", "old.Dockerfile", "vendor")
        assert self.changed(project) == {"old.Dockerfile"}
        dockfix("apply", "vendor/a/Dockerfile")
        assert self.changed(project) == {"old.Dockerfile", "vendor/a/Dockerfile"}

    def test_the_configuration_may_say_it(self, dockfix: Run, project: Path) -> None:
        with (project / "dockfix.toml").open("a") as config:
            config.write("force-exclude = true\n")
        assert dockfix("check", "old.Dockerfile").returncode == 0
        dockfix("apply", "old.Dockerfile")
        assert self.changed(project) == set()
        dockfix("apply", "--no-force-exclude", "old.Dockerfile")
        assert self.changed(project) == {"old.Dockerfile"}

    def test_standard_input_under_an_excluded_name_goes_through(self, dockfix: Run) -> None:
        options = ("--force-exclude", "--stdin-filename", "vendor/Dockerfile")
        done = dockfix("apply", "-", *options, stdin=OLD)
        assert (done.returncode, done.stdout) == (0, OLD)
        assert dockfix("check", "-", *options, stdin=OLD).returncode == 0

    def test_a_compose_file_does_not_lead_to_what_is_excluded(self, dockfix: Run, project: Path) -> None:
        (project / "compose.yaml").write_text("services: {a: {build: vendor/a}, b: {build: .}}\n")
        dockfix("apply", "--force-exclude", "compose.yaml")
        assert self.changed(project) == {"Dockerfile"}


def test_configuration_above_the_root_is_not_obeyed(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    (project.parent / "dockfix.yaml").write_text("unsafe: true\n")
    done = dockfix("apply")
    assert (project / "Dockerfile").read_bytes() == SAFE
    assert b"dockfix.yaml is above the project root" in done.stderr
    (project / "dockfix.yaml").write_text("unsafe: true\n")
    (project / "app").mkdir()
    (project / "app" / "Dockerfile").write_bytes(OLD)
    assert b"is above the project root" in dockfix("apply", "--root", ".", cwd=project / "app").stderr
    assert (project / "app" / "Dockerfile").read_bytes() == SAFE
    assert b"is above" not in dockfix("apply", cwd=project / "app").stderr
    assert (project / "app" / "Dockerfile").read_bytes() == ALL


class TestFilter:
    def test_result_to_standard_output(self, dockfix: Run) -> None:
        done = dockfix("apply", "-", stdin=OLD)
        assert (done.returncode, done.stdout) == (0, SAFE)
        assert b"applied 1 fix" in done.stderr

    def test_diff(self, dockfix: Run) -> None:
        done = dockfix("apply", "-", "--diff", "--stdin-filename", "app/Dockerfile", stdin=OLD)
        assert done.returncode == 1
        assert done.stdout.startswith(b"--- a/app/Dockerfile\n+++ b/app/Dockerfile\n@@")

    def test_check(self, dockfix: Run) -> None:
        done = dockfix("apply", "-", "--check", stdin=OLD)
        assert (done.returncode, done.stdout) == (1, b"")

    @pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"NONSENSE\r\n", b"RUN " + b"x" * 10_000_000])
    def test_what_cannot_be_used_goes_through(self, dockfix: Run, data: bytes) -> None:
        done = dockfix("apply", "-", stdin=data)
        assert (done.returncode, done.stdout) == (2, data)
        assert done.stderr.startswith(b"<stdin>:")

    def test_a_name_outside_of_the_root(self, dockfix: Run) -> None:
        done = dockfix("apply", "-", "--stdin-filename", "../x", stdin=OLD)
        assert (done.returncode, done.stdout) == (2, OLD)


class TestInteractive:
    FILE = b"FROM a as b\nFROM a as c\nFROM a as d\n"

    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            (b"y\nn\ny\n", b"FROM a AS b\nFROM a as c\nFROM a AS d\n"),
            (b"n\na\n", b"FROM a as b\nFROM a AS c\nFROM a AS d\n"),
            (b"y\nq\n", b"FROM a AS b\nFROM a as c\nFROM a as d\n"),
            (b"y\nd\n", b"FROM a AS b\nFROM a as c\nFROM a as d\n"),
            (b"y\n", b"FROM a AS b\nFROM a as c\nFROM a as d\n"),
            (b"\n?\nwhat\ny\nq\n", b"FROM a AS b\nFROM a as c\nFROM a as d\n"),
            (b"", FILE),
        ],
    )
    def test_answers(self, dockfix: Run, project: Path, answers: bytes, expected: bytes) -> None:
        (project / "Dockerfile").write_bytes(self.FILE)
        done = dockfix("apply", "-i", stdin=answers)
        assert done.returncode == 0
        assert (project / "Dockerfile").read_bytes() == expected
        # Every fix is asked about once, however many passes there are.
        asked = done.stdout.count(b"Apply this fix [y,n,q,a,d,?]? ")
        assert asked == max(1, answers.count(b"\n") + (answers in (b"y\n",)))

    def test_each_fix_is_shown_alone(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_bytes(OLD)
        done = dockfix("apply", "-i", "--unsafe", stdin=b"n\nn\n")
        assert (
            b"Dockerfile:1:13: info from-as `as` in lower case [safe fix]\n    help: it is neater\n--- a/"
            in done.stdout
        )
        assert b"[unsafe fix]\n    help: it depends\n    review: where it was\n--- a/" in done.stdout
        assert b"2 declined" in done.stderr
        assert (project / "Dockerfile").read_bytes() == OLD

    def test_what_was_not_asked_was_not_declined(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_bytes(self.FILE)
        done = dockfix("apply", "-i", stdin=b"y\nq\n")
        assert b"applied 1 fix in 1 Dockerfile; 2 not applied\n" in done.stderr
        assert done.stdout.startswith(b"Dockerfile:1:")
        assert b"[y,n,q,a,d,?]? \nDockerfile:2:" in done.stdout

    def test_done_with_a_file_goes_on_with_the_next(self, dockfix: Run, project: Path) -> None:
        for name in ("a.Dockerfile", "b.Dockerfile", "c.Dockerfile"):
            (project / name).write_bytes(self.FILE)
        dockfix("apply", "-i", stdin=b"d\na\nq\n")
        assert (project / "a.Dockerfile").read_bytes() == self.FILE
        assert (project / "b.Dockerfile").read_bytes() == self.FILE.replace(b" as ", b" AS ")
        assert (project / "c.Dockerfile").read_bytes() == self.FILE


PATIENCE = 300
"""Seconds after which something hangs, however busy the machine is."""


class TestInterrupt:
    """Ctrl-C ends the questions; what was accepted until then is written."""

    FILE = b"FROM a as b\nFROM a as c\n"

    @pytest.mark.parametrize(
        ("answers", "expected"), [(0, FILE), (1, FILE.replace(b"as b", b"AS b"))], ids=["nothing", "one fix"]
    )
    def test_by_a_signal(self, project: Path, answers: int, expected: bytes) -> None:
        (project / "Dockerfile").write_bytes(self.FILE)
        with subprocess.Popen(
            [sys.executable, str(TOYS), "apply", "-i"],
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            os.write(process.stdin.fileno(), b"y\n" * answers)
            seen = b""
            while seen.count(b"Apply this fix") <= answers:
                seen += os.read(process.stdout.fileno(), 65536)
            process.send_signal(signal.SIGINT)  # no pause: it counts whenever it comes
            try:
                _, errors = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        assert process.returncode == 130
        assert b"Traceback" not in errors
        assert b"dockfix: interrupted; only the fixes accepted so far were written" in errors
        assert (project / "Dockerfile").read_bytes() == expected

    def test_on_a_terminal(self, project: Path) -> None:
        (project / "Dockerfile").write_bytes(self.FILE)
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(project)
            os.execv(sys.executable, [sys.executable, str(TOYS), "apply", "-i"])  # noqa: S606 - no shell is wanted
        seen = b""
        for keys in (b"y\n", b"\x03", b""):
            with contextlib.suppress(OSError):  # how the end of a terminal is told on Linux
                while seen.count(b"Apply this fix") < (1 if keys == b"y\n" else 2) or not keys:
                    data = os.read(terminal, 65536)
                    if not data:
                        break
                    seen += data
            if keys:
                os.write(terminal, keys)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
        assert b"applied 1 fix in 1 " in seen
        assert b"interrupted; only the fixes accepted so far were written" in seen
        assert (project / "Dockerfile").read_bytes() == self.FILE.replace(b"as b", b"AS b")

    def test_between_two_questions(self, project: Path) -> None:
        """The first of two files asks, and the interrupt comes while the second is worked on."""
        (project / "a.Dockerfile").write_bytes(self.FILE)
        (project / "b.Dockerfile").write_bytes(b"FROM x as y\nCMD interrupt\n")
        done = subprocess.run(
            [sys.executable, str(TOYS), "apply", "-i"],
            cwd=project,
            input=b"y\ny\ny\n",
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 130
        assert (project / "a.Dockerfile").read_bytes() == self.FILE.replace(b" as ", b" AS ")
