"""A user is created without an explicit group, or with a group that does not exist.

## What it does

Adds the group, with its GID, to a `useradd` that sets neither. `useradd -u 10001 app` creates a group `app`
with the same number if that is free; with the `groupadd` in the file, the GID is the same in every rebuild.

With `-g 10001` and no such group, `useradd` fails (`group '10001' does not exist`, exit 6): the rule adds the
`groupadd`. Where a group of the user's name exists and `-g` is missing, `useradd` fails too (exit 9): the rule adds
`-g`. On Alpine and BusyBox it does the same with `addgroup -g` and `adduser -G` (`-g` is the GECOS field there).

## Why is this bad?

Volumes, `--chown=10001:10001` and an orchestrator's `runAsGroup` depend on that number. If a package of a later base
image takes it, `useradd` without `-g` silently picks another one; `groupadd` fails visibly.

## Example

```dockerfile
FROM debian:12
RUN useradd -m -u 10001 app
```

Use instead:

```dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -m -u 10001 -g 10001 app
```

## Fix safety

Safe on Debian, Ubuntu, Fedora and RHEL for IDs of 10000 and more that nothing in the file takes: packages of these
distributions use IDs below 1000, and users created by hand begin at 1000. No build fails that succeeds today:
`groupadd` is in the same package as `useradd`, runs as the same user in the same place, and fails only if the name or
the GID is taken. The name is not taken, because `useradd` without `-g` fails where a group of that name exists. The
GID is not taken, because the base image is known, every account of the earlier steps is known, and no installed
package takes a number that high. `useradd` gives its group the number of the UID where that is free, so the image is
the same.

Unsafe below 10000, with a name that is a variable, on Alpine, and where the file names `/etc/login.defs` or
`/etc/group`: check that the GID is free. Unsafe for a missing group, because the build fails today: check which group
is meant.

## When it does not apply

- `-r`, `-N`, `-o`, `-K`, `-R` and `-P`: the GID would change, or the command writes to another root.
- A UID below 1000 or above 60000, for which `useradd` gives the group another number.
- SUSE, where `useradd` puts the user into `users`, and unknown base images.
- A GID that another group has, and a UID that is not a literal number.
- Commands in branches, loops and lists with `||`: a command in front would change what the list means.

## References

- https://manpages.debian.org/bookworm/passwd/useradd.8.en.html (USERGROUPS_ENAB, exit values)
- https://www.debian.org/doc/debian-policy/ch-opersys.html#uid-and-gid-classes
- BusyBox `loginutils/adduser.c`; the effects were measured in real builds with BuildKit
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.accounts import GroupAccount
from dockfix.facts.accounts.commands import parse_account_command
from dockfix.facts.model import Refused
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix_codemods.useradd_gid.analysis import (
    FAMILIES_WITH_OWN_GROUP,
    CreatedUser,
    check_implicit_group,
    implicit_group_caveat,
    is_conditional,
    missing_group_command,
)
from dockfix_codemods.useradd_gid.edits import group_edits, group_flag


def check(target: Target) -> Iterator[Finding]:
    """Check the group of every `useradd`, and of every `adduser` of BusyBox."""
    for stage, run in target.facts.runs(shell_form=True):
        family = stage.base.family if stage.base is not None else ""
        commands = target.facts.commands(run)
        for step in commands.steps:
            command = parse_account_command(step, family=family)
            if command is not None and step.depth == 0:
                accounts = target.facts.accounts_before(run, step)
                busybox = family in BUSYBOX_FAMILIES
                yield from _check_user(CreatedUser(target, run, stage, commands, command, accounts, busybox))


def _check_user(user: CreatedUser) -> Iterator[Finding]:
    command = user.command
    group = command.option(user.group_option)
    uid = command.option("--uid")
    if group is not None:
        if not user.in_other_root:
            yield from _missing_group(user, group.value)
    elif user.in_other_root or command.has("--no-user-group") or (user.busybox and command.has("--system")):
        if uid is not None and not user.busybox:
            yield _other_group(user)
    elif command.name is not None and command.name in user.accounts.groups and user.family in FAMILIES_WITH_OWN_GROUP:
        yield from _existing_group(user, user.accounts.groups[command.name])
    elif command.has("--system", "--non-unique", "--key"):
        if uid is not None:
            yield _other_group(user)
    elif uid is not None and not command.has("--user-group"):
        yield _implicit_group(user, uid.value)


def _missing_group(user: CreatedUser, group: str | None) -> Iterator[Finding]:
    """`-g GROUP` without such a group."""
    message = f"`{user.program}` fails for {user.shown_name}: the group `{group}` does not exist"
    try:
        new = missing_group_command(user, group)
    except Refused as refused:
        yield _refusal(user, message, refused)
        return
    if new is not None:
        review = "check that this group is meant, and that its GID is right"
        yield _fix(user, message, new, None, review, Severity.ERROR)


def _existing_group(user: CreatedUser, group: GroupAccount) -> Iterator[Finding]:
    """A group of the user's name was created before, and the command does not name it."""
    if group.name in user.accounts.users or (group.created_by is not None and is_conditional(group.created_by)):
        return
    flag = group_flag(user)
    message = f"`{user.program}` fails for `{group.name}` without `{flag}`: a group of that name exists"
    review = f"check that the existing group `{group.name}` is the one that the user needs"
    yield _fix(user, message, None, group.name, review, Severity.ERROR)


def _implicit_group(user: CreatedUser, uid: str | None) -> Finding:
    """A UID without a group: the group gets the same number today."""
    message = _without_gid(user)
    try:
        name, gid = check_implicit_group(user, uid)
    except Refused as refused:
        return _refusal(user, message, refused)
    new = f"{'addgroup' if user.busybox else 'groupadd'} -g {gid} {name}"
    review = implicit_group_caveat(user, name, gid) or ""
    return _fix(user, message, new, name if user.busybox else gid, review, None)


def _other_group(user: CreatedUser) -> Refusal:
    return _refusal(user, _without_gid(user), Refused("another option affects the group, and the GID would change"))


def _without_gid(user: CreatedUser) -> str:
    return f"`{user.program}` creates {user.shown_name} without an explicit GID"


def _fix(
    user: CreatedUser, message: str, new: str | None, group: str | None, review: str, severity: Severity | None
) -> Finding:
    """Run the command `new` first, and add the option for `group`."""
    try:
        edits = group_edits(user, new, group)
    except Refused as refused:
        return _refusal(user, _without_gid(user), refused)
    steps = [f"create the group with `{new}`"] if new is not None else []
    steps += [f"add `{group_flag(user)} {group}` to `{user.program}`"] if group is not None else []
    safety = Safety.UNSAFE if review else Safety.SAFE
    at = user.commands.span(user.command.command)
    return Fix(at, message, edits, safety, " and ".join(steps), review, severity)


def _refusal(user: CreatedUser, message: str, refused: Refused) -> Refusal:
    return Refusal(user.commands.span(user.command.command), message, refused.reason)


CODEMOD: Final = Codemod(
    name="useradd-gid",
    title="a user is created without an explicit group",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("useradd", "adduser"),
    findings=("api 5",),
    promise=Promise(
        changes=("/etc/group", "/etc/gshadow"),
        claims=frozenset({Claim.REPAIRS}),
        rationale=(
            "The group has the same name and number as without the fix, or the build fails without it. Only the "
            "`adduser -G` of BusyBox also lists the user as a member of the group."
        ),
    ),
)
