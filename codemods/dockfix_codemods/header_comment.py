"""A Dockerfile that does not say what it builds, or how.

## What it does

It puts a comment at the top of a Dockerfile that has none there: the image, the command that builds it as compose or
bake do, and the stages. With this `compose.yaml`,

```yaml
services:
  api:
    image: shop/api:1.4
    build: .
```

the file

```dockerfile
# syntax=docker/dockerfile:1
FROM golang:1.24 AS builder
RUN go install example.com/api@v1.4.0

FROM gcr.io/distroless/base-debian12
COPY --from=builder /go/bin/api /api
```

becomes

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

## Why

Who opens the file sees which of the project's images it is, and need not look for the service that builds it.

## Safety

Safe: a comment changes no build. It goes below the directives, because above `# syntax=` it would switch that off, and
no line of it reads as a directive itself (`# NAME=VALUE`). It stands between instructions, never inside one or in a
heredoc. A blank line parts it from the first instruction, so that BuildKit's check of descriptions
(`InvalidDefinitionDescription`) does not take it for one.

It is off unless it is asked for by name: it adds text to every file.

## What it leaves alone

- A file with a comment above its first instruction, whatever it says; `# hadolint ignore=` and its like are none.
- A file of which nothing says how it is built: there is no guess.
- An image name with variables, which is left out, and stages of which one without a name is not the last.
- A file that more than four services and targets build.

## Sources

- https://docs.docker.com/reference/dockerfile/#parser-directives
- https://docs.docker.com/reference/build-checks/invalid-definition-description/
- https://docs.docker.com/reference/cli/docker/compose/build/ and `/reference/cli/docker/buildx/bake/`
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Blank, Comment, Directive

_MOST_BUILDS: Final = 4
_LONGEST: Final = 100
_MESSAGE: Final = "the file does not say what it builds, or how"
_BAKE: Final = ("docker-bake.hcl", "docker-bake.json")


def check(target: Target) -> Iterator[Finding]:
    """Put a header in front of the first instruction of a file that has no comment there."""
    dockerfile = target.dockerfile
    first = dockerfile.instructions[0] if dockerfile.instructions else None
    above = [node for node in dockerfile.nodes if first is not None and node.span.start < first.span.start]
    if first is None or any(isinstance(node, Comment) and not is_pragma(node) for node in above):
        return
    lines = _header(target)
    if isinstance(lines, str):
        yield Refusal(first.span, _MESSAGE, lines)
        return
    below = next((node for node in above if not isinstance(node, Directive | Blank)), first)
    text = "".join(f"{line}{dockerfile.newline}" for line in (*lines, ""))
    at = surgery.line_start(dockerfile, below.span.start)
    yield Fix(first.span, _MESSAGE, (surgery.insert(at, text),), Safety.SAFE, "a reader need not look for it")


def _header(target: Target) -> list[str] | str:
    """The lines of the header, or why nothing can be said."""
    real = target.file.real if target.file is not None else target.path
    builds = target.project.built.get(real, ())
    if not target.builds_known:
        return f"{target.unread[0]} could not be read and may build it"
    if len(builds) > _MOST_BUILDS:
        return f"{len(builds)} services and targets build it, too many for a header"
    commands = dict.fromkeys(_command(target, each) for each in builds) or dict.fromkeys(_plain_command(target))
    if not commands:
        return f"nothing says how it is built: {target.context_why}"
    lines = [f"# {line}" for line in _purposes(builds)]
    lines += ["#"] if lines else []
    lines += [f"# Build: {command}" for command in commands]
    stages = _stages(target, builds)
    return [*lines, f"# Stages: {stages}"] if stages else lines


def _purposes(builds: Sequence[BuildInvocation]) -> Iterator[str]:
    """What is built. A target of bake may as well be a test or a check that leaves no image."""
    targets = list(dict.fromkeys(build.service for build in builds if build.kind == "bake"))
    for build in builds:
        if build.kind == "compose":
            name = build.image if build.image == build.raw.get("image") else None
            what = f"he image of the compose service {build.service}"
            yield (
                f"{name}, t{what}"
                if name and "$" not in name and "=" not in name and name.isprintable()
                else f"T{what}"
            )
    if targets:
        listed = f"{', '.join(targets[:-1])} and {targets[-1]}" if len(targets) > 1 else targets[0]
        yield f"Built by the bake target{'s' if len(targets) > 1 else ''} {listed}"


def _command(target: Target, build: BuildInvocation) -> str:
    """The command that builds it, from the root of the project."""
    file = PurePosixPath(os.path.relpath(build.source, target.project.root).replace(os.sep, "/"))
    if build.kind == "bake":
        named = "" if file.name in _BAKE else f" -f {file.name}"
        # folders of a bake file are relative to the one that bake runs in
        return f"docker buildx bake{named} {build.service}" + (f" (in {file.parent})" if len(file.parts) > 1 else "")
    services = next((each.services for each in target.project.compose_files if each.path == build.source), {})
    profiles = services[build.service].profiles if build.service in services else ()
    files = [os.path.relpath(each, target.project.root) for each in wiring.given_files(target.project, build)]
    named = "".join(f" -f {each.replace(os.sep, '/')}" for each in files)
    return f"docker compose{named}{f' --profile {profiles[0]}' if profiles else ''} build {build.service}"


def _plain_command(target: Target) -> Iterator[str]:
    """`docker build` where the command line gives the context."""
    if target.context is not None:
        root = target.project.root
        context = os.path.relpath(target.context.root, root).replace(os.sep, "/")
        own = target.context.root / "Dockerfile"
        real = target.file.real if target.file is not None else target.path
        yield f"docker build {context}" if real == own else f"docker build -f {target.display} {context}"


def _stages(target: Target, builds: tuple[BuildInvocation, ...]) -> str:
    """The stages in words; nothing for a single one, and where names are missing or builds differ."""
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
    title="a Dockerfile that does not say what it builds",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    opt_in=True,
    page=__doc__,
    findings=("neo4j 2", "postgres 4", "base-ml 5"),
)
