"""When containers are started, how, and what that shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from dockfix.syntax.parser import parse
from dockfix.verify.model import Builder, Start, StartOutcome, State
from dockfix.verify.trial import compare_health, compare_starts, health_command, needs_start, trial


@dataclass(frozen=True)
class Health:
    test: Sequence[str]


@dataclass(frozen=True)
class Config:
    user: str = ""
    env: Sequence[str] = ()
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = ("server",)
    healthcheck: Health | None = None
    workdir: str = ""
    shell: Sequence[str] | None = None


class Starter:
    """A builder that only starts, and remembers how."""

    def __init__(self, outcome: StartOutcome) -> None:
        self.outcome = outcome
        self.starts: list[tuple[str, Start]] = []

    def start(self, tag: str, start: Start) -> StartOutcome:
        self.starts.append((tag, start))
        return self.outcome


RUNS = StartOutcome(True)
DONE = StartOutcome(False, 0)
FAILED = StartOutcome(False, 1, output="starting\nno database\n")
ABSENT = StartOutcome(False, reason="exec: server: not found")


def healthy(code: int, *, running: bool = True, output: str = "") -> StartOutcome:
    return StartOutcome(running, None if running else 1, code, health_output=output)


class TestNeedsStart:
    def test_the_same_start_needs_none(self) -> None:
        assert not needs_start(Config(user="root"), Config(env=("A=1",), user=""))

    @pytest.mark.parametrize(
        "after",
        [
            Config(command=("other",)),
            Config(entrypoint=("sh",)),
            Config(user="app"),
            Config(healthcheck=Health(("CMD", "true"))),
        ],
    )
    def test_another_start_needs_one(self, after: Config) -> None:
        assert needs_start(Config(), after)
        assert needs_start(after, Config())

    def test_a_health_check_needs_one_even_if_it_is_the_same(self) -> None:
        config = Config(healthcheck=Health(("CMD-SHELL", "curl x")))
        assert needs_start(config, config)

    def test_a_disabled_health_check_needs_none(self) -> None:
        assert not needs_start(Config(healthcheck=Health(("NONE",))), Config(healthcheck=Health(())))

    def test_without_an_image_before_it_is_needed(self) -> None:
        assert needs_start(None, Config())

    def test_a_user_in_between_needs_one(self) -> None:
        before, after = "FROM x\nRUN make\nUSER app\n", "FROM x\nUSER app\nRUN make\nUSER app\n"
        assert needs_start(Config(), Config(), parse(before), parse(after))
        assert not needs_start(Config(), Config(), parse(before), parse(before.replace("make", "make all")))
        assert not needs_start(Config(), Config(), parse(before), parse(before.replace("USER app", "USER  app")))


class TestTrial:
    def test_the_container_starts_as_the_image_says(self) -> None:
        starter = Starter(RUNS)
        config = Config(
            user="app",
            env=("A=1",),
            entrypoint=("tini", "--"),
            command=("server", "-v"),
            workdir="/srv",
            healthcheck=Health(("CMD", "check", "it")),
        )
        assert trial(cast(Builder, starter), "tag", config, 7.0) is RUNS
        assert starter.starts == [
            ("tag", Start(("tini", "--", "server", "-v"), "app", "/srv", ("A=1",), ("check", "it"), 7.0))
        ]

    def test_an_image_without_a_command_is_not_started(self) -> None:
        starter = Starter(RUNS)
        outcome = trial(cast(Builder, starter), "tag", Config(command=None))
        assert outcome.reason == "the image has no command"
        assert starter.starts == []

    @pytest.mark.parametrize(
        ("test", "shell", "command"),
        [
            (("CMD-SHELL", "curl x || exit 1"), None, ("/bin/sh", "-c", "curl x || exit 1")),
            (("CMD-SHELL", "curl x"), ("/bin/bash", "-o", "pipefail", "-c"),
             ("/bin/bash", "-o", "pipefail", "-c", "curl x")),
            (("CMD", "curl", "x"), ("/bin/bash", "-c"), ("curl", "x")),
            (("NONE",), None, ()),
            ((), None, ()),
            (("CMD-SHELL",), None, ()),
        ],
    )  # fmt: skip
    def test_the_health_check_runs_in_the_shell_of_the_image(
        self, test: Sequence[str], shell: Sequence[str] | None, command: Sequence[str]
    ) -> None:
        assert health_command(Config(healthcheck=Health(test), shell=shell)) == command


class TestCompareStarts:
    @pytest.mark.parametrize(
        ("before", "after", "state"),
        [
            (RUNS, RUNS, State.KEPT),
            (DONE, DONE, State.KEPT),
            (DONE, RUNS, State.KEPT),
            (FAILED, RUNS, State.KEPT),
            (ABSENT, DONE, State.KEPT),
            (None, RUNS, State.KEPT),
            (healthy(0), healthy(0), State.KEPT),
            (healthy(1), healthy(0), State.KEPT),
            (healthy(1), healthy(1), State.KEPT),
            (RUNS, healthy(1), State.KEPT),
            (RUNS, FAILED, State.BROKEN),
            (DONE, FAILED, State.BROKEN),
            (DONE, ABSENT, State.BROKEN),
            (healthy(0), healthy(1), State.BROKEN),
            (healthy(0), healthy(1, running=False), State.BROKEN),
            (RUNS, DONE, State.NOT_SHOWN),
            (FAILED, FAILED, State.NOT_SHOWN),
            (ABSENT, FAILED, State.NOT_SHOWN),
            (None, FAILED, State.NOT_SHOWN),
        ],
    )
    def test_no_worse_is_kept(self, before: StartOutcome | None, after: StartOutcome, state: State) -> None:
        assert compare_starts(before, after)[0] is state

    def test_the_evidence_says_what_happened(self) -> None:
        assert compare_starts(RUNS, FAILED)[1] == (
            "before the fixes, the container runs; after, the container ends with exit code 1",
            "it prints: no database",
        )
        assert compare_starts(FAILED, FAILED)[1] == (
            "before the fixes, the container ends with exit code 1; after, the container ends with exit code 1",
        )
        assert compare_starts(healthy(0), healthy(7, output="x\nrefused"))[1] == (
            "before the fixes, the container runs and its health check passes; "
            "after, the container runs and its health check fails (7)",
            "the health check prints: refused",
        )


class TestCompareHealth:
    @pytest.mark.parametrize(
        ("before", "after", "state"),
        [
            (RUNS, healthy(0), State.KEPT),
            (healthy(1), healthy(0), State.KEPT),
            (None, healthy(0), State.KEPT),
            (healthy(0), healthy(0), State.NOT_SHOWN),
            (RUNS, RUNS, State.NOT_SHOWN),
            (healthy(1), healthy(1), State.BROKEN),
            (RUNS, healthy(1), State.BROKEN),
            (RUNS, healthy(127, running=False), State.BROKEN),
            (RUNS, healthy(1, running=False), State.NOT_SHOWN),
        ],
    )
    def test_states(self, before: StartOutcome | None, after: StartOutcome, state: State) -> None:
        assert compare_health(before, after)[0] is state

    def test_a_container_that_has_longer_to_become_healthy_shows_nothing(self) -> None:
        assert compare_health(RUNS, healthy(1), start_period=60.0, limit=20.0)[0] is State.NOT_SHOWN
        assert compare_health(RUNS, healthy(127), start_period=60.0, limit=20.0)[0] is State.BROKEN

    def test_the_evidence_ends_with_what_the_check_prints(self) -> None:
        assert compare_health(None, healthy(1, output="curl: (7) refused\n"))[1] == (
            "before the fixes, there is no health check; after, its health check fails (1)",
            "the health check prints: curl: (7) refused",
        )
