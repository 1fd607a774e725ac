"""A COPY takes the whole file system of another stage or image.

## What it does

Finds `COPY --from=NAME / /`, where the stage or image has a distribution of its own.

## Why is this bad?

The copy has all files of the other stage: compilers, caches and files that were meant to stay there. Over another
distribution, it replaces libraries and package databases. Its layers are not shared with other images any more, and its
`ENV`, `USER` and `CMD` are lost.

## Example

```dockerfile
FROM debian:12 AS build
RUN make install

FROM debian:12-slim
COPY --from=build / /
```

The finding:

```text
Dockerfile:5:1 info, advice: the whole file system of `build` is copied: copy what is needed, or use `FROM build`
```

## Fix safety

There is no fix: which files are needed is not known.

## When it does not apply

- A stage that starts from `scratch`: it contains only what was put there, often to be copied as a whole.
- A named context, which is often a folder.
- Images whose content is not known, and stages based on them. Some are made to be copied as a whole, such as
  `tonistiigi/xx`.
- A COPY with `--exclude` or `--parents`.

## References

- https://docs.docker.com/build/building/multi-stage/
- https://github.com/hadolint/hadolint/wiki/DL3067
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from dockfix.facts.images import base_image
from dockfix.facts.model import Known
from dockfix.facts.stages import ImageSource, Source, StageSource
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Copy


def check(target: Target) -> Iterator[Finding]:
    """Look at each COPY from a stage or image."""
    for stage in target.facts.graph.stages:
        for node in stage.executed:
            if isinstance(node, Copy) and node.source_stage and _copies_root(node):
                name = node.source_stage
                source = target.facts.graph.resolve(name, stage)
                if _has_distribution(source):
                    instead = "" if name.isdigit() else f", or use `FROM {name}`"
                    message = f"the whole file system of `{name}` is copied: copy what is needed{instead}"
                    yield Advice(node.span, message)


def _copies_root(copy: Copy) -> bool:
    """Whether the root is copied to the root. Relative sources start at the root of the other stage."""
    if copy.flag("exclude") or copy.flag("parents") or copy.destination is None:
        return False
    destination = copy.destination.text
    return (
        destination.startswith("/")
        and posixpath.normpath(destination).strip("/") == ""
        and any(posixpath.normpath(f"/{word.text}").strip("/") == "" for word in copy.paths)
    )


def _has_distribution(source: Source) -> bool:
    if isinstance(source, StageSource):
        return source.stage.base is not None and source.stage.base_ref != Known("scratch")
    return isinstance(source, ImageSource) and base_image(source.ref) is not None


CODEMOD: Final = Codemod(
    name="copy-from-root",
    title="a COPY takes the whole file system of another stage or image",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("from=",),
    hadolint=frozenset({"DL3067"}),
)
