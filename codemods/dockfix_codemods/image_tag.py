"""A base image has no tag, or the tag latest.

## What it does

Finds a `FROM` whose image has no tag and no digest, or the tag `latest`. The fix writes the version that the project
uses elsewhere: for the same image in this file or in a compose file, or in the version file of its language (`.nvmrc`,
`.node-version`, `.python-version`, `.ruby-version`, `go.mod`).

## Why is this bad?

`latest` is another image after each release. A build that was right last week fails or behaves differently today, and
nothing in the repository says which version it was.

## Example

```dockerfile
FROM node:22 AS build
RUN npm --version

FROM node
COPY --from=build /usr/local/bin/node /node
```

Use instead:

```dockerfile
FROM node:22 AS build
RUN npm --version

FROM node:22
COPY --from=build /usr/local/bin/node /node
```

## Fix safety

The fix is unsafe: builds use `latest` today, which may be a newer version than the one that the project names. The
variant stays that of `latest`: of `22-alpine` only the version `22` is used, and only for official images, which have
such tags.

## When it does not apply

- Stages, `scratch`, images with a digest, and images that a named context replaces.
- References with a variable: the tag is a parameter of the build.
- Images that the project builds itself.
- Distroless images with the release in their name (`gcr.io/distroless/static-debian12`), which have no versions.
- The finding has no fix if nothing in the project names a version, or if several versions are named.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- https://github.com/hadolint/hadolint/wiki/DL3006, https://github.com/hadolint/hadolint/wiki/DL3007
- https://github.com/docker-library/official-images#tags-and-aliases
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from dockfix.project.target import Project, Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Part,
    Promise,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Copy, From

if TYPE_CHECKING:
    from dockfix.facts.images import ImageRef
    from dockfix.facts.stages import Stage

_VERSION: Final = re.compile(r"v?([0-9]+(?:\.[0-9]+){0,2})")

_VERSION_FILES: Final = {
    "library/node": (".nvmrc", ".node-version"),
    "library/python": (".python-version",),
    "library/ruby": (".ruby-version",),
    "library/golang": ("go.mod",),
}
"""The files that name the version of a language, for the image of that language.

