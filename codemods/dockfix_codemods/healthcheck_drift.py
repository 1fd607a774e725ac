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
from dockfix.project.checks import CheckedService, services_by_stage
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
        for each in services:
            environment = each.service.environment
            asked = health.asked(target.facts.commands(own), target.facts, stage, environment)
            other = _asked(target, stage, each, environment)
            difference = _difference(asked, other) if other is not None else ""
            if difference and other is not None:
                difference = _without_hidden(target, stage, each, own, asked, other) or difference
            if difference and each.service.name not in reported:
                reported.add(each.service.name)
                yield Advice(own.span, f"compose overrides the check for {each.shown}: {difference}")


def _without_hidden(
    target: Target, stage: Stage, service: CheckedService, check: Healthcheck, asked: health.Asked, other: health.Asked
) -> str:
    """The difference with variables as written, if it contains values of `.env` files; otherwise empty."""
    environment = service.service.shown_environment
    own = health.asked(target.facts.commands(check), target.facts, stage, environment)
    there = _asked(target, stage, service, environment)
    written = service.check.raw_test if service.check is not None and "test" in service.check.hidden else None
    if written is not None:
        words = (written,) if isinstance(written, str) else written[1:]
        return f"`{' '.join(words)}` instead of {_shown(own)}" if own.commands else ""
    if own == asked and there == other:
        return ""
    return f"{_shown(there)} instead of {_shown(own)}" if there is not None and there.commands and own.commands else ""


def _asked(
    target: Target, stage: Stage, service: CheckedService, environment: Mapping[str, str | None]
) -> health.Asked | None:
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
    return health.asked(commands, target.facts, stage, environment)


def _difference(own: health.Asked, other: health.Asked) -> str:
    """How compose's check differs from the image's, in words; empty if it does not, or if that is unknown."""
    if own.endpoints and other.endpoints:
        paths, others = ({endpoint.path for endpoint in each.endpoints} for each in (own, other))
        certain = all(endpoint.known for endpoint in own.endpoints | other.endpoints)
        literal = not any("$" in path for path in paths | others)
        if own.endpoints & other.endpoints or not (certain or (literal and not paths & others)):
            return ""
        return f"{_shown(other)} instead of {_shown(own)}"
    if own.endpoints or other.endpoints:
        return f"{_shown(other)} instead of {_shown(own)}" if own.commands and other.commands else ""
    if not (own.known and other.known) or own.commands == other.commands:
        return ""
    return f"{_shown(other)} instead of {_shown(own)}" if own.commands and other.commands else ""


def _shown(asked: health.Asked) -> str:
    if asked.endpoints:
        return " and ".join(f"`{each}`" for each in sorted(map(str, asked.endpoints)))
    return f"`{' '.join(asked.commands[0])}`"


CODEMOD: Final = Codemod(
    name="healthcheck-drift",
    title="compose overrides the image's health check with a different one",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    page=__doc__,
    findings=("neo4j 1",),
)
