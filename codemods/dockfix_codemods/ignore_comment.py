"""A comment ignores a finding and does not say why.

## What it does

Finds comments that ignore rules without a reason: those of dockfix (`# dockfix: ignore=`, `# dockfix: ignore-file=`),
of hadolint (`# hadolint ignore=`, with `stage` or `global`), and of BuildKit (`# check=skip=` above an instruction).
With the option `forbid` it finds every such comment. The rule does not run by default: few teams have this habit.

It does not look for comments that are malformed, name an unknown rule or ignore nothing. dockfix warns of these in
every run, whichever rules are selected.

## Why is this bad?

A comment without a reason is never removed: nobody can tell whether what it excuses is still true.

## Example

```dockerfile
FROM debian:12
# dockfix: ignore=shell-pipefail
RUN ls | wc -l
```

Say why, after the rules or in a comment next to it:

```text
FROM debian:12
# dockfix: ignore=shell-pipefail because an empty folder is fine
RUN ls | wc -l
# the mirror has only one version
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y curl
```

## When it does not apply

- A comment with a text after the rules or codes, with or without `because`.
- A comment with another comment in the same block, which is taken for the reason; blank lines end a block.
- `# check=skip=` as a directive at the top of the file, which cannot have a reason in its line. With `forbid` it is
  found, too.

To ignore the rule itself, use `# dockfix: ignore-file=ignore-comment`, or `per-file-ignores` in the configuration: a
comment above an instruction is not for the comments above it.

## Options

- `forbid`: whether every ignore comment is a finding, with a reason or not, as for the code DL1001 of hadolint.
  Default: false.

## References

- https://github.com/hadolint/hadolint#inline-ignores
- https://docs.docker.com/reference/dockerfile/#check
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Preset, Severity
from dockfix.rule.peer_comments import text_after_codes
from dockfix.rule.suppression import directive_in
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Comment, Dockerfile


@dataclass(frozen=True)
class IgnoreCommentOptions:
    """Options of `ignore-comment`.

    Args:
        forbid: whether every ignore comment is a finding, with a reason or not.
    """

    forbid: bool = False


def check(target: Target) -> Iterator[Finding]:
    """Find comments that ignore rules without a reason."""
    forbid = target.options(IgnoreCommentOptions).forbid
    directive = target.dockerfile.directives.get("check")
    if forbid and directive is not None and "skip" in directive.value.lower():
        yield Advice(directive.span, "a directive skips build checks")
    for block in _blocks(target.dockerfile):
        explained = any(not is_pragma(comment) and comment.text for comment in block)
        for comment in block:
            reason = _reason(comment)
            if reason is None:
                continue
            if forbid:
                yield Advice(comment.span, "a comment ignores findings")
            elif not reason and not explained:
                yield Advice(comment.span, "a comment ignores findings and does not say why")


def _blocks(dockerfile: Dockerfile) -> Iterator[list[Comment]]:
    """The comments that follow each other without another line between them, also inside instructions."""
    block: list[Comment] = []
    inner = [comment for node in dockerfile.instructions for comment in node.comments]
    outer = [node for node in dockerfile.nodes if isinstance(node, Comment)]
    for comment in sorted((*outer, *inner), key=lambda each: each.line):
        if block and comment.line != block[-1].line + 1:
            yield block
            block = []
        block.append(comment)
    if block:
        yield block


def _reason(comment: Comment) -> str | None:
    """The reason in a comment that ignores rules, empty if it has none; None if it ignores nothing."""
    ours = directive_in(comment.text)
    if ours is not None:
        return None if ours.malformed else (ours.reason or "")
    return text_after_codes(comment)


CODEMOD = Codemod(
    name="ignore-comment",
    title="a comment ignores findings and does not say why",
    severity=Severity.WARNING,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("dockfix", "hadolint", "check"),
    preset=Preset.ALL,
    options=IgnoreCommentOptions,
    hadolint=frozenset({"DL1001"}),
)
