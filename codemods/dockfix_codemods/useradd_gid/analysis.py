"""Which group a user gets today, and whether it can be written in the file without a change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.accounts.commands import has_base_group
from dockfix.facts.model import Refused
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES, USER_GIDS
from dockfix.syntax.shell import Context as ShellContext

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts
    from dockfix.facts.accounts.commands import AccountCommand
    from dockfix.facts.commands import Commands
    from dockfix.facts.stages import Stage
    from dockfix.project.target import Target
    from dockfix.syntax.shell import SimpleCommand
    from dockfix.syntax.tree import Run

FAMILIES_WITH_OWN_GROUP: Final = frozenset({"debian", "ubuntu", "rhel", "fedora"}) | BUSYBOX_FAMILIES
"""Families on which a user gets a group of its own (USERGROUPS_ENAB yes)."""

_NAME: Final = re.compile(r"\w[\w.-]*\$?\Z", re.ASCII)
"""The group names and numbers that groupadd and addgroup accept."""
_NUMBER: Final = re.compile("[0-9]{1,10}")
_SETTINGS: Final = ("login.defs", "USERGROUPS_ENAB", "/etc/group")
"""Words of instructions that may change the group of new users, or add groups."""
_SAFE_FROM: Final = 10_000
_UNCONDITIONAL: Final = ShellContext.GROUP | ShellContext.SUBSHELL


class CreatedUser(Struct, frozen=True):
    """A command that creates a user, with its RUN, its stage, and the accounts that exist before it."""

    target: Target
    run: Run
    stage: Stage
    commands: Commands
    command: AccountCommand
    accounts: Accounts
    busybox: bool

    @property
    def family(self) -> str:
        return self.stage.base.family if self.stage.base is not None else ""

    @property
    def program(self) -> str:
        return self.command.program

    @property
    def group_option(self) -> str:
        return "--ingroup" if self.busybox else "--gid"

    @property
    def in_other_root(self) -> bool:
        """Whether the command writes the files of another system, or has other defaults."""
        return self.command.has("--root", "--prefix", "--defaults")

    @property
    def shown_name(self) -> str:
        return f"`{self.command.operand.text}`" if self.command.operand else "a user"


def is_conditional(command: SimpleCommand) -> bool:
    """Whether a command is in a branch, a loop, a pipeline or the like."""
    return bool(command.context & ~_UNCONDITIONAL)


def missing_group_command(user: CreatedUser, group: str | None) -> str | None:
    """The command that creates the group of `-g GROUP`; None if the group exists or may exist.

    Raises:
        Refused: the group does not exist, and cannot be created under the user's name.
    """
    if group is None or not _NAME.match(group):
        return None
    if group.isdigit():
        return None if user.busybox or not _NUMBER.fullmatch(group) else _group_by_number(user, int(group), group)
    known = group in user.accounts.groups or has_base_group(group)
    if known or user.stage.base is None or not user.accounts.complete:
        return None
    program, system = ("addgroup", "-S") if user.busybox else ("groupadd", "-r")
    return f"{program} {system} {group}" if user.command.has("--system") else f"{program} {group}"


def _group_by_number(user: CreatedUser, gid: int, written: str) -> str | None:
    accounts, name = user.accounts, user.command.name
    uncertain = not accounts.complete_but_for_packages or gid < 1000
    if uncertain or accounts.gid_taken(gid) or accounts.gid_counts.get(None, 0):
        return None
    if name is None:
        raise Refused(f"no group has the GID {written}, and the name of the user is unknown")
    if name in accounts.groups:
        raise Refused(f"no group has the GID {written}, and the group `{name}` has another GID")
    return f"groupadd -g {written} {name}"


def check_implicit_group(user: CreatedUser, uid: str | None) -> tuple[str, str]:
    """The name and the GID, as written, of the group that a command with a UID and without a group creates.

    Raises:
        Refused: the group would have another name or number than today.
    """
    if uid is None or not _NUMBER.fullmatch(uid) or user.command.operand is None:
        raise Refused("the UID is not a literal number")
    if user.stage.base is None:
        raise Refused("the base image is unknown, and the GID may differ from the UID today")
    if user.family not in FAMILIES_WITH_OWN_GROUP:
        raise Refused(f"on `{user.family}` the GID may differ from the UID today")
    if user.accounts.gid_taken(int(uid)):
        today = "the command fails" if user.busybox else "the group gets another GID"
        if user.accounts.gid_counts.get(int(uid), 0):
            raise Refused(f"the GID {uid} is taken: today {today}")
        raise Refused(f"the base image uses the GID {uid}: today {today}, unless an earlier command removes its user")
    if not user.busybox and int(uid) not in USER_GIDS:
        limits = f"from {USER_GIDS.start} to {USER_GIDS.stop - 1}"
        raise Refused(f"`useradd` uses the UID as the GID only {limits}, so the GID would change")
    return user.command.operand.text, uid


def implicit_group_caveat(user: CreatedUser, name: str, uid: str) -> str | None:
    """What a reader must check before a group is created with the number of a UID; None if nothing."""
    if user.command.name is None:
        return f"check that `{name}` is not the name of an existing group"
    if user.accounts.gid_counts.get(None, 0):
        return f"check that no group created before has the GID {uid}"
    if user.busybox or int(uid) < _SAFE_FROM or not user.accounts.complete_but_for_packages:
        return f"check that no group of the base image or of a package has the GID {uid}"
    if any(setting in user.target.text for setting in _SETTINGS):
        return f"check that `/etc/login.defs` gives `{name}` a group of its own with the GID {uid}"
    return None
