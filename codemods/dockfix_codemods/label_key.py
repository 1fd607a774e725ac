"""A label's key is not in the form that Docker recommends.

## What it does

Finds label keys with capitals, with other characters than letters, digits, `.`, `-`, `_` and `/`, with two separators
in a row, and keys in the name spaces that Docker reserves. It writes capitals in lower case.

## Why is this bad?

Tools read labels by their exact keys, and Docker reserves some name spaces for itself. `Version` and `version` are two
labels, and who reads one does not find the other.

## Example

```dockerfile
FROM debian:12
LABEL Version="1.0" com.example.team="web"
```

Use instead:

```dockerfile
FROM debian:12
LABEL version="1.0" com.example.team="web"
```

## Fix safety

The fix is unsafe: a script, a registry or a person may read the label by the key that it has today.

## When it does not apply

- A key that would become the same as another key of the file.
- Any other fault of a key: only a person knows the right one.
- Keys that a tool reads as they are: `INSTALL`, `RUN`, `STOP`, `UNINSTALL` and `UPDATE` (podman and atomic),
  `com.docker.extension.`, `com.docker.desktop.` and `com.docker.compose.`, and those of Traefik, which contain names
  of services.
- Keys with variables, and `ONBUILD`.

## References

- https://docs.docker.com/engine/manage-resources/labels/
- https://github.com/hadolint/hadolint/wiki/DL3048
- https://docs.podman.io/en/latest/markdown/podman-container-runlabel.1.html
- https://docs.docker.com/extensions/extensions-sdk/extensions/labels/
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from dockfix.facts.variables import plain_key
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Label, Pair

_EXACT: Final = frozenset({"INSTALL", "RUN", "STOP", "UNINSTALL", "UPDATE"})
_READ_AS_THEY_ARE: Final = ("com.docker.compose.", "com.docker.desktop.", "com.docker.extension.", "traefik.")
_RESERVED: Final = ("com.docker.", "io.docker.", "org.dockerproject.")
_OTHER: Final = re.compile(r"[^a-z0-9._/-]")
_CAPITAL: Final = re.compile(r"[A-Z]")


def check(target: Target) -> Iterator[Finding]:
    """Check each key."""
    labels = [each for each in target.dockerfile.instructions if isinstance(each, Label)]
    keys = {key for label in labels for pair in label.pairs if (key := plain_key(pair, label.escape)) is not None}
    counts = Counter(key.lower() for key in keys)
    for label in labels:
        for pair in label.pairs:
            key = plain_key(pair, label.escape)
            if key is not None:
                yield from _findings(label, pair, key, has_twin=counts[key.lower()] > 1)


def _findings(label: Label, pair: Pair, key: str, *, has_twin: bool) -> Iterator[Finding]:
    if key in _EXACT or key.startswith(_READ_AS_THEY_ARE):
        return
    at = label.logical.span(pair.word.start, pair.word.start + len(pair.key))
    lowered = key.lower()
    if fault := _fault(lowered):
        yield Advice(at, f"the label key `{key}` {fault}")
    elif _CAPITAL.search(key):
        message = f"the label key `{key}` has capitals"
        verbatim = label.logical.text.startswith(pair.key, pair.word.start)
        if has_twin:
            yield Refusal(at, message, f"another key of the file is `{lowered}` in lower case, too")
        elif not verbatim or not label.logical.contiguous(pair.word.start, pair.word.start + len(pair.key)):
            yield Refusal(at, message, "the key is written with escapes or on several lines")
        else:
            review = f"check that nothing reads the label by the key `{key}`"
            edit = Edit(*at, pair.key.lower())
            yield Fix(at, message, (edit,), Safety.UNSAFE, f"write `{lowered}`", review)


def _fault(key: str) -> str:
    """What is wrong with a key in lower case, as hadolint's DL3048 has it; empty if nothing is."""
    if found := _OTHER.search(key):
        return f"contains `{found[0]}`"
    if not key[:1].isalpha():
        return "does not begin with a letter"
    if not key[-1].isalnum():
        return "does not end with a letter or digit"
    if ".." in key or "--" in key:
        return "has two separators in a row"
    reserved = next((prefix for prefix in _RESERVED if key.startswith(prefix)), None)
    return f"is in the name space `{reserved[:-1]}`, which Docker reserves" if reserved else ""


CODEMOD: Final = Codemod(
    name="label-key",
    title="a label's key is not in the recommended form",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("label",),
    hadolint=frozenset({"DL3048"}),
    promise=Promise(
        config=frozenset({Part.LABELS}),
        rationale="The label has the same value under its key in lower case.",
    ),
)
