"""ShellCheck as a service: programs that fail, what is kept, and hostile scripts."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockfix.project import shellcheck, shellcheck_answer
from dockfix.project.shellcheck import Failure, check_scripts

SCRIPT = "#!/bin/dash\nrm $x\n"
ANSWER = {
    "file": "0", "line": 2, "endLine": 2, "column": 4, "endColumn": 6, "level": "info", "code": 2086, "message": "m",
    "fix": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    shellcheck.find_program.cache_clear()
    yield
    shellcheck.find_program.cache_clear()


class Stub:
    """A program in place of ShellCheck, which counts how often it runs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.log = folder / "shellcheck", folder / "log"
        self._monkeypatch = monkeypatch

    def says(self, text: str, status: int = 0, before: str = "") -> None:
        self.path.write_text(
            f"#!/bin/sh\n{before}\necho \"$*\" >> '{self.log}'\ncat <<'END'\n{text}\nEND\nexit {status}\n"
        )
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self._monkeypatch.setattr(shellcheck, "find_program", lambda: str(self.path))

    def comments(self, *comments: dict[str, Any]) -> None:
        self.says(json.dumps({"comments": comments}), status=1)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    return Stub(tmp_path, monkeypatch)


@pytest.fixture
def real() -> None:
    if shellcheck.find_program() is None:
        message = "the program 'shellcheck' is not installed"
        if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)


def codes(script: str) -> list[int]:
    found = check_scripts({}, [[script]])[script]
    assert isinstance(found, tuple)
    return [each.code for each in found]


def test_without_the_program_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: None)
    assert check_scripts({}, [[SCRIPT]]) == {}


def test_one_process_reads_all_scripts_of_all_dialects(stub: Stub) -> None:
    stub.comments(ANSWER, {**ANSWER, "file": "1", "code": 2154})
    scripts = [SCRIPT, "#!/bin/bash\nrm $y\n", SCRIPT]
    found = check_scripts({}, [scripts])
    assert [[each.code for each in found[script]] for script in scripts[:2]] == [[2086], [2154]]  # type: ignore[union-attr] # no failures
    assert stub.calls == ["--norc --format=json1 0 1"]


def test_a_run_asks_once_for_a_script(stub: Stub) -> None:
    stub.comments(ANSWER)
    memo: dict[object, object] = {}
    assert check_scripts(memo, [[SCRIPT]]) == check_scripts(memo, [[SCRIPT]])
    assert len(stub.calls) == 1


@pytest.mark.parametrize(
    ("output", "status", "reason"),
    [
        ("Segmentation fault", 0, "its output is not what is expected"),
        ("", 0, "its output is not what is expected"),
        ("[]", 0, "its output is not what is expected"),
        ('{"comments": [{"line": 1}]}', 1, "its output is not what is expected"),
        ('{"comments": [{"file": "../x"}]}', 1, "its output is not what is expected"),
        (json.dumps({"comments": [{**ANSWER, "file": "7"}]}), 1, "its output is not what is expected"),
        ("{}", 2, "it ended with status 2"),
        ("{}", 139, "it ended with status 139"),
    ],
)
def test_a_program_that_fails_says_so(stub: Stub, output: str, status: int, reason: str) -> None:
    stub.says(output, status)
    assert check_scripts({}, [[SCRIPT]]) == {SCRIPT: Failure(reason)}


def test_a_program_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: str(tmp_path / "gone"))
    assert check_scripts({}, [[SCRIPT]]) == {SCRIPT: Failure("it cannot be run: No such file or directory")}


def test_a_program_that_does_not_end_is_stopped(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellcheck, "_TIMEOUT", 1)
    stub.says("{}", before="exec sleep 600")
    assert check_scripts({}, [[SCRIPT]]) == {SCRIPT: Failure("it took more than 1 seconds")}


def test_a_script_that_is_too_large_is_not_given_to_it(stub: Stub) -> None:
    stub.comments(ANSWER)
    large = f"{SCRIPT}#{'x' * 8192}\n"
    found = check_scripts({}, [[large], [SCRIPT, large]])
    assert found[large] == Failure(
        "it has more than 8,192 characters, for which ShellCheck takes too long", asked=False
    )
    assert isinstance(found[SCRIPT], tuple)
    assert len(stub.calls) == 1
    assert check_scripts({}, [[large]]).keys() == {large}
    assert len(stub.calls) == 1


def test_after_two_failures_no_process_is_started(stub: Stub) -> None:
    stub.says("", 2)
    memo: dict[object, object] = {}
    for number in range(5):
        check_scripts(memo, [[f"{SCRIPT}# {number}\n"]])
    assert len(stub.calls) == 2
    assert check_scripts(memo, [["#!/bin/dash\n"]]) == {"#!/bin/dash\n": Failure("it failed before")}


def test_a_process_reads_the_scripts_of_several_files(stub: Stub, tmp_path: Path) -> None:
    other = f"{SCRIPT}# 2\n"
    stub.comments(ANSWER, {**ANSWER, "file": "1", "code": 2154})
    memo: dict[object, object] = {}
    found = check_scripts(memo, [[SCRIPT], [SCRIPT, other], []], tmp_path / "kept")
    assert list(found) == [SCRIPT, other]
    assert stub.calls == ["--norc --format=json1 0 1"]
    assert check_scripts(memo, [[SCRIPT, other]], tmp_path / "kept") == found
    assert check_scripts({}, [[SCRIPT, other]], tmp_path / "kept") == found
    assert check_scripts({}, [[SCRIPT]], tmp_path / "kept") == {SCRIPT: found[SCRIPT]}
    assert len(stub.calls) == 1


