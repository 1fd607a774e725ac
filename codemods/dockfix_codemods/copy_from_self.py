"""A stage copies from itself.

## What it does

Finds `COPY --from` and `RUN --mount=from=` that name the stage they are in.

## Why is this bad?

A stage cannot use its own files before it is finished: the build fails with `circular dependency detected on stage`.

## Example

```dockerfile
FROM alpine:3.22 AS app
RUN echo hello > /hello
COPY --from=app /hello /srv/hello
```

The finding:

```text
Dockerfile:3:6 error, advice: the stage `app` copies from itself, so the build fails: use `RUN cp` or another stage
```

## Fix safety

There is no fix: whether another stage is meant, or `RUN cp`, is not known.

## When it does not apply

- An earlier stage of the same name exists: `stage-name` reports the two names.
- A build replaces the stage by a named context.
- An `ONBUILD`, which runs in another stage or build.

## References

- https://docs.docker.com/reference/dockerfile/#copy---from
- https://github.com/hadolint/hadolint/wiki/DL3023
- Tested with BuildKit: the build fails, also if an earlier stage has the name
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, From, Instruction, Run


def check(target: Target) -> Iterator[Finding]:
    """Compare each name that an instruction copies from or mounts with that of its stage."""
    name, earlier = "", set[str]()
    for node in target.dockerfile.instructions:
        if isinstance(node, From):
            earlier.add(name)
            name = node.stage_name or ""
        elif name and name not in earlier:
            for at, source in _sources(node):
                if source.lower() == name and target.facts.graph.named_context(name) is None:
                    message = f"the stage `{name}` copies from itself, so the build fails"
                    yield Advice(at, f"{message}: use `RUN cp` or another stage")


def _sources(node: Instruction) -> Iterator[tuple[Span, str]]:
    """What an instruction copies from or mounts, with the flag."""
    if isinstance(node, Copy):
        flag = node.flag("from")
        if flag is not None and flag.value:
            yield flag.span, flag.value
    elif isinstance(node, Run):
        for mount in node.mounts:
            if source := mount.get("from"):
                yield mount.span, source


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
