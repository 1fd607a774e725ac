r"""Packages that are listed a line each are not in alphabetical order.

## What it does

Finds `apt-get install`, `apk add`, `dnf install`, `yum install`, `microdnf install` and `zypper install` whose packages
have a line each and are not in alphabetical order, and sorts them.

## Why is this bad?

In a sorted list a duplicate is easy to see, a reviewer finds a package at once, and two branches that each add one
rarely conflict. The rule is off by default, since it is a matter of taste.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
    git \
    # for the health check
    curl \
    && rm -rf /var/lib/apt/lists/*
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
    # for the health check
    curl \
    git \
    && rm -rf /var/lib/apt/lists/*
```

A comment moves with the package below it. Options, versions, continuations and what follows the list stay where they
are.

## Fix safety

The fix is safe: these package managers resolve the list as a whole, and its order changes neither which packages are
installed nor their versions. What changes is the command line that their logs record.

## When it does not apply

- Several packages on one line, and lists of one package.
- An option among the packages ends a list: what follows is a list of its own.
- A comment above several packages may be a heading for all of them, and a variable may be several packages: refused.
- The packages of language package managers, such as pip and npm: they install in the order of the list.

## References

- https://docs.docker.com/build/building/best-practices/#sort-multi-line-arguments
- `DoInstall` in apt-private/private-install.cc: apt marks all packages of the command line before it resolves what they
  depend on, and keeps those in a set; apk-tools keeps what it was asked for sorted in `/etc/apk/world`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dockfix.edit.dockerfile.lines import line_end, line_start
from dockfix.facts.commands import Commands
from dockfix.facts.packages import Action
from dockfix.facts.packages.model import PackageCommand, WordLike
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.syntax.source import GO_SPACE, Span
from dockfix.syntax.tree import Blank, Dockerfile, Run

_MANAGERS: Final = frozenset({"apt", "apk", "dnf", "yum", "microdnf", "zypper"})
_MESSAGE: Final = "the packages are not in alphabetical order"


@dataclass(frozen=True, slots=True)
class _Line:
    """A package on a line of its own: its name, the span from its first comment to its end, and the next line."""

    name: str
    span: Span
    comments: int
    next_line: int

    @property
    def is_expanded(self) -> bool:
        """Whether it has a variable or a command; a pattern, as of a version, is one word."""
        return "$" in self.name or "`" in self.name


def check(target: Target) -> Iterator[Finding]:
    """Find lists of packages that are not sorted."""
    for _, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or package.manager not in _MANAGERS or package.action is not Action.INSTALL:
                continue
            if not package.unknown_operands:
                for words in _lists(package):
                    yield from _check_list(target.dockerfile, run, commands, words)


def _lists(package: PackageCommand) -> Iterator[list[WordLike]]:
    """The packages that follow each other without another word between them."""
    operands = {word.start for word in package.packages}
    found: list[WordLike] = []
    for word in package.words:
        if word.start in operands:
            found.append(word)
        elif found:
            yield found
            found = []
    if found:
        yield found


def _check_list(dockerfile: Dockerfile, run: Run, commands: Commands, words: Sequence[WordLike]) -> Iterator[Finding]:
    """Check the lines of one list; blank lines part it."""
    part: list[_Line] = []
    for word in words:
        span = commands.text.span(word.start, word.end)
        line = _line(dockerfile, run, word.value or word.text, span)
        if line is None or (part and line.span.start != part[-1].next_line):
            yield from _check_part(dockerfile, part)
            part = []
        if line is not None:
            part.append(line)
    yield from _check_part(dockerfile, part)


def _line(dockerfile: Dockerfile, run: Run, name: str, span: Span) -> _Line | None:
    """A package with its line and the comment lines above it; None if the line has another word before it."""
    start, end = line_start(dockerfile, span.start), line_end(dockerfile, span.end)
    if dockerfile.text[start : span.start].strip(GO_SPACE) or span.start <= run.keyword.span.end:
        return None
    comments = 0
    for node in reversed(run.trivia):
        if node.span.start < start and line_end(dockerfile, node.span.start) == start and not isinstance(node, Blank):
            start = line_start(dockerfile, node.span.start)
            comments += 1
    return _Line(name, Span(start, span.end), comments, end)


def _check_part(dockerfile: Dockerfile, part: Sequence[_Line]) -> Iterator[Finding]:
    """Check packages on consecutive lines."""
    wanted = sorted(part, key=lambda line: (line.name.lower(), line.name))
    if len(part) < 2 or wanted == list(part):
        return
    at = Span(part[0].span.start, part[-1].span.end)
    if any(line.is_expanded for line in part):
        yield Refusal(_trimmed(dockerfile, at), _MESSAGE, "a variable among them may be several packages")
        return
    commented = [bool(line.comments) for line in part]
    if any(commented) and False in commented[commented.index(True) :]:
        yield Refusal(_trimmed(dockerfile, at), _MESSAGE, "a comment may be about several of them")
        return
    texts = [dockerfile.text[line.span.start : line.span.end] for line in wanted]
    edits = tuple(
        Edit(*line.span, text)
        for line, text in zip(part, texts, strict=True)
        if dockerfile.text[line.span.start : line.span.end] != text
    )
    yield Fix(_trimmed(dockerfile, at), _MESSAGE, edits, Safety.SAFE, "sort them")


def _trimmed(dockerfile: Dockerfile, span: Span) -> Span:
    text = dockerfile.text[span.start : span.end]
    return Span(span.end - len(text.lstrip(GO_SPACE)), span.end)


CODEMOD: Final = Codemod(
    name="sort-packages",
    title="packages that are listed a line each are not sorted",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apt", "apk", "dnf", "yum", "zypper"),
    preset=Preset.ALL,
    promise=Promise(
        rationale=(
            "The package managers resolve the list as a whole: its order changes neither packages nor versions."
        ),
    ),
)
