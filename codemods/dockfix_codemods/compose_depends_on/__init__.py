"""Compose services wait for each other when a project starts.

## What it does

The rule reads `depends_on` of the services of a compose file, and reports three things:

- Services that wait for each other, which compose rejects.
- A service that waits for one that it does not use, as far as its definition, environment, env files and Dockerfile
  show.
- The longest chain, if four services or more wait for one another until they are ready.

## Why is this bad?

Every wait makes the start longer, and a service that stays unhealthy blocks all services that wait for it, even those
that could run without it.

## Example

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

```dockerfile Dockerfile
FROM python:3.13-slim
```

The service `api` does not use `crawler`:

```text
compose.yaml:18:7 info, advice: `api` waits for `crawler`, but its definition, environment and Dockerfile never name it
```

## Fix safety

There is no fix: only its code shows whether a service can run without another.

## When it does not apply

- The service names no service at all in its environment or command: it is configured in another way.
- It waits for `service_completed_successfully`: a migration is waited for, but not used.
- It mounts files of the project, has configs, or one of its env files does not exist.
- It has neither `image` nor `build`: the file overrides another one, which has the rest of the configuration.
- Both services mount the same volume: they may communicate through its files.
- The service has `aliases` in its networks, or shares its list of dependencies with other services.
- In the chain, fewer than two services wait until another is healthy or completed.
- The compose file is a test or an example.

## References

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.project.compose.builds import ComposeFile
from dockfix.project.compose.waits import Wait, cycle, longest_chain
from dockfix.rule import Advice, Category, Codemod, Finding, Requires, Severity
from dockfix.rule.workspace import Workspace
from dockfix_codemods.compose_depends_on.startup import unnamed_waits

_LONG: Final = 4
"""A chain of fewer services is not reported."""


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Check the services of every compose file; a finding that several files share is reported once."""
    reported: set[Advice] = set()
    for compose in workspace.project.compose_files:
        if not workspace.is_sample(compose.path):
            for advice in _check_file(workspace, compose):
                if advice not in reported:
                    reported.add(advice)
                    yield advice


def _check_file(workspace: Workspace, compose: ComposeFile) -> Iterator[Advice]:
    waits = cycle(compose)
    if waits:
        names = " -> ".join([waits[0].service.name, *(wait.dependency.name for wait in waits)])
        message = f"services wait for each other, which compose rejects: {names}"
        yield _advice(workspace, waits[0], message, Severity.ERROR)
        return
    for wait in unnamed_waits(compose, workspace.project.files):
        names = f"`{wait.service.name}` waits for `{wait.dependency.name}`"
        yield _advice(workspace, wait, f"{names}, but its definition, environment and Dockerfile never name it")
    chain = longest_chain(compose)
    if len(chain) + 1 >= _LONG and sum(wait.until_ready for wait in chain) > 1:
        yield _advice(workspace, chain[0], f"`{chain[0].service.name}` starts after a chain of {_shown(chain)}")


def _shown(chain: Sequence[Wait]) -> str:
    """The services of a chain in the order in which they start, each with the awaited condition."""
    steps = [f"{wait.dependency.name} ({wait.dependency.until})" for wait in reversed(chain)]
    return f"{len(chain)} services: {', '.join(steps)}"


def _advice(workspace: Workspace, wait: Wait, message: str, severity: Severity | None = None) -> Advice:
    source = workspace.project.files.real(wait.dependency.source) or wait.dependency.source
    return Advice(workspace.place(source, wait.dependency.line, wait.dependency.name), message, severity, file=source)


CODEMOD: Final = Codemod(
    name="compose-depends-on",
    title="compose services wait for each other when a project starts",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=None,
    check_project=check_project,
    since="0.1.0",
    requires=Requires.COMPOSE,
    findings=("cross 5",),
)
