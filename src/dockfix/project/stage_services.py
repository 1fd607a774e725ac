"""The compose services that build each stage of a Dockerfile, and the health checks that they set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dockfix.project.target import Target

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage
    from dockfix.project.compose.builds import Healthcheck, Service


class CheckedService(Struct, frozen=True):
    """A service that builds a stage. `shown` names it in messages: the service, its file and the line. `folder` is
    the folder of its file.
    """

    service: Service
    shown: str
    folder: Path

    @property
    def check(self) -> Healthcheck | None:
        """Its health check; `None` if it only sets times, since the image's command then still runs."""
        check = self.service.healthcheck
        return check if check is not None and (check.raw_test is not None or check.disable) else None

    @property
    def switched_off(self) -> bool:
        """Whether the service has no health check on purpose."""
        check = self.check
        return check is not None and (check.disable or check.raw_test in (("NONE",), "NONE"))

    @property
    def flags(self) -> str:
        """The times and retries of its healthcheck as flags of HEALTHCHECK."""
        check = self.check
        if check is None:
            return ""
        values = {
            "interval": check.interval,
            "timeout": check.timeout,
            "start-period": check.start_period,
            "start-interval": check.start_interval,
            "retries": check.retries,
        }
        return " ".join(f"--{name}={value}" for name, value in values.items() if value is not None)


def services_by_stage(target: Target) -> Iterator[tuple[Stage, list[CheckedService]]]:
    """The compose services that build each stage of a Dockerfile, in the order of the stages.

    A service that builds no stage by name builds the last one.
    """
    graph = target.facts.graph
    found: dict[int, list[CheckedService]] = {}
    # the main file of a folder before its override files, which repeat its services
    for invocation in sorted(target.invocations, key=lambda each: (each.source.parent, len(each.source.name))):
        stage = graph.by_name(invocation.target) if invocation.target else graph.final
        for file in target.project.compose_files:
            service = file.services.get(invocation.service) if file.path == invocation.source else None
            if service is not None and stage is not None:
                line = service.healthcheck.line if service.healthcheck is not None else service.line
                path = file.path.as_posix().removeprefix(f"{target.project.root.as_posix()}/")
                shown = f"{service.name} ({path}:{line})"
                found.setdefault(stage.index, []).append(CheckedService(service, shown, file.path.parent))
    for index, services in sorted(found.items()):
        yield graph.stages[index], services
