"""What a compose project waits for when it starts.

## What it does

It reads `depends_on` of the services of a compose file, and says three things about it.

Services that wait for each other, which compose refuses. A service that waits for one that it does not speak to, as far
as its definition, environment, env files and Dockerfile tell. And the longest chain, where four services or more wait
for one another until they are ready: of this file

```yaml compose.yaml
services:
  db:
    image: postgres:16
  crawler:
    image: corp/crawler:1
    environment:
      DATABASE_URL: postgres://db/app
    depends_on:
      db:
        condition: service_healthy
  api:
    build: .
    environment:
      DATABASE_URL: postgres://db/app
    depends_on:
      db:
        condition: service_healthy
      crawler:
        condition: service_started
```

whose service `api` is built from

```dockerfile Dockerfile
FROM python:3.13-slim
```

it says

```text
compose.yaml:18:7 info, advice: api waits for crawler, and names it nowhere in its definition, environment or Dockerfile
```

## Why

Every wait makes the start longer, and a service that stays unhealthy keeps all behind it from starting, those too
that could do without it.

## Safety

Nothing is changed: whether a service can do without another only its code tells.

## What it leaves alone

- A service that names no service at all in its environment or command: it is configured in another way.
- Waiting for `service_completed_successfully`: a migration is waited for and not spoken to.
- A service that mounts files of the project or has configs, and one of which an env file is not there.
- A service with neither `image` nor `build`: the file is laid over another one, which says the rest.
- Services that mount the same volume: they meet in its files.
- A service with `aliases` in its networks, and a list of dependencies that several services share.
- Chains in which fewer than two services wait until another is healthy or done.
- Tests and examples.

## Sources

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.project.compose.builds import ComposeFile
from dockfix.rule import Advice, Category, Codemod, Finding, Requires, Severity
from dockfix.rule.workspace import Workspace
from dockfix_codemods.compose_depends_on.startup import Wait, cycle, longest_chain, unnamed_waits

_LONG: Final = 4


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Judge the services of every compose file; what several files share is said once."""
    said: set[Advice] = set()
    for compose in workspace.project.compose_files:
        if not workspace.is_sample(compose.path):
            for advice in _judge(workspace, compose):
                if advice not in said:
                    said.add(advice)
                    yield advice


def _judge(workspace: Workspace, compose: ComposeFile) -> Iterator[Advice]:
    circle = cycle(compose)
    if circle:
        names = " -> ".join([circle[0].service.name, *(wait.dependency.name for wait in circle)])
        yield _advice(workspace, circle[0], f"services wait for each other: {names}", Severity.ERROR)
        return
    for wait in unnamed_waits(compose, workspace.project.files):
        where = "names it nowhere in its definition, environment or Dockerfile"
        yield _advice(workspace, wait, f"{wait.service.name} waits for {wait.dependency.name}, and {where}")
    chain = longest_chain(compose)
    if len(chain) + 1 >= _LONG and sum(wait.until_ready for wait in chain) > 1:
        yield _advice(workspace, chain[0], f"{chain[0].service.name} starts after a chain of {_shown(chain)}")


def _shown(chain: Sequence[Wait]) -> str:
    """The chain from the first service to start, with what is waited for."""
    steps = [
        f"{wait.dependency.name} ({(wait.dependency.condition or '').removeprefix('service_').replace('_', ' ')})"
        for wait in reversed(chain)
    ]
    return f"{len(chain)}: {', '.join(steps)}"


def _advice(workspace: Workspace, wait: Wait, message: str, severity: Severity | None = None) -> Advice:
    source = workspace.project.files.real(wait.dependency.source) or wait.dependency.source
    return Advice(workspace.place(source, wait.dependency.line, wait.dependency.name), message, severity, file=source)


CODEMOD: Final = Codemod(
    name="compose-depends-on",
    title="what a compose project waits for when it starts",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=None,
    check_project=check_project,
    since="0.1.0",
    requires=Requires.COMPOSE,
    page=__doc__,
    findings=("cross 5",),
)
