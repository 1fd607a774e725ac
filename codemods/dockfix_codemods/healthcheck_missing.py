"""A health check that only compose knows.

## What it does

Compose has a `healthcheck:` for a service, and the image that the service builds has none. The fix adds the check to
the Dockerfile, with the times and retries of compose.

## Why is this bad?

Whoever runs the image without this compose file (`docker run`, Swarm, another project, a test) has no health check.

## Example

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

```dockerfile
FROM node:22-alpine
COPY server.js /server.js

CMD ["node", "/server.js"]
```

Use instead:

```dockerfile
FROM node:22-alpine
COPY server.js /server.js

HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 \\
    CMD wget -q -O /dev/null http://127.0.0.1:8000/health || exit 1

CMD ["node", "/server.js"]
```

## Fix safety

The fix is unsafe: every container of the image is then checked, including one that runs another command or listens on
another port. The check in compose stays, and overrides the one of the image.

## When it does not apply

- The check uses compose's own variables (`${X}`, with or without a default), whose values only compose knows. `$$X` is
  a variable of the container, and becomes `$X`.
- The check contains a password or a token: it would be stored in the image.
- It is unknown whether the image has the programs of the check.
- The check uses a port that the image does not expose: it is for the command that compose runs.
- Another service builds the same image with a different check or without one, and would get this one.
- The image has a HEALTHCHECK, including `NONE`, or its base image may have one.
- Docker does not accept the times, the script has several lines, or `start_interval` is used with a `# syntax=` older
  than 1.6.

## References

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#healthcheck and `/interpolation/`
- moby/buildkit, release dockerfile/1.6.0 (`--start-interval`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts import frontend, health
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.stage_services import CheckedService, services_by_stage
from dockfix.project.target import Target
from dockfix.rule import (
    Category,
    Claim,
    Codemod,
    Effect,
    Finding,
    Fix,
    Part,
    Promise,
    Refusal,
    Requires,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Cmd, Entrypoint


def check(target: Target) -> Iterator[Finding]:
    """Check each stage that compose builds and that has no HEALTHCHECK."""
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
    message = f"the image has no HEALTHCHECK: only compose has one, for {first.shown}"
    try:
        _require_one_check(checked, others)
        text = _check_text(target, stage, first)
    except Refused as refused:
        return Refusal(stage.node.span, message, refused.reason)
    lower = stage.node.keyword.text.islower()
    head, tail = ("healthcheck", "cmd") if lower else ("HEALTHCHECK", "CMD")
    flags = first.flags
    before = next((node for node in stage.instructions if isinstance(node, Cmd | Entrypoint)), None)
    edit = dockerfile_edit.insert_instruction(
        target.dockerfile,
        before or (*(stage.node, *stage.instructions),)[-1],
        f"{head} {flags}" if flags else f"{head} {tail} {text}",
        f"{tail} {text}" if flags else "",
        above=before is not None,
    )
    fix = "add the check to the Dockerfile, so that every container of the image has it"
    review = f"check that it fits every container of the image, not only {first.service.name} of compose"
    return Fix(stage.node.span, message, (edit,), Safety.UNSAFE, fix, review)


def _require_one_check(checked: Sequence[CheckedService], others: Sequence[CheckedService]) -> None:
    """Require that all services of an image have the same check.

    Raises:
        Refused: a service has another check, or none.
    """
    # the same service in another file of the folder is an override of it
    names = {(each.folder, each.service.name) for each in checked}
    without = [each for each in others if (each.folder, each.service.name) not in names]
    if without:
        raise Refused(f"{without[0].shown} builds the same image without a healthcheck, and would get this one")
    for other in checked[1:]:
        if _test_and_flags(other) != _test_and_flags(checked[0]):
            raise Refused(f"{other.shown} builds the same image with a different healthcheck")


def _test_and_flags(service: CheckedService) -> object:
    return service.check.raw_test if service.check is not None else None, service.flags


def _check_text(target: Target, stage: Stage, service: CheckedService) -> str:
    """The text of the check after `HEALTHCHECK CMD`.

    Raises:
        Refused: the check cannot be written in the Dockerfile, or would not work there.
    """
    raw = service.check.raw_test if service.check is not None else None
    if service.check is None or raw is None:
        raise Refused("its test is empty")
    words = (raw,) if isinstance(raw, str) else raw
    if service.check.hidden or any("$" in word.replace("$$", "") for word in words):
        raise Refused("the check uses a variable that only compose knows")
    if secret := health.secret_in(raw, service.service.environment):
        raise Refused(f"the check contains {secret}, which would be stored in the image")
    if health.base_may_have_healthcheck(stage):
        raise Refused("the base image may have its own HEALTHCHECK")
    try:
        text = health.check_text(raw) or ""
    except ValueError as error:
        raise Refused(str(error)) from error
    if complaint := health.healthcheck_blocker(service.flags, text):
        raise Refused(f"BuildKit would reject it: {complaint}")
    syntax = target.dockerfile.directives.get("syntax")
    if "--start-interval" in service.flags and syntax is not None and not frontend.frontend_is(syntax.value, 1, 6):
        raise Refused(f"`--start-interval` needs docker/dockerfile 1.6, but `# syntax=` is {syntax.value}")
    _require_port(target, stage, text)
    if doubt := health.missing_program_blocker(target.facts, stage, text):
        raise Refused(doubt)
    return text


def _require_port(target: Target, stage: Stage, text: str) -> None:
    """Require that the check uses a port that the image exposes.

    Raises:
        Refused: it uses another port, so it is for the command that compose runs.
    """
    facts = target.facts
    exposed = health.exposed_ports(facts, stage)
    endpoints = health.requests_of(health.check_commands(text, facts.end_state(stage).shell), facts, stage).endpoints
    ports = {endpoint.port for endpoint in endpoints if endpoint.host == "localhost" and endpoint.known}
    if exposed and ports and not ports & exposed:
        raise Refused(f"the check uses port {min(ports)}, but the image exposes {', '.join(sorted(exposed))}")


CODEMOD: Final = Codemod(
    name="healthcheck-missing",
    title="a health check that only compose knows",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    requires=Requires.COMPOSE,
    findings=("neo4j 1",),
    promise=Promise(
        config=frozenset({Part.HEALTHCHECK}),
        claims=frozenset({Claim.HEALTHY}),
        rationale=(
            "HEALTHCHECK only sets the configuration of the image. Compose runs the same check in its container today."
        ),
    ),
)
