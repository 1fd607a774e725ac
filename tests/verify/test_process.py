"""Programs that are run with limits of time and output."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockfix.verify.process import MAX_LOG, Running, run


def python(code: str) -> list[str]:
    """A command line that runs Python code."""
    return [sys.executable, "-u", "-c", code]


def ends(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_output_code_and_lines() -> None:
    lines: list[str] = []
    done = run(python("import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"), timeout=30,
               on_line=lines.append)  # fmt: skip
    assert (done.code, done.output, done.timed_out, done.ok) == (3, "one\ntwo\n", False, False)
    assert lines == ["one", "two"]


def test_a_last_line_without_a_line_end_is_reported() -> None:
    lines: list[str] = []
    run(python("import sys; sys.stdout.write('one\\r\\ntwo')"), timeout=30, on_line=lines.append)
    assert lines == ["one", "two"]


def test_the_environment_is_added_to_and_the_folder_is_entered(tmp_path: Path) -> None:
    code = "import os; print(os.environ['EXTRA'], 'PATH' in os.environ, os.getcwd())"
    assert run(python(code), timeout=30, cwd=tmp_path, env={"EXTRA": "x"}).output == f"x True {tmp_path}\n"


def test_a_program_that_does_not_exist() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/nonexistent/program"], timeout=1)


def test_a_program_is_stopped_with_its_children_at_the_time_limit() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid); time.sleep(60)"
    )
    done = run(python(code), timeout=1)
    assert done.timed_out
    assert done.seconds < 8
    assert ends(int(done.output))


def test_a_program_that_is_stopped_can_print_while_it_cleans_up(tmp_path: Path) -> None:
    # With a closed pipe it would die of printing.
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    print('cleaning ' * 20000, flush=True)\n"
        f"    open({str(tmp_path / 'clean')!r}, 'w').close()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    done = run(python(code), timeout=1)
    assert done.timed_out
    assert not done.ok
    assert "cleaning" in done.output
    assert (tmp_path / "clean").exists()


def test_an_interrupt_stops_the_program_and_lets_it_clean_up(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time\n"
        "def stop(*_):\n"
        "    print('cleaning ' * 20000, flush=True)\n"
        f"    open({str(tmp_path / 'clean')!r}, 'w').close()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    outer = f"from dockfix.verify.process import run\nrun({python(code)!r}, timeout=60, on_line=print)"
    with subprocess.Popen(python(outer), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    assert ends(pid)
    assert (tmp_path / "clean").exists()


def test_a_program_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockfix.verify.process._KILL_AFTER", 0.5)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x'); time.sleep(60)"
    with Running(python(code)) as running:
        while not running.output:
            time.sleep(0.02)
        running.stop(0.2)
        assert running.code == -signal.SIGKILL


def test_a_failing_listener_stops_the_program() -> None:
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        run(python("import os, time; print(os.getpid()); time.sleep(60)"), timeout=30, on_line=listen)
    assert ends(pids[0])


def test_long_output_is_cut_in_the_middle() -> None:
    done = run(python(f"print('a' * {MAX_LOG}); print('b' * {MAX_LOG})"), timeout=60)
    assert done.ok
    assert len(done.output) < 1.5 * MAX_LOG
    assert done.output.startswith("aaa")
    assert done.output.endswith("bbb\n")
    assert "bytes left out" in done.output


def test_a_child_that_keeps_the_pipe_open_does_not_keep_the_caller_waiting() -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '20'], start_new_session=True).pid)"
    done = run(python(code), timeout=15)
    assert done.ok
    assert done.seconds < 10
    subprocess.run(["kill", done.output.strip()], check=True)


def test_a_running_program_is_watched_and_stopped() -> None:
    with Running(python("import time; print('hello'); time.sleep(60)")) as running:
        while "hello" not in running.output:
            time.sleep(0.02)
        assert running.code is None
        pid = running.pid
    assert running.code == -signal.SIGTERM
    assert ends(pid)


def test_the_end_of_a_running_program_is_seen() -> None:
    with Running(python("print('x' * 100000); raise SystemExit(4)")) as running:
        while running.code is None:
            time.sleep(0.02)
        assert (running.code, len(running.output)) == (4, 100001)


def test_the_umask_of_a_program_lets_other_users_read() -> None:
    mask = os.umask(0o077)
    try:
        assert run(["sh", "-c", "umask"], timeout=9.0).output.strip() in ("0022", "022")
    finally:
        os.umask(mask)
