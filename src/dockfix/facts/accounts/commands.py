"""Options and operands of the commands that change users and groups: `useradd`, `adduser`, `groupadd`, `usermod` and
others.

`replay` applies such a command to the accounts. Sources: shadow's useradd(8), usermod(8) and groupadd(8);
Debian's adduser(8); busybox `loginutils/adduser.c` and `addgroup.c`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.tables.accounts import BASE_GROUPS, BUSYBOX_FAMILIES, RHEL_FAMILIES
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import SimpleCommand, Word

if TYPE_CHECKING:
    from dockfix.facts.commands import Step


def account_program(step: Step) -> tuple[str, int] | None:
    """The account command of a step, also after sudo, and the index of its first argument."""
    for index, word in enumerate(step.command.words[:4]):
        name = word.value.rpartition("/")[2] if word.value is not None else None
        if name is not None and has_trait(name, Trait.EDITS_ACCOUNTS):
            return name, index + 1
        if index == 0 and name not in ("sudo", "doas", "env", "command", "exec"):
            return None
    return None


def program_values(step: Step) -> tuple[str, tuple[str | None, ...]] | None:
    """The account command of a step, and the values of its arguments."""
    found = account_program(step)
    return (found[0], tuple(word.value for word in step.command.words[found[1] :])) if found is not None else None


SHADOW_VALUED: Final = MappingProxyType(
    {
        **dict.fromkeys(("-u", "--uid"), "uid"),
        **dict.fromkeys(("-g", "--gid"), "gid"),
        **dict.fromkeys(("-d", "--home", "--home-dir"), "home"),
        **dict.fromkeys(("-b", "--base-dir"), "base"),
        **dict.fromkeys(("-l", "--login"), "login"),
        **dict.fromkeys(
            [
                "-s",
                "--shell",
                "-c",
                "--comment",
                "-G",
                "--groups",
                "-k",
                "--skel",
                "-K",
                "--key",
                "-p",
                "--password",
                "-e",
                "--expiredate",
                "-f",
                "--inactive",
                "-Z",
                "--selinux-user",
                "-R",
                "--root",
                "-P",
                "--prefix",
            ],
            "other",
        ),
    }
)
GROUPADD_VALUED: Final = MappingProxyType(
    {
        **dict.fromkeys(("-g", "--gid"), "gid"),
        **dict.fromkeys(("-n", "--new-name"), "login"),
        **dict.fromkeys(
            ("-K", "--key", "-p", "--password", "-R", "--root", "-P", "--prefix", "-U", "--users"), "other"
        ),
    }
)
_DEBIAN_VALUED: Final = MappingProxyType(
    {
        **dict.fromkeys(("--uid", "-u"), "uid"),
        **dict.fromkeys(("--gid", "-g"), "gid"),
        "--ingroup": "ingroup",
        "--home": "home",
        **dict.fromkeys(
            [
                "--shell",
                "-s",
                "--gecos",
                "--comment",
                "--conf",
                "-c",
                "--firstuid",
                "--lastuid",
                "--firstgid",
                "--lastgid",
                "--add_extra_groups",
            ],
            "other",
        ),
    }
)
BUSYBOX_USER_VALUED: Final = MappingProxyType(
    {
        **dict.fromkeys(("-u", "--uid"), "uid"),
        **dict.fromkeys(("-G", "--ingroup"), "ingroup"),
        **dict.fromkeys(("-h", "--home"), "home"),
        **dict.fromkeys(("-g", "--gecos", "-s", "--shell", "-k", "--skel"), "other"),
    }
)
_BUSYBOX_GROUP_VALUED: Final = MappingProxyType({**dict.fromkeys(("-g", "--gid"), "gid")})


def option_kinds(program: str, family: str, arguments: Sequence[str | None]) -> Mapping[str, str]:
    """The values of an account command's options: `uid`, `gid`, `ingroup`, `home`, ...

    On an unknown distribution, flags that only busybox has identify its `adduser` and `addgroup`.
    """
    busybox = family in ("alpine", "busybox", "wolfi") or (
        not family
        and program in ("adduser", "addgroup")
        and any(each in ("-D", "-S", "-DS", "-SD", "-H") for each in arguments)
    )
    match program:
        case "useradd" | "usermod":
            return SHADOW_VALUED
        case "groupadd" | "groupmod":
            return GROUPADD_VALUED
        case "adduser":
            if family in RHEL_FAMILIES:
                return SHADOW_VALUED
            return BUSYBOX_USER_VALUED if busybox else _DEBIAN_VALUED
        case "addgroup":
            return _BUSYBOX_GROUP_VALUED if busybox else _DEBIAN_VALUED
        case _:
            return MappingProxyType({})


class ParsedArguments(Struct, frozen=True):
    """The arguments of an account command: values of options, by kind; flags; operands."""

    options: Mapping[str, str | None]
    flags: frozenset[str]
    operands: tuple[str | None, ...]


def parse_arguments(arguments: Sequence[str | None], valued: Mapping[str, str]) -> ParsedArguments:
    """Parse as getopt does: `-u 5`, `-u5`, `--uid 5`, `--uid=5`, clusters of flags; options may follow operands."""
    options: dict[str, str | None] = {}
    flags: set[str] = set()
    operands: list[str | None] = []
    words = iter(arguments)
    for word in words:
        if word is None or not word.startswith("-") or word == "-":
            operands.append(word)
        elif word == "--":
            operands.extend(words)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in valued:
                options[valued[name]] = value if equals else next(words, None)
            else:
                flags.add(name)
        else:
            for index, letter in enumerate(word[1:], 1):
                if f"-{letter}" in valued:
                    options[valued[f"-{letter}"]] = word[index + 1 :] or next(words, None)
                    break
                flags.add(f"-{letter}")
    return ParsedArguments(options, frozenset(flags), tuple(operands))


_BUSYBOX_LETTERS: Final = frozenset("uhgsGk")
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


class AccountOption(Struct, frozen=True):
    """An option under its long name.

    `value` is its value, `word` the last word that belongs to it, `start` the start of the first. `text` is the
    spelling of the value, which may contain a variable; `attached` says that it shares a word with the option
    (`--uid=5`, `-u5`).
    """

    name: str
    spelled: str
    value: str | None
    text: str
    word: Word
    attached: bool
    start: int


class AccountCommand(Struct, frozen=True):
    """A command that creates a user. `operand` is the word with the user name, `name` its literal value."""

    program: str
    command: SimpleCommand
    options: tuple[AccountOption, ...]
    operand: Word | None
    name: str | None

    def option(self, name: str) -> AccountOption | None:
        """The last option with a long name."""
        found = [option for option in self.options if option.name == name]
        return found[-1] if found else None

    def has(self, *names: str) -> bool:
        """Whether any of the options is given."""
        return any(option.name in names for option in self.options)


def parse_account_command(step: Step, *, family: str) -> AccountCommand | None:
    """The command of a step that creates a user on a distribution of `family`; None for any other command.

    That is shadow's `useradd`, for which `adduser` is another name on Fedora and RHEL, and busybox's `adduser`. Parsed
    as getopt does: `-u 5`, `-u5`, `--uid 5`, `--uid=5`, clusters of flags; options may follow the name. An option that
    is not known (`--sys`, which getopt completes) makes the command unreadable.
    """
    command = step.command
    program = command.basename
    busybox = family in BUSYBOX_FAMILIES
    programs = ("adduser",) if busybox else ("useradd", "adduser") if family in RHEL_FAMILIES else ("useradd",)
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
    """The options in a word; takes the value of the last from `rest`."""
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
        len(name) == 2 and name[1] in _BUSYBOX_LETTERS
    )


def has_base_group(name: str) -> bool:
    """Whether a base image of a common distribution may have a group with that name."""
    return name in BASE_GROUPS
