"""A `WORKDIR` is relative to the working directory before it.

## What it does

Finds a `WORKDIR` without a leading slash, and writes the directory that it means.

## Why is this bad?

The directory depends on the `WORKDIR` before it, which may be in another stage or in the base image. Whoever reads
the file must look it up, and a base image with another working directory moves the whole application. If an
absolute `WORKDIR` of this file comes before it, the result does not depend on the image, and the severity is only
info.

## Example

```dockerfile
FROM alpine:3.22
WORKDIR app
WORKDIR data
```

Use instead:

```dockerfile
FROM alpine:3.22
WORKDIR /app
WORKDIR /app/data
```

## Fix safety

The fix is safe: the working directory before it is known, so the absolute path is the one that the builder
computes. The working directory of a base image is taken from a table of images; if the image is not in it, the rule
does not guess.

## When it does not apply

- A `WORKDIR` with a drive (`C:\\app`) or a leading backslash, which is absolute on Windows.
- A `WORKDIR` that begins with a variable, unless its value is known and relative.
- The working directory before it is not known, or depends on an `ARG` for which a build may pass another value.
- `~`, which is not the home directory: the builder takes it as a name.
- `ONBUILD WORKDIR`: the directory depends on another Dockerfile.

## References

- https://docs.docker.com/reference/build-checks/workdir-relative-path/
- https://docs.docker.com/reference/dockerfile/#workdir
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.paths import normal_path
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Word, Workdir

_ABSOLUTE: Final = re.compile(r"/|\\|[A-Za-z]:")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+@%,:~=-]+")
"""Paths that mean the same in quotes, without quotes and next to a variable."""


def check(target: Target) -> Iterator[Finding]:
    """Find the relative WORKDIRs."""
    fixed: set[int] = set()  # the stages that have an absolute WORKDIR, which this file sets
    for stage in target.facts.graph.stages:
        if stage.parent in fixed:
            fixed.add(stage.index)
        for node in stage.executed:
            if isinstance(node, Workdir) and node.args:
                yield from _finding(target, node, stage.index in fixed)
                value = target.facts.state(node).expand(node.args[0].text, node.escape)
                if _ABSOLUTE.match(value.value if isinstance(value, Known) else _unquoted(node.args[0].text)):
                    fixed.add(stage.index)


def _finding(target: Target, node: Workdir, set_here: bool) -> Iterator[Finding]:
    word = node.args[0]
    text = _unquoted(word.text)
    value = target.facts.state(node).expand(word.text, node.escape)
    if _ABSOLUTE.match(text) or not text or (text.startswith("$") and not _is_relative(target, node, value)):
        return
    severity = Severity.INFO if set_here else None
    message = f"`WORKDIR {word.text}` is relative to the working directory before it"
    if not set_here:
        message += ", which the base image decides"
    if text.split("/")[0] == "~":
        note = "`~` is an ordinary name here, and which directory is meant is not known"
        yield Refusal(word.span, message, note, severity)
        return
    parent, note = _parent(target, node)
    edit = _edit(word, text, value, parent) if parent is not None else None
    if edit is None:
        yield Refusal(word.span, message, note, severity)
        return
    yield Fix(word.span, message, (edit,), Safety.SAFE, f"write the absolute path, below `{parent}`", "", severity)


def _is_relative(target: Target, node: Workdir, value: Fact[str]) -> bool:
    """Whether a path that begins with a variable is relative in every build."""
    assumed = any(target.facts.state(node).assumes(name) for name in re.findall(r"\w+", node.args[0].text))
    return isinstance(value, Known) and not assumed and bool(value.value) and not _ABSOLUTE.match(value.value)


def _parent(target: Target, node: Workdir) -> tuple[str | None, str]:
    """The working directory before an instruction, or None and why it cannot be used."""
    state = target.facts.state(node)
    workdir = state.workdir
    if not isinstance(workdir, Known):
        return None, workdir.why if isinstance(
            workdir, Unknown
        ) else "the working directory has several possible values"
    if state.workdir_assumes:
        names = ", ".join(f"`{name}`" for name in sorted(state.workdir_assumes))
        return None, f"the working directory before it depends on {names}, which a build may set"
    if not _PLAIN.fullmatch(workdir.value):
        return None, "the working directory before it has special characters"
    return workdir.value, "the path has `..` or special characters"


def _edit(word: Word, text: str, value: Fact[str], parent: str) -> Edit | None:
    """The path before the word, inside its quotes; a word with `.` or `..` is replaced as a whole."""
    if word.span.end - word.span.start != len(word.text):
        return None  # it is spelled over several lines
    if {".", ".."} & set(text.split("/")):
        if not isinstance(value, Known) or not _PLAIN.fullmatch(word.text):
            return None
        return Edit(*word.span, normal_path(posixpath.join(parent, value.value)))
    at = word.span.start + len(word.text) - len(word.text.lstrip("\"'"))
    return Edit(at, at, parent.rstrip("/") + "/")


def _unquoted(text: str) -> str:
    return text.strip("\"'")


CODEMOD: Final = Codemod(
    name="workdir-relative",
    title="a `WORKDIR` is relative to the working directory before it",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.WORKDIR}),
    check=check,
    since="0.1.0",
    triggers=("workdir",),
    hadolint=frozenset({"DL3000"}),
    checks=frozenset({"WorkdirRelativePath"}),
    promise=Promise(rationale="The path is the one that the builder computes from the relative one."),
)
