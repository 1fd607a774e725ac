"""A Dockerfile has no comment that says what it builds, and how.

## What it does

Adds a comment at the top of a Dockerfile that has none there: the image, the command of compose or bake that builds it,
and the stages. The rule is off unless it is selected by name, because it adds text to every file.

## Why is this bad?

Readers must search for the service or target that builds the file. The header says which image of the project it is,
and how to build it.

## Example

With this `compose.yaml`,

```yaml
services:
  api:
    image: shop/api:1.4
    build: .
```

this file gets a header:

```dockerfile
# syntax=docker/dockerfile:1
FROM golang:1.24 AS builder
RUN go install example.com/api@v1.4.0

FROM gcr.io/distroless/base-debian12
COPY --from=builder /go/bin/api /api
```

Use instead:

```dockerfile
# syntax=docker/dockerfile:1
# shop/api:1.4, the image of the compose service api
#
# Build: docker compose build api
# Stages: builder, then the last one

FROM golang:1.24 AS builder
RUN go install example.com/api@v1.4.0

FROM gcr.io/distroless/base-debian12
COPY --from=builder /go/bin/api /api
```

## Fix safety

Safe: a comment changes no build. It goes below the directives, because a comment above `# syntax=` would disable that
line, and no line of it is a directive itself (`# NAME=VALUE`). It is placed between instructions, never inside one or
in a heredoc. A blank line separates it from the first instruction, so BuildKit's check of descriptions
(`InvalidDefinitionDescription`) does not apply to it.

## When it does not apply

- A file with any comment above its first instruction; pragmas such as `# hadolint ignore=` do not count.
- A file that nothing says how to build: the rule does not guess.
- An image name with variables, which is left out, and stages without a name before the last one.
- A file that more than four services and targets build.

## References

- https://docs.docker.com/reference/dockerfile/#parser-directives
- https://docs.docker.com/reference/build-checks/invalid-definition-description/
- https://docs.docker.com/reference/cli/docker/compose/build/ and `/reference/cli/docker/buildx/bake/`
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from dockfix.edit.dockerfile import insert, line_start
from dockfix.facts.model import Refused
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Blank, Comment, Directive

_MOST_BUILDS: Final = 4
_LONGEST: Final = 100
_MESSAGE: Final = "no comment says what this file builds, and how"
_BAKE: Final = ("docker-bake.hcl", "docker-bake.json")


def check(target: Target) -> Iterator[Finding]:
    """Add a header above the first instruction of a file that has no comment there."""
    dockerfile = target.dockerfile
    first = dockerfile.instructions[0] if dockerfile.instructions else None
    above = [node for node in dockerfile.nodes if first is not None and node.span.start < first.span.start]
    if first is None or any(isinstance(node, Comment) and not is_pragma(node) for node in above):
        return
    try:
        lines = _header(target)
    except Refused as refused:
        yield Refusal(first.span, _MESSAGE, refused.reason)
        return
    below = next((node.span for node in above if not isinstance(node, Directive | Blank)), first.lines)
    text = "".join(f"{line}{dockerfile.newline}" for line in (*lines, ""))
    edit = insert(line_start(dockerfile, below.start), text)
    yield Fix(first.span, _MESSAGE, (edit,), Safety.SAFE, "add a header comment")


def _header(target: Target) -> list[str]:
    """The lines of the header.

    Raises:
        Refused: nothing says how the file is built, or too much does.
    """
    real = target.file.real if target.file is not None else target.path
    builds = target.project.built.get(real, ())
    if not target.builds_known:
        raise Refused(f"{target.unread[0]} may build it, and could not be read")
    if len(builds) > _MOST_BUILDS:
        raise Refused(f"{len(builds)} services and targets build it, too many for a header")
    commands = dict.fromkeys(_command(target, each) for each in builds) or dict.fromkeys(_plain_command(target))
    if not commands:
        raise Refused(f"nothing says how it is built: {target.context_why}")
    lines = [f"# {line}" for line in _purposes(builds)]
    lines += ["#"] if lines else []
    lines += [f"# Build: {command}" for command in commands]
    stages = _stages(target, builds)
    return [*lines, f"# Stages: {stages}"] if stages else lines


def _purposes(builds: Sequence[BuildInvocation]) -> Iterator[str]:
    """What is built. A bake target may be a test or a check without an image."""
    targets = list(dict.fromkeys(build.service for build in builds if build.kind == "bake"))
    for build in builds:
        if build.kind == "compose":
            name = build.image if build.image == build.raw.get("image") else None
            what = f"the image of the compose service {build.service}"
            plain = name and "$" not in name and "=" not in name and name.isprintable()
            yield f"{name}, {what}" if plain else f"T{what[1:]}"
    if targets:
        listed = f"{', '.join(targets[:-1])} and {targets[-1]}" if len(targets) > 1 else targets[0]
        yield f"Built by the bake target{'s' if len(targets) > 1 else ''} {listed}"


def _command(target: Target, build: BuildInvocation) -> str:
    """The command that builds the file, run from the root of the project."""
    file = PurePosixPath(os.path.relpath(build.source, target.project.root).replace(os.sep, "/"))
    if build.kind == "bake":
        named = "" if file.name in _BAKE else f" -f {file.name}"
        # paths in a bake file are relative to the folder that bake runs in
        return f"docker buildx bake{named} {build.service}" + (f" (in {file.parent})" if len(file.parts) > 1 else "")
    services = next((each.services for each in target.project.compose_files if each.path == build.source), {})
    profiles = services[build.service].profiles if build.service in services else ()
    files = [os.path.relpath(each, target.project.root) for each in wiring.given_files(target.project, build)]
    named = "".join(f" -f {each.replace(os.sep, '/')}" for each in files)
    return f"docker compose{named}{f' --profile {profiles[0]}' if profiles else ''} build {build.service}"


def _plain_command(target: Target) -> Iterator[str]:
    """`docker build`, if the command line gives the context."""
    if target.context is not None:
        root = target.project.root
        context = os.path.relpath(target.context.root, root).replace(os.sep, "/")
        own = target.context.root / "Dockerfile"
        real = target.file.real if target.file is not None else target.path
        yield f"docker build {context}" if real == own else f"docker build -f {target.display} {context}"


def _stages(target: Target, builds: tuple[BuildInvocation, ...]) -> str:
    """The stages in words; "" for a single one, and where names are missing or the builds differ."""
    *others, last = target.facts.graph.stages
    names = [stage.name or "" for stage in others]
    targets = {(build.target or last.name or "").lower() for build in builds} or {last.name or ""}
    if not others or not all(names) or len(targets) > 1:
        return ""
    built = targets.pop()
    shown = [f"{name} (what is built)" if name == built else name for name in names]
    text = ", ".join((*shown, last.name)) if last.name else f"{', '.join(shown)}, then the last one"
    return text if len(text) < _LONGEST else ""


CODEMOD: Final = Codemod(
    name="header-comment",
    title="no comment says what a Dockerfile builds",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    preset=Preset.ALL,
    findings=("neo4j 2", "postgres 4", "base-ml 5"),
    promise=Promise(
        rationale="A comment is not part of any step.",
    ),
)
