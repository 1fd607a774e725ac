"""A retry loop succeeds even if every attempt fails.

## What it does

Finds loops that try a command several times and succeed even if every attempt fails. Adds a test to the end of the loop
body that fails after the last attempt.

## Why is this bad?

The exit status of a loop is that of the last command that ran in it. After the last failed attempt that command is
`sleep` or `echo`, which succeeds, so `|| exit 1` after the loop never runs. The build continues without a command that
never succeeded, and fails later or produces a broken image.

## Example

```dockerfile
FROM node:22-alpine
RUN set -eux; \\
    for i in 1 2 3; do \\
      npm ci && break || \\
      (echo "attempt $i failed" && sleep 5); \\
    done \\
    || exit 1
```

Use instead:

```dockerfile
FROM node:22-alpine
RUN set -eux; \\
    for i in 1 2 3; do \\
      npm ci && break || \\
      (echo "attempt $i failed" && sleep 5); \\
      [ "$i" != 3 ]; \\
    done \\
    || exit 1
```

The command, the number of attempts, the messages and the pauses stay as they are. If a failure of the loop would not
end the script (no `set -e`, and a `;` after the loop), the fix also adds `|| exit 1` after `done`. A loop with a
counter (`until [ "$n" -ge 5 ]`) gets a test of its own condition.

## Fix safety

The fix is unsafe: a build that passes today although the command fails will fail. Check that the build needs the
command to succeed.

## When it does not apply

- Loops that can fail: the body ends with the command, or calls `exit`.
- Loops whose result the next command checks (`[ -f file ]`, `if ...`), and loops that record a success.
- Loops without a `sleep`, which process a list and do not retry; endless loops; nested loops.

dockfix reports, but does not fix, loops followed by `|| true` and similar, loops over a list that is not literal, and
`{1..5}` under `sh`, which does not expand it.

## References

- POSIX, exit status of a loop: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_09_04
- Tested with dash 0.5.12, bash 5.2 and BusyBox ash, before and after the fix, with a command that fails 0 to 4 times
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.edit.dockerfile import append_to_body, insert_text_after
from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.retry_loop.analysis import more_attempts_test, needs_exit, retry_loops

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands
    from dockfix_codemods.retry_loop.analysis import RetryLoop

_MAX_SHOWN: Final = 60


def check(target: Target) -> Iterator[Finding]:
    """Find the retry loops that cannot fail."""
    for _, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        for retry in retry_loops(commands):
            yield _finding(target, run, commands, retry)


def _finding(target: Target, run: Run, commands: Commands, retry: RetryLoop) -> Finding:
    at = commands.text.span(retry.loop.start, retry.loop.end)
    command = " ".join(retry.command.split())
    shown = command if len(command) <= _MAX_SHOWN else f"{command[:_MAX_SHOWN]}..."
    message = f"the loop succeeds even if every attempt of `{shown}` fails"
    try:
        test = more_attempts_test(commands, retry)
        exits = needs_exit(commands, retry)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    edits = [append_to_body(target.dockerfile, run, commands.text, retry.body_span, retry.done, test)]
    if exits:
        edits.append(insert_text_after(commands.text, retry.loop.end, " || exit 1"))
    summary = f"add `{test}` to the end of the loop" + (" and `|| exit 1` after it" if exits else "")
    review = f"check that the build needs `{shown}` to succeed: it now fails if no attempt succeeds"
    return Fix(at, message, tuple(edits), Safety.UNSAFE, summary, review)


CODEMOD: Final = Codemod(
    name="retry-loop",
    title="a retry loop succeeds even if every attempt fails",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("break",),
    findings=("web 2",),
    promise=Promise(
        rationale=(
            "The attempts are the same, and after a success the loop ends as before. A build that fails afterwards "
            "shows that every attempt failed."
        ),
    ),
)
