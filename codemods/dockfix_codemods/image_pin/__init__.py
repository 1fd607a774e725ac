"""A base image has a tag only, although the lock file has its digest.

## What it does

Adds the digest of the lock file to the image of a FROM. The tag stays, so people and update tools see which image it
is. An image that is pinned to another digest than the one of the lock file gets the latter.

No digest is looked up or made up: the rule fetches nothing. It is off unless it is selected by name.

## Why is this bad?

A tag moves: two builds of one file a week apart give two images. The digest identifies the image.

## Example

With this configuration

```toml
[tool.dockfix.rules.image-pin]
lock-file = "images.lock"
```

and this line in `images.lock`,

```
python:3.13-slim@sha256:8f3aba466a471c0ab903dbd7cb979abd4bda370b04789d25440cc90372b50e04
```

this image is not pinned:

```dockerfile
FROM python:3.13-slim
```

Use instead:

```dockerfile
FROM python:3.13-slim@sha256:8f3aba466a471c0ab903dbd7cb979abd4bda370b04789d25440cc90372b50e04
```

## Fix safety

Unsafe: for builds on several platforms the digest must be that of the image index, not of one platform; and the lock
file may have another image than the tag gives today.

## When it does not apply

- Images that are not in the lock file: not fixed. Without a lock file there are no findings.
- References with an ARG or a variable: the digest would be right for one value only.
- Stages, `scratch`, images that a named context replaces, and a digest without a tag.
- The images of `COPY --from` and of mounts.

## Options

- `lock-file`: the file with the digests, relative to the configuration file. A line is `IMAGE:TAG@sha256:...` or
  `"IMAGE:TAG" = "sha256:..."`. Default: none, and the rule finds nothing.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- https://docs.docker.com/reference/dockerfile/#from
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dockfix.edit.dockerfile import replace
from dockfix.facts.model import Known, Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.rule.options import TextFile
from dockfix_codemods.image_pin.lock import ImageLock, locked_digest, parse_image_lock

_REVIEW: Final = (
    "check that the digest is that of the image index if you build for several platforms, and that you want its image"
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
            yield Refusal(span, f"`{image}` is not pinned by digest", "the reference contains a variable")
        return
    message = f"`{tagged}` is not pinned by digest"
    locked = locked_digest(lock, tagged)
    if locked is None:
        if not at:
            yield Refusal(span, message, "the lock file has no digest for it")
        return
    if locked == digest:
        return
    help_ = "add the digest of the lock file"
    if at:
        message = f"`{tagged}` is pinned to another digest than in the lock file"
        help_ = "replace the digest with that of the lock file"
    pinned = f"{tagged}{'' if ':' in name else ':latest'}@{locked}"
    try:
        edit = _edit(target, stage, written, pinned)
    except Refused as refused:
        yield Refusal(span, message, refused.reason)
        return
    yield Fix(span, message, (edit,), Safety.UNSAFE, help_, _REVIEW)


def _edit(target: Target, stage: Stage, written: str, pinned: str) -> Edit:
    word = stage.node.image
    if word is None or target.text[word.span.start : word.span.end] != written:
        raise Refused("the reference is quoted or continues on another line")
    return replace(word.span, pinned)


CODEMOD: Final = Codemod(
    name="image-pin",
    title="a base image has a tag only, and its digest is in the lock file",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="0.1.0",
    triggers=("from",),
    preset=Preset.STRICT,
    options=ImagePinOptions,
    needs_options=True,
    findings=("cross 1",),
    promise=Promise(
        rationale=(
            "The digest is that of the image that the tag names. If the lock file has another image than the tag "
            "gives today, a build shows what differs."
        ),
    ),
)
