"""A loop that tries a command several times and succeeds even if every attempt fails.

## What it does

A loop ends with the status of the last command that ran in it. Here that is the `sleep` after the last failure, which
succeeds, so that `|| exit 1` never runs. A test that fails after the last attempt goes to the end of the body:

```dockerfile
FROM node:22-alpine
RUN set -eux; \\
    for i in 1 2 3; do \\
      npm ci && break || \\
      (echo "attempt $i failed" && sleep 5); \\
    done \\
    || exit 1
```

becomes

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

Command, count, messages and pauses stay as they are. Where nothing would end the script when the loop fails (no
`set -e`, and a `;` behind the loop), `|| exit 1` is put behind `done`. A loop with a counter (`until [ "$n" -ge 5 ]`)
gets the test of its own condition.

## Why

The build goes on with a command that never succeeded, and breaks later, or ships an image with a hole in it.

## Safety

Unsafe: a build that passes today although the command fails will fail, as it is meant to.

## What it leaves alone

- Loops that can fail: whose body ends with the command, or gives up with `exit`.
- Loops whose outcome is asked for directly behind them (`[ -f file ]`, `if ...`), and loops that note a success.
- Loops without a `sleep`, which go through a list and do not try again; endless loops; loops inside others.
- `|| true` and the like behind the loop, lists that are not literal, and `{1..5}` under sh, which does not expand it:
  refused with the reason.

## Sources

- https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_09_04 (the status of a loop)
- dash 0.5.12, bash 5.2 and busybox ash were run before and after, with a command that fails 0 to 4 times
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Run
from dockfix_codemods.retry_loop.analysis import retries

_LONGEST: Final = 60


def check(target: Target) -> Iterator[Finding]:
    """Find the loops that try again and cannot fail."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for retry in retries(commands):
                at = commands.text.span(retry.start, retry.end)
                command = " ".join(retry.command.split())
                shown = command if len(command) <= _LONGEST else f"{command[:_LONGEST]}..."
                message = f"the loop succeeds even if every attempt of `{shown}` fails"
                if not retry.test:
                    yield Refusal(at, message, retry.why)
                    continue
                body = Span(retry.first, retry.semicolon)
                edits = [
                    surgery.append_to_body(target.dockerfile, run, commands.text, body, retry.done, retry.test),
                ]
                if retry.leave:
                    edits.append(surgery.insert_text_after(commands.text, retry.end, " || exit 1"))
                why = "the test fails after the last attempt, and so does the loop"
                review = f"whether the build can go on without `{shown}`: it fails now if no attempt succeeds"
                yield Fix(at, message, tuple(edits), Safety.UNSAFE, why, review)


CODEMOD: Final = Codemod(
    name="retry-loop",
    title="a retry loop that cannot fail",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("break",),
    page=__doc__,
    findings=("web 2",),
)
