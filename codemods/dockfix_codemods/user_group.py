"""A system user of Alpine is in `nogroup` although a group was created for it.

## What it does

Adds the missing group to a BusyBox `adduser --system`, which without a group puts the user into `nogroup` (GID 65533).
Where the stage creates exactly one group before, that is the one that is meant.

## Why is this bad?

Files that are given to the group with `--chown=nextjs:nodejs` do not belong to the user's group, what the user writes
belongs to `nogroup`, and other services in that group can read it.

## Example

```dockerfile
FROM alpine:3.20
RUN addgroup --system --gid 1001 nodejs && \\
    adduser --system --uid 1001 nextjs
```

Use instead:

```dockerfile
FROM alpine:3.20
RUN addgroup --system --gid 1001 nodejs && \\
    adduser --system --uid 1001 --ingroup nodejs nextjs
```

## Fix safety

Unsafe: the GID of the user changes, and so does the GID of the files that it writes, in volumes too.

## When it does not apply

- `adduser` with `-G` or `--ingroup`, and without `--system`, which creates a group for the user.
- Debian's `adduser`, which is another program, and unknown base images.
- No group, several groups, or one that is created in a branch or for another user: the rule reports the user and
  changes nothing. Without a `--uid` and without a group there is no finding: that user is not meant to own files.
- A file that names `nogroup` or its GID 65533: the author knows which group the user gets.

## References

- BusyBox `loginutils/adduser.c`: a system account without `-G` gets `nogroup`; seen on Alpine: GID 65533
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.accounts import GroupAccount
from dockfix.facts.accounts.commands import AccountCommand, parse_account_command
from dockfix.facts.commands import Commands, Step
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Run

_UNCONDITIONAL: Final = ShellContext.GROUP | ShellContext.SUBSHELL
_GROUP_PROGRAMS: Final = frozenset({"addgroup", "groupadd"})


def check(target: Target) -> Iterator[Finding]:
    """Find the system users of BusyBox without a group."""
    for stage in target.facts.graph.stages:
        if stage.replaced or stage.base is None or stage.base.family not in BUSYBOX_FAMILIES:
            continue
        taken = frozenset(_groups_of_users(target, stage, stage.base.family))
        for run in stage.instructions:
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for step in commands.steps:
                command = parse_account_command(step, family=stage.base.family)
                if command is not None and step.depth == 0 and command.has("--system"):
                    yield from _check_user(target, run, commands, step, command, taken)


def _check_user(
    target: Target, run: Run, commands: Commands, step: Step, command: AccountCommand, taken: frozenset[str | None]
) -> Iterator[Finding]:
    if command.has("--ingroup") or command.operand is None:
        return
    groups = [
        group
        for group in target.facts.accounts_before(run, step).groups.values()
        if group.created_by is not None and group.created_by.basename in _GROUP_PROGRAMS
    ]
    if not groups and not command.has("--uid"):
        return
    at = commands.span(step.command)
    user = command.name or command.operand.text
    message = f"the system user `{user}` is in `nogroup`: `adduser` names no group"
    creator = groups[0].created_by if len(groups) == 1 and groups[0].name not in taken else None
    if creator is None or creator.context & ~_UNCONDITIONAL:
        yield Advice(at, message, help=_advised(groups))
        return
    line = target.facts.once(("user-group", "nogroup"), lambda: _line_of_nogroup(target))
    if line is not None:
        yield Refusal(at, message, f"line {line} names `nogroup`, whose files the user could no longer use")
        return
    group = groups[0].name
    option, edit = _insert_group(target, run, commands, step, command, group)
    review = f"check that `{group}` is the group that the user needs: the GID of `{user}` changes"
    yield Fix(at, message, (edit,), Safety.UNSAFE, f"add `{option}`", review)


def _advised(groups: Sequence[GroupAccount]) -> str:
    if not groups:
        return "create one with `addgroup -S` and name it with `-G`"
    names = ", ".join(f"`{name}`" for name in sorted(group.name for group in groups))
    return f"name {'one of ' if len(groups) > 1 else ''}{names} with `-G`"


def _insert_group(
    target: Target, run: Run, commands: Commands, step: Step, command: AccountCommand, group: str
) -> tuple[str, Edit]:
    """The option for the group, in the style of the command's other options, and the edit that adds it."""
    uid = command.option("--uid")
    model = uid or command.option("--system")
    long = model is not None and model.spelled.startswith("--")
    joined = "=" if uid is not None and uid.attached and long else " "
    option = f"{'--ingroup' if long else '-G'}{joined}{group}"
    program = step.command.words[0]
    start, end = (uid.start, uid.word.end) if uid is not None else (program.start, program.end)
    return option, insert_word(target.dockerfile, run, commands.text, start, end, option)


def _groups_of_users(target: Target, stage: Stage, family: str) -> Iterator[str | None]:
    """The groups that other users of a stage are put into by name: these were created for those users."""
    for run in stage.instructions:
        for step in target.facts.commands(run).steps if isinstance(run, Run) else ():
            command = parse_account_command(step, family=family)
            option = command.option("--ingroup") if command is not None else None
            if option is not None:
                yield option.value


def _line_of_nogroup(target: Target) -> int | None:
    """The line of the first instruction that names `nogroup` or its number."""
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
    title="a system user of Alpine is in `nogroup`",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("adduser",),
    findings=("missed",),
    promise=Promise(
        changes=("/etc/passwd", "/etc/group", "/etc/gshadow"),
        owners=("/**",),
        rationale=(
            "`adduser --ingroup` sets the group of the user, of its home directory and of what it writes, and lists "
            "the user as a member of the group."
        ),
    ),
)
