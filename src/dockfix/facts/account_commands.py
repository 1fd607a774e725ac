"""`useradd`, `adduser` and their like as typed commands with the words that an edit needs.

What identity.py knows is which accounts there are; here is how a command spells what it asks for. Sources: shadow's
useradd(8) and groupadd(8); busybox `loginutils/adduser.c` and `addgroup.c`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dockfix.facts.identity import SHADOW_VALUED
from dockfix.syntax.shell import SimpleCommand, Word

if TYPE_CHECKING:
    from dockfix.facts.commands import Step

__all__ = ["BUSYBOX_FAMILIES", "AccountCommand", "AccountOption", "has_base_group", "parse_account_command"]

BUSYBOX_FAMILIES: Final = frozenset({"alpine", "busybox", "wolfi"})
"""Families of which the account commands are busybox's."""

_RHEL: Final = frozenset({"rhel", "fedora"})
_BUSYBOX_VALUED: Final = frozenset("uhgsGk")
_LONG: Final = {
    "-u": "--uid",
    "-g": "--gid",
    "-r": "--system",
    "-o": "--non-unique",
    "-N": "--no-user-group",
    "-U": "--user-group",
    "-K": "--key",
    "-R": "--root",
    "-P": "--prefix",
    "-G": "--groups",
    "-D": "--defaults",
    "-d": "--home-dir",
    "-m": "--create-home",
}
_SHADOW_FLAGS: Final = frozenset(
    """
    -m -M -r -o -N -U -D -l -F --create-home --no-create-home --system --non-unique --no-user-group --user-group
    --defaults --no-log-init --add-subids-for-system --badname --badnames
    """.split()  # noqa: SIM905 - a list of quoted words would be no clearer
)
_BUSYBOX_LONG: Final = {"-u": "--uid", "-G": "--ingroup", "-S": "--system", "-D": "--disabled-password"}


@dataclass(frozen=True, slots=True)
class AccountOption:
    """An option under its long name. `value` is what it is given, `word` the last word that it takes up.

    `start` is where its first word begins.

    `text` is the spelling of the value, which may hold a variable; `attached` says that it shares a word with the
    option (`--uid=5`, `-u5`).
    """

    name: str
    spelled: str
    value: str | None
    text: str
    word: Word
    attached: bool
    start: int


@dataclass(frozen=True, slots=True)
class AccountCommand:
    """A command that makes a user. `operand` is the word of the user's name, `name` its literal value."""

    program: str
    command: SimpleCommand
    options: tuple[AccountOption, ...]
    operand: Word | None
    name: str | None

    def option(self, name: str) -> AccountOption | None:
        """The last option of a long name."""
        found = [option for option in self.options if option.name == name]
        return found[-1] if found else None

    def has(self, *names: str) -> bool:
        """Whether any of the options is given."""
        return any(option.name in names for option in self.options)


def parse_account_command(step: Step, *, family: str) -> AccountCommand | None:
    """The command that makes a user which a step is on a distribution of `family`; None for anything else.

    That is shadow's `useradd`, for which `adduser` is another name on Fedora and RHEL, and busybox's `adduser`.
    getopt's reading: `-u 5`, `-u5`, `--uid 5`, `--uid=5`, clusters of flags; options may stand behind the name. An
    option that is not known (`--sys`, which getopt completes) makes the command unreadable.
    """
    command = step.command
    program = command.basename
    busybox = family in BUSYBOX_FAMILIES
    programs = ("adduser",) if busybox else ("useradd", "adduser") if family in _RHEL else ("useradd",)
    if program is None or program not in programs:
        return None
    options: list[AccountOption] = []
    operands: list[Word] = []
    words = list(command.args)
    while words:
        word = words.pop(0)
        value = word.value
        if value is None and not word.quoted and word.text.startswith("$"):
            operands.append(word)
        elif value is None:
            head = word.text.partition("=")[0]
            if not head.startswith("--"):
                operands.append(word)
            else:
                options.append(AccountOption(head, head, None, word.text.partition("=")[2], word, True, word.start))
        elif not value.startswith("-") or value == "-":
            operands.append(word)
        elif value == "--":
            operands += words
            words.clear()
        else:
            options += _options(value, word, words, busybox)
    if len(operands) != 1 or (not busybox and not all(_is_shadow_option(option) for option in options)):
        return None
    return AccountCommand(program, command, tuple(options), operands[0], operands[0].value)


def _is_shadow_option(option: AccountOption) -> bool:
    return option.spelled in SHADOW_VALUED or option.spelled in _SHADOW_FLAGS


def _options(value: str, word: Word, rest: list[Word], busybox: bool) -> Sequence[AccountOption]:
    """The options that a word holds; takes the value of the last from `rest`."""
    long_names = _BUSYBOX_LONG if busybox else _LONG
    if value.startswith("--"):
        name, equals, given = value.partition("=")
        if equals:
            return [AccountOption(name, name, given, given, word, True, word.start)]
        if _takes_value(name, busybox) and rest:
            following = rest.pop(0)
            return [AccountOption(name, name, following.value, following.text, following, False, word.start)]
        return [AccountOption(name, name, None, "", word, False, word.start)]
    found: list[AccountOption] = []
    for index, letter in enumerate(value[1:], 1):
        short = f"-{letter}"
        name = long_names.get(short, short)
        if not _takes_value(short, busybox):
            found.append(AccountOption(name, short, None, "", word, len(value) > 2, word.start))
            continue
        given = value[index + 1 :]
        if given:
            found.append(AccountOption(name, short, given, given, word, True, word.start))
        elif rest:
            following = rest.pop(0)
            found.append(AccountOption(name, short, following.value, following.text, following, False, word.start))
        break
    return found


def _takes_value(name: str, busybox: bool) -> bool:
    if not busybox:
        return name in SHADOW_VALUED
    return name in ("--uid", "--ingroup", "--home", "--gecos", "--shell", "--skel") or (
        len(name) == 2 and name[1] in _BUSYBOX_VALUED
    )


# base-passwd's group.master (Debian, Ubuntu), setup's group (Fedora, RHEL), alpine-baselayout's group.
_BASE_GROUPS: Final = frozenset(
    """
    root daemon bin sys adm tty disk lp mail news uucp man proxy kmem dialout fax voice cdrom floppy tape sudo audio dip
    www-data backup operator list irc src gnats shadow utmp video sasl plugdev staff games users nogroup
    systemd-journal systemd-network crontab messagebus input kvm render netdev ssh ssl-cert _ssh
    wheel mem dbus nobody lock utempter ftp ntp squid xfs cron readproc vpopmail locate cyrus postmaster at guest abuild
    sshd shutdown www docker
    """.split()  # noqa: SIM905 - a list of sixty quoted words would be no clearer
)


def has_base_group(name: str) -> bool:
    """Whether a base image of a common distribution may have a group of that name."""
    return name in _BASE_GROUPS
