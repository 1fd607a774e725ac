"""The comment above an ARG or a stage is taken for its description, and is none.

## What it does

Finds comments directly above an `ARG` or a `FROM ... AS NAME` that do not begin with the name, and adds an empty
comment after them. The rule is in the preset `strict`.

## Why is this bad?

`docker build --call=outline` shows the comment above an argument or stage as its description, if it begins with the
name. BuildKit's experimental check reports all other comments in this place. Either the comment is a description, then
it must begin with the name, or it is none, then an empty comment says so.

## Example

```dockerfile
FROM alpine:3.22
# Versions
ARG CURL_VERSION=8
# GIT_VERSION the version of git
ARG GIT_VERSION=2
```

Use instead:

```dockerfile
FROM alpine:3.22
# Versions
#
ARG CURL_VERSION=8
# GIT_VERSION the version of git
ARG GIT_VERSION=2
```

## Fix safety

The fix is safe: comments change nothing in a build. The existing comment stays as it is. If it is a description, write
the name in front of it instead.

## When it does not apply

- A blank line between the comment and the instruction. BuildKit's documentation accepts it, its check does not.
- A comment for a tool, such as `# hadolint ignore=...`: not fixed, since it must be directly above the instruction.
- A stage without a name, and the comments inside an instruction.

## References

- https://docs.docker.com/reference/build-checks/invalid-definition-description/
- moby/buildkit `frontend/dockerfile/instructions/parse.go` (`validateDefinitionDescription`); tested: only an empty
  comment separates a comment from the instruction
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import indent_of, insert, line_start
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.rule.suppression import comments_above
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Arg, Comment, From, Instruction


def check(target: Target) -> Iterator[Finding]:
    """Look at the last comment above each ARG and named stage."""
    for instruction, comments in comments_above(target.dockerfile):
        if comments and comments[-1].text and (names := _names(instruction)):
            last = comments[-1]
            if last.text.split(" ")[0] not in names:
                yield _finding(target, instruction, last, names[0])


def _names(instruction: Instruction) -> tuple[str, ...]:
    """The names that a description may begin with."""
    if isinstance(instruction, Arg):
        return tuple(pair.key for pair in instruction.pairs)
    if isinstance(instruction, From) and instruction.stage_name:
        return (instruction.stage_name,)
    return ()


def _finding(target: Target, instruction: Instruction, comment: Comment, name: str) -> Finding:
    message = f"the comment above is taken for the description of `{name}`, but does not begin with the name"
    if is_pragma(comment):
        note = "the comment is for a tool, and must be directly above the instruction"
        return Refusal(instruction.keyword.span, message, note, cause="comments")
    start = line_start(target.dockerfile, instruction.lines.start)
    line = f"{indent_of(target.dockerfile, start)}#{instruction.newline}"
    help_ = f"add an empty comment after it, or begin it with `{name}`"
    return Fix(instruction.keyword.span, message, (insert(start, line),), Safety.SAFE, help_, cause="comments")


CODEMOD: Final = Codemod(
    name="definition-comment",
    title="the comment above an ARG or a stage is taken for its description",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("#",),
    preset=Preset.STRICT,
    checks=frozenset({"InvalidDefinitionDescription"}),
    promise=Promise(
        rationale=("Only empty comments are inserted: the build is the same."),
    ),
)
