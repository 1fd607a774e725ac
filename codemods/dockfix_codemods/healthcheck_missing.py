"""A health check that only compose knows.

## What it does

With this `compose.yaml`,

```yaml
services:
  api:
    build: .
    healthcheck:
      test: ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8000/health || exit 1"]
      interval: 30s
      timeout: 10s
      start_period: 40s
      retries: 3
```

the check is lifted into the Dockerfile:

```dockerfile
FROM node:22-alpine
COPY server.js /server.js

CMD ["node", "/server.js"]
```

becomes

```dockerfile
FROM node:22-alpine
COPY server.js /server.js

HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 \\
    CMD wget -q -O /dev/null http://127.0.0.1:8000/health || exit 1

CMD ["node", "/server.js"]
```

## Why

Whoever runs the image without this compose file (`docker run`, Swarm, another project, a test) has no health check.

## Safety

Unsafe: every container of the image is checked then, also one with another command or that listens on another port. The
one in compose stays, and goes before it.

## What it leaves alone

- A check with compose's own variables (`${X}`, with a default or without), whose values only compose knows. `$$X` is
  the container's variable, and is lifted as `$X`.
- A check that gives a password or a token: the image would hold it.
- Programs of which it is not known that the image has them.
- A check of another port than those that the image exposes: it is for the command that compose runs.
- Images that other services build too, with another check or with none, which would get this one.
- An image that has a HEALTHCHECK, `NONE` included, or whose base image may have one.
- Times that Docker does not take, several lines of script, and `start_interval` with an older `# syntax=` than 1.6.

## Sources

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#healthcheck and `/interpolation/`
- moby/buildkit, release dockerfile/1.6.0 (`--start-interval`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts import health, mounts
from dockfix.facts.stages import Stage
from dockfix.project.services import CheckedService, services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Requires, Safety, Severity
from dockfix.syntax.tree import Cmd, Entrypoint

_WHY: Final = "an image with its own check is checked wherever it runs"


def check(target: Target) -> Iterator[Finding]:
    """Judge the services of each stage that compose builds and that has no HEALTHCHECK."""
    if not any(invocation.kind == "compose" for invocation in target.invocations):
        return
    for stage, services in services_by_stage(target):
        checked = [each for each in services if each.check is not None and not each.switched_off]
        if checked and health.effective_healthcheck(target.facts, stage) is None:
            yield _finding(target, stage, checked, [each for each in services if each.check is None])


def _finding(
    target: Target, stage: Stage, checked: Sequence[CheckedService], others: Sequence[CheckedService]
) -> Finding:
    first = checked[0]
    message = f"compose has a healthcheck for {first.shown}, and the image none"
    text = _clash(checked, others) or _text(target, stage, first)
    if isinstance(text, str):
        return Refusal(stage.node.span, message, text)
    lower = stage.node.keyword.text.islower()
    head, tail = ("healthcheck", "cmd") if lower else ("HEALTHCHECK", "CMD")
    flags = first.flags
    before = next((node for node in stage.instructions if isinstance(node, Cmd | Entrypoint)), None)
    edit = surgery.insert_instruction(
        target.dockerfile,
        before or (*(stage.node, *stage.instructions),)[-1],
        f"{head} {flags}" if flags else f"{head} {tail} {text.value}",
        f"{tail} {text.value}" if flags else "",
        above=before is not None,
    )
    review = f"that the check fits every container of the image, not only {first.service.name} of compose"
    return Fix(stage.node.span, message, (edit,), Safety.UNSAFE, _WHY, review)


def _clash(checked: Sequence[CheckedService], others: Sequence[CheckedService]) -> str:
    """Why the check of one service is not the image's."""
    # the same service of another file beside it is laid over it
    names = {(each.folder, each.service.name) for each in checked}
    without = [each for each in others if (each.folder, each.service.name) not in names]
    if without:
        return f"{without[0].shown} builds the same image without a healthcheck, and would get this one"
    for other in checked[1:]:
        if _meaning(other) != _meaning(checked[0]):
            return f"{other.shown} builds the same image and has another healthcheck"
    return ""


def _meaning(service: CheckedService) -> object:
    return service.check.raw_test if service.check is not None else None, service.flags


@dataclass(frozen=True, slots=True)
class _Text:
    """What goes behind `HEALTHCHECK CMD`."""

    value: str


def _text(target: Target, stage: Stage, service: CheckedService) -> _Text | str:
    """The check as the Dockerfile has it, or why it cannot be written there."""
    raw = service.check.raw_test if service.check is not None else None
    if service.check is None or raw is None:
        return "its test is empty"
    words = (raw,) if isinstance(raw, str) else raw
    if service.check.hidden or any("$" in word.replace("$$", "") for word in words):
        return "it needs a variable that only compose knows"
    if secret := health.secret_in(raw, service.service.environment):
        return f"it holds {secret}, which would be in the image"
    if health.base_may_have_healthcheck(stage):
        return "the base image may have a HEALTHCHECK of its own"
    try:
        text = health.check_text(raw) or ""
    except ValueError as error:
        return str(error)
    complaint = health.check_complaint(service.flags, text)
    if complaint:
        return f"BuildKit would refuse it: {complaint}"
    syntax = target.dockerfile.directives.get("syntax")
    if "--start-interval" in service.flags and syntax is not None and not mounts.frontend_is(syntax.value, 1, 6):
        return f"--start-interval needs docker/dockerfile 1.6, and # syntax= names {syntax.value}"
    return _other_port(target, stage, text) or health.doubtful_program(target.facts, stage, text) or _Text(text)


def _other_port(target: Target, stage: Stage, text: str) -> str:
    """Why a check asks something that the image's own command may not serve: it is for what compose runs instead."""
    facts = target.facts
    exposed = health.exposed_ports(facts, stage)
    asked = health.asked(health.check_commands(text, facts.end_state(stage).shell), facts, stage)
    ports = {endpoint.port for endpoint in asked.endpoints if endpoint.host == "localhost" and endpoint.known}
    if exposed and ports and not ports & exposed:
        return f"it asks port {min(ports)}, and the image exposes {', '.join(sorted(exposed))}"
    return ""


CODEMOD: Final = Codemod(
    name="healthcheck-missing",
    title="a health check that only compose knows",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    requires=Requires.COMPOSE,
    page=__doc__,
    findings=("neo4j 1",),
)
