from pathlib import Path

import pytest

from dockfix.verify.builders.progress import outcome, read_progress
from dockfix.verify.model import Step
from dockfix.verify.process import Completed

RECORDED = Path(__file__).parent / "recorded"
"""What real builds printed."""


def recorded(name: str) -> str:
    return (RECORDED / name).read_bytes().decode()  # with the carriage returns


def test_a_build_without_cache() -> None:
    progress = read_progress(recorded("buildkit-cold.txt"))
    assert progress.reason == ""
    assert progress.steps == (
        Step("COPY bin /bin", cached=False, seconds=0.0),
        Step("COPY etc /etc", cached=False, seconds=0.3),
        Step("WORKDIR /app", cached=False, seconds=0.1),
        Step("COPY README.md .", cached=False, seconds=0.0),
        Step("RUN echo one   && sleep 1 && echo two", cached=False, seconds=1.4),
        Step(
            "RUN --mount=type=cache,target=/root/.cache/x date >> /root/.cache/x/f; cat /root/.cache/x/f",
            cached=False,
            seconds=0.2,
        ),
        Step("RUN <<EOF (echo a heredoc)", cached=False, seconds=0.2),
        Step("COPY --from=build /app /app", cached=False, seconds=0.1),
        Step('RUN echo "1" > /v', cached=False, seconds=0.2),
    )
    assert progress.output == ("one", "two", "Sat Nov 28 02:05:48 UTC 2026", "a heredoc")


def test_cached_steps_are_sorted_within_their_stage() -> None:
    steps = read_progress(recorded("buildkit-argument.txt")).steps
    assert [step.text for step in steps if not step.cached] == ['RUN echo "2" > /v']
    assert all(step.seconds is None for step in steps if step.cached)
    words = [step.text.split()[0] for step in steps]
    assert words == ["WORKDIR", "COPY", "RUN", "RUN", "RUN", "COPY", "COPY", "COPY", "RUN"]


def test_docker_20_10() -> None:
    progress = read_progress(recorded("buildx-docker-20.10.txt"))
    assert [(step.text.split()[0], step.cached) for step in progress.steps] == [
        ("WORKDIR", True), ("COPY", True), ("RUN", False), ("RUN", False), ("COPY", False), ("RUN", False),
    ]  # fmt: skip
    assert progress.output[0] == "one"


def test_a_step_that_fails() -> None:
    progress = read_progress(recorded("buildkit-failed.txt"))
    assert progress.steps[-1].text == "RUN echo bad; printf 'x\\r#3 DONE\\n'; exit 3"
    assert (progress.steps[-1].cached, progress.steps[-1].seconds) == (False, None)
    assert progress.reason == "RUN echo bad; printf 'x\\r#3 DONE\\n'; exit 3: exit code 3: #3 DONE"
    assert progress.output[-2:] == ("bad", "x\r#3 DONE")
    old = read_progress(recorded("docker-20.10-failed.txt"))
    assert old.reason.startswith("RUN echo one   && sleep 1 && echo two: executor failed running [/bin/sh -c")
    assert old.reason.endswith("network bridge not found")


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n"
            "Dockerfile:4\n--------------------\n   4 | >>> FOO x\n--------------------\n"
            "error: failed to solve: dockerfile parse error on line 4: unknown instruction: FOO\n",
            "dockerfile parse error on line 4: unknown instruction: FOO",
        ),
        ("ERROR: failed to build: failed to solve: Canceled: context canceled\n", "Canceled: context canceled"),
        (
            "ERROR: failed to build: failed to solve: rpc error: code = Unknown desc = no such thing\n",
            "no such thing",
        ),
        (
            '#6 [2/2] COPY nope /\n#6 ERROR: failed to calculate checksum of ref a::b: "/nope": not found\n',
            'COPY nope /: failed to calculate checksum of ref a::b: "/nope": not found',
        ),
        (f"#6 [2/2] RUN {'x' * 200}\n#6 ERROR: process did not complete successfully: exit code: 1\n",
         f"RUN {'x' * 93}...: exit code 1"),
        ("", ""),
    ],
)  # fmt: skip
def test_why_a_build_failed(log: str, reason: str) -> None:
    assert read_progress(log).reason == reason


def test_a_container_cannot_fake_the_state_of_a_step() -> None:
    log = (
        "#4 [2/3] RUN a\n#4 0.100 #4 CACHED\n#4 0.100 CACHED\n#4 0.2 ERROR: no\n#4 0.300 #9 [3/3] RUN fake\n"
        "#4 DONE 2.5s\n\n#5 [ 3/13] RUN b\n#5 CANCELED\n------\n > [2/3] RUN a:\n#7 [3/3] RUN more\n#5 CACHED\n------\n"
    )
    progress = read_progress(log)
    assert progress.steps == (Step("RUN a", cached=False, seconds=2.5), Step("RUN b", cached=False))
    assert progress.output == ("#4 CACHED", "CACHED", "ERROR: no", "#9 [3/3] RUN fake")


def test_steps_of_stages_and_platforms_but_not_from() -> None:
    log = (
        "#1 [linux/amd64 build 2/2] RUN a\n#1 CACHED\n#2 [build 1/2] FROM docker.io/library/debian\n#2 DONE 3.0s\n"
        "#3 [internal] load build context\n#3 DONE 0.1s\n#4 [context other] load from client\n#4 DONE 0.1s\n"
        "#5 exporting to image\n#5 DONE 0.2s\n#6 [stage-1 3/3] ADD https://x /\n#6 DONE 1.0s\n"
    )
    assert [step.text for step in read_progress(log).steps] == ["RUN a", "ADD https://x /"]


def test_outcomes() -> None:
    failed = recorded("buildkit-failed.txt")
    result = outcome(Completed(1, failed, 4.5), read_progress(failed), 60.0)
    assert (result.ok, result.seconds, result.timed_out, result.log) == (False, 4.5, False, failed)
    assert result.reason.endswith(": exit code 3: #3 DONE")
    stopped = outcome(Completed(-15, failed, 60.1, timed_out=True), read_progress(failed), 60.0)
    assert (stopped.ok, stopped.timed_out, stopped.reason) == (False, True, "stopped at the time limit of 60 s")
    odd = outcome(Completed(2, "docker: \x1b[31munknown\x1b[0m flag\n\n", 0.1), read_progress(""), 60.0)
    assert odd.reason == "docker: unknown flag"
    assert outcome(Completed(9, "", 0.1), read_progress(""), 60.0).reason == "exit code 9"
    cold = recorded("buildkit-cold.txt")
    fine = outcome(Completed(0, cold, 3.0), read_progress(cold), 60.0)
    assert (fine.ok, fine.reason, len(fine.rerun)) == (True, "", 9)
