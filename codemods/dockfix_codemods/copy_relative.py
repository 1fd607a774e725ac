"""A `COPY` writes to a path that the base image decides.

## What it does

Finds a `COPY` with a relative destination where no `WORKDIR` of this file comes before it.

## Why is this bad?

The files land in the working directory of the base image: often `/`, between the folders of the system. With
another base image, or another version of it, they land elsewhere.

## Example

```dockerfile
FROM alpine:3.22
COPY app.conf etc/app.conf
```

Use instead:

```dockerfile
FROM alpine:3.22
COPY app.conf /etc/app.conf
```

## Fix safety

The fix is safe: the working directory of the base image is `/`, as a table of images says, so the absolute path is the
one that the builder computes. A destination of `.`, and an image with a folder to work in, such as `/go` of `golang`,
have no fix, since the better change is a `WORKDIR`.

## When it does not apply

- A `WORKDIR` before the `COPY`, in this stage or in the stages that it is based on, and also a relative one.
- A destination that begins with a variable or a drive (`C:\\app`).
- Without a fix: the working directory of the base image is not `/`, or not known, or an `ARG` decides the image; `~`,
  which is not the home directory but a name.

## References

- https://docs.docker.com/reference/dockerfile/#destination-1
- https://docs.docker.com/reference/dockerfile/#workdir
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.facts.model import Known
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Promise, Safety, Severity
from dockfix.syntax.tree import Copy, Word, Workdir

_NOT_RELATIVE: Final = re.compile(r"[/\\$]|[A-Za-z]:")
_PLAIN: Final = re.compile(r"/[A-Za-z0-9_./+@%,:~=-]*")


def check(target: Target) -> Iterator[Finding]:
    """Find the COPYs to a relative path before any WORKDIR."""
    has_workdir: set[int] = set()
    for stage in target.facts.graph.stages:
        if stage.parent in has_workdir:
            has_workdir.add(stage.index)
        for node in stage.program:
            if isinstance(node, Workdir):
                has_workdir.add(stage.index)
        if stage.replaced:
            continue
        set_here = stage.parent in has_workdir or any(isinstance(node, Workdir) for node in stage.triggers)
        for node in stage.instructions:
            set_here |= isinstance(node, Workdir)
            if isinstance(node, Copy) and node.destination is not None and not set_here:
                yield from _finding(target, node, node.destination, str(stage.index))


def _finding(target: Target, copy: Copy, word: Word, cause: str) -> Iterator[Finding]:
    text = word.text.lstrip("\"'")
    if _NOT_RELATIVE.match(text) or not text:
        return
    message = "the destination is relative to the working directory of the base image"
    state = target.facts.state(copy)
    workdir = state.workdir
    dotted = text.startswith("./") and len(text) > len("./")
    names = text.removeprefix("./").rstrip("/\"'").split("/")
    known = isinstance(workdir, Known) and not state.workdir_assumes and _PLAIN.fullmatch(workdir.value)
    if not known or {"", ".", ".."} & set(names) or names[0] == "~" or workdir != Known("/"):
        where = f", `{workdir.value}`" if isinstance(workdir, Known) and known else ""
        yield Advice(word.span, f"{message}{where}", cause=cause, help="set a `WORKDIR` before this `COPY`")
        return
    inner = copy.logical.text[word.start : word.end]
    at = word.span.start + len(inner) - len(inner.lstrip("\"'"))
    help_ = "write the absolute path: the working directory of the image is `/`"
    yield Fix(word.span, message, (Edit(at, at + dotted * len("./"), "/"),), Safety.SAFE, help_, cause=f"{cause} fix")


CODEMOD: Final = Codemod(
    name="copy-relative",
    title="a `COPY` writes to a path that the base image decides",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("copy",),
    hadolint=frozenset({"DL3045"}),
    promise=Promise(rationale="The path is the one that the builder computes from the relative one."),
)
