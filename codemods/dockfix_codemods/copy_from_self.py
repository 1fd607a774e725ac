"""A stage copies from itself.

## What it does

Reports `COPY --from=NAME` and `RUN --mount=from=NAME` in the stage that is called NAME.

## Why is this bad?

The build fails with `circular dependency detected on stage`: a stage can only take files from stages that come before
it. It often happens when a stage is renamed or an instruction is moved.

## Example

```dockerfile
FROM golang:1.24 AS build
RUN go build -o /out/app ./cmd/app

FROM debian:12 AS app
COPY --from=app /out/app /usr/local/bin/app
```

## Fix safety

There is no fix: dockfix does not know from which stage the files should come.

## When it does not apply

- A named build context replaces the stage, which is then not built.
- A later stage has the same name: the reference means that one, and `copy-from-context` reports that it comes too late.

## References

- https://docs.docker.com/reference/dockerfile/#copy---from
- moby/buildkit `frontend/dockerfile/dockerfile2llb/validations.go` (`validateCircularDependency`). Tested with
  BuildKit: an earlier stage of the same name does not help, since `--from` means the last stage of a name.
- [hadolint DL3023](https://github.com/hadolint/hadolint/wiki/DL3023)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, Instruction, Run
from dockfix.syntax.words import go_lower


def check(target: Target) -> Iterator[Finding]:
    """Find the instructions that take files from their own stage."""
    graph = target.facts.graph
    for stage in graph.stages:
        if stage.name is None or graph.by_name(stage.name) is not stage:
            continue
        for instruction in stage.executed:
            for at in _references(instruction, stage):
                message = f"the build fails: the stage {stage.name} copies from itself"
                yield Advice(at, message, help="name another stage or image")


def _references(instruction: Instruction, stage: Stage) -> Iterator[Span]:
    if isinstance(instruction, Copy):
        flag = instruction.flag("from")
        if flag is not None and go_lower(flag.value or "") == stage.name:
            yield flag.span
    elif isinstance(instruction, Run):
        for mount in instruction.mounts:
            if go_lower(mount.get("from") or "") == stage.name:
                yield mount.span


CODEMOD: Final = Codemod(
    name="copy-from-self",
    title="a stage copies from itself",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("from=",),
    hadolint=frozenset({"DL3023"}),
)
