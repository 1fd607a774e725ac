"""A stage lacks environment variables that the configuration recommends for its base image.

## What it does

Adds the variables that are missing, in the style of the stage's last ENV. Without a configuration it does nothing:
tuning without evidence is not a good default.

## Why is this bad?

What a team knows about an image belongs in every Dockerfile that starts from it, and is easily forgotten in the next
one.

## Example

With this configuration

```toml
[tool.dockfix.rules.recommended-env.images."pytorch/pytorch"]
PYTORCH_CUDA_ALLOC_CONF = "expandable_segments:True"
```

the stage lacks a variable:

```dockerfile
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime
ENV PYTHONUNBUFFERED=1 \\
    RERANKER_PORT=8000
```

Use instead:

```dockerfile
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime
ENV PYTHONUNBUFFERED=1 \\
    RERANKER_PORT=8000 \\
    PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
```

## Fix safety

Unsafe: the variable changes how the program runs.

## When it does not apply

- Variables that the image or the file sets to any value, or that are an ARG of the stage.
- A value of several lines, which ENV cannot set: not fixed.
- Stages that the built image does not descend from, and runs that do not select the rule by name.

## Options

- `images`: a table of base images, each with a table of ENV variables and values. Default: empty, and the rule finds
  nothing.

## References

- https://docs.docker.com/reference/dockerfile/#env
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dockfix.edit.dockerfile import insert_below, insert_pairs
from dockfix.facts.images import image_names
from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Preset, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Env
from dockfix.syntax.words import variables

_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.,:/=@%")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class RecommendedEnvOptions:
    """Options of `recommended-env`.

    Args:
        images: the ENV variables that a stage on each base image should set, with their values.
    """

    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for image, variables_of_image in self.images.items():
            for name, value in variables_of_image.items():
                if not _VARIABLE.fullmatch(name):
                    raise ValueError(f"images.{image}.{name} is not a valid name of a variable")
                if "\0" in value:
                    raise ValueError(f"images.{image}.{name} must not contain a NUL character")


def check(target: Target) -> Iterator[Finding]:
    """Find the recommended variables that the first stage of the built image does not set."""
    graph = target.facts.graph
    final = graph.final
    recommended = target.options(RecommendedEnvOptions).images
    if not recommended or final is None or any(stage.replaced for stage in graph.chain(final)):
        return
    stage = graph.chain(final)[-1]
    if not isinstance(stage.base_ref, Known):
        return
    image = stage.base_ref.value
    wanted = next((recommended[name] for name in image_names(image) if name in recommended), {})
    given = {*target.facts.end_state(final).names(), *target.facts.end_state(stage).names()}
    missing = {name: value for name, value in wanted.items() if name not in given}
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        verb = "is" if len(missing) == 1 else "are"
        message = f"{names} {verb} recommended for `{image}`, but {verb} not set"
        broken = next((name for name, value in missing.items() if "\n" in value or "\r" in value), None)
        if broken is not None:
            reason = f"the value of `{broken}` has several lines, which ENV cannot set"
            yield Refusal(stage.node.span, message, reason)
            return
        edit = _edit(target, stage, missing)
        review = f"check that {'this value suits' if len(missing) == 1 else 'these values suit'} the program"
        yield Fix(stage.node.span, message, (edit,), Safety.UNSAFE, f"set {names}", review)


def _edit(target: Target, stage: Stage, missing: Mapping[str, str]) -> Edit:
    """Add pairs to the last ENV if it has several pairs or lines; else add a new ENV for each below it."""
    dockerfile = target.dockerfile
    pairs = [f"{name}={_quoted(value, stage.node.escape)}" for name, value in missing.items()]
    last = next((each for each in reversed(stage.instructions) if isinstance(each, Env)), None)
    used = last is not None and any(
        set(variables(each.value or "", stage.node.escape)) & set(missing) for each in last.pairs
    )
    if last is not None and not last.legacy and not used and (len(last.pairs) > 1 or last.multiline):
        return insert_pairs(dockerfile, last, pairs)
    keyword = last.keyword.text if last is not None else _keyword(stage)
    lines = [f"{keyword} {pair}" for pair in pairs]
    anchor = last if last is not None else stage.node
    return insert_below(dockerfile, anchor, anchor.newline.join(lines))


def _keyword(stage: Stage) -> str:
    return "env" if stage.node.keyword.text.islower() else "ENV"


def _quoted(value: str, escape: str) -> str:
    """A value quoted for ENV; `escape` is the file's escape character."""
    if value and set(value) <= _PLAIN:
        return value
    special = f'"${escape}'
    escaped = "".join(f"{escape}{character}" if character in special else character for character in value)
    return f'"{escaped}"'


CODEMOD: Final = Codemod(
    name="recommended-env",
    title="an environment variable that is recommended for the base image is not set",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.ENV, Effect.STEPS}),
    check=check,
    since="0.1.0",
    preset=Preset.ALL,
    options=RecommendedEnvOptions,
    needs_options=True,
    findings=("reranker 2",),
    promise=Promise(
        config=frozenset({Part.ENV}),
        rationale="ENV adds no files. Files differ only if a step reads the variable.",
    ),
)
