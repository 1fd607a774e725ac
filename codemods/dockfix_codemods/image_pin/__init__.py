"""A base image by tag, where a lock file knows its digest.

## What it does

With this configuration

```toml
[tool.dockfix.rules.image-pin]
lock-file = "images.lock"
```

and this line in `images.lock`,

```
python:3.13-slim@sha256:8f3aba466a471c0ab903dbd7cb979abd4bda370b04789d25440cc90372b50e04
```

the rule pins the image:

```dockerfile
FROM python:3.13-slim
```

becomes

```dockerfile
FROM python:3.13-slim@sha256:8f3aba466a471c0ab903dbd7cb979abd4bda370b04789d25440cc90372b50e04
```

The tag stays, so that people and update tools see what it is. An
image that is pinned to another digest than the lock file's is brought to that one.

## Why

A tag moves: two builds of one file a week apart give two images. The digest is the image.

## Safety

Unsafe: the digest must be that of the image index, not of one platform, for builds for several platforms; and the image
of the lock file may be another one than the tag gives today.

No digest is ever looked up or made up: nothing is fetched. The rule is off unless it is asked for by name.

## What it leaves alone

- Images that the lock file does not have: refused. Without a lock file nothing is said of any image.
- References that an ARG or a variable is a part of: the digest would hold for one value only.
- Stages, `scratch`, images that a named context stands in for, and a digest without a tag.
- The images of `COPY --from` and of mounts.

## Options

- `lock-file`: the file with the digests, relative to the configuration file. A line is `IMAGE:TAG@sha256:...` or
  `"IMAGE:TAG" = "sha256:..."`. Default: none, and the rule finds nothing.

## Sources

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- https://docs.docker.com/reference/dockerfile/#from
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.rule.options import TextFile
from dockfix_codemods.image_pin.lock import ImageLock, locked_digest, parse_image_lock

_WHY: Final = "the digest is the image, and a tag moves"
_LOOK_AT: Final = (
    "that the digest is that of the image index if several platforms are built, and that its image is wanted"
)


@dataclass(frozen=True)
class ImagePinOptions:
    """Options of `image-pin`.

    Args:
        lock_file: the file with the digests of base images; a line is `IMAGE:TAG@sha256:...` or
            `"IMAGE:TAG" = "sha256:..."`.
    """

    lock_file: TextFile | None = None

    def __post_init__(self) -> None:
        _ = self.lock  # a malformed file is an error of the configuration

    @cached_property
    def lock(self) -> ImageLock:
        """The digests of the lock file."""
        return {} if self.lock_file is None else parse_image_lock(self.lock_file.text, str(self.lock_file.path))


def check(target: Target) -> Iterator[Finding]:
    """Compare each image that a stage starts from with the lock file."""
    lock = target.options(ImagePinOptions).lock
    if not lock:
        return
    for stage in target.facts.graph.stages:
        if stage.node.image is not None and stage.parent is None and stage.context is None and not stage.replaced:
            yield from _check_image(target, lock, stage, stage.node.image.text)


def _check_image(target: Target, lock: ImageLock, stage: Stage, written: str) -> Iterator[Finding]:
    tagged, at, digest = written.partition("@")
    name = tagged.rpartition("/")[2]
    if written == "scratch" or (at and ":" not in name):
        return
    span = stage.node.span
    if "$" in written:
        image = stage.image.value if isinstance(stage.image, Known) else ""
        if image and "@" not in image:
            yield Refusal(span, f"{image} is not pinned", "a variable is a part of the reference")
        return
    locked = locked_digest(lock, tagged)
    if locked is None:
        if not at:
            yield Refusal(span, f"{tagged} is not pinned", "the lock file has no digest of it")
        return
    if locked == digest:
        return
    message = f"{tagged} is pinned to another digest than in the lock file" if at else f"{tagged} is not pinned"
    edit = _edit(target, stage, written, f"{'' if ':' in name else ':latest'}@{locked}")
    if edit is None:
        yield Refusal(span, message, "the reference is written with quotes or over several lines")
    else:
        yield Fix(span, message, (edit,), Safety.UNSAFE, _WHY, _LOOK_AT)


def _edit(target: Target, stage: Stage, written: str, ending: str) -> Edit | None:
    word = stage.node.image
    if word is None or target.text[word.span.start : word.span.end] != written:
        return None
    return surgery.replace(word.span, written.partition("@")[0] + ending)


CODEMOD: Final = Codemod(
    name="image-pin",
    title="a base image by tag whose digest is in the lock file",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="0.1.0",
    triggers=("from",),
    opt_in=True,
    options=ImagePinOptions,
    needs_options=True,
    page=__doc__,
    findings=("cross 1",),
)
