"""An image comes from a registry that is not allowed.

## What it does

Compares the registry of each image in `FROM`, `COPY --from` and `RUN --mount=from=` with the list in the option
`registries`. Without the option the rule finds nothing.

## Why is this bad?

An organization may allow only registries that it controls or trusts: others may serve images that nobody scanned, or
limit how many images are pulled.

## Example

With this configuration

```toml
[tool.dockfix.rules.allowed-registries]
registries = ["registry.example.org", "ghcr.io/example"]
```

this image is not allowed:

```dockerfile
FROM debian:12
```

The finding:

```text
Dockerfile:1:6 error, advice: `debian:12` comes from `docker.io`, which is not an allowed registry
```

## Fix safety

There is no fix: whether another registry has the image is not known.

## When it does not apply

- Stages, `scratch` and named contexts.
- Images from an allowed registry. `registry.example.org` allows all of its images, `ghcr.io/example` those below that
  path, `*.example.org` all registries that end so, and `*` any. An image without a registry is one of `docker.io`.
- The image of `# syntax=`.

## Options

- `registries`: the allowed registries, or paths in a registry. `*` at the start or end stands for any text. Default:
  none, and the rule finds nothing.

## References

- https://github.com/hadolint/hadolint/wiki/DL3026
- https://github.com/distribution/reference (`normalize.go`): which part of a reference is the registry
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known
from dockfix.facts.stages import ImageSource, Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, Run

_HUB: Final = "docker.io"


@dataclass(frozen=True)
class AllowedRegistriesOptions:
    """Options of `allowed-registries`.

    Args:
        registries: the allowed registries, or paths in a registry; `*` at the start or end stands for any text.
    """

    registries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in self.registries:
            if not each.strip("*") and each != "*":
                raise ValueError(f"registries: {each!r} is not a registry")
            if "*" in each[1:-1] or "://" in each:
                raise ValueError(f"registries: {each!r} must be a registry like `ghcr.io`, with `*` at one end only")


def check(target: Target) -> Iterator[Finding]:
    """Look at each image that a stage starts from, copies from or mounts."""
    allowed = target.options(AllowedRegistriesOptions).registries
    if not allowed:
        return
    for stage in target.facts.graph.stages:
        for at, image in _images(target, stage):
            name = _name(image)
            if name is None:
                yield Advice(at, f"the registry of `{image}` is not known: it comes from a build argument", cause=image)
            elif not any(_matches(pattern, name) for pattern in allowed):
                registry = name.partition("/")[0]
                message = f"`{image}` comes from `{registry}`, which is not an allowed registry"
                yield Advice(
                    at,
                    message,
                    cause=registry,
                    help="use an image of an allowed registry, or allow this one (`allowed`)",
                )


def _images(target: Target, stage: Stage) -> Iterator[tuple[Span, str]]:
    """The images of a stage, with their places; expanded as far as the file tells."""
    word = stage.node.image
    if word is not None and stage.parent is None and stage.context is None and not stage.replaced:
        expanded = stage.image.value if isinstance(stage.image, Known) else ""
        image = expanded if parse_image_ref(expanded) else word.text  # an empty tag is no valid image
        if image != "scratch":
            yield word.span, image
    graph = target.facts.graph
    for node in stage.executed:
        if isinstance(node, Copy) and (flag := node.flag("from")) is not None and flag.value:
            if isinstance(graph.resolve(flag.value, stage), ImageSource):
                yield flag.span, flag.value
        elif isinstance(node, Run):
            for mount in node.mounts:
                source = mount.get("from")
                if source and isinstance(graph.resolve(source, stage, mount=True), ImageSource):
                    yield mount.span, source


def _name(image: str) -> str | None:
    """An image with its registry and without its tag; None if a variable may hold the registry."""
    parsed = parse_image_ref(image)
    if parsed is not None:
        return f"{parsed.registry}/{parsed.repository}"
    prefix, dollar, rest = image.partition("$")
    if not dollar or ("/" in rest and "/" not in prefix) or not prefix:
        return None
    first, slash, _ = prefix.partition("/")
    if not slash:
        return f"{_HUB}/library/{first.partition(':')[0]}" if ":" in first else None
    has_registry = first == "localhost" or "." in first or ":" in first
    return prefix if has_registry else f"{_HUB}/{prefix}"


def _matches(pattern: str, name: str) -> bool:
    """Whether a pattern allows an image; it is compared with the registry, or with a path if it has one."""
    pattern = pattern.rstrip("/").replace("hub.docker.com", _HUB)
    compared = name if "/" in pattern else name.partition("/")[0]
    if pattern.startswith("*"):
        return compared.endswith(pattern[1:])
    if pattern.endswith("*"):
        return compared.startswith(pattern[:-1])
    return compared == pattern or compared.startswith(f"{pattern}/")


CODEMOD: Final = Codemod(
    name="allowed-registries",
    title="an image comes from a registry that is not allowed",
    severity=Severity.ERROR,
    category=Category.SECURITY,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("from",),
    options=AllowedRegistriesOptions,
    needs_options=True,
    hadolint=frozenset({"DL3026"}),
)
