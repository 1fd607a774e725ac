"""A comment after a pattern of `.dockerignore` is part of the pattern.

## What it does

In an ignore file, a line is a comment only if `#` is its first character. Every other line is one pattern, including
any comment on it: it names a file that does not exist, and has no effect. The fix moves the comment to a line of its
own. All such lines of a file are one finding with one fix, except for those that must stay, which are another.

## Why is this bad?

What the pattern should exclude is in every build context, and with `COPY . .` in the image: secrets, caches, gigabytes.

## Example

With

```dockerfile Dockerfile
FROM debian:12
COPY . /app
```

the ignore file

```text .dockerignore
.git
secrets.env   # never in an image
```

Use instead:

```text .dockerignore
.git
# never in an image
secrets.env
```

## Fix safety

The fix is unsafe: builds get fewer files. Check whether one of them needs what the pattern then excludes.

## When it does not apply

- The pattern would exclude a file that a COPY, ADD or bind mount names, in any Dockerfile that the ignore file affects:
  the build works only because the pattern does not. The finding says which instruction. The lines are checked
  together: what `*` excludes and `!src` re-includes is not lost.
- The source of such an instruction is a variable without a known value.
- The pattern would exclude a file that is copied with its folder, and that a command uses: the lock file that `npm ci`
  reads, the README of a project that is built, a file that a RUN or CMD names.
- The line names a file that exists, including the `#`.
- The rest of the line is not a valid pattern, or the line has `\\ #`, where the backslash belongs to the space.

## References

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- moby/patternmatcher, `ignorefile/ignorefile.go`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Requires, Safety, Severity
from dockfix.rule.suppression import suppresses_in_text
from dockfix.rule.workspace import Workspace
from dockfix_codemods.dockerignore_comment.blockers import blockers
from dockfix_codemods.dockerignore_comment.builds import IgnoringBuild, builds_by_ignore_file
from dockfix_codemods.dockerignore_comment.edits import TrailingComment, split_comments, trailing_comments

_MOST_NAMED: Final = 10


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Check every ignore file that affects a build of a Dockerfile."""
    if not workspace.targets:
        return
    for path, builds in builds_by_ignore_file(workspace).items():
        yield from _findings(path, workspace.text(path), builds)


def _findings(path: Path, text: str, builds: Sequence[IgnoringBuild]) -> Iterator[Finding]:
    """One fix for all lines of a file that can be changed together, and one refusal for the others."""
    comments = [
        comment for comment in trailing_comments(text) if not suppresses_in_text(text, CODEMOD.name, comment.line)
    ]
    if not comments:
        return
    blocked = blockers(text, comments, builds)
    fixed = [comment for comment in comments if comment.line not in blocked]
    if fixed:
        edits = split_comments(text, *(comment.line for comment in fixed))
        fix = "move the comment to a line of its own" if len(fixed) == 1 else "move the comments to lines of their own"
        yield Fix(fixed[0].span, _message(fixed), edits, Safety.UNSAFE, fix, _review(fixed), file=path)
    refused = [comment for comment in comments if comment.line in blocked]
    if refused:
        notes = [f"line {comment.line}: {blocked[comment.line]}" for comment in refused]
        note = _list(notes, "; ") if len(refused) > 1 else blocked[refused[0].line]
        yield Refusal(refused[0].span, _message(refused), note, file=path)


def _message(comments: Sequence[TrailingComment]) -> str:
    first = comments[0].pattern
    if len(comments) == 1:
        effect = "not re-included" if first.startswith("!") else "not excluded"
        shown = first.removeprefix("!")
        return f"Docker reads the comment after `{first}` as part of the pattern, so `{shown}` is {effect}"
    lines = _list([f"`{comment.pattern}` (line {comment.line})" for comment in comments], ", ")
    return f"Docker reads the comments after {len(comments)} patterns as part of them, so they match nothing: {lines}"


def _review(comments: Sequence[TrailingComment]) -> str:
    out = [f"`{comment.pattern}`" for comment in comments if not comment.pattern.startswith("!")]
    back = [f"`{comment.pattern.removeprefix('!')}`" for comment in comments if comment.pattern.startswith("!")]
    parts = []
    if out:
        parts.append(f"check whether a build needs what {_list(out, ', ')} then {'exclude' if out[1:] else 'excludes'}")
    if back:
        parts.append(f"check whether {_list(back, ', ')} should be in the build context")
    return "; ".join(parts)


def _list(words: Sequence[str], separator: str) -> str:
    more = [f"and {len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else []
    return separator.join([*words[:_MOST_NAMED], *more])


CODEMOD: Final = Codemod(
    name="dockerignore-comment",
    title="a comment after a pattern of `.dockerignore` is part of the pattern",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.IGNORE}),
    check=None,
    check_project=check_project,
    since="0.1.0",
    requires=Requires.IGNORE,
    findings=("missed",),
    promise=Promise(
        removes=("/**",),
        changes=("**/.dockerignore", "**/*.dockerignore"),
        rationale=(
            "The build context has fewer files, and no file of it is new or different. If a step uses one of those "
            "that are missing, other files differ, or the build fails."
        ),
    ),
)
