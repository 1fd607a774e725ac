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
- No group made, or several, or one made in a branch or for another user: the finding is told, and nothing is changed.
  Without a `--uid` and without a group nothing is said: that user is not meant to own anything.
- A file that itself names nogroup, or its gid 65533: there the group that the user gets is known.

## Sources

- busybox `loginutils/adduser.c`: a system account without `-G` takes `nogroup`; run on Alpine: gid 65533
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.account_commands import AccountCommand, parse_account_command
from dockfix.facts.commands import Commands, Step
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Run

_PLAIN: Final = ShellContext.GROUP | ShellContext.SUBSHELL
_MAKERS: Final = frozenset({"addgroup", "groupadd"})


def check(target: Target) -> Iterator[Finding]:
    """Find the system users of busybox without a group."""
    for stage in target.facts.graph.stages:
        if stage.replaced or stage.base is None or stage.base.family not in BUSYBOX_FAMILIES:
            continue
        named = frozenset(_named(target, stage, stage.base.family))
        for run in stage.instructions:
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for step in commands.steps:
                command = parse_account_command(step, family=stage.base.family)
                if command is not None and step.depth == 0 and command.has("--system"):
                    yield from _judge(target, run, commands, step, command, named)


def _judge(
    target: Target, run: Run, commands: Commands, step: Step, command: AccountCommand, named: frozenset[str | None]
) -> Iterator[Finding]:
    if command.has("--ingroup") or command.operand is None:
        return
    groups = [
        group
        for group in target.facts.accounts_before(run, step).groups.values()
        if group.created_by is not None and group.created_by.basename in _MAKERS
    ]
    uid = command.option("--uid")
    if not groups and uid is None:
        return
    at = commands.span(step.command)
    user = command.name or command.operand.text
    message = f"adduser --system {user} has no group of its own, and gets nogroup"
    maker = groups[0].created_by if len(groups) == 1 and groups[0].name not in named else None
    if maker is None or maker.context & ~_PLAIN:
        made = ", ".join(sorted(group.name for group in groups))
        what = (
            f"name {'one of ' if len(groups) > 1 else ''}{made} with -G"
            if groups
            else "make one with addgroup -S, and name it with -G"
        )
        yield Advice(at, f"{message}: {what}")
        return
    clash = _nogroup(target)
    if clash:
        yield Refusal(at, message, f"line {clash} names nogroup, and what belongs to it would be the user's no longer")
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
        f"whether {groups[0].name} is the group that is meant: the gid of {user} changes",
    )


def _named(target: Target, stage: Stage, family: str) -> Iterator[str | None]:
    """The groups that users of a stage are put in by name: they were made for those."""
    for run in stage.instructions:
        for step in target.facts.commands(run).steps if isinstance(run, Run) else ():
            command = parse_account_command(step, family=family)
            option = command.option("--ingroup") if command is not None else None
            if option is not None:
                yield option.value


def _nogroup(target: Target) -> int | None:
    """The line of the first instruction that says nogroup or its number."""
    return next(
        (
            each.start_line
            for each in target.dockerfile.instructions
            if any(word in target.text[each.span.start : each.span.end] for word in ("nogroup", "65533"))
        ),
        None,
    )


CODEMOD: Final = Codemod(
    name="user-group",
    title="a system user of busybox is in nogroup",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("adduser",),
    page=__doc__,
    findings=("missed",),
)
