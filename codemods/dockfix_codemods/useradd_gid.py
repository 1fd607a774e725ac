"""A user whose group is left to chance, or is not there.

## What it does

`useradd -u 10001 app` makes a group of its own for the user, with the same number if that is free. Written out, the gid
is in the file and the same on every rebuild:

```dockerfile
FROM debian:12
RUN useradd -m -u 10001 app
```

becomes

```dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -m -u 10001 -g 10001 app
```

With `-g 10001` alone and no such group, useradd fails (`group '10001' does not exist`, exit 6): the rule puts the
`groupadd` in front. Where the group was made and `-g` forgotten, useradd fails too (exit 9): the rule adds it. On
Alpine and busybox the same is done with `addgroup -g` and `adduser -G` (`-g` is the GECOS field there).

## Why

Volumes, `--chown=10001:10001` and `runAsGroup` of an orchestrator rest on that number. Should a package of a later base
image take it, useradd without `-g` picks another one silently; `groupadd` fails where one sees it.

## Safety

Safe on Debian, Ubuntu, Fedora and RHEL for ids of 10000 and more that nothing in the file takes: packages of these
distributions use ids below 1000, and users made by hand begin at 1000. No build fails that succeeds today: `groupadd`
is in the package of `useradd`, runs as the same user in the same place, and fails only where the name or the gid is
taken. The name is not, for `useradd` without `-g` fails where a group of that name is there. The gid is not: the base
image is known, every account of the steps above is, and no installed package takes one so high. `useradd` gives its
group the number of the uid where that is free, so that the image is the same.

Below 10000, with a name that is a variable, on Alpine, and where the file names `/etc/login.defs` or `/etc/group`:
unsafe. Adding a group that is missing is unsafe: what fails today should be looked at.

## What it leaves alone

- `-r`, `-N`, `-o`, `-K`, `-R` and `-P`: the gid would change, or it is another system's file.
- A uid below 1000 or above 60000, with which useradd gives the group another number.
- SUSE, where useradd gives the group `users`, and base images that are not known.
- A gid that another group has, and a uid that is no literal number.
- Commands in branches, loops and beside `||`: a command in front would change what the list means.

## Sources

- https://manpages.debian.org/bookworm/passwd/useradd.8.en.html (USERGROUPS_ENAB, exit values)
- https://www.debian.org/doc/debian-policy/ch-opersys.html#uid-and-gid-classes
- busybox `loginutils/adduser.c`; what builds do was measured with BuildKit
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.account_commands import AccountCommand, has_base_group, parse_account_command
from dockfix.facts.accounts import Accounts, GroupAccount
from dockfix.facts.commands import Commands
from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES, USER_GIDS
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Run

_OWN_GROUP: Final = frozenset({"debian", "ubuntu", "rhel", "fedora"}) | BUSYBOX_FAMILIES
"""Families on which a user gets a group of its own (USERGROUPS_ENAB yes)."""

_ELSEWHERE: Final = ("--root", "--prefix", "--defaults")
_SAYS_OTHERWISE: Final = "an option of it says otherwise, and the gid would change"
_NAME: Final = re.compile(r"\w[\w.-]*\$?\Z", re.ASCII)
"""What groupadd and addgroup take for a name, and numbers."""
_PLAIN: Final = ShellContext.GROUP | ShellContext.SUBSHELL
_SETTINGS: Final = ("login.defs", "USERGROUPS_ENAB", "/etc/group")
"""What an instruction names that may give users other groups, or bring groups along."""
_SAFE_FROM: Final = 10_000
_NUMBER: Final = re.compile("[0-9]{1,10}")
_WHY: Final = "the group and its number are then in the file, and the same in every build"


@dataclass(frozen=True, slots=True)
class _User:
    """A command that makes a user, in its RUN and stage."""

    target: Target
    run: Run
    stage: Stage
    commands: Commands
    command: AccountCommand
    accounts: Accounts
    busybox: bool

    @property
    def group_option(self) -> str:
        return "--ingroup" if self.busybox else "--gid"

    @property
    def shown(self) -> str:
        return f"{self.command.program} {self.command.operand.text if self.command.operand else ''}"


def check(target: Target) -> Iterator[Finding]:
    """Judge every `useradd`, and `adduser` of busybox, by its group."""
    for stage in target.facts.graph.stages:
        family = stage.base.family if stage.base is not None else ""
        busybox = family in BUSYBOX_FAMILIES
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for step in commands.steps:
                command = parse_account_command(step, family=family)
                if command is not None and step.depth == 0:
                    accounts = target.facts.accounts_before(run, step)
                    yield from _judge(_User(target, run, stage, commands, command, accounts, busybox), family)


def _judge(user: _User, family: str) -> Iterator[Finding]:
    command = user.command
    group = command.option(user.group_option)
    uid = command.option("--uid")
    if group is not None:
        if not command.has(*_ELSEWHERE):
            yield from _missing_group(user, group.value)
    elif command.has(*_ELSEWHERE, "--no-user-group") or (user.busybox and command.has("--system")):
        if uid is not None and not user.busybox:
            yield _refuse(user, _SAYS_OTHERWISE)
    elif command.name is not None and command.name in user.accounts.groups and family in _OWN_GROUP:
        yield from _unnamed_group(user, user.accounts.groups[command.name])
    elif command.has("--system", "--non-unique", "--key"):
        if uid is not None:
            yield _refuse(user, _SAYS_OTHERWISE)
    elif uid is not None and not command.has("--user-group"):
        yield from _implicit_group(user, family, uid.value)


def _missing_group(user: _User, group: str | None) -> Iterator[Finding]:
    """`-g GROUP` where no such group is: certain only if all accounts are known."""
    accounts, name = user.accounts, user.command.name
    if group is None or not _NAME.match(group):
        return
    if group.isdigit() and (user.busybox or not _NUMBER.fullmatch(group)):
        return
    if group.isdigit():
        number = int(group)
        uncertain = not accounts.complete_but_for_packages or number < 1000
        if (
            uncertain
            or accounts.gid_taken(number)
            or any(not isinstance(g.gid, Known) for g in accounts.groups.values())
        ):
            return
        if name is None or name in accounts.groups:
            yield _refuse(
                user, f"no group has the gid {group}, and the name {name or 'of the user'} cannot be given to one"
            )
            return
        new = f"groupadd -g {group} {name}"
    else:
        known = group in accounts.groups or has_base_group(group)
        if known or user.stage.base is None or not accounts.complete:
            return
        program = "addgroup -S" if user.busybox else "groupadd -r"
        new = f"{program if user.command.has('--system') else program.partition(' ')[0]} {group}"
    message = f"{user.shown}: there is no group {group}, so that the build fails"
    yield from _fix(user, message, new, None, "whether the group is meant, and its number", Severity.ERROR)


def _unnamed_group(user: _User, group: GroupAccount) -> Iterator[Finding]:
    """The group of the user's name was made before, and the command does not say that it is meant."""
    name, maker = group.name, group.created_by
    if name in user.accounts.users or (maker is not None and maker.context & ~_PLAIN):
        return
    message = f"{user.shown}: the group {name} is there already, so that the build fails without {_flag(user)}"
    yield from _fix(user, message, None, name, f"whether the group {name} is the one that is meant", Severity.ERROR)


