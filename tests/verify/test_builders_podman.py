"""podman: real builds on a base made of busybox, and what it printed."""

import resource

import pytest

from dockfix.verify.builders.podman import PodmanBuilder, _limits, _reported
from dockfix.verify.model import StartOutcome
from tests.verify.contract import Contract


# Recorded from podman 4.3.1 with runc.
def test_a_container_that_was_not_started_has_a_reason() -> None:
    output = (
        'Error: runc: runc create failed: unable to start container process: exec: "/x": stat /x: no such file or '
        "directory: OCI runtime attempted to invoke a command that was not found\n"
    )
    outcome = _reported(StartOutcome(False, 127, output=output))
    assert outcome.exit_code is None
    assert outcome.reason.startswith('exec: "/x": stat /x: no such file or directory')


@pytest.mark.parametrize(("code", "output"), [(127, "sh: nothing: not found\n"), (1, "Error: of the program\n")])
def test_a_container_that_failed_has_no_reason(code: int, output: str) -> None:
    outcome = StartOutcome(False, code, output=output)
    assert _reported(outcome) == outcome


def test_limits_are_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {resource.RLIMIT_NOFILE: (512, 4096), resource.RLIMIT_NPROC: (resource.RLIM_INFINITY,) * 2}
    monkeypatch.setattr(resource, "getrlimit", own.__getitem__)
    assert _limits() == ["--ulimit=nofile=512:512", "--ulimit=nproc=32768:32768"]


@pytest.mark.slow
@pytest.mark.xdist_group("verify")
class TestPodman(Contract):
    """Real builds."""

    kind = PodmanBuilder
