"""A project uses several versions of one base image.

## What it does

Compares the images of all Dockerfiles, in FROM, `COPY --from` and `RUN --mount=from=`. It reports an image that occurs
in more than one version, or that is pinned by digest in some places only. There is one finding for an image, however
many places: at the first place that differs from most others, or, if no version is the most frequent, at the first that
is not the newest.

## Why is this bad?

Two versions of one base are two sets of layers to pull, scan and update, and two behaviors to test. Usually nobody
wants them: one file was updated and the other forgotten. `latest` next to a version leads to the same, only later.

## Example

```dockerfile api/Dockerfile
FROM python:3.13
```

```dockerfile web/Dockerfile
FROM python:3.11
```

The finding:

```text
web/Dockerfile:1:6 info, advice: `python` is used in several versions: 3.13 (api/Dockerfile:1), 3.11 (web/Dockerfile:1)
  help: use one version, unless a file needs another
```

## Fix safety

There is no fix: the files do not say which of the versions is right.

## When it does not apply

- Variants of one version: `3.13-slim` and `3.13-alpine` are both 3.13, `debian:bookworm` is `debian:12`.
- Stages, `scratch`, and images that the project builds itself.
- References with a variable as the name, or with a variable without a known value as the tag; arguments that several
  builds set to different values.
- A version in the path or the stage name (`3.11/Dockerfile`, `FROM python:3.11 AS py311`): the author chose it.
- Tests, examples and documentation.
- Images that are only pinned by digest: which digest is right requires a registry.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- https://github.com/docker-library/official-images#tags-and-aliases
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Known
from dockfix.facts.stages import ImageSource, Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Requires, Severity
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, Instruction, Run
from dockfix_codemods.base_image_drift.versions import ImageVersion, image_version, names_version, version_key

_MOST_SHOWN: Final = 6


class _Use(Struct, frozen=True):
    """A place that uses an image."""

    display: str
    line: int
    at: Span
    image: ImageVersion


_Placed = tuple[Path, _Use]
_Group = tuple[str, str]


def collect(target: Target) -> tuple[_Use, ...]:
    """The images that a Dockerfile uses, except those with a version chosen on purpose."""
    return tuple(_uses(target))


def _uses(target: Target) -> Iterator[_Use]:
    graph = target.facts.graph
    for stage in graph.stages:
        if stage.parent is None and not stage.replaced and stage.context is None and stage.node.image is not None:
            image = image_version(stage.image.value) if isinstance(stage.image, Known) else None
            variable = "$" in stage.node.image.text.rpartition("/")[2].partition(":")[0]
            if (
                image is not None
                and image.family != "scratch"
                and not variable
                and not _is_deliberate(target, stage, image)
            ):
                yield _Use(target.display, stage.node.start_line, stage.node.image.span, image)
        for node in stage.instructions:
            for name, at in _referenced(node):
                source = graph.resolve(name, stage)
                image = image_version(source.ref) if isinstance(source, ImageSource) else None
                if image is not None and not _is_deliberate(target, stage, image):
                    yield _Use(target.display, node.start_line, at, image)


def _referenced(node: Instruction) -> Iterator[tuple[str, Span]]:
    """The images or stages that `COPY --from` and the mounts of a RUN name."""
    flag = node.flag("from") if isinstance(node, Copy) else None
    if flag is not None and flag.value:
        yield flag.value, flag.span
    for mount in node.mounts if isinstance(node, Run) else ():
        name = mount.get("from")
        if name:
            yield name, mount.span


def _is_deliberate(target: Target, stage: Stage, image: ImageVersion) -> bool:
    """Whether the path or the stage names the version of the image."""
    return names_version(target.display, image) or names_version(stage.name or "", image)


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Report each image that is used in several versions."""
    own = {image.family for each in workspace.project.invocations for tag in each.tags if (image := image_version(tag))}
    families: dict[str, list[_Placed]] = {}
    for path, uses in workspace.collected(collect):
        for use in () if workspace.is_sample(path) else uses:
            families.setdefault(use.image.family, []).append((path, use))
    for family, placed in families.items():
        groups = _groups(placed)
        if len(groups) > 1 and family not in own:
            yield _advice(family, placed, groups)


def _groups(uses: Sequence[_Placed]) -> dict[_Group, list[_Placed]]:
    """The uses by version and by whether they have a digest; different digests of one tag are separate groups."""
    digests: dict[str, set[str]] = {}
    for _, use in uses:
        if use.image.digest:
            digests.setdefault(use.image.shown, set()).add(use.image.digest)
    groups: dict[_Group, list[_Placed]] = {}
    for path, use in uses:
        image = use.image
        several = image.shown and len(digests.get(image.shown, ())) > 1
        pin = "" if not image.digest else image.digest if several else "by digest"
        groups.setdefault((image.version, pin), []).append((path, use))
    return {key: group for key, group in groups.items() if key[0]}


def _advice(family: str, uses: Sequence[_Placed], groups: dict[_Group, list[_Placed]]) -> Advice:
    ranked = sorted(groups, key=lambda key: (len({path for path, _ in groups[key]}), version_key(key[0])), reverse=True)
    usual = groups[ranked[0]]
    path, use = next(placed for placed in uses if placed not in usual and any(placed in g for g in groups.values()))
    table = [f"{_label(key, groups[key])} ({_places(groups[key])})" for key in ranked[:_MOST_SHOWN]]
    rest = f" and {len(ranked) - _MOST_SHOWN} more" if len(ranked) > _MOST_SHOWN else ""
    versions = {version for version, _ in groups}
    what = "used in several versions" if len(versions) > 1 else "pinned by digest in some places only"
    if len(versions) == 1 and all(pin for _, pin in groups):
        what = "pinned to different digests"
    message = f"`{family}` is {what}: {', '.join(table)}{rest}"
    return Advice(use.at, message, file=path, help="use one version, unless a file needs another")


def _label(key: _Group, group: Sequence[_Placed]) -> str:
    tags = Counter(use.image.shown for _, use in group)
    shown = next(iter(tags)) if len(tags) == 1 else key[0]
    algorithm, _, digest = key[1].partition(":")
    return f"{shown}@{algorithm}:{digest[:12]}" if digest else f"{shown} {key[1]}".rstrip()


def _places(group: Sequence[_Placed]) -> str:
    files = dict.fromkeys(use.display for _, use in group)
    first = group[0][1]
    if len(files) > 1:
        return f"{len(files)} files"
    lines = ", ".join(str(use.line) for _, use in group[:3])
    return f"{first.display}:{lines}" + (", ..." if len(group) > 3 else "")


CODEMOD: Final = Codemod(
    name="base-image-drift",
    title="one base image in several versions",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset(),
    check=None,
    check_project=check_project,
    collect=collect,
    since="0.1.0",
    triggers=("from",),
    requires=Requires.SECOND,
    findings=("cross 1",),
)
