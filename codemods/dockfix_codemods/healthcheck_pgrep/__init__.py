"""A health check finds its own shell.

## What it does

A HEALTHCHECK in shell form runs as `/bin/sh -c 'pgrep -f ...'`, and that command line contains the pattern. The check
finds its own shell, and is healthy even if no worker is running. The fix puts a character of the pattern in brackets:
it matches the same processes, but no longer its own text. The same applies to `pkill -0 -f`, and to `ps aux | grep`,
which also finds grep.

The rule also advises against checks that only look for a process: a check that asks the service, or looks at the age of
a file that the worker touches, notices a worker that hangs.

## Why is this bad?

Such a check cannot fail. Whatever depends on it (an orchestrator's restart, `depends_on: service_healthy`, an alarm)
never happens.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y procps
HEALTHCHECK CMD pgrep -f "apps.worker.main" > /dev/null || exit 1
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y procps
HEALTHCHECK CMD pgrep -f "[a]pps.worker.main" > /dev/null || exit 1
```

## Fix safety

The fix is unsafe: a check that was always healthy can now be unhealthy, if the pattern never matched the process. The
new line is checked: if it still contains a match of the pattern, nothing is changed.

## When it does not apply

- The check is in exec form, uses `exec pgrep`, or its pattern does not match the shell's command line: `[x]`, `^x`,
  `a\\.b`, a variable.
- `pgrep -f` is the last command and the shell is bash or busybox ash: they replace themselves with it. Debian's dash
  does not.
- `pgrep` is used without `-f`, so it only compares program names, and the pattern does not match the shell's name.
- Options select by user, parent or terminal, the pattern has groups, or `grep -v grep` filters the output.
- The output of the search is counted: the number may account for the match.

## References

- pgrep(1), "NOTES": the running pgrep process never reports itself as a match
- busybox `procps/pgrep.c`; the shells were measured: dash 0.5.12, bash 5.2 and busybox 1.35
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts import health
from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_pgrep.processes import SelfMatch, bracketed, only_looks_for_processes, self_matches


def check(target: Target) -> Iterator[Finding]:
    """Check the searches for a process in every HEALTHCHECK that is in effect."""
    for stage in target.facts.graph.stages:
        check = health.effective_healthcheck(target.facts, stage)
        if check is None or check not in stage.instructions:
            continue
        commands = target.facts.commands(check)
        for match in self_matches(check, commands, stage.base):
            yield _finding(target, check, match)
        if only_looks_for_processes(commands):
            message = "a running process is not proof of health"
            yield Advice(check.span, message, Severity.INFO, help="probe an endpoint or a heartbeat file")


def _finding(target: Target, check: Healthcheck, match: SelfMatch) -> Finding:
    commands = target.facts.commands(check)
    at = commands.span(match.step.command)
    message = f"`{match.program} {match.word.text}` always succeeds: it finds {match.itself}"
    try:
        word = bracketed(check, commands, match)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    fix = f"write the pattern as `{word}`, which matches the process but not the check itself"
    review = f"check that `{word}` matches the command line of the process: the check can now fail"
    edit = dockerfile_edit.replace(commands.span(match.word), word)
    return Fix(at, message, (edit,), Safety.UNSAFE, fix, review)


CODEMOD: Final = Codemod(
    name="healthcheck-pgrep",
    title="a health check finds its own shell",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    findings=("worker 5",),
    promise=Promise(
        config=frozenset({Part.HEALTHCHECK}),
        rationale=(
            "Only the pattern of the check differs. A check that fails afterwards shows that it never saw the process."
        ),
    ),
)
