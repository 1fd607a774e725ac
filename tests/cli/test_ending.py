"""A run that is killed leaves no temporary file and no process, or the next run removes what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HALTING = Path(__file__).with_name("halting.py")
TOYS = Path(__file__).with_name("toys.py")
OLD = b"FROM alpine as base\n"
LONG = 120  # seconds that nothing here needs, unless the machine is busy with other things


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:  # one that has ended and that nobody has waited for is there, and does not run
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


@contextmanager
def halted(mode: str, project: Path, folder: Path, count: int, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A dockfix that has halted in so many processes."""
    folder.mkdir()
    command = [sys.executable, str(HALTING), mode, str(folder), *arguments]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert wait_for(lambda: len(list(folder.iterdir())) >= count)
            yield process
        finally:
            process.kill()


def temporary(project: Path) -> list[str]:
    return sorted(path.name for path in project.iterdir() if path.name.startswith(".dockfix-"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_writing_leaves_everything_as_it_was(project: Path, tmp_path: Path, number: int) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    with halted("write", project, tmp_path / "ids", 1, "apply") as process:
        assert len(temporary(project)) == 1
        process.send_signal(number)
        _, error = process.communicate(timeout=LONG)
    assert process.returncode == 128 + number
    assert b"Traceback" not in error
    assert temporary(project) == []
    assert (project / "Dockerfile").read_bytes() == OLD


def test_a_signal_that_is_ignored_stays_ignored(project: Path, tmp_path: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup: a child takes it over
    try:
        with halted("write", project, tmp_path / "ids", 1, "apply") as process:
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LONG)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.returncode == 128 + signal.SIGTERM


def test_the_next_run_removes_what_a_killed_one_has_left(project: Path, tmp_path: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    with halted("write", project, tmp_path / "ids", 1, "apply") as process:
        (left,) = temporary(project)
        subprocess.run([sys.executable, TOYS, "apply"], cwd=project, timeout=LONG, check=True, capture_output=True)
        assert temporary(project) == [left]  # its process is still there
        process.kill()
        process.communicate(timeout=LONG)
    assert temporary(project) == [left]
    number = left.split("-")[2]
    others = [f"{left}x", left.replace(number, f"0{number}"), left[:-1] + "g", ".dockfix-notes", ".dockfix-kept-012345"]
    other_files = left.replace(left.split("-")[1], "00000000")
    for name in (*others, other_files):
        (project / name).touch()
    folder = left[:-4] + "0000"
    (project / folder).mkdir()
    for command in ("check", "apply --diff"):
        subprocess.run(
            [sys.executable, str(TOYS), *command.split()], cwd=project, timeout=LONG, check=False, capture_output=True
        )
        assert left in temporary(project)  # they write nothing
    subprocess.run([sys.executable, TOYS, "apply"], cwd=project, timeout=LONG, check=True, capture_output=True)
    assert temporary(project) == sorted([*others, other_files, folder])


@pytest.mark.parametrize("command", ["check", "apply"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent(project: Path, tmp_path: Path, number: int, command: str) -> None:
    for index in range(60):
        (project / f"{index}.Dockerfile").write_bytes(OLD)
    with halted("worker", project, tmp_path / "ids", 2, command, "--jobs", "2") as process:
        workers = [int(path.name) for path in (tmp_path / "ids").iterdir()]
        assert process.pid not in workers
        assert all(is_running(each) for each in workers)
        process.send_signal(number)
        _, error = process.communicate(timeout=LONG)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert b"Traceback" not in error
    assert wait_for(lambda: not any(is_running(each) for each in workers))


def test_windows_itself_is_refused_with_a_message(project: Path) -> None:
    program = "import os, sys; from dockfix.cli import main; os.name = 'nt'; os._exit(main(['check']))"
    done = subprocess.run(
        [sys.executable, "-u", "-c", program], cwd=project, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not run on Windows itself: use WSL" in done.stderr


@pytest.mark.parametrize("command", ["check", "apply"])
def test_a_current_folder_that_was_removed_is_one_error(tmp_path: Path, command: str) -> None:
    program = f"import os; os.rmdir(os.getcwd()); from dockfix.cli import main; os._exit(main(['{command}']))"
    (gone := tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=gone, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dockfix: the current folder does not exist any more\n"
