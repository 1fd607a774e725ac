import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dockfix.verify.builders.trial_step import bare_dockerfile, read_trial, trial_dockerfile
from dockfix.verify.model import Start, StartOutcome

WORD = "6d1f0a"
SH = shutil.which("sh")

pytestmark = pytest.mark.skipif(SH is None, reason="the script of a trial needs a shell")


def tried(*command: str, health: tuple[str, ...] = (), limit: float = 8.0, delay: float = 0.1) -> StartOutcome | None:
    """Run the step of a trial in this machine's shell."""
    text = trial_dockerfile("base", Start(command, health=health, limit=limit, health_delay=delay), WORD)
    argv = json.loads(text[text.index("[") :])
    with tempfile.TemporaryFile() as output:
        # a session of its own: what the script leaves running would end with its container
        step = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            assert step.wait(60) == 1, "a step that succeeds would be kept"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(step.pid, signal.SIGKILL)
        output.seek(0)
        return read_trial(output.read().decode().split("\n"), WORD)


def test_a_command_that_ends() -> None:
    outcome = tried("sh", "-c", 'printf "%s %s\\n" "$0" "$1"; printf "no line end"; exit 3', "a  b", "c'd\"$e`f`\\n")
    assert outcome is not None
    assert (outcome.running, outcome.exit_code, outcome.health_code) == (False, 3, None)
    assert outcome.output == "a  b c'd\"$e`f`\\n\nno line end"


def test_a_command_that_runs() -> None:
    outcome = tried("sleep", "30", limit=1.0)
    assert outcome == StartOutcome(running=True)


def test_a_health_check_that_passes_at_its_second_trial(tmp_path: Path) -> None:
    ready = tmp_path / "is ready"
    began = time.monotonic()
    health = ("sh", "-c", 'echo look; test -e "$0"', str(ready))
    outcome = tried("sh", "-c", 'sleep 0.8; touch "$0"; sleep 30', str(ready), health=health)
    assert outcome == StartOutcome(running=True, health_code=0, health_output="look")
    assert time.monotonic() - began < 6.0


def test_a_health_check_that_fails_and_one_that_hangs() -> None:
    outcome = tried("sleep", "30", health=("sh", "-c", "echo one; echo two >&2; exit 5"), limit=1.5)
    assert outcome == StartOutcome(running=True, health_code=5, health_output="one\ntwo")
    assert tried("sleep", "30", health=("sleep", "20"), limit=1.0) == StartOutcome(running=True)


def test_a_command_that_ends_while_its_health_is_tried() -> None:
    outcome = tried("sh", "-c", "sleep 0.7; exit 0", health=("false",))
    assert outcome == StartOutcome(running=False, exit_code=0, health_code=1)


def test_a_command_that_does_not_exist() -> None:
    outcome = tried("/no/such/program")
    assert outcome is not None
    assert (outcome.running, outcome.exit_code) == (False, 127)


def test_lines_of_the_container_are_not_taken_for_results() -> None:
    lines = ["other exit 0", f"x {WORD} running", f"{WORD}x exit 0", f"{WORD} exit 4", ""]
    outcome = read_trial(lines, WORD)
    assert outcome is not None
    assert (outcome.running, outcome.exit_code) == (False, 4)
    assert outcome.output == f"other exit 0\nx {WORD} running\n{WORD}x exit 0"


def test_without_an_end_there_is_no_outcome() -> None:
    assert read_trial(["exec: /bin/sh: no such file"], WORD) is None
    assert read_trial([f"{WORD} health 1", "text"], WORD) is None


def test_a_command_alone() -> None:
    assert bare_dockerfile("base", ["/app", 'a"b']) == 'FROM base\nRUN --network=none ["/app", "a\\"b"]\n'
