"""The order in which compose starts services: which waits for which.

Source: the Compose specification, `05-services.md` (`depends_on`).
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from operator import itemgetter
from typing import Final

from msgspec import Struct

from dockfix.project.compose.model import ComposeFile, Dependency, Service

__all__ = ["READY", "Wait", "cycle", "longest_chain", "waits_of"]

READY: Final = ("service_healthy", "service_completed_successfully")
"""Conditions for which a service must do more than run."""


class Wait(Struct, frozen=True):
    """A service that waits for another service of the same file."""

    service: Service
    dependency: Dependency

    @property
    def until_ready(self) -> bool:
        """Whether it waits until the other is healthy or completed, and not only until it runs."""
        return self.dependency.condition in READY


def cycle(compose: ComposeFile) -> tuple[Wait, ...]:
    """Services that wait for each other: each for the next, the last for the first. Empty if there are none."""
    try:
        TopologicalSorter(_graph(compose)).prepare()
    except CycleError as error:
        names: list[str] = error.args[1][::-1]
        start = min(range(len(names) - 1), key=lambda index: list(compose.services).index(names[index]))
        ordered = [*names[start:-1], *names[: start + 1]]
        return tuple(_wait(compose, one, other) for one, other in pairwise(ordered))
    return ()


def longest_chain(compose: ComposeFile) -> tuple[Wait, ...]:
    """The longest chain of services that wait for one another; of several, the one with most waits for readiness.

    Empty if no service waits, or services wait for each other.
    """
    try:
        order = list(TopologicalSorter(_graph(compose)).static_order())
    except CycleError:
        return ()
    best: dict[str, tuple[tuple[int, int], Wait | None]] = {}  # the weight of the chain, and where it begins
    for name in order:
        chains = (
            (_with(best[wait.dependency.name][0], wait), wait) for wait in waits_of(compose, compose.services[name])
        )
        best[name] = max(chains, key=itemgetter(0), default=((0, 0), None))
    name = max(compose.services, key=lambda each: best[each][0], default="")
    chain: list[Wait] = []
    while name and (wait := best[name][1]) is not None:
        chain.append(wait)
        name = wait.dependency.name
    return tuple(chain)


def _with(weight: tuple[int, int], wait: Wait) -> tuple[int, int]:
    return weight[0] + 1, weight[1] + wait.until_ready


def waits_of(compose: ComposeFile, service: Service) -> list[Wait]:
    """The waits of a service for other services of its file."""
    return [Wait(service, each) for each in service.depends_on if each.name in compose.services]


def _wait(compose: ComposeFile, one: str, other: str) -> Wait:
    return next(wait for wait in waits_of(compose, compose.services[one]) if wait.dependency.name == other)


def _graph(compose: ComposeFile) -> dict[str, list[str]]:
    return {
        name: [wait.dependency.name for wait in waits_of(compose, service)]
        for name, service in compose.services.items()
    }
