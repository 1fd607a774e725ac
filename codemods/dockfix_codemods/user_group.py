"""A system user of Alpine whose group is `nogroup`, beside a group that was made for it.

## What it does

busybox's `adduser --system` without a group puts the user in `nogroup` (gid 65533). Where the stage makes exactly one
group, that one is meant:

```dockerfile
FROM alpine:3.20
RUN addgroup --system --gid 1001 nodejs && \\
    adduser --system --uid 1001 nextjs
```

becomes

```dockerfile
FROM alpine:3.20
RUN addgroup --system --gid 1001 nodejs && \\
    adduser --system --uid 1001 --ingroup nodejs nextjs
```

## Why

Files that are given to the group with `--chown=nextjs:nodejs` are not the user's by group, what the user writes belongs
to `nogroup`, and other services that have that group can read it.

## Safety

Unsafe: the gid of the user changes, and with it that of the files which it writes, in volumes too.

## What it leaves alone

- `adduser` with `-G` or `--ingroup`, and without `--system`, which makes a group of its own.
- Debian's `adduser`, which is another program, and base images that are not known.
- No group made, or several, or one made in a branch: the finding is told, and nothing is changed. Without a `--uid` and
  without a group nothing is said: that user is not meant to own anything.

## Sources

- busybox `loginutils/adduser.c`: a system account without `-G` takes `nogroup`; run on Alpine: gid 65533
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    BUSYBOX_FAMILIES,
    AccountCommand,
    Advice,
    Category,
    Codemod,
    Commands,
    Effect,
    Finding,
    Fix,
    Run,
    Safety,
    Severity,
    ShellContext,
    Step,
    Target,
    accounts_before,
    parse_account_command,
    surgery,
)

_PLAIN: Final = ShellContext.GROUP | ShellContext.SUBSHELL
_MAKERS: Final = frozenset({"addgroup", "groupadd"})


def rewrite(target: Target) -> Iterator[Finding]:
    """Find the system users of busybox without a group."""
    for stage in target.facts.graph.stages:
        if stage.replaced or stage.base is None or stage.base.family not in BUSYBOX_FAMILIES:
            continue
        for run in stage.instructions:
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for step in commands.steps:
                command = parse_account_command(step, family=stage.base.family)
                if command is not None and step.depth == 0 and command.has("--system"):
                    yield from _judge(target, run, commands, step, command)


def _judge(target: Target, run: Run, commands: Commands, step: Step, command: AccountCommand) -> Iterator[Finding]:
    if command.has("--ingroup") or command.operand is None:
        return
    groups = [
        group
        for group in accounts_before(target.facts, run, step).groups.values()
        if group.created_by is not None and group.created_by.basename in _MAKERS
    ]
    uid = command.option("--uid")
    if not groups and uid is None:
        return
    at = commands.span(step.command)
    message = f"adduser --system {command.operand.text} has no group of its own, and gets nogroup"
    maker = groups[0].created_by if len(groups) == 1 else None
    if maker is None or maker.context & ~_PLAIN:
        made = ", ".join(sorted(group.name for group in groups))
        what = f"name one of {made} with -G" if groups else "make one with addgroup -S, and name it with -G"
        yield Advice(at, f"{message}: {what}")
        return
    model = uid or command.option("--system")
    long = model is not None and model.spelled.startswith("--")
    joined = "=" if uid is not None and uid.attached and long else " "
    new = f"{'--ingroup' if long else '-G'}{joined}{groups[0].name}"
    program = step.command.words[0]
    start, end = (uid.start, uid.word.end) if uid is not None else (program.start, program.end)
    yield Fix(
        at,
        message,
        (surgery.insert_word(target.dockerfile, run, commands.text, start, end, new),),
        Safety.UNSAFE,
        f"the group {groups[0].name} is made for it",
        f"whether {groups[0].name} is the group that is meant: the gid of {command.operand.text} changes",
    )


CODEMOD: Final = Codemod(
    name="user-group",
    title="a system user of busybox is in nogroup",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("adduser",),
    page=__doc__,
    findings=("missed",),
)
