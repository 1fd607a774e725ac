"""Compose asks something else than the image's own health check.

## What it does

It compares the `healthcheck:` of each compose service that builds the Dockerfile with the image's HEALTHCHECK, and says
where they ask for another path, port or host, or with another command. Given this `compose.yaml`,

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

## Why

Compose's check goes before the image's, silently. One of the two is usually an oversight: the path that was renamed, or
the port of another setup. If both are meant, a comment saves the next reader the search.

## Safety

There is no edit: which of the two is right is not to be seen in the files.

## What it leaves alone

- Other times and retries: these may well differ from one setup to another.
- The same question asked otherwise: another program with the same address, `localhost` for `127.0.0.1`, a fallback.
- `disable: true` and `NONE`, which are clear.
- Addresses with variables of which neither the image nor a default gives the value.

## Sources

- https://docs.docker.com/reference/compose-file/services/#healthcheck
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dockfix.facts import health
from dockfix.facts.stages import Stage
from dockfix.project.services import CheckedService, services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Healthcheck


def check(target: Target) -> Iterator[Finding]:
    """Compare the HEALTHCHECK of each stage that compose builds with those of its services."""
    if not target.invocations:
        return
    for stage, services in services_by_stage(target):
        own = health.effective_healthcheck(target.facts, stage)
        if own is None or own.kind != "CMD":
            continue
        said: set[str] = set()
        for each in services:
            environment = each.service.environment
            asked = health.asked(target.facts.commands(own), target.facts, stage, environment)
            other = _asked(target, stage, each, environment)
            difference = _difference(asked, other) if other is not None else ""
            if difference and other is not None:
                difference = _without_hidden(target, stage, each, own, asked, other) or difference
            if difference and each.service.name not in said:
                said.add(each.service.name)
                yield Advice(own.span, f"compose overrides it for {each.shown}: {difference}")


def _without_hidden(
    target: Target, stage: Stage, service: CheckedService, check: Healthcheck, asked: health.Asked, other: health.Asked
) -> str:
    """The difference with variables as written where values of `.env` files went into it; empty if none did."""
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
    """What compose asks and the image does not; empty if both ask the same, or if that cannot be known."""
    if own.endpoints and other.endpoints:
        paths, others = ({endpoint.path for endpoint in each.endpoints} for each in (own, other))
        certain = all(endpoint.known for endpoint in own.endpoints | other.endpoints)
        literal = not any("$" in path for path in paths | others)
        if own.endpoints & other.endpoints or not (certain or (literal and not paths & others)):
            return ""
        here, there = (" and ".join(sorted(map(str, each.endpoints))) for each in (own, other))
        return f"{there} instead of {here}"
    if own.endpoints or other.endpoints:
        here, there = (_shown(each) for each in (own, other))
        return f"{there} instead of {here}" if own.commands and other.commands else ""
    if not (own.known and other.known) or own.commands == other.commands:
        return ""
    return f"`{_shown(other)}` instead of `{_shown(own)}`" if own.commands and other.commands else ""


def _shown(asked: health.Asked) -> str:
    if asked.endpoints:
        return " and ".join(sorted(map(str, asked.endpoints)))
    return " ".join(asked.commands[0])


CODEMOD: Final = Codemod(
    name="healthcheck-drift",
    title="compose asks something else than the image's health check",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    page=__doc__,
    findings=("neo4j 1",),
)
