"""A comment that ignores findings is malformed, names an unknown rule, ignores nothing, or does not say why.

## What it does

Reports the mistakes in comments for dockfix, in Dockerfiles, compose, bake and ignore files:

- a comment that is malformed, such as `# dockfix: ignore cache-mount`, and therefore ignores nothing,
- a name that is not a rule or a code that a rule answers,
- a rule that has no finding there; this is checked for the rules that run.

With the option `require-reason` it also finds comments without a reason: those of dockfix, those of hadolint
(`# hadolint ignore=`, with `stage` or `global`), and those of BuildKit (`# check=skip=` above an instruction). With
`forbid` it finds every such comment.

`dockfix apply` shows the mistakes as warnings, as does every run in which this rule is not selected. If the rule is
ignored, there are no warnings.

## Why is this bad?

A comment with a mistake does not ignore what it seems to ignore. A comment that ignores nothing hides the next finding
of that rule. A comment without a reason is never removed: nobody can tell whether what it excuses is still true.

## Example

```dockerfile
FROM debian:12
# dockfix: ignore cache-mount
RUN pip install httpx
```

Use instead:

```text
FROM debian:12
# dockfix: ignore=cache-mount because the runner has no BuildKit
RUN pip install httpx
```

## When it does not apply

- The comments of hadolint and BuildKit are only checked for a reason, or found with `forbid`. Mistakes in them are not
  reported.
- `require-reason` accepts a text after the rules or codes, with or without `because`, and another comment in the same
  block; blank lines end a block. `# check=skip=` as a directive at the top of the file cannot have a reason in its
  line, and is found with `forbid` only.

To ignore the rule itself, use `# dockfix: ignore-file=ignore-comment`, or `per-file-ignores` in the configuration: a
comment above an instruction is not for the comments above it.

## Options

- `require-reason`: whether an ignore comment without a reason is a finding. Default: false.
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
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.rule.peer_comments import text_after_codes
from dockfix.rule.suppression import directive_in
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Comment, Dockerfile


@dataclass(frozen=True)
class IgnoreCommentOptions:
    """Options of `ignore-comment`.

    Args:
        require_reason: whether an ignore comment without a reason is a finding.
        forbid: whether every ignore comment is a finding, with a reason or not.
    """

    require_reason: bool = False
    forbid: bool = False


def check(target: Target) -> Iterator[Finding]:
    """Find comments that ignore rules without a reason, or all; the engine reports those with mistakes."""
    options = target.options(IgnoreCommentOptions)
    forbid = options.forbid
    if not (forbid or options.require_reason):
        return
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
                message = "a comment ignores findings and does not say why"
                yield Advice(comment.span, message, help="add the reason to the comment: `because ...`")


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
    title="an ignore comment is malformed, unknown, unused or without a reason",
    severity=Severity.WARNING,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("dockfix", "hadolint", "check"),
    reports_comments=True,
    options=IgnoreCommentOptions,
    hadolint=frozenset({"DL1001"}),
)
