"""A label that the project requires is missing, or its value is not valid.

## What it does

Compares the labels of each image with a list that you configure: which labels it must have, and what their values are.

## Why is this bad?

Registries, scanners and scripts read labels. A missing or misspelled one is not noticed before they need it.

## Example

```dockerfile
FROM debian:12
LABEL org.opencontainers.image.created="yesterday"
LABEL org.opencontainers.image.licenses="Apache"
```

```toml
[tool.dockfix.rules.label-schema.labels]
"org.opencontainers.image.created" = "rfc3339"
"org.opencontainers.image.licenses" = "spdx"
"org.opencontainers.image.source" = "url"
```

Both values are not valid, and the label `org.opencontainers.image.source` is missing.

## When it does not apply

- A value with a variable that is not known. Labels that a build sets (`docker build --label`) are not known either, nor
  those of the base image: leave labels that come from there out of the list.
- A missing label in a stage that another stage is based on or copies from: it is not an image of its own.

## Options

- `labels`: the labels that each image must have, each with the kind of its value: `text` (not empty), `url`,
  `rfc3339` (a time), `spdx` (a license expression), `hash` (of a git commit, 7 or 40 digits), `semver` or `email`.
- `strict`: whether other labels are reported, too.

## References

- https://github.com/opencontainers/image-spec/blob/main/annotations.md
- https://github.com/hadolint/hadolint/wiki/DL3049 and the pages of DL3050 to DL3056, and DL3058
- https://spdx.org/licenses/, https://semver.org/, https://www.rfc-editor.org/rfc/rfc3339
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.facts.variables import plain_key
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Preset, Promise, Severity
from dockfix.syntax.tree import Label, Pair
from dockfix_codemods.label_schema.values import FAULTS

Kind = Literal["text", "url", "rfc3339", "spdx", "hash", "semver", "email"]


@dataclass(frozen=True)
class LabelSchemaOptions:
    """Options of `label-schema`.

    Args:
        labels: the labels that each image must have, each with the kind of its value.
        strict: whether other labels are reported, too.
    """

    labels: Mapping[str, Kind] = field(default_factory=dict)
    strict: bool = False


def check(target: Target) -> Iterator[Finding]:
    """Check the labels of each stage, and which are missing from each image."""
    options = target.options(LabelSchemaOptions)
    if not options.labels:
        return
    graph = target.facts.graph
    parents = {stage.parent for stage in graph.stages}
    own: list[dict[str, Pair]] = []  # for each stage the labels that it sets or inherits
    for stage in graph.stages:
        found = dict(own[stage.parent]) if stage.parent is not None else {}
        for label in stage.program:
            if isinstance(label, Label):
                found |= {key: pair for pair in label.pairs if (key := plain_key(pair, label.escape)) is not None}
        own.append(found)
        for label in stage.executed:
            if isinstance(label, Label):
                yield from _values(target, label, options)
        is_image = stage is graph.final or not (stage.index in parents or graph.copied_from(stage))
        if is_image and not stage.replaced:
            yield from _missing(stage, found, options)


def _missing(stage: Stage, found: Mapping[str, Pair], options: LabelSchemaOptions) -> Iterator[Finding]:
    names = [name for name in options.labels if name not in found]
    if names:
        shown = ", ".join(f"`{name}`" for name in names)
        cause = f"stage {stage.index}"
        yield Advice(stage.node.span, f"the image has no label {shown}", cause=cause, help="add a `LABEL`")


def _values(target: Target, label: Label, options: LabelSchemaOptions) -> Iterator[Finding]:
    for pair in label.pairs:
        key = plain_key(pair, label.escape)
        if key is None:
            continue
        kind = options.labels.get(key)
        if kind is None:
            if options.strict:
                yield Advice(pair.span, f"the label `{key}` is not in the configured list")
            continue
        value = target.facts.state(label).expand(pair.value or "", label.escape)
        if isinstance(value, Known) and (fault := _fault(kind, value.value)):
            yield Advice(pair.span, f"the label `{key}` {fault}", Severity.WARNING)


def _fault(kind: Kind, value: str) -> str:
    """What is wrong with a value; empty if nothing is."""
    if not value.strip():
        return "is empty"
    fault = FAULTS.get(kind)
    return "" if fault is None or fault.valid(value) else f"is not {fault.what}"


CODEMOD: Final = Codemod(
    name="label-schema",
    title="a required label is missing, or its value is not valid",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    options=LabelSchemaOptions,
    needs_options=True,
    preset=Preset.ALL,
    since="0.1.0",
    triggers=("from",),
    hadolint=frozenset({"DL3049", "DL3050", "DL3051", "DL3052", "DL3053", "DL3054", "DL3055", "DL3056", "DL3058"}),
    promise=Promise(),
)
