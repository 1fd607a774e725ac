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

A comment moves with the package below it, and so does a version. Options, continuations and what follows the list
stay where they are. Names are compared without their versions and without regard to case. A list in byte order, or in
an order that ignores punctuation, as `sort` gives it in most locales, is sorted, too.

## Fix safety

The fix is safe for `apt-get` and `apk`: both resolve the list as a whole, and its order changes neither which
packages are installed nor their versions. What changes is the command line that their logs record, and the layer is
built again.

For `dnf`, `yum`, `microdnf` and `zypper` the fix is unsafe: their solvers take the packages in the order of the list.
If the newest versions of two of them exclude each other, the first gets its newest version.

## When it does not apply

- Several packages on one line, and lists of one package.
- An option among the packages ends a list: what follows is a list of its own.
- A comment above several packages may be a heading for all of them, and a variable may be several packages: refused. A
  variable in a version is not refused.
- The packages of language package managers, such as pip and npm: they install in the order of the list.

## References

- https://docs.docker.com/build/building/best-practices/#sort-multi-line-arguments
- `DoInstall` in apt-private/private-install.cc: apt marks all packages of the command line before it resolves what they
  depend on, and keeps those in a set; apk-tools keeps what it was asked for sorted in `/etc/apk/world`
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.edit.dockerfile.lines import line_end, line_start
from dockfix.facts.commands import Commands
from dockfix.facts.packages import Action
from dockfix.facts.packages.model import PackageCommand, WordLike
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.syntax.source import GO_SPACE, Span
from dockfix.syntax.tree import Blank, Dockerfile, Run

_UNORDERED: Final = frozenset({"apt", "apk"})
"""Package managers for which the order of a list has no meaning."""

_MANAGERS: Final = _UNORDERED | {"dnf", "yum", "microdnf", "zypper"}
_REVIEW: Final = "check that the same versions are installed: the solver takes the packages in this order"
_MESSAGE: Final = "the packages are not in alphabetical order"


_VERSION: Final = re.compile(r"[=<>~]")
"""What begins the version of a package."""

_PUNCTUATION: Final = re.compile(r"[^\w]")


class _Line(Struct, frozen=True):
    """A package on a line of its own: its name without its version, and the span from its first comment to its end."""

    name: str
    span: Span
    word: Span
    indent: str
    comments: int
    next_line: int
    gap: int | None
    """The spaces between the package and the escape character; None if something else follows."""

    @property
    def is_expanded(self) -> bool:
        """Whether its name has a variable or a command."""
        return "$" in self.name or "`" in self.name


_ORDERS: Final[tuple[Callable[[_Line], tuple[str, ...]], ...]] = (
    lambda line: (line.name.lower(), line.name),
    lambda line: (line.name,),
    lambda line: (_PUNCTUATION.sub("", line.name).lower(),),
)
"""The orders in which a list counts as sorted: without regard to case, of bytes, and without punctuation."""


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
                    unordered = package.manager in _UNORDERED
                    yield from _check_list(target.dockerfile, run, commands, words, unordered)


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


def _check_list(
    dockerfile: Dockerfile, run: Run, commands: Commands, words: Sequence[WordLike], unordered: bool
) -> Iterator[Finding]:
    """Check the lines of one list; blank lines part it."""
    part: list[_Line] = []
    for word in words:
        span = commands.text.span(word.start, word.end)
        line = _line(dockerfile, run, word.value or word.text, span)
        if line is None or (part and line.span.start != part[-1].next_line):
            yield from _check_part(dockerfile, part, unordered)
            part = []
        if line is not None:
            part.append(line)
    yield from _check_part(dockerfile, part, unordered)


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
    after = dockerfile.text[span.end : end]
    gap = len(after) - len(after.lstrip(" "))
    return _Line(
        _VERSION.split(name, maxsplit=1)[0],
        Span(start, span.end),
        span,
        dockerfile.text[line_start(dockerfile, span.start) : span.start],
        comments,
        end,
        gap if after[gap:].startswith(run.escape) else None,
    )


def _check_part(dockerfile: Dockerfile, part: Sequence[_Line], unordered: bool) -> Iterator[Finding]:
    """Check packages on consecutive lines."""
    wanted = sorted(part, key=lambda line: (line.name.lower(), line.name))
    if len(part) < 2 or any(sorted(part, key=key) == list(part) for key in _ORDERS):
        return
    at = Span(part[0].span.start, part[-1].span.end)
    if any(line.is_expanded for line in part):
        yield Refusal(_trimmed(dockerfile, at), _MESSAGE, "a variable among them may be several packages")
        return
    commented = [bool(line.comments) for line in part]
    if any(commented) and False in commented[commented.index(True) :]:
        yield Refusal(_trimmed(dockerfile, at), _MESSAGE, "a comment may be about several of them")
        return
    edits = tuple(_edits(dockerfile, part, wanted))
    if unordered:
        yield Fix(_trimmed(dockerfile, at), _MESSAGE, edits, Safety.SAFE, "sort them")
    else:
        yield Fix(_trimmed(dockerfile, at), _MESSAGE, edits, Safety.UNSAFE, "sort them", _REVIEW)


def _edits(dockerfile: Dockerfile, part: Sequence[_Line], wanted: Sequence[_Line]) -> Iterator[Edit]:
    """Write each package into the line of another; escape characters that are aligned stay in their column.

    The indentation stays, too: without any, the package would be a part of the word above if no space is at its end.
    """
    columns = Counter(
        len(line.indent) + line.word.end - line.word.start + line.gap
        for line in part
        if line.gap is not None and line.gap > 1
    )
    ((aligned, _),) = columns.most_common(1) or ((0, 0),)
    for line, new in zip(part, wanted, strict=True):
        comments = dockerfile.text[new.span.start : new.word.start].removesuffix(new.indent)
        package, end = f"{line.indent}{dockerfile.text[new.word.start : new.word.end]}", line.span.end
        text = f"{comments}{package}"
        if aligned and line.gap is not None:
            text, end = text + " " * max(1, aligned - len(package)), end + line.gap
        if dockerfile.text[line.span.start : end] != text:
            yield Edit(line.span.start, end, text)


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
        rationale=("apt and apk resolve the list as a whole: its order changes neither packages nor versions."),
    ),
)
