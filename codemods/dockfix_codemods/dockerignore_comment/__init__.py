"""A comment behind a pattern of `.dockerignore`, where Docker knows no comments.

## What it does

Docker takes a line of an ignore file for a comment only if `#` is its first character. Everything else is one pattern,
so that a line with a comment behind it names a file that nobody has, and does nothing. The comment moves to a line of
its own. All such lines of a file are one finding with one fix, but for those that must stay, which are another. With

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
  force for: the build works only because the pattern does not. The finding says which one. The lines are looked at
  together: what `*` takes away and `!src` brings back is not lost.
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

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Known
from dockfix.project.context import Context
from dockfix.project.ignore import IgnoreRules, parse_ignore
from dockfix.project.sources import context_uses, loses, lost_files, use_of_lost
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Requires, Safety, Severity
from dockfix.rule.suppression import silences_in_text
from dockfix.rule.workspace import Workspace
from dockfix_codemods.dockerignore_comment.edits import (
    split_comments as split_ignore_comments,
)
from dockfix_codemods.dockerignore_comment.edits import (
    trailing_comments as trailing_ignore_comments,
)

if TYPE_CHECKING:
    from dockfix_codemods.dockerignore_comment.edits import TrailingComment

_MOST_NAMED: Final = 10
_MOST_TRIED: Final = 100
_WHY: Final = "Docker knows comments only at the beginning of a line"


@dataclass(frozen=True, slots=True)
class _Build:
    """A Dockerfile in a context that an ignore file is in force for."""

    target: Target
    context: Context


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Check every ignore file that is in force for a Dockerfile."""
    if not workspace.targets:
        return
    contexts: dict[tuple[Path, str | None], Context] = {}
    builds: dict[Path, list[_Build]] = {}
    for target in (*workspace.targets, *workspace.outside):
        for context in _contexts(target):
            path = workspace.project.files.real(Path(context.ignore.path)) if context.ignore.path else None
            if path is not None:
                # one context for all its builds, since it knows its files
                known = contexts.setdefault((context.root, context.ignore.path), context)
                builds.setdefault(path, []).append(_Build(target, known))
    for path, users in builds.items():
        yield from _findings(path, workspace.text(path), users)


def _contexts(target: Target) -> Iterator[Context]:
    """The contexts that a Dockerfile is built in, or, where nothing says so, may be."""
    known = [variant.context for variant in target.variants if variant.context is not None]
    if known or target.real.is_relative_to(target.project.root):
        yield from known or context_candidates(target.project, target.path)


def _findings(path: Path, text: str, builds: Sequence[_Build]) -> Iterator[Finding]:
    """One fix for all lines of a file that may be changed together, and one refusal for the others."""
    comments = [
        comment for comment in trailing_ignore_comments(text) if not silences_in_text(text, CODEMOD.name, comment.line)
    ]
    if not comments:
        return
    rules = parse_ignore(text)
    reasons = {comment.line: _reason_in_itself(text, comment, builds) for comment in comments}
    while fixed := [comment for comment in comments if not reasons[comment.line]]:
        lost = _losses(rules, fixed, builds)
        if not lost:
            break
        reasons |= lost
    if fixed:
        edits = split_ignore_comments(text, *(comment.line for comment in fixed))
        yield Fix(fixed[0].span, _message(fixed), edits, Safety.UNSAFE, _WHY, _look_at(fixed), file=path)
    refused = [comment for comment in comments if reasons[comment.line]]
    if refused:
        said = [f"line {comment.line}: {reasons[comment.line]}" for comment in refused]
        reason = _list(said, "; ") if len(refused) > 1 else reasons[refused[0].line]
        yield Refusal(refused[0].span, _message(refused), reason, file=path)