Sources: github.com/nvm-sh/nvm, github.com/pyenv/pyenv, github.com/rbenv/rbenv, go.dev/ref/mod.
"""

_GO: Final = re.compile(r"^(?:toolchain go|go )([0-9]+(?:\.[0-9]+){1,2})[ \t\r]*$", re.M)
_RELEASE_IN_NAME: Final = re.compile(r"distroless/.*-debian[0-9]+\Z")


_Tags: TypeAlias = dict[tuple[str, str], dict[str, str]]


def check(target: Target) -> Iterator[Finding]:
    """Look at the image of each FROM."""
    froms = [node for node in target.dockerfile.instructions if isinstance(node, From) and node.image]
    if any(_may_lack_tag(node) for node in froms):  # the facts are expensive, and most files have only tags
        tags = _tags(_images(target))
        for stage in target.facts.graph.stages:
            if _may_lack_tag(stage.node) and stage.parent is None and stage.context is None and not stage.replaced:
                yield from _check_image(target, stage, tags)


def _may_lack_tag(node: From) -> bool:
    if node.image is None:
        return False
    name = node.image.text
    return name != "scratch" and "$" not in name and "@" not in name and _tag(name) in ("", "latest")


def _tag(name: str) -> str:
    """What follows the colon after the last slash; a colon before that is a port."""
    return name.rpartition("/")[2].partition(":")[2]


def _check_image(target: Target, stage: Stage, tags: _Tags) -> Iterator[Finding]:
    from dockfix.facts.images import parse_image_ref  # noqa: PLC0415 - most runs need none of its tables

    word = stage.node.image
    ref = parse_image_ref(word.text) if word is not None else None
    if word is None or ref is None or _RELEASE_IN_NAME.search(ref.repository) or _is_built(target, ref):
        return
    name = word.text.removesuffix(":latest")
    missing = "has no tag" if name == word.text else "has the tag `latest`"
    message = f"`{name}` {missing}: another image may be used after each release"
    found = _versions(target, ref, tags)
    contiguous = stage.node.logical.contiguous(word.start, word.end)
    if len(found) != 1 or not contiguous:
        yield Advice(word.span, message, cause=name, help="name a version")
        return
    ((version, source),) = found.items()
    edit = Edit(word.span.start + len(name), word.span.end, f":{version}")
    review = f"check that `{version}`, which {source} names, is the version that you want: builds use `latest` today"
    yield Fix(word.span, message, (edit,), Safety.UNSAFE, f"use `{name}:{version}`", review, cause=name)


def _is_built(target: Target, ref: ImageRef) -> bool:
    """Whether the project builds an image of this name itself."""
    from dockfix.facts.images import parse_image_ref  # noqa: PLC0415 - most runs need none of its tables

    memo = target.project.memo
    if _is_built not in memo:
        refs = (parse_image_ref(tag) for build in target.project.invocations for tag in build.tags)
        memo[_is_built] = frozenset((each.registry, each.repository) for each in refs if each is not None)
    return (ref.registry, ref.repository) in cast("frozenset[tuple[str, str]]", memo[_is_built])


def _tags(images: Iterable[tuple[str, str]]) -> _Tags:
    """The tags of images, each with the first place."""
    from dockfix.facts.images import parse_image_ref  # noqa: PLC0415 - most runs need none of its tables

    found: _Tags = {}
    for image, source in images:
        ref = parse_image_ref(image)
        if ref is not None and ref.tag is not None and ref.tag != "latest":
            found.setdefault((ref.registry, ref.repository), {}).setdefault(ref.tag, source)
    return found


def _versions(target: Target, ref: ImageRef, tags: _Tags) -> dict[str, str]:
    """The versions of an image that this file and the project name, each with the first place."""
    memo, key = target.project.memo, (ref.registry, ref.repository)
    if _images_of_services not in memo:
        memo[_images_of_services] = _tags(_images_of_services(target.project))
    of_services = cast("_Tags", memo[_images_of_services])
    found: dict[str, str] = {}
    for tag, source in chain(tags.get(key, {}).items(), of_services.get(key, {}).items()):
        version, _, variant = tag.partition("-")
        if not _VERSION.fullmatch(version) or (variant and not ref.repository.startswith("library/")):
            return {}  # a tag whose version cannot be told
        found.setdefault(version, source)
    if not found and ref.registry == "docker.io" and target.context is not None:
        for name in _VERSION_FILES.get(ref.repository, ()):
            named = _version_in(name, target.context.read_text(name) or "")
            if named is not None:
                found.setdefault(named, f"`{name}`")
    return found


def _images(target: Target) -> Iterator[tuple[str, str]]:
    """The images that this file names, each with the place."""
    for node in target.dockerfile.instructions:
        if isinstance(node, From) and node.image is not None and "$" not in node.image.text:
            yield node.image.text, f"line {node.start_line}"
        elif isinstance(node, Copy) and node.source_stage and "$" not in node.source_stage:
            yield node.source_stage, f"line {node.start_line}"


def _images_of_services(project: Project) -> Iterator[tuple[str, str]]:
    """The images that the compose files name, each with the place."""
    for file in project.compose_files:
        for service in file.services.values():
            if service.image and not service.builds and service.raw.get("image") == service.image:
                yield service.image, f"the service {service.name}"


def _version_in(name: str, text: str) -> str | None:
    """The version that a file of `_VERSION_FILES` names; None if it is an alias, a range, or several."""
    if name == "go.mod":
        versions = _GO.findall(text)
        return versions[-1] if versions else None
    match = _VERSION.fullmatch(text.strip().removeprefix("ruby-"))
    return match[1] if match else None


CODEMOD: Final = Codemod(
    name="image-tag",
    title="a base image has no tag, or the tag latest",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="0.1.0",
    triggers=("from",),
    hadolint=frozenset({"DL3006", "DL3007"}),
    promise=Promise(
        config=frozenset(Part),
        adds=("/**",),
        removes=("/**",),
        changes=("/**",),
        packages=Packages.ANY,
        rationale="Another version of the base image may differ in everything; the build must still work with it.",
    ),
)
