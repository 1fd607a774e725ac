"""A stage copies the whole file system of another.

## What it does

Reports `COPY --from=STAGE / /`, which copies everything that is in another stage or image.

## Why is this bad?

The image gets all that the other stage has: build tools, caches, sources, and its users and settings in `/etc`. Files
of the base image are overwritten, and a second copy of the operating system is in the layer. `FROM STAGE` continues
with the same files and takes no space.

## Example

```dockerfile
FROM debian:12 AS build
RUN make install

FROM debian:12
COPY --from=build / /
```

## Fix safety

There is no fix: dockfix does not know which files are needed.

## When it does not apply

- A stage that starts `FROM scratch`: there it makes one layer of all, which is the purpose.
- A single folder, or another destination: `COPY --from=build / /mnt`.
- A source that may hold only the files that are meant: a stage `FROM scratch`, an image that dockfix does not know,
  such as `tonistiigi/xx`, and a named context.

## References

- https://docs.docker.com/build/building/multi-stage/
- [hadolint DL3067](https://github.com/hadolint/hadolint/wiki/DL3067)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.images import base_image
from dockfix.facts.model import Known
from dockfix.facts.stages import ImageSource, Stage, StageSource
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Copy, Run


def check(target: Target) -> Iterator[Finding]:
    """Find the COPYs of the root of another file system to the root."""
    for stage in target.facts.graph.stages:
        if stage.base_ref == Known("scratch"):
            continue
        for copy in stage.executed:
            if (
                isinstance(copy, Copy)
                and copy.source_stage
                and _is_root_to_root(copy)
                and _has_system(target, copy, stage)
            ):
                message = f"the whole file system of `{copy.source_stage}` is copied into the image"
                yield Advice(copy.span, message, help="copy the paths that are needed")


def _is_root_to_root(copy: Copy) -> bool:
    destination = copy.destination
    if destination is None or destination.text.strip("/"):
        return False
    return destination.text.startswith("/") and any(_is_root(word.text) for word in copy.sources)


def _is_root(path: str) -> bool:
    """Whether a source is everything; a source is always absolute."""
    return path.rstrip("/*") in ("", ".") and path != ""


def _has_system(target: Target, copy: Copy, stage: Stage) -> bool:
    """Whether the source is known to hold an operating system: something runs in it, or its base image does."""
    source = target.facts.graph.resolve(copy.source_stage or "", stage)
    match source:
        case StageSource(stage=other):
            system = other.base is not None and other.base_ref != Known("scratch")
            return system or any(isinstance(each, Run) for each in other.executed)
        case ImageSource(ref=ref):
            return base_image(ref) is not None
        case _:
            return False


CODEMOD: Final = Codemod(
    name="copy-from-root",
    title="the whole file system of a stage is copied",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("--from",),
    hadolint=frozenset({"DL3067"}),
)
