"""A rule that raises, never ends, or yields nonsense: it is named, nothing of it is written, and all else is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forks import Forks

BAD_RULES = Path(__file__).with_name("bad_rules.py")
OLD, NEW = "FROM alpine as {}\n", "FROM alpine AS {}\n"

CRASHES = {
    "exception": "(crash): LookupError: no such thing",
    "system-exit": "(crash): SystemExit: 0",
    "generator-exit": "(crash): GeneratorExit",
    "panic": "(crash): Panic: in Rust",
    "memory-error": "(crash): MemoryError",
    "recursion": "(crash): RecursionError",
    "not-iterable": "(crash): TypeError",
    "unreadable": "(crash): RuntimeError: no repr",
}
LIMITED = {
    "loop": "(limit): took more than 0.8 seconds",
    "stubborn-loop": "(limit): took more than 0.8 seconds",
    "backtracking": "(limit): took more than 0.8 seconds",
    "sleep": "(limit): took more than 0.8 seconds",
    "memory": "(limit): used more than 200 MiB of memory",
    "endless": "(limit): it has more than 1000 findings in one file",
}
NONSENSE = {
    "none": "(finding): it yields a NoneType, which is not a finding",
    "text": "(finding): it yields a str, which is not a finding",
    "no-span": "(finding): the place 0 of a finding is not in the text",
    "span-outside": "(finding): the place Span(start=0, end=10000) of a finding is not in the text",
    "span-backwards": "(finding): the place Span(start=3, end=1) of a finding is not in the text",
    "span-negative": "(finding): the place Span(start=-2, end=-1) of a finding is not in the text",
    "no-message": "(finding): a text of a finding is not a string",
    "no-help": "(finding): a text of a finding is not a string",
    "severity": "(finding): 'high' is not a severity",
    "code": "(finding): a text of a finding is not a string",
    "safety": "(finding): 'safe' is not a safety",
    "no-edit": "(finding): (0, 0, '# x\\n') is not an edit",
    "edit-of-bytes": "(finding): the replacement b'# x\\n' of an edit is not a string",
    "edit-of-floats": "(finding): Edit(start=0.0, end=0.0, replacement='# x\\n') is not an edit",
    "edit-surrogate": "(finding): the replacement of an edit cannot be written as UTF-8",
    "outside": "(finding): /dockfix-outside is not the real path of a file of the project",
    "relative": "(finding): other is not the real path of a file of the project",
    "edit-outside": "(edits): edit 0-10000 is out of range",
    "edits-overlap": "(edits): edits overlap at 2",
    "explodes": "(edits): the result is larger than 4 MiB",
    "edit-nothing": "(stability): a fix changes nothing",
    "grows": "(stability): the codemod keeps finding more to fix in its own output",
    "unparsable": "(gate): the result does not parse: unknown instruction: FORM",
    "empties": "(gate): the result does not parse: file with no instructions",
}
OVER_THE_PROJECT = {
    "project-hang": "(limit): took more than 0.8 seconds",
    "project-nameless": "(finding): a finding of check_project does not name its file",
    "project-exit": "(crash): SystemExit: 5",
    "collect": "(crash): LookupError: nothing to collect",
}


@pytest.fixture(scope="module")
def bad_rules() -> Iterator[Forks]:
    with Forks(BAD_RULES) as program:
        yield program


def written(project: Path, count: int) -> None:
    (project / ".git").mkdir(parents=True)
    for number in range(count):
        name = "bad" if number == count // 2 else f"n{number}"
        (project / f"{number:02}.Dockerfile").write_text(OLD.format(name))


def texts(project: Path) -> list[str]:
    assert [path for path in project.iterdir() if path.name.startswith(".dockfix")] == []
    return [path.read_text() for path in sorted(project.glob("*.Dockerfile"))]


@pytest.mark.parametrize("command", ["apply", "check"])
@pytest.mark.parametrize(("mode", "message"), (CRASHES | LIMITED | NONSENSE | OVER_THE_PROJECT).items())
def test_a_bad_rule_is_named_and_all_else_is_done(
    bad_rules: Forks, tmp_path: Path, mode: str, message: str, command: str
) -> None:
    written(tmp_path, 3)
    before = texts(tmp_path)
    done = bad_rules.run([mode, command], cwd=tmp_path, env=dict(os.environ))
    error = done.stderr.decode()
    assert done.returncode == 3, error
    assert f"defect in bad {message}" in error
    assert "please report this to the authors of the pack 'toys'" in error
    assert "Traceback" not in error
    if command == "apply":
        assert texts(tmp_path) == [text.replace(" as ", " AS ") for text in before]
    else:
        assert texts(tmp_path) == before
        assert done.stdout.decode().count("info good `as`") == 3


def test_a_rule_that_was_stopped_is_not_run_again(bad_rules: Forks, tmp_path: Path) -> None:
    written(tmp_path, 5)
    done = bad_rules.run(["loop", "apply"], cwd=tmp_path, env=dict(os.environ))
    error = done.stderr.decode()
    assert error.count("took more than 0.8 seconds") == 3
    assert error.count("in an earlier file and was not run again") == 2


def test_an_interrupt_of_a_rule_ends_the_run_before_anything_is_written(bad_rules: Forks, tmp_path: Path) -> None:
    written(tmp_path, 3)
    before = texts(tmp_path)
    done = bad_rules.run(["interrupt", "apply"], cwd=tmp_path, env=dict(os.environ))
    assert (done.returncode, texts(tmp_path)) == (130, before)
    assert b"interrupted" in done.stderr


@pytest.mark.parametrize(
    "mode", ["abort", "exit", "stuck", "loop", "memory", "exception", "interrupt", "collect-lambda"]
)
def test_in_several_processes(bad_rules: Forks, tmp_path: Path, mode: str) -> None:
    """A process that dies is only that of one file; the others are done."""
    written(tmp_path, 60)
    before = texts(tmp_path)
    done = bad_rules.run([mode, "apply", "--jobs", "2"], cwd=tmp_path, env=dict(os.environ))
    error = done.stderr.decode()
    if mode == "interrupt":
        assert (done.returncode, texts(tmp_path)) == (130, before)
        return
    after = [text.replace(" as ", " AS ") for text in before]
    if mode in ("abort", "exit", "stuck"):
        assert "30.Dockerfile: defect in bad (crash): the process that checked this file died" in error
        after[30] = before[30]
    assert texts(tmp_path) == after, error
    assert done.returncode == (0 if mode == "collect-lambda" else 3)
    assert "Traceback" not in error


def test_a_run_that_is_stuck_for_good_ends_and_says_where(tmp_path: Path) -> None:
    """In a call that does not return to Python, in the process itself: it cannot go on, but it ends."""
    written(tmp_path, 3)
    before = texts(tmp_path)
    command = [sys.executable, str(BAD_RULES), "stuck", "apply"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGPROF
    assert "bad_rules.py" in done.stderr
    assert "in stuck_in_c" in done.stderr
    assert texts(tmp_path) == before
