"""Compose overrides the image's health check with a different one.

## What it does

The rule compares the `healthcheck:` of each compose service that builds the Dockerfile with the image's HEALTHCHECK,
and reports a different path, port, host or command.

## Why is this bad?

Compose's check overrides the image's without a message. Usually one of the two is an oversight: a path that was
renamed, or the port of another setup. If both are intended, a comment helps the next reader.

## Example

With this `compose.yaml`,

```yaml
services:
  api:
    build: .
    healthcheck:
      test: ["CMD", "curl", "-f", "http://127.0.0.1:8000/healthz"]
```

this is reported:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
```

## Fix safety

There is no fix: the files do not say which of the two checks is right.

## When it does not apply

- Only times or retries differ: they may well differ between setups.
- The same request is written differently: another program with the same address, `localhost` for `127.0.0.1`, a
  fallback.
- One of the two is `disable: true` or `NONE`.
- The addresses contain variables, and neither the image nor a default sets their value.

## References

- https://docs.docker.com/reference/compose-file/services/#healthcheck
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dockfix.facts import health
from dockfix.facts.stages import Stage
from dockfix.project.stage_services import CheckedService, services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Healthcheck


def check(target: Target) -> Iterator[Finding]:
    """Compare the HEALTHCHECK of each stage that compose builds with the healthchecks of its services."""
    if not target.invocations:
        return
    for stage, services in services_by_stage(target):
        own = health.effective_healthcheck(target.facts, stage)
        if own is None or own.kind != "CMD":
            continue
        reported: set[str] = set()
        for service in services:
            difference = _difference(target, stage, own, service)
            if difference is not None and service.service.name not in reported:
                reported.add(service.service.name)
                yield Advice(own.span, f"compose overrides the check for {service.shown}: {difference}")


def _difference(target: Target, stage: Stage, own: Healthcheck, service: CheckedService) -> str | None:
    """How the check of a service differs from the image's, in words; None if it does not, or if that is unknown."""
    environment, shown_environment = service.service.environment, service.service.shown_environment
    image = health.requests_of(target.facts.commands(own), target.facts, stage, environment)
    compose = _asked_by_compose(target, stage, service, environment)
    if compose is None or not _differ(image, compose):
        return None
    # the values of `.env` files are compared, but not shown
    shown_image = health.requests_of(target.facts.commands(own), target.facts, stage, shown_environment)
    shown_compose = _asked_by_compose(target, stage, service, shown_environment)
    written = service.check.raw_test if service.check is not None and "test" in service.check.hidden else None
    if written is not None and shown_image.commands:
        words = (written,) if isinstance(written, str) else written[1:]
        return f"`{' '.join(words)}` instead of {_shown(shown_image)}"
    if shown_compose is not None and shown_compose.commands and shown_image.commands and written is None:
        return f"{_shown(shown_compose)} instead of {_shown(shown_image)}"
    return f"{_shown(compose)} instead of {_shown(image)}"


def _asked_by_compose(
    target: Target, stage: Stage, service: CheckedService, environment: Mapping[str, str | None]
) -> health.Requests | None:
    """What the check of a service asks; None if it has none, or one that is not understood."""
    check = service.check
    if check is None or service.switched_off or check.test is None:
        return None
    try:
        text = health.check_text(check.test)
    except ValueError:
        return None
    if text is None:
        return None
    commands = health.check_commands(text, target.facts.end_state(stage).shell)
    return health.requests_of(commands, target.facts, stage, environment)


def _differ(image: health.Requests, compose: health.Requests) -> bool:
    """Whether two checks are known to ask different things."""
    if image.endpoints and compose.endpoints:
        paths, others = ({endpoint.path for endpoint in each.endpoints} for each in (image, compose))
        certain = all(endpoint.known for endpoint in image.endpoints | compose.endpoints)
        literal = not any("$" in path for path in paths | others)
        return not image.endpoints & compose.endpoints and (certain or (literal and not paths & others))
    if not (image.commands and compose.commands):
        return False
    if image.endpoints or compose.endpoints:
        return True
    return image.known and compose.known and image.commands != compose.commands


def _shown(check: health.Requests) -> str:
    if check.endpoints:
        return " and ".join(f"`{each}`" for each in sorted(map(str, check.endpoints)))
    return f"`{' '.join(check.commands[0])}`"


CODEMOD: Final = Codemod(
    name="healthcheck-drift",
    title="compose overrides the image's health check with a different one",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    findings=("neo4j 1",),
)
