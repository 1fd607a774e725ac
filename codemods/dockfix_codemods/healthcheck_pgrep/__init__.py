"""A health check that finds its own shell.

## What it does

A HEALTHCHECK in shell form runs as `/bin/sh -c 'pgrep -f ...'`, and that command line holds the pattern. The check
finds its own shell and is healthy with no worker running:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y procps
HEALTHCHECK CMD pgrep -f "apps.worker.main" > /dev/null || exit 1
```

becomes

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y procps
HEALTHCHECK CMD pgrep -f "[a]pps.worker.main" > /dev/null || exit 1
```

The pattern matches the same processes, and no longer the text that it is written in. `pkill -0 -f` is mended alike, and
`ps aux | grep`, which finds grep too.

It also says that a process which is there need not be at work: a check that asks the service, or looks at the age of a
file that the worker touches, sees a worker that hangs.

## Why

Such a check cannot fail. Whatever waits for it to (an orchestrator's restart, `depends_on: service_healthy`, an alarm)
waits in vain.

## Safety

Unsafe: what was always healthy may now be unhealthy, because the pattern never matched the process in the first place.
The new line is checked: if the pattern would still be found on it, nothing is changed.

## What it leaves alone

- Exec form, `exec pgrep`, and patterns that do not match the shell's command line: `[x]`, `^x`, `a\\.b`, a variable.
- A `pgrep -f` behind which the shell has nothing left to do, in bash and busybox ash: they put it in their own place.
  Debian's dash does not.
- `pgrep` without `-f`, which looks at names of programs only, unless that matches the shell's name.
- Options that choose by user, parent or terminal, patterns with groups, and what `grep -v grep` filters.
- A search whose output is counted: the number may allow for what it finds.

## Sources

- pgrep(1), "NOTES": the running pgrep process never reports itself as a match
- busybox `procps/pgrep.c`; what shells do was measured with dash 0.5.12, bash 5.2 and busybox 1.35
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts import health
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_pgrep import processes

_WHY: Final = "the pattern then matches the process and not the text that it stands in"


def check(target: Target) -> Iterator[Finding]:
    """Judge the searches for a process in every HEALTHCHECK that is in force."""
    for stage in target.facts.graph.stages:
        check = health.effective_healthcheck(target.facts, stage)
        if check is None or check not in stage.instructions:
            continue
        commands = target.facts.commands(check)
        for search in processes.process_searches(check, commands, stage.base):
            if search.finds:
                yield _finding(target, check, search)
        if processes.only_looks_for_processes(commands):
            message = (
                "a process that runs need not be at work; ask its endpoint, or look at the age of a heartbeat file"
            )
            yield Advice(check.span, message, Severity.INFO)


def _finding(target: Target, check: Healthcheck, search: processes.ProcessSearch) -> Finding:
    commands = target.facts.commands(check)
    at = commands.span(search.step.command)
    message = f"{search.program} {search.word.text} finds {search.finds}, so that it always succeeds"
    if search.hidden is None:
        return Refusal(at, message, search.why)
    review = f"that {search.hidden} matches the command line of the process: the check can fail now"
    edit = surgery.replace(commands.span(search.word), search.hidden)
    return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, review)


CODEMOD: Final = Codemod(
    name="healthcheck-pgrep",
    title="a health check finds its own shell",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    page=__doc__,
    findings=("worker 5",),
)