def test_what_is_new_in_a_file_is_asked_for_alone(stub: Stub, tmp_path: Path) -> None:
    stub.comments(ANSWER)
    memo: dict[object, object] = {}
    check_scripts(memo, [[SCRIPT]], tmp_path / "kept")
    changed = [SCRIPT, f"{SCRIPT}# 2\n"]
    found = check_scripts(memo, [changed], tmp_path / "kept")
    assert stub.calls == ["--norc --format=json1 0", "--norc --format=json1 0"]
    assert check_scripts({}, [changed], tmp_path / "kept") == found
    assert len(stub.calls) == 2


def test_a_failure_for_several_files_is_not_remembered(stub: Stub) -> None:
    memo: dict[object, object] = {}
    stub.says("", 2)
    assert check_scripts(memo, [[SCRIPT], ["#!/bin/sh\n"]]) == {}
    stub.comments()
    assert check_scripts(memo, [[SCRIPT]]) == {SCRIPT: ()}


def test_a_failure_is_not_kept_for_other_runs(stub: Stub, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    stub.says("", 2)
    check_scripts({}, [[SCRIPT]], folder)
    stub.comments(ANSWER)
    assert isinstance(check_scripts({}, [[SCRIPT]], folder)[SCRIPT], tuple)


def test_other_runs_find_what_was_kept(stub: Stub, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "kept"
    stub.comments(ANSWER)
    first = check_scripts({}, [[SCRIPT]], folder)
    assert check_scripts({}, [[SCRIPT]], folder) == first
    assert len(stub.calls) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.suffix for path in folder.iterdir()] == [".json"]


def test_another_version_of_the_program_is_asked_again(stub: Stub, tmp_path: Path) -> None:
    stub.comments(ANSWER)
    check_scripts({}, [[SCRIPT]], tmp_path / "kept")
    stub.comments(ANSWER, {**ANSWER, "code": 2154})
    assert len(check_scripts({}, [[SCRIPT]], tmp_path / "kept")[SCRIPT]) == 2  # type: ignore[arg-type] # no failure
    assert len(stub.calls) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"[[]]x", b'[[{"code": 1}]]', b"null", b"[[], []]"])
def test_a_file_that_is_not_whole_counts_as_missing(stub: Stub, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "kept"
    stub.comments(ANSWER)
    first = check_scripts({}, [[SCRIPT]], folder)
    (kept,) = folder.iterdir()
    kept.write_bytes(content)
    assert check_scripts({}, [[SCRIPT]], folder) == first
    assert len(stub.calls) == 2
    assert check_scripts({}, [[SCRIPT]], folder) == first
    assert len(stub.calls) == 2


def test_a_folder_that_cannot_be_written_is_left_out(stub: Stub, tmp_path: Path) -> None:
    stub.comments(ANSWER)
    (tmp_path / "file").write_text("")
    assert len(check_scripts({}, [[SCRIPT]], tmp_path / "file" / "kept")[SCRIPT]) == 1  # type: ignore[arg-type] # as above
    assert len(check_scripts({}, [[SCRIPT]], Path("/proc/dockfix"))[SCRIPT]) == 1  # type: ignore[arg-type] # as above


def test_runs_at_the_same_time(stub: Stub, tmp_path: Path) -> None:
    stub.comments(ANSWER)
    found: list[object] = []

    def run(number: int) -> None:
        found.extend(
            check_scripts({}, [[SCRIPT, f"{SCRIPT}# {number % 2}\n"][: 1 + number % 2]], tmp_path / "kept").values()
        )

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 12
    assert not any(isinstance(each, Failure) for each in found)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_the_oldest_files_are_removed(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellcheck_answer, "_MOST_FILES", 8)
    stub.comments()
    folder = tmp_path / "kept"
    for number in range(9):
        check_scripts({}, [[f"#!/bin/sh\n# {number}\n"]], folder)
        for path in folder.iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 1))
    assert len(list(folder.iterdir())) == 7
    check_scripts({}, [["#!/bin/sh\n# 8\n"]], folder)
    assert len(stub.calls) == 9


@pytest.mark.parametrize("text", ["rm $x\r\n", "rm \udcff\n"])
def test_text_that_it_cannot_read_as_it_is(stub: Stub, text: str) -> None:
    stub.comments()
    assert check_scripts({}, [[text]]) == {}
    assert stub.calls == []


def test_a_program_of_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "shellcheck"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert shellcheck.find_program() is None


@pytest.mark.usefixtures("real")
class TestTheProgram:
    """What the real program does."""

    def test_columns_count_characters(self) -> None:
        script = "#!/bin/dash\nprintf 'é\t😀' $x\n"
        (found,) = check_scripts({}, [[script]]).values()
        assert isinstance(found, tuple)
        assert {(each.code, each.column, each.end_column) for each in found} >= {(2086, 14, 16)}

    def test_it_follows_no_file(self, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.write_text("rm $y\n")
        for text in (
            f". {other}",
            f"# shellcheck source={other}\n. $x",
            f"# shellcheck external-sources=true\n. {other}",
        ):
            script = f"#!/bin/dash\n{text}\n"
            (found,) = check_scripts({}, [[script]]).values()
            assert isinstance(found, tuple)
            assert {each.file for each in found} == {"0"}
            assert not any("y is referenced" in each.message for each in found)

    def test_it_reads_no_configuration(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".shellcheckrc").write_text("disable=SC2086\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SHELLCHECK_OPTS", "--exclude=SC2086")
        assert 2086 in codes(SCRIPT)

    @pytest.mark.parametrize(
        "text", ["\0rm $x", "rm $x\0", "-- $x", "'\"`$( $x", "# 1\n0\nrm $x", "\ufeffrm $x", "rm $x\u2028"]
    )
    def test_odd_text_does_not_end_it(self, text: str) -> None:
        assert codes(f"#!/bin/dash\n{text}\n")
