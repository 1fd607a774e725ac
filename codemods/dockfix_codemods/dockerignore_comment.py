"""A comment behind a pattern of `.dockerignore`, where Docker knows no comments.

## What it does

Docker takes a line of an ignore file for a comment only if `#` is its first character. Everything else is one pattern,
so that a line with a comment behind it names a file that nobody has, and does nothing. The comment moves to a line of
its own. With

```dockerfile Dockerfile
FROM debian:12
COPY . /app
```

the ignore file

```text .dockerignore
.git
secrets.env   # never in an image
```

becomes

```text .dockerignore
.git
# never in an image
secrets.env
```

## Why

What was meant to stay out is in every build context, and by `COPY . .` in the image: secrets, caches, gigabytes.

## Safety

Unsafe: builds get to see less than they did. Look whether one of them needs what the pattern then leaves out.

## What it leaves alone

- A pattern that would take away what a COPY, ADD or bind mount names, of any Dockerfile that the ignore file is in
  force for: the build works only because the pattern does not. The finding says which one.
- The same where a source is a variable without a known value.
- A pattern that would take away what a folder brings along and a command uses: the lock that `npm ci` reads, the README
  of a project that is built, a file that a RUN or CMD names.
- A line that names a file which is there, `#` and all.
- A pattern that would be none, and `\\ #`, where the backslash means the space.

## Sources

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- moby/patternmatcher, `ignorefile/ignorefile.go`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dockfix.api import (
    Beside,
    Category,
    Codemod,
    Context,
    Effect,
    Finding,
    Fix,
    Known,
    Refusal,
    Safety,
    Severity,
    Target,
    Workspace,
    apply_edits,
    context_candidates,
    context_uses,
    loses,
    parse_ignore,
    split_ignore_comment,
    trailing_ignore_comments,
    used_of_what_is_lost,
)

if TYPE_CHECKING:
    from dockfix.api import TrailingComment

_WHY: Final = "Docker knows comments only at the beginning of a line"


@dataclass(frozen=True, slots=True)
class _Build:
    """A Dockerfile in a context that an ignore file is in force for."""

    target: Target
    context: Context


def survey(workspace: Workspace) -> Iterator[Finding]:
    """Judge every ignore file that is in force for a Dockerfile."""
    builds: dict[Path, list[_Build]] = {}
    for target in (*workspace.targets, *workspace.outside):
        for context in _contexts(target):
            path = workspace.project.files.real(Path(context.ignore.path)) if context.ignore.path else None
            if path is not None:
                builds.setdefault(path, []).append(_Build(target, context))
    for path, users in builds.items():
        text = workspace.text(path)
        for comment in trailing_ignore_comments(text):
            yield _judge(path, text, comment, users)


def _contexts(target: Target) -> Iterator[Context]:
    """The contexts that a Dockerfile is built in, or, where nothing says so, may be."""
    known = [variant.context for variant in target.variants if variant.context is not None]
    yield from known or context_candidates(target.project, target.path)


def _judge(path: Path, text: str, comment: TrailingComment, builds: Sequence[_Build]) -> Finding:
    wanted = comment.pattern.removeprefix("!")
    effect = "is not brought back" if comment.pattern.startswith("!") else "is not left out"
    message = f"the comment behind {comment.pattern} is part of the pattern to Docker, so that {wanted} {effect}"
    edits = split_ignore_comment(text, comment.line)
    reason = _reason(text[comment.span.start : comment.span.end], apply_edits(text, edits), comment, builds)
    if reason:
        return Refusal(comment.span, message, reason, file=path)
    look_at = f"whether a build needs what {comment.pattern} then leaves out"
    if comment.pattern.startswith("!"):
        look_at = f"whether {wanted} is meant to be in the context"
    return Fix(comment.span, message, edits, Safety.UNSAFE, _WHY, look_at, file=path)


def _reason(written: str, repaired: str, comment: TrailingComment, builds: Sequence[_Build]) -> str:
    """Why the comment must stay where it is; empty if it may move."""
    rules = parse_ignore(repaired)
    if any(problem.line == comment.line + 1 for problem in rules.problems):
        return f"{comment.pattern} is no pattern that Docker accepts"
    for build in builds:
        if build.context.glob(written.removeprefix("!").strip()) != []:
            return "there is a file of that name, # and all"
    if comment.pattern.startswith("!"):
        return ""
    for build in builds:
        for use in context_uses(build.target):
            where = f"{build.target.display}:{use.instruction.start_line}"
            if not isinstance(use.source, Known):
                return f"what the {use.instruction.name} in {where} takes is not known, and may be just that"
            lost = loses(build.context, use.source.value, rules)
            if lost is not None:
                return f"the {use.instruction.name} in {where} needs {lost}, which the repaired pattern would leave out"
        used = used_of_what_is_lost(build.target, build.context, rules)
        if used is not None:
            where = f"{build.target.display}:{used[0].start_line}"
            return f"the {used[0].name} in {where} uses {used[1]}, which the repaired pattern would leave out"
    return ""


CODEMOD: Final = Codemod(
    name="dockerignore-comment",
    title="a comment behind a pattern of .dockerignore",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.IGNORE}),
    rewrite=None,
    survey=survey,
    since="0.1.0",
    beside=Beside.IGNORE,
    page=__doc__,
    findings=("missed",),
)