def _message(comments: Sequence[TrailingComment]) -> str:
    first = comments[0].pattern
    if len(comments) == 1:
        effect = "is not brought back" if first.startswith("!") else "is not left out"
        return (
            f"the comment behind {first} is part of the pattern to Docker, so that {first.removeprefix('!')} {effect}"
        )
    lines = _list([f"{comment.pattern} (line {comment.line})" for comment in comments], ", ")
    return (
        f"the comments behind {len(comments)} patterns are part of them to Docker, so that they match nothing: {lines}"
    )


def _look_at(comments: Sequence[TrailingComment]) -> str:
    out = [comment.pattern for comment in comments if not comment.pattern.startswith("!")]
    back = [comment.pattern.removeprefix("!") for comment in comments if comment.pattern.startswith("!")]
    parts = []
    if out:
        parts.append(f"whether a build needs what {_list(out, ', ')} then {'leave' if len(out) > 1 else 'leaves'} out")
    if back:
        parts.append(f"whether {_list(back, ', ')} {'are' if len(back) > 1 else 'is'} meant to be in the context")
    return ", and ".join(parts)


def _list(words: Sequence[str], separator: str) -> str:
    more = [f"and {len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else []
    return separator.join([*words[:_MOST_NAMED], *more])


def _reason_in_itself(text: str, comment: TrailingComment, builds: Sequence[_Build]) -> str:
    """Why the comment of a line must stay where it is, whatever builds need; empty if it may move."""
    if parse_ignore(comment.pattern).problems:
        return f"{comment.pattern} is no pattern that Docker accepts"
    written = text[comment.span.start : comment.span.end].removeprefix("!").strip()
    meant = parse_ignore(written).patterns
    for context in _distinct(builds):
        if context.exists(written) or any(meant[0].matches(path) for path in context.numbered if meant):
            return "there is a file of that name, # and all"
    return ""


def _losses(rules: IgnoreRules, fixed: Sequence[TrailingComment], builds: Sequence[_Build]) -> dict[int, str]:
    """The lines that must not be fixed, since a build needs what they would leave out, with the reasons."""
    found: dict[int, str] = {}
    every = [comment.line for comment in fixed if not comment.pattern.startswith("!")]
    if not every:
        return found
    repaired = rules.with_lines({comment.line: comment.pattern for comment in fixed})
    gone = {id(context): lost_files(context.sent_files or (), repaired, every) for context in _distinct(builds)}

    def blame(path: str, reason: str) -> None:
        for line in _responsible(repaired, every, path) or every:
            found.setdefault(line, reason)

    for build in builds:
        for use in context_uses(build.target):
            name, where = use.instruction.name, f"{build.target.display}:{use.instruction.start_line}"
            if not isinstance(use.source, Known):
                reason = f"what the {name} in {where} takes is not known, and may be just that"
                return found | dict.fromkeys(every, reason)
            lost = loses(build.context, use.source.value, repaired)
            if lost is not None:
                blame(lost, f"the {name} in {where} needs {lost}, which the repaired pattern would leave out")
        used = use_of_lost(build.target, build.context, gone[id(build.context)])
        if used is not None:
            where = f"{build.target.display}:{used[0].start_line}"
            blame(used[1], f"the {used[0].name} in {where} uses {used[1]}, which the repaired pattern would leave out")
    return found


def _responsible(repaired: IgnoreRules, lines: Collection[int], path: str) -> list[int]:
    """The lines of which any one, left as it is, would save a path; if there is none, all that keep it out."""
    met = [line for line in repaired.lines_that_match(path) if line in lines]
    saving = [line for line in met[:_MOST_TRIED] if not repaired.without(line).ignored(path)]
    return saving or met


def _distinct(builds: Sequence[_Build]) -> list[Context]:
    return list({id(build.context): build.context for build in builds}.values())


CODEMOD: Final = Codemod(
    name="dockerignore-comment",
    title="a comment behind a pattern of .dockerignore",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.IGNORE}),
    check=None,
    check_project=check_project,
    since="0.1.0",
    requires=Requires.IGNORE,
    page=__doc__,
    findings=("missed",),
)
