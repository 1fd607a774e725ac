r"""MAINTAINER is deprecated.

## What it does

Finds `MAINTAINER`, and replaces it with a `LABEL` of the same text.

## Why is this bad?

`MAINTAINER` has been deprecated since Docker 1.13. It sets a field of the image that few tools show. A label can be
read with `docker inspect`, is shown by registries, and can name more than one person.

## Example

```dockerfile
FROM debian:12
MAINTAINER Ada Lovelace <ada@example.org>
```

Use instead:

```dockerfile
FROM debian:12
LABEL org.opencontainers.image.authors="Ada Lovelace <ada@example.org>"
```

## Fix safety

The fix is safe. It moves the text from the field `author` of the image to a label, and changes nothing else. The text
of `MAINTAINER` is taken as it is: variables are not expanded and backslashes escape nothing. A `LABEL` does both, so
`$`, `"` and `\` are escaped. Quotes around the whole text become the quotes of the label: `MAINTAINER "Ada"` has
quotes in the name, which nobody means.

If the base image sets the same label, the new one replaces it, as `MAINTAINER` replaces the author of the base image.

## When it does not apply

- A stage that sets the label itself, or a stage that it is based on does: dockfix overrides no label of the file.
- A comment for a tool, such as `# hadolint ignore=`, is above the instruction.
- Several `MAINTAINER` in a stage: only the last one is in the image, but all are meant.

## Options

- `key`: the key of the label. The default is that of the OCI image specification; `maintainer` is also common.

## References

- https://docs.docker.com/reference/dockerfile/#maintainer-deprecated
- https://docs.docker.com/reference/build-checks/maintainer-deprecated/
- https://github.com/opencontainers/image-spec/blob/main/annotations.md
- moby/buildkit, `frontend/dockerfile/instructions/parse.go`: `parseMaintainer`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.edit.dockerfile import edited, replace_keyword
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Dockerfile, Label, Maintainer
from dockfix.syntax.words import SubstitutionError, template

_MESSAGE: Final = "`MAINTAINER` is deprecated"
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class MaintainerLabelOptions:
    """Options of `maintainer-label`.

    Args:
        key: the key of the label.
    """

    key: str = "org.opencontainers.image.authors"

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError("key must begin with a letter and have only letters, digits, and the characters . _ / -")


def check(target: Target) -> Iterator[Finding]:
    """Find each MAINTAINER, stage by stage."""
    key = target.options(MaintainerLabelOptions).key
    stages = target.facts.graph.stages
    labels: list[dict[str, int]] = []  # for each stage the labels that it sets or inherits, with a line
    for stage in stages:
        inherited = labels[stage.parent] if stage.parent is not None else {}
        labels.append(inherited | dict(_labels(stage)))
        found = [each for each in stage.instructions if isinstance(each, Maintainer)]
        for maintainer in found:
            yield _finding(target.dockerfile, maintainer, key, labels[-1].get(key), len(found), stage.index)


def _labels(stage: Stage) -> Iterator[tuple[str, int]]:
    """The keys of a stage's labels, with their lines."""
    for each in stage.program:
        if isinstance(each, Label):
            yield from ((pair.key.strip("\"'"), each.start_line) for pair in each.pairs)


def _finding(
    dockerfile: Dockerfile, maintainer: Maintainer, key: str, line: int | None, count: int, stage: int
) -> Finding:
    at = maintainer.span
    if count > 1:
        note = f"this stage has {count}, of which only the last is in the image: name all in one label"
        return Refusal(at, _MESSAGE, note, cause=f"stage {stage}")
    if line is not None:
        return Refusal(at, _MESSAGE, f"line {line} sets the label `{key}`")
    try:
        edits = _edits(dockerfile, maintainer, key)
    except Refused as refused:
        return Refusal(at, _MESSAGE, refused.reason)
    return Fix(at, _MESSAGE, edits, Safety.SAFE, f"use `LABEL {key}=`")


def _edits(dockerfile: Dockerfile, maintainer: Maintainer, key: str) -> tuple[Edit, ...]:
    """Replace the keyword, and quote the text.

    Raises:
        Refused: the label would have another text, or a comment for a tool is above.
    """
    (word,) = maintainer.args
    text, escape = word.text, maintainer.escape
    quote = text[0] if len(text) > 1 and text[0] == text[-1] and text.count(text[0]) == 2 and text[0] in "'\"" else ""
    keyword = maintainer.keyword
    label = "label" if keyword.text.islower() else "Label" if keyword.text.istitle() else "LABEL"
    edits = [replace_keyword(dockerfile, maintainer, label)]
    start, end = maintainer.logical.start(word.start), word.span.end
    edits.append(Edit(start, start, f"{key}=" if quote else f'{key}="'))
    if quote != "'":
        inner = range(1, len(text) - 1) if quote else range(len(text))
        places = [maintainer.logical.start(word.start + index) for index in inner if text[index] in f'"${escape}']
        edits += [Edit(place, place, escape) for place in places if place > start]
        if places and places[0] == start:
            edits[1] = Edit(start, start, f'{key}="{escape}')
    if not quote:
        edits.append(Edit(end, end, '"'))
    if not _sets(dockerfile, maintainer, edits, key, text[1:-1] if quote else text):
        raise Refused("no spelling of the label is known that has the same text")
    return tuple(edits)


def _sets(dockerfile: Dockerfile, maintainer: Maintainer, edits: list[Edit], key: str, text: str) -> bool:
    """Whether the parser reads the new text as one label with this key and text."""
    new = edited(dockerfile, maintainer, edits)
    if not isinstance(new, Label) or new.legacy:
        return False
    try:
        return [(pair.key, template(pair.value or "", new.escape)) for pair in new.pairs] == [(key, (text,))]
    except SubstitutionError:
        return False


CODEMOD: Final = Codemod(
    name="maintainer-label",
    title="MAINTAINER is deprecated",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    options=MaintainerLabelOptions,
    since="0.1.0",
    triggers=("maintainer",),
    hadolint=frozenset({"DL4000"}),
    checks=frozenset({"MaintainerDeprecated"}),
    promise=Promise(
        config=frozenset({Part.AUTHOR, Part.LABELS}),
        rationale="The text moves from the author of the image to one label; no file depends on either.",
    ),
)
