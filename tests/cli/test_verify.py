"""`dockfix verify`: options, streams, exit codes, and what is left when it ends early."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dockfix.output.plain import UNPRINTABLE
from tests.cli.building import Builds, names

OLD = "FROM alpine as base\nWORKDIR app\n"
LONG = 120  # seconds that nothing here needs, unless the machine is busy with other things


@pytest.fixture
def builds(project: Path, tmp_path: Path) -> Builds:
    (project / "Dockerfile").write_text(OLD)
    return Builds(project, tmp_path)


@pytest.mark.parametrize(
    ("kind", "code", "summary"),
    [
        ("fine", 0, "1 promise of 1 build target: 1 kept, 0 not shown, 0 broken; with toy 1.0 in 3.0 s"),
        ("broken", 1, "4 promises of 2 build targets: 1 kept, 1 not shown, 2 broken; with buildah 1.28.2 in 72.5 s; 1"),
        ("skipped", 2, "error: nothing is verified, because no build succeeded: the context has 3.0 GB"),
        ("failing", 2, "error: nothing is verified, because no build succeeded: RUN failed"),
        ("nothing", 0, "nothing to verify: no fix changes 2 Dockerfiles"),
        ("problem", 2, "; 1 build target not built; 1 input problem"),
        ("defect", 3, "; 1 defect"),
    ],
)
def test_exit_codes_and_the_last_line(builds: Builds, kind: str, code: int, summary: str) -> None:
    done = builds(kind, "verify")
    assert done.returncode == code
    assert summary in done.stderr.rstrip().split("\n")[-1]
    assert (builds.project / "Dockerfile").read_text() == OLD
    assert names(builds.project) == [".git", "Dockerfile"]
    assert builds.said()["closed"]
    assert builds.left() == []


def test_streams(builds: Builds) -> None:
    done = builds("problem", "verify")
    assert done.stdout.startswith("api/Dockerfile: api (docker-compose.yaml:12)\n")
    assert done.stderr.startswith("D:3: no \\x1b good\n")
    defect = builds("defect", "verify").stderr
    assert (
        "error: D: defect in crasher (gate): oh; its change was discarded; please report this to the authors" in defect
    )
    quiet = builds("broken", "verify", "-q")
    assert (quiet.stderr, quiet.stdout) == ("", done.stdout)
    assert "and 2 more files" in builds("broken", "verify", "-v").stdout


def test_the_session_gets_the_options(builds: Builds) -> None:
    builds("fine", "verify")
    said = builds.said()
    assert said["builder"] is None
    assert said["there"]
    assert said["folder"].startswith(str(builds.temporary / "dockfix-verify-"))
    assert said["options"] == {
        "runs": 1, "timeout": 1800.0, "max_context": 2 * 1024**3, "quick": False, "start_limit": 20.0,
            "scenarios": True,
    }  # fmt: skip
    assert (said["unsafe"], said["select"]) == (False, [])
    arguments = ("--builder", "buildah", "--runs", "3", "--timeout", "90.5", "--max-context", "1.5G", "--quick")
    assert builds("fine", "verify", "--unsafe", "-r", "from-as", *arguments).returncode == 0
    said = builds.said()
    assert (said["builder"], said["unsafe"], said["select"]) == ("buildah", True, ["from-as"])
    assert said["options"] == {
        "runs": 3, "timeout": 90.5, "max_context": 1536 * 1024**2, "quick": True, "start_limit": 20.0,
            "scenarios": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "count"), [("500", 500), ("2k", 2048), ("3MB", 3 * 1024**2), ("1GiB", 1024**3), ("1T", 1024**4)]
)
def test_sizes(builds: Builds, size: str, count: int) -> None:
    assert builds("fine", "verify", "--max-context", size).returncode == 0
    assert builds.said()["options"]["max_context"] == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "verify cannot build standard input, which has no build context; name the file"),
        (["--runs", "0"], "0 is not a whole number from 1 on"),
        (["--runs", "x"], "'x' is not a whole number"),
        (["--timeout", "-1"], "'-1' is not a number of seconds"),
        (["--timeout", "inf"], "'inf' is not a number of seconds"),
        (["--timeout", "nan"], "'nan' is not a number of seconds"),
        (["--max-context", "much"], "'much' is not a size; examples: 500M, 2G"),
        (["--max-context", "0"], "'0' is not a size"),
        (["--rule", "from-os"], "unknown rule 'from-os'; did you mean 'from-as'?"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--builder", "missing"], "the builder 'missing' is not known; use buildah"),
        (["--output", ""], "--output: '' is not the name of a file"),
        (["--output", "."], "--output: '.' is not the name of a file"),
        (["--output", "none/x"], "--output: none is not a folder"),
    ],
)
def test_bad_usage_is_one_line_and_nothing_is_built(builds: Builds, arguments: list[str], message: str) -> None:
    done = builds("fine", "verify", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line for line in done.stderr.split("\n") if line.startswith("error: ") and message in line]
    assert "options" not in builds.said()
    assert builds.left() == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [("unable", "toy 1.0 cannot build \\x1b named contexts"), ("full", "[Errno 28] No space left on device")],
)
def test_a_builder_that_cannot_go_on_is_one_line(builds: Builds, kind: str, message: str) -> None:
    done = builds(kind, "verify")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
    assert builds.said()["closed"]
    assert builds.left() == []


def test_what_a_builder_cannot_remove_is_said(builds: Builds) -> None:
    done = builds("stuck", "verify")
    assert done.returncode == 0
    assert "not all that toy made could be removed: image x is in use\n" in done.stderr
    assert builds.left() == []


def test_json_and_markdown(builds: Builds) -> None:
    data = json.loads(builds("broken", "verify", "--format", "json").stdout)
    assert (data["version"], data["summary"]["broken"]) == (1, 2)
    assert builds("broken", "verify", "-f", "markdown").stdout.startswith("## dockfix verify\n")


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_hostile_text_is_escaped(builds: Builds, form: str) -> None:
    done = builds("hostile", "verify", "-v", "--format", form)
    assert set(UNPRINTABLE.findall(done.stdout + done.stderr)) == {"\n"}


def test_the_output_is_a_file_that_is_replaced_as_a_whole(builds: Builds) -> None:
    target = builds.project / "result.md"
    link = builds.project / "link.md"
    target.write_text("old\n" * 9)
    target.chmod(0o640)
    link.symlink_to("result.md")
    inode = target.stat().st_ino
    done = builds("fine", "verify", "-f", "markdown", "--output", "link.md")
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text().startswith("## dockfix verify\n")
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.stat().st_ino != inode
    assert names(builds.project) == [".git", "Dockerfile", "link.md", "result.md"]
    assert builds("fine", "verify", "--output", "new").returncode == 0
    assert builds("fine", "verify", "--output", "/dev/stdout").stdout.startswith("api/Dockerfile")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_removes_everything(builds: Builds, number: int) -> None:
    with subprocess.Popen(
        builds.command("verify", "--output", "x"), cwd=builds.project, env=builds.environment("wait"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + LONG
        while "waiting" not in builds.said() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(builds.left()) == 1
        process.send_signal(number)
        _, error = process.communicate(timeout=LONG)
    assert process.returncode == 128 + number
    assert error == (b"dockfix: interrupted; nothing was written\n" if number == signal.SIGINT else b"")
    assert builds.said()["closed"]
    assert builds.left() == []
    assert names(builds.project) == [".git", "Dockerfile"]


def test_an_interrupt_in_the_session_is_one_line(builds: Builds) -> None:
    done = builds("interrupt", "verify")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "dockfix: interrupted; nothing was written\n"
    assert builds.said()["closed"]


def on_terminal(builds: Builds, *arguments: str) -> bytes:
    """What a run writes to a terminal on standard error."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        builds.command(*arguments), cwd=builds.project, env=builds.environment("slow"),
        stdout=subprocess.DEVNULL, stderr=follower,
    ) as process:  # fmt: skip
        os.close(follower)
        seen = b""
        while True:
            try:
                data = os.read(leader, 4096)
            except OSError:  # the other end is closed
                break
            seen += data
        process.wait(LONG)
    os.close(leader)
    return seen


def test_progress_is_a_line_on_a_terminal_that_is_rewritten(builds: Builds) -> None:
    seen = on_terminal(builds, "verify", "--color", "never")
    first, second, *_ = [each for each in seen.split(b"\r\x1b[K") if b"build before" in each]
    shown = b"\x1b[?7lapi (docker-compose.yaml:12): build before %d s  RUN \\x1b[31m x\x1b[?7h"
    assert (first, second) == (shown % 0, shown % 1)
    assert seen.split(b"\r\x1b[K")[-1].startswith(b"1 promise of 1 build target")
    assert b"build before" not in on_terminal(builds, "verify", "-q")


def test_help(builds: Builds) -> None:
    words = " ".join(builds("fine", "verify", "--help").stdout.split())
    assert "A build runs what the Dockerfile runs: verify only Dockerfiles that you trust." in words
    assert all(
        f"--{name} " in words
        for name in ("rule", "skip", "unsafe", "builder", "runs", "timeout", "max-context", "quick", "format", "output")
    )
