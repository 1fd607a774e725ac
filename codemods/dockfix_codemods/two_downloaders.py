"""A stage uses both curl and wget.

## What it does

Reports a stage that downloads with both `curl` and `wget`.

## Why is this bad?

One of the two is enough, and each is a package with libraries of its own that must be installed and kept up to date.
The rule is in the preset `strict`, since a stage that is not part of the image, or a base image that has both, loses
nothing.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl wget
RUN curl -fsSLO https://example.org/tool.tar.gz
RUN wget -q https://example.org/data.tar.gz
```

## Fix safety

There is no fix: the options of the two programs do not correspond one to one.

## When it does not apply

- The two are used in different stages.
- A stage that is not part of the image.
- Names of packages: `apt-get install curl wget` alone is no use of either.

## References

- [hadolint DL4001](https://github.com/hadolint/hadolint/wiki/DL4001)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Preset, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Run

_PROGRAMS: Final = ("curl", "wget")


def check(target: Target) -> Iterator[Finding]:
    """Find the stages that use both programs; the finding is at the first use of the second one."""
    for stage in target.facts.graph.stages:
        if not target.facts.graph.in_image(stage):
            continue
        first: dict[str, Span] = {}
        for run in stage.executed:
            if isinstance(run, Run):
                commands = target.facts.commands(run)
                for step in commands.steps:
                    words = step.command.words
                    name = (words[0].value or "").rpartition("/")[2] if words else ""
                    if name in _PROGRAMS:
                        first.setdefault(name, commands.span(step.command))
        if len(first) == len(_PROGRAMS):
            (one, _), (other, at) = sorted(first.items(), key=lambda item: item[1])
            yield Advice(at, f"this stage downloads with `{other}`, and with `{one}` before", help=f"use `{one}` only")


CODEMOD: Final = Codemod(
    name="two-downloaders",
    title="a stage uses both curl and wget",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=_PROGRAMS,
    preset=Preset.STRICT,
    hadolint=frozenset({"DL4001"}),
)
