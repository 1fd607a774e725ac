"""`COPY --from` names a context that no build supplies.

## What it does

`COPY --from=packages` copies from the *named context* `packages` if the build has one (compose `additional_contexts`,
bake `contexts`, `docker build --build-context`), otherwise from an earlier stage of that name, otherwise from an image.
The rule reports a name that none of them can provide. If the build context contains a folder of that name, the fix
copies from the folder.

If some builds of the project supply the named context, the fix changes the compose or bake file of the others:

- An entry names a folder that does not exist, and exactly one folder of the project matches: `../../packages`, written
  as if paths started at the Dockerfile, becomes `./packages`.
- Another service or bake target builds the same stage without the entry: the entry is added, with the path relative to
  that file.

These two also apply to `RUN --mount=from=NAME` and `FROM NAME`; the Dockerfile itself is only changed for COPY.

## Why is this bad?

Without the named context BuildKit treats NAME as an image, and the build fails with `failed to resolve source metadata
for docker.io/library/packages:latest`. If compose supplies the context, only a plain `docker build` fails; it needs
`--build-context`.

## Example

```dockerfile
FROM python:3.13-slim
COPY --from=packages --chown=app . ./packages
```

Use instead:

```dockerfile
FROM python:3.13-slim
COPY --chown=app packages/ ./packages
```

## Fix safety

All fixes are unsafe: a build that dockfix does not know may supply the context, or create its folder. Check the scripts
and CI jobs that build the file.

## When it does not apply

- All builds supply the context. The finding then says how to build without them.
- The value comes from a variable, is shared by a YAML alias, is computed, or is inherited from another file. The
  finding then says what to write.
- Another build does not build the stage, or one build replaces an image by a context: for the others it is an image.
- `.dockerignore` excludes files of the folder: it filters a plain COPY, but not a named context.
- The name contains `/`, `:`, `.` or `@`, or is a well-known image: `--from=nginx` is an image.

## References

- https://docs.docker.com/reference/dockerfile/#copy---from
- https://docs.docker.com/reference/compose-file/build/#additional_contexts (paths are relative to the project's folder)
- https://docs.docker.com/build/bake/reference/#targetcontexts
- moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go` (order of resolution; also measured)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.stages import ImageSource, Invalid, OutOfRange, Stage, context_key
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Claim, Codemod, Effect, Finding, Promise, Requires, Severity
from dockfix.syntax.tree import Copy
from dockfix_codemods.copy_from_context.builds import check_supplied
from dockfix_codemods.copy_from_context.folders import check_missing


def check(target: Target) -> Iterator[Finding]:
    """Check each name that a stage copies from, mounts or starts from."""
    seen: set[str] = set()
    for stage in target.facts.graph.stages:
        for node, name in target.facts.graph.stage_references(stage):
            if context_key(name) in target.named_contexts and name not in seen:
                seen.add(name)
                yield from check_supplied(target, node, stage, name)
        for node in stage.instructions:
            if isinstance(node, Copy) and node.source_stage:
                yield from _check_unsupplied(target, node, stage, node.source_stage)


def _check_unsupplied(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    if target.facts.graph.by_name(name) is stage:
        return  # `copy-from-self` reports it
    source = target.facts.graph.resolve(name, stage)
    if isinstance(source, OutOfRange):
        yield Advice(copy.span, f"`COPY --from={name}` fails: no earlier stage has that number", Severity.ERROR)
    elif isinstance(source, Invalid):
        yield Advice(copy.span, f"`COPY --from={name}` fails: {source.reason}", Severity.ERROR)
    elif isinstance(source, ImageSource) and not wiring.may_be_image(target, name):
        yield from check_missing(target, copy, stage, name)


CODEMOD: Final = Codemod(
    name="copy-from-context",
    title="`COPY --from` names a context that no build supplies",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES, Effect.COMPOSE, Effect.BAKE}),
    check=check,
    since="0.1.0",
    triggers=("from",),
    requires=Requires.SECOND,
    hadolint=frozenset({"DL3022"}),
    findings=("api 1",),
    promise=Promise(
        claims=frozenset({Claim.REPAIRS}),
        rationale="The copied folder is the one that the named context would be; without either, the build fails.",
    ),
)