def _implicit_group(user: _User, family: str, uid: str | None) -> Iterator[Finding]:
    message = f"{user.shown}: its group and gid are left to {user.command.program}"
    if uid is None or not _NUMBER.fullmatch(uid) or user.command.operand is None:
        yield _refuse(user, "the uid is no literal number")
    elif family not in _OWN_GROUP:
        known = f"{user.stage.base.family}" if user.stage.base is not None else "a base image that is not known"
        yield _refuse(user, f"on {known} the gid could be another one today")
    elif user.accounts.gid_taken(int(uid)):
        today = "the command fails" if user.busybox else "the group has another one today"
        yield _refuse(user, f"the gid {uid} is taken, so that {today}")
    elif not user.busybox and int(uid) not in USER_GIDS:
        limits = f"from {USER_GIDS.start} to {USER_GIDS.stop - 1}"
        yield _refuse(user, f"useradd gives a group the number of the uid only {limits}, so that the gid would change")
    else:
        name = user.command.operand.text
        new = f"{'addgroup' if user.busybox else 'groupadd'} -g {uid} {name}"
        review = ""
        if user.busybox or int(uid) < _SAFE_FROM or not user.accounts.complete_but_for_packages:
            review = f"that no group of the base image or of a package has the gid {uid}"
        if not review and any(setting in user.target.text for setting in _SETTINGS):
            review = f"that /etc/login.defs gives {name} a group of its own, with the gid {uid}"
        if any(not isinstance(group.gid, Known) for group in user.accounts.groups.values()):
            review = f"that no group that was made before has the gid {uid}"
        if user.command.name is None:
            review = f"that {name} names no group yet"
        yield from _fix(user, message, new, name if user.busybox else uid, review, None)


def _fix(
    user: _User, message: str, new: str | None, group: str | None, review: str, severity: Severity | None
) -> Iterator[Finding]:
    """Put the command `new` in front, and the option for `group` behind the uid."""
    command = user.command.command
    if command.context & ~_PLAIN:
        yield _refuse(
            user, "it runs in a branch, a loop or a pipeline, where a command in front would mean something else"
        )
        return
    if command.after is not None and command.after.text == "||":
        yield _refuse(user, "what it does when it fails is caught behind it")
        return
    edits: list[Edit] = []
    if new is not None:
        edits.append(surgery.insert_in_list(user.target.dockerfile, user.run, user.commands.text, command, new))
    if group is not None:
        uid = user.command.option("--uid")
        joined = "=" if uid is not None and uid.attached and uid.spelled.startswith("--") else " "
        program = command.words[0]
        start, end = (uid.start, uid.word.end) if uid is not None else (program.start, program.end)
        edits.append(
            surgery.insert_word(
                user.target.dockerfile, user.run, user.commands.text, start, end, f"{_flag(user)}{joined}{group}"
            )
        )
    safety = Safety.UNSAFE if review else Safety.SAFE
    yield Fix(user.commands.span(command), message, tuple(edits), safety, _WHY, review, severity)


def _flag(user: _User) -> str:
    """The option for the group, long if the uid's is."""
    uid = user.command.option("--uid")
    if uid is not None and uid.spelled.startswith("--"):
        return user.group_option
    return "-G" if user.busybox else "-g"


def _refuse(user: _User, reason: str) -> Refusal:
    message = f"{user.shown}: its group and gid are not in the file"
    return Refusal(user.commands.span(user.command.command), message, reason)


CODEMOD: Final = Codemod(
    name="useradd-gid",
    title="a user without an explicit group",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("useradd", "adduser"),
    page=__doc__,
    findings=("api 5",),
)
