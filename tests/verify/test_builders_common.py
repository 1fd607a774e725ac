"""What the builders share."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dockfix.verify.builders.common import (
    build_options,
    has_heredocs,
    ignore_file,
    one_line,
    secret_option,
    version_numbers,
)
from dockfix.verify.builders.steps import StepReader, failure
from dockfix.verify.builders.tiny_program import tiny_program
from dockfix.verify.model import BuilderError, BuildRequest, Secret, Step


def request(**options: Any) -> BuildRequest:
    """A build of /d/Dockerfile."""
    return BuildRequest(Path("/d/Dockerfile"), Path("/c"), "tag", **options)


def test_a_version_is_found() -> None:
    assert version_numbers("buildah version 1.28.2 (image-spec 1.1.0, runtime-spec 1.0.2)") == (1, 28, 2)
    assert version_numbers("github.com/docker/buildx v0.10.5 86bdced") == (0, 10, 5)
    assert version_numbers("unknown") == ()


def test_each_option_is_one_argument() -> None:
    options = build_options(
        request(
            args={"A": "x y", "B": None, "C": ""},
            target="-t",
            platform="linux/arm64",
            extra={"ulimit": ("nofile=1:2", "nproc=3"), "network": ("default",), "add-host": ("a:1.2.3.4",)},
        )
    )
    assert options == [
        "--file=/d/Dockerfile", "--tag=tag", "--build-arg=A=x y", "--build-arg=B", "--build-arg=C=", "--target=-t",
        "--platform=linux/arm64", "--ulimit=nofile=1:2", "--ulimit=nproc=3", "--add-host=a:1.2.3.4",
    ]  # fmt: skip


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(BuilderError, match="`output` cannot be passed on"):
        build_options(request(extra={"output": ("/etc",)}))


def test_a_secret_is_a_line_of_csv() -> None:
    assert secret_option(Secret("a", file=Path("/x/y"))) == "id=a,src=/x/y"
    assert secret_option(Secret("a", env="NAME")) == "id=a,env=NAME"
    assert secret_option(Secret("a,b", file=Path('/x"y'))) == '"id=a,b","src=/x""y"'


def test_the_ignore_file_is_next_to_the_dockerfile(tmp_path: Path) -> None:
    build = BuildRequest(tmp_path / "api.Dockerfile", tmp_path, "tag")
    (tmp_path / ".dockerignore").touch()
    assert ignore_file(build) is None
    (tmp_path / "api.Dockerfile.dockerignore").touch()
    assert ignore_file(build) == tmp_path / "api.Dockerfile.dockerignore"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM a\nRUN <<EOF\ntrue\nEOF\n", True),
        ("FROM a\nCOPY <<one <<two /x/\none\ntwo\n", True),
        ("FROM a\nRUN cat <<'E' > /x\nE\n", True),
        ('FROM a\nRUN ["echo", "<<EOF"]\n', False),
        ("FROM a\n# RUN <<EOF\nRUN echo $((1<<2))\n", False),
    ],
)
def test_heredocs_are_seen(text: str, found: bool, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(text)
    assert has_heredocs(path) is found


def test_one_line_cannot_control_a_terminal() -> None:
    assert one_line("a\x1b[31mb\x1b]0;title\x07c\x00d\u202ee\n  f\t\r\n") == "abc�d�e f"
    assert one_line("x" * 1000, 100) == "x" * 50 + " ... " + "x" * 45


def test_the_tiny_program_runs(tmp_path: Path) -> None:
    program = tiny_program(os.uname().machine)
    if program is None:
        pytest.skip("there is none for this machine")
    path = tmp_path / "program"
    path.write_bytes(program)
    path.chmod(0o755)
    assert subprocess.run([path], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 62), ("aarch64", 183)])
def test_the_tiny_program_is_elf(machine: str, number: int) -> None:
    program = tiny_program(machine)
    assert program is not None
    assert program[:4] == b"\x7fELF"
    assert int.from_bytes(program[18:20], "little") == number
    assert tiny_program("pdp11") is None


# Recorded from buildah 1.28.2.
LOG = """\
[1/2] STEP 1/3: FROM localhost/base AS one
[1/2] STEP 2/3: ARG X=1
--> Using cache 2272c5945c314056e698f6853d10cf31a428b43717d301c278145505c156bdb5
--> 2272c5945c3
[1/2] STEP 3/3: RUN echo "hello $X" && date > /d
hello 1
--> 2dfbedddc20
[2/2] STEP 1/3: FROM localhost/base
[2/2] STEP 2/3: COPY --from=one /d /d
--> b5aab152dda
[2/2] STEP 3/3: CMD ["sleep", "100"]
--> Using cache 302c5dc70098c78adc57fa2104ad76503861ef4a8a3eb2637fcacf68479d505c
[2/2] COMMIT localhost/t1
--> 302c5dc7009
Successfully tagged localhost/t1:latest
302c5dc70098c78adc57fa2104ad76503861ef4a8a3eb2637fcacf68479d505c
"""


def test_steps_are_read() -> None:
    times = iter(range(0, 1000, 10))
    reader = StepReader(lambda: float(next(times)))
    for line in LOG.splitlines():
        reader.line(line)
    steps = reader.steps()
    assert [(step.text, step.cached) for step in steps] == [
        ("ARG X=1", True),
        ('RUN echo "hello $X" && date > /d', False),
        ("COPY --from=one /d /d", False),
        ('CMD ["sleep", "100"]', True),
    ]
    assert all(step.seconds == 10.0 for step in steps)
    assert reader.steps() == steps


def test_a_step_that_was_interrupted_is_a_step() -> None:
    reader = StepReader(iter((1.0, 4.0)).__next__)
    reader.line("STEP 2/2: RUN sleep 100")
    assert reader.steps() == (Step("RUN sleep 100", False, 3.0),)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "STEP 2/2: RUN echo hi; echo bad >&2; false\nhi\nbad\n"
            'Error: building at STEP "RUN echo hi; echo bad >&2; false": while running runtime: exit status 1\n',
            "`RUN echo hi; echo bad >&2; false`: exit status 1: bad",
        ),
        (
            "STEP 2/3: RUN echo earlier\nearlier\n--> cb566848635\nSTEP 3/3: RUN false\n"
            "subprocess exited with status 1\nsubprocess exited with status 1\n"
            'Error: building at STEP "RUN false": exit status 1\n',
            "`RUN false`: exit status 1",
        ),
        (
            "STEP 2/2: COPY nosuch /\n"
            'Error: building at STEP "COPY nosuch /": checking on sources under "/c": copier: stat: "/nosuch": no such '
            "file or directory\n",
            '`COPY nosuch /`: checking on sources under "/c": copier: stat: "/nosuch": no such file or directory',
        ),
        (
            "STEP 1/2: FROM localhost/nosuch\nTrying to pull localhost/nosuch:latest...\n"
            'time="2026-11-28T02:01:04Z" level=warning msg="Failed, retrying in 2s"\n'
            "Error: creating build container: localhost/nosuch: image not known\n",
            "creating build container: localhost/nosuch: image not known",
        ),
        ("something else\n\n", "something else"),
        ("", "exit code 9"),
    ],
)
def test_a_failure_has_a_reason(log: str, reason: str) -> None:
    assert failure(log, 9) == reason


def test_a_reason_is_short_and_printable() -> None:
    step = "RUN " + "x" * 1000
    reason = failure(
        f"STEP 2/2: {step}\n\x1b[31mbad\x1b[0m {'y' * 1000}\n"
        f'Error: building at STEP "{step}": while running runtime: exit status 1\n',
        1,
    )
    assert reason.startswith("`RUN xxx")
    assert "exit status 1: bad yyy" in reason
    assert len(reason) < 500
    assert reason.isprintable()
