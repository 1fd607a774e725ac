"""An image has no health check.

## What it does

Reports a final stage that starts a program and has no `HEALTHCHECK`, in the file or, as far as is known, in its base
image.

## Why is this bad?

Docker and compose cannot tell a program that hangs from one that works. The rule is in the preset `strict`, since
Kubernetes ignores `HEALTHCHECK` and has its own probes, and a tool that runs and ends needs none. `healthcheck-missing`
adds the check that a compose file has.

## Example

```dockerfile
FROM debian:12
CMD ["serve"]
```

## Fix safety

There is no fix: dockfix does not know how to ask the program.

## When it does not apply

- `HEALTHCHECK NONE`, which says that there is none.
- Images without `CMD` and `ENTRYPOINT` of their own: bases for others.
- Images that a compose file gives a check: `healthcheck-missing` reports them.

## References

- https://docs.docker.com/reference/dockerfile/#healthcheck
- [hadolint DL3057](https://github.com/hadolint/hadolint/wiki/DL3057)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.health import effective_healthcheck
from dockfix.project.stage_services import services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Preset, Severity
from dockfix.syntax.tree import Cmd, Entrypoint


def check(target: Target) -> Iterator[Finding]:
    """Look for a health check of the final stage."""
    stage = target.facts.final
    if stage is None or effective_healthcheck(target.facts, stage) is not None:
        return
    if not any(
        isinstance(node, Cmd | Entrypoint) for each in target.facts.graph.chain(stage) for node in each.executed
    ):
        return
    if any(service.check is not None for _, services in services_by_stage(target) for service in services):
        return
    help_ = "add a `HEALTHCHECK` that asks the program, or `HEALTHCHECK NONE` if there is nothing to ask"
    yield Advice(stage.node.keyword.span, "the image has no `HEALTHCHECK`", help=help_)


CODEMOD: Final = Codemod(
    name="healthcheck-absent",
    title="an image has no health check",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("cmd", "entrypoint"),
    preset=Preset.STRICT,
    hadolint=frozenset({"DL3057"}),
)
