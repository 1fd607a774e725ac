"""A CMD, ENTRYPOINT or HEALTHCHECK is overridden in the same stage.

## What it does

Finds `CMD`, `ENTRYPOINT` and `HEALTHCHECK` that a later one of the same stage overrides, and removes them.

## Why is this bad?

Only the last one counts. Whoever reads the first one expects the container to do something that it does not do.

## Example

```dockerfile
FROM debian:12
CMD ["serve", "--dev"]
COPY app /app
CMD ["serve"]
```

Use instead:

```dockerfile
FROM debian:12
COPY app /app
CMD ["serve"]
```

## Fix safety

The fix is safe: each of these instructions replaces the setting of the one before, so the image is the same.

It is unsafe if there is a comment above the removed instruction, and the last one follows directly: the comment stays,
and may describe either.

## When it does not apply

- Instructions of different stages: an earlier stage may be a target of its own.
- `ONBUILD`, which is for another build.
- Comments above an instruction that is not next to the last one, comments inside it, and pragmas above it, which would
  be lost or describe something else: refused.

## References

- https://docs.docker.com/reference/dockerfile/#cmd
- https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/
- hadolint [DL4003](https://github.com/hadolint/hadolint/wiki/DL4003),
  [DL4004](https://github.com/hadolint/hadolint/wiki/DL4004),
  [DL3012](https://github.com/hadolint/hadolint/wiki/DL3012)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import delete_superseded
from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction


def check(target: Target) -> Iterator[Finding]:
    """Find the instructions that are overridden, stage by stage."""
    for stage in target.facts.graph.stages:
        found: dict[type[Instruction], list[Instruction]] = {}
        for node in stage.executed:
            if isinstance(node, Cmd | Entrypoint | Healthcheck):
                found.setdefault(type(node), []).append(node)
        for nodes in found.values():
            if len(nodes) > 1:
                yield _finding(target, nodes[:-1], nodes[-1])


def _finding(target: Target, gone: Sequence[Instruction], last: Instruction) -> Finding:
    at, name = gone[0].keyword.span, last.name
    others = [str(node.start_line) for node in gone[1:]]
    also = f", like {'that' if len(others) == 1 else 'those'} on line {' and '.join(others)}," if others else ""
    message = f"this `{name}`{also} has no effect: the one on line {last.start_line} overrides it"
    described = next((node for node in gone if target.dockerfile.above(node)), None)
    review = ""
    if described is not None:
        if len(gone) > 1 or not _adjacent(target, described, last):
            return Refusal(at, message, f"the comment above line {described.start_line} may describe what is removed")
        review = f"check that the comment above line {described.start_line} describes the `{name}` that remains"
    try:
        edits = delete_superseded(target.dockerfile, gone, last)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    return Fix(at, message, edits, Safety.UNSAFE if review else Safety.SAFE, "remove it", review)


def _adjacent(target: Target, node: Instruction, last: Instruction) -> bool:
    """Whether nothing is between two instructions, not even a comment or a blank line."""
    return target.dockerfile.text[node.lines.end : last.lines.start].strip(" \t") == ""


CODEMOD: Final = Codemod(
    name="instruction-overridden",
    title="a CMD, ENTRYPOINT or HEALTHCHECK is overridden in the same stage",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("cmd", "entrypoint", "healthcheck"),
    hadolint=frozenset({"DL3012", "DL4003", "DL4004"}),
    checks=frozenset({"MultipleInstructionsDisallowed"}),
    promise=Promise(
        rationale="Each of these instructions replaces the setting of the one before: the image is the same."
    ),
)
