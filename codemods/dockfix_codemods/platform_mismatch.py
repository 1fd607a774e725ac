"""A base image is for another platform than the build.

## What it does

Finds a `FROM` whose image exists for one platform only, as its name tells, and which is built for another one: by its
`--platform`, or by the `platforms` of a compose service or bake target that builds it.

## Why is this bad?

If BuildKit finds no image for the platform, it fails, or takes the image of the other platform and warns. The programs
in it then run under emulation, or fail with `exec format error`.

## Example

```dockerfile
FROM --platform=linux/amd64 arm64v8/alpine:3.22
```

The finding:

```text
Dockerfile:1:29 warning, advice: `arm64v8/alpine:3.22` is for linux/arm64, but this stage is built for linux/amd64
```

## Fix safety

There is no fix: the platform may be wrong, or the image.

## When it does not apply

- Images for several platforms, and all images whose names tell no platform: nothing is fetched. Docker's own check
  looks at the image, so it finds more.
- A `--platform` with a variable, and builds for the platform of the machine.
- Stages, and images that a named context replaces.

## References

- https://github.com/docker-library/official-images#architectures-other-than-amd64
- moby/buildkit `frontend/dockerfile/dockerfile2llb/validations.go` (`validateBaseImagePlatform`)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known
from dockfix.facts.platforms import Platform, image_platform, parse_platform
from dockfix.facts.stages import Stage
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity


def check(target: Target) -> Iterator[Finding]:
    """Compare the platform of each image with that of its stage."""
    for stage in target.facts.graph.stages:
        word = stage.node.image
        if word is None or stage.parent is not None or stage.context is not None or stage.replaced:
            continue
        ref = parse_image_ref(stage.image.value) if isinstance(stage.image, Known) else None
        platform = image_platform(ref) if ref is not None else None
        if platform is not None and isinstance(stage.image, Known):
            for wanted, by in _wanted(target, stage):
                if platform.differs(wanted):
                    message = f"`{stage.image.value}` is for {platform}, but {by} is built for {wanted}"
                    yield Advice(word.span, message, help="use an image of the same platform")
                    break


def _wanted(target: Target, stage: Stage) -> Iterator[tuple[Platform, str]]:
    """The platforms that a stage is certainly built for, each with what says so."""
    flag = stage.node.flag("platform")
    if flag is not None:
        platform = parse_platform(flag.value or "")
        if platform is not None:
            yield platform, "this stage"
        return
    for build in target.builds:
        named = build.options.get("platforms")
        if isinstance(named, tuple) and stage in target.facts.graph.needed_for(build.target):
            for each in named:
                platform = parse_platform(each) if isinstance(each, str) else None
                if platform is not None:
                    yield platform, wiring.describe_builds(target.project, (build,))


CODEMOD: Final = Codemod(
    name="platform-mismatch",
    title="a base image is for another platform than the build",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("amd64/", "arm32v", "arm64v8/", "i386/", "mips64le/", "ppc64le/", "riscv64/", "s390x/", "/windows/"),
    checks=frozenset({"InvalidBaseImagePlatform"}),
)
