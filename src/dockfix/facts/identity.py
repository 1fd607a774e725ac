"""Users and groups: those of the base image that are known, and those that a stage and its parents create.

Sources: shadow's useradd(8), usermod(8) and groupadd(8) (USERGROUPS_ENAB is yes on Debian, Ubuntu, Fedora and RHEL, so
useradd creates a group of the user's name); Debian's adduser(8); busybox `loginutils/adduser.c` and `addgroup.c`.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Stage
from dockfix.facts.tables.commands import SYSTEM_MANAGERS
from dockfix.syntax.shell import Context, SimpleCommand
from dockfix.syntax.tree import Add, Copy, Instruction, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step

__all__ = [
    "SHADOW_VALUED",
    "SYSTEM_GIDS",
    "USER_GIDS",
    "Accounts",
    "GroupAccount",
    "History",
    "UserAccount",
    "account_program",
    "accounts",
    "accounts_before",
    "history_of",
    "option_kinds",
]


@dataclass(frozen=True, slots=True)
class UserAccount:
    """An account of /etc/passwd; `created_by` is None if the base image has it."""

    name: str
    uid: Fact[int]
    gid: Fact[int]
    home: Fact[str]
    created_by: SimpleCommand | None = None


@dataclass(frozen=True, slots=True)
class GroupAccount:
    """A group of /etc/group; `created_by` is None if the base image has it."""

    name: str
    gid: Fact[int]
    created_by: SimpleCommand | None = None


@dataclass(frozen=True, eq=False)
class Accounts:
    """The accounts at one point of a build.

    `taken_ids` are uids and gids that the base image is known to use, of accounts that need not be listed here.
    """

    users: Mapping[str, UserAccount]
    groups: Mapping[str, GroupAccount]
    taken_ids: frozenset[int]
    gap_finder: Callable[[], tuple[_Gap, ...]] = field(repr=False)

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """Why there may be more accounts than are listed or have their id in `taken_ids`; empty if there are not."""
        return tuple(gap.why for gap in self.gap_finder())

    @property
    def complete(self) -> bool:
        """Whether there are certainly no other accounts."""
        return not self.gaps

    @cached_property
    def complete_but_for_packages(self) -> bool:
        """Whether other accounts can only come from packages of the distribution.

        Those use ids below 1000 (Debian policy 9.2.2; Fedora's and Alpine's packages likewise).
        """
        return all(gap.packages for gap in self.gap_finder())

    def user(self, name: str) -> UserAccount | None:
        """The account of a name, or of a number: the first in the list that has it, as /etc/passwd is read."""
        if name in self.users:
            return self.users[name]
        if not (name.isascii() and name.isdigit() and len(name) < 11):
            return None
        return next((account for account in self.users.values() if account.uid == Known(int(name))), None)

    def gid_taken(self, gid: int) -> bool:
        """Whether a group of that id is known to be there."""
        return gid in self.taken_ids or any(group.gid == Known(gid) for group in self.groups.values())

    def uid_taken(self, uid: int) -> bool:
        """Whether a user of that id is known to be there."""
        return uid in self.taken_ids or any(user.uid == Known(uid) for user in self.users.values())


@dataclass(frozen=True, slots=True)
class _Gap:
    why: str
    packages: bool = False


class History:
    """What the instructions of a stage do to its accounts; kept for as long as the facts that it belongs to.

    `positions` are those of the instructions by where they begin, `commands` the commands with the position of theirs.
    """

    def __init__(self, positions: Mapping[int, int], commands: tuple[tuple[int, Step], ...]) -> None:
        self.positions = positions
        self.commands = commands
        self.gaps: tuple[tuple[int, _Gap], ...] | None = None
        self.ledger: tuple[int, _Ledger] | None = None
        self.last: _Ledger | None = None


_MENTIONS: Final = re.compile(
    r"useradd|adduser|groupadd|addgroup|usermod|groupmod|userdel|deluser|groupdel|delgroup|newusers|/etc/(?:passwd|group)"
)
_COMMANDS: Final = frozenset(
    ["useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod", "userdel", "deluser", "groupdel", "delgroup"]
)


def history_of(facts: BuildFacts, stage: Stage) -> History:
    """What a stage's instructions do to accounts; instructions whose text has no such command are not parsed."""
    positions: dict[int, int] = {}
    found: list[tuple[int, Step]] = []
    for position, instruction in enumerate(stage.program):
        positions[instruction.span.start] = position
        if not isinstance(instruction, Run):
            continue
        text = instruction.script.text if instruction.script is not None else instruction.logical.text
        if _MENTIONS.search(text):
            steps = facts.commands(instruction).steps
            found += ((position, step) for step in steps if _program(step) is not None)
    return History(MappingProxyType(positions), tuple(found))


def accounts(facts: BuildFacts, at: Instruction | Stage) -> Accounts:
    """The accounts when an instruction runs, before its own effect; or at the end of a stage."""
    stage = at if isinstance(at, Stage) else facts.stage_of(at)
    if stage is None:
        return Accounts({}, {}, frozenset(), lambda: (_Gap("nothing runs before a FROM"),))
    chain = facts.graph.chain(stage)[::-1]
    end = len(stage.program)
    if not isinstance(at, Stage):
        end = facts.account_history(stage).positions.get(at.span.start, 0)
    ledger = _ledger(facts, chain, end)
    return Accounts(
        MappingProxyType(ledger.users),
        MappingProxyType(ledger.groups),
        stage.base.taken_ids if stage.base is not None else frozenset(),
        lambda: tuple(dict.fromkeys(_gaps(facts, chain, end))),
    )


def accounts_before(facts: BuildFacts, run: Run, step: Step) -> Accounts:
    """The accounts when a command of a RUN is executed: those before the RUN, and what the RUN did before it."""
    before = accounts(facts, run)
    stage = facts.stage_of(run)
    if stage is None:
        return before
    history = facts.account_history(stage)
    position = history.positions.get(run.span.start)
    ledger = _ledger(facts, facts.graph.chain(stage)[::-1], position or 0).copy()
    for at, other in history.commands:
        if at == position and other.command.start < step.command.start:
            ledger.apply(other)

    def gaps() -> tuple[_Gap, ...]:
        own = (
            gap
            for other in facts.commands(run).steps
            if other.command.start < step.command.start
            for gap in _step_gaps(other, run.start_line)
        )
        return tuple(dict.fromkeys((*before.gap_finder(), *own)))

    return Accounts(MappingProxyType(ledger.users), MappingProxyType(ledger.groups), before.taken_ids, gaps)


def _ledger(facts: BuildFacts, chain: Sequence[Stage], end: int) -> _Ledger:
    """The ledger before the position `end` of the last stage of a chain.

    The ends of the stages before it are kept, and the last answer for it, since questions mostly come in order.
    """
    histories = [facts.account_history(stage) for stage in chain]
    known = max((index for index, each in enumerate(histories[:-1]) if each.last is not None), default=None)
    ledger = (histories[known].last if known is not None else None) or _Ledger(chain[0])
    for history in histories[known + 1 if known is not None else 0 : -1]:
        if history.commands:
            ledger = ledger.copy()
            for _, step in history.commands:
                ledger.apply(step)
        history.last = ledger
    history = histories[-1]
    wanted = bisect_left(history.commands, end, key=lambda each: each[0])
    done = 0
    if history.ledger is not None and history.ledger[0] <= wanted:
        done, ledger = history.ledger
    if done < wanted:
        ledger = ledger.copy()
        for _, step in history.commands[done:wanted]:
            ledger.apply(step)
    history.ledger = (wanted, ledger)
    return ledger


def account_program(step: Step) -> tuple[str, int] | None:
    """The account command that a step is, sudo looked through, and the index of the word of its first argument."""
    for index, word in enumerate(step.command.words[:4]):
        name = word.value.rpartition("/")[2] if word.value is not None else None
        if name in _COMMANDS:
            return name, index + 1
        if index == 0 and name not in ("sudo", "doas", "env", "command", "exec"):
            return None
    return None


def _program(step: Step) -> tuple[str, tuple[str | None, ...]] | None:
    """The account command that a step is, and the values of its arguments."""
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
_GROUPADD_VALUED: Final = MappingProxyType(
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
_BUSYBOX_VALUED: Final = MappingProxyType(
    {
        **dict.fromkeys(("-u", "--uid"), "uid"),
        **dict.fromkeys(("-G", "--ingroup"), "ingroup"),
        **dict.fromkeys(("-h", "--home"), "home"),
        **dict.fromkeys(("-g", "--gecos", "-s", "--shell", "-k", "--skel"), "other"),
    }
)
_BUSYBOX_GROUP_VALUED: Final = MappingProxyType({**dict.fromkeys(("-g", "--gid"), "gid")})


def option_kinds(program: str, family: str, arguments: Sequence[str | None]) -> Mapping[str, str]:
    """What the options of an account command that take a value give: `uid`, `gid`, `ingroup`, `home`, ...

    On a distribution that is not known, flags that only busybox has show which `adduser` and `addgroup` are meant.
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
            return _GROUPADD_VALUED
        case "adduser":
            if family in ("rhel", "fedora"):
                return SHADOW_VALUED
            return _BUSYBOX_VALUED if busybox else _DEBIAN_VALUED
        case "addgroup":
            return _BUSYBOX_GROUP_VALUED if busybox else _DEBIAN_VALUED
        case _:
            return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Parsed:
    options: Mapping[str, str | None]
    flags: frozenset[str]
    operands: tuple[str | None, ...]


def _parse(arguments: Sequence[str | None], valued: Mapping[str, str]) -> _Parsed:
    """getopt's reading: `-u 5`, `-u5`, `--uid 5`, `--uid=5`, clusters of flags; options may stand behind operands."""
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
    return _Parsed(options, frozenset(flags), tuple(operands))


USER_GIDS: Final = range(1000, 60_001)
"""GID_MIN to GID_MAX of /etc/login.defs: for another uid useradd gives the user's own group the next free number."""

SYSTEM_GIDS: Final = range(201, 1000)
"""SYS_GID_MIN to SYS_GID_MAX: the same for `useradd -r`. Debian's begin at 101, those of Fedora and RHEL at 201."""

_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND


class _Ledger:
    """The accounts while commands are applied to them, one by one."""

    def __init__(self, stage: Stage) -> None:
        self.family = stage.base.family if stage.base is not None else ""
        self.taken = stage.base.taken_ids if stage.base is not None else frozenset()
        self.users: dict[str, UserAccount] = {}
        self.groups: dict[str, GroupAccount] = {}
        for name, uid, gid, home in _base_users(stage):
            self.users[name] = UserAccount(name, Known(uid), Known(gid), Known(home))
            if uid == gid:
                self.groups[name] = GroupAccount(name, Known(gid))
        if stage.base is not None and self.family != "scratch":
            self.groups.setdefault("root", GroupAccount("root", Known(0)))

    def copy(self) -> _Ledger:
        """The same accounts, to be changed apart."""
        other = copy(self)
        other.users, other.groups = dict(self.users), dict(self.groups)
        return other

    def apply(self, step: Step) -> None:
        program = _program(step)
        if program is None:
            return
        name, arguments = program
        before_users, before_groups = (dict(self.users), dict(self.groups)) if self.uncertain(step) else (None, None)
        if name == "adduser" and self.family in ("rhel", "fedora"):
            name = "useradd"
        kinds = option_kinds(name, self.family, arguments)
        if name == "useradd":
            self.useradd(_parse(arguments, kinds), step.command)
        elif name == "adduser":
            self.adduser(_parse(arguments, kinds), step.command, kinds is _BUSYBOX_VALUED)
        elif name in ("groupadd", "addgroup"):
            self.groupadd(_parse(arguments, kinds), step.command)
        elif name in ("usermod", "groupmod"):
            self.modify(name, arguments, step.command)
        else:
            self.remove(name, arguments)
        if before_users is not None and before_groups is not None:
            self.doubt(before_users, before_groups)

    @staticmethod
    def uncertain(step: Step) -> bool:
        return bool(step.command.context & _UNCERTAIN)

    def doubt(self, users: Mapping[str, UserAccount], groups: Mapping[str, GroupAccount]) -> None:
        """What a conditional command changed is there or not, so its ids are unknown."""
        why = Unknown("it is set in a branch or a loop")
        for name, user in self.users.items():
            if users.get(name) is not user:
                self.users[name] = UserAccount(name, why, why, why, user.created_by)
        for name, group in self.groups.items():
            if groups.get(name) is not group:
                self.groups[name] = GroupAccount(name, why, group.created_by)
        self.users.update((name, user) for name, user in users.items() if name not in self.users)
        self.groups.update((name, group) for name, group in groups.items() if name not in self.groups)

    def group_id(self, text: str | None) -> Fact[int]:
        """The gid that `-g TEXT` means."""
        if text is None:
            return Unknown("the group is not literal")
        if text.isascii() and text.isdigit() and len(text) < 11:
            return Known(int(text))
        group = self.groups.get(text)
        return group.gid if group is not None else Unknown(f"the gid of {text} is not known")

    def gid_free(self, gid: int) -> bool:
        return gid not in self.taken and not any(group.gid == Known(gid) for group in self.groups.values())

    def useradd(self, parsed: _Parsed, command: SimpleCommand) -> None:
        name = parsed.operands[-1] if parsed.operands else None
        if name is None or parsed.flags & {"-D", "--defaults"}:
            return
        uid = _number(parsed.options.get("uid"), "uid" in parsed.options, "useradd chooses the uid")
        base = parsed.options.get("base", "/home")
        home = parsed.options.get("home", posixpath.join(base, name) if base is not None else None)
        if "gid" in parsed.options:
            gid = self.group_id(parsed.options["gid"])
        elif parsed.flags & {"-N", "--no-user-group"}:
            gid = Unknown("useradd -N takes the group of /etc/default/useradd")
        else:
            system = bool(parsed.flags & {"-r", "--system"})
            gid = self.own_group(name, uid, command, SYSTEM_GIDS if system else USER_GIDS)
        self.users[name] = UserAccount(name, uid, gid, _text(home, "the home directory is not literal"), command)

    def own_group(self, name: str, uid: Fact[int], command: SimpleCommand, gids: range | None = None) -> Fact[int]:
        """The group of the user's name that is created with it: of the same number, if that is free and in `gids`."""
        gid: Fact[int] = Unknown("the gid is chosen when the user is created")
        if isinstance(uid, Known) and self.gid_free(uid.value) and (gids is None or uid.value in gids):
            gid = uid
        self.groups.setdefault(name, GroupAccount(name, gid, command))
        return self.groups[name].gid

    def adduser(self, parsed: _Parsed, command: SimpleCommand, busybox: bool) -> None:
        if len(parsed.operands) != 1:
            return  # adduser USER GROUP adds a member
        name = parsed.operands[0]
        if name is None:
            return
        system = bool(parsed.flags & {"-S", "--system"})
        uid = _number(parsed.options.get("uid"), "uid" in parsed.options, "adduser chooses the uid")
        home: Fact[str] = Known(posixpath.join("/home", name))
        if "home" in parsed.options:
            home = _text(parsed.options["home"], "the home directory is not literal")
        elif system and not busybox:
            home = Unknown("adduser --system uses /home/NAME or /nonexistent, by its version")
        if "ingroup" in parsed.options:
            gid = self.group_id(parsed.options["ingroup"])
        elif "gid" in parsed.options:
            gid = self.group_id(parsed.options["gid"])
        elif system and "--group" not in parsed.flags:
            gid = self.group_id("nogroup")
        elif busybox:
            gid = self.own_group(name, uid, command)
        else:
            gid = Unknown("adduser chooses the gid")
            self.groups.setdefault(name, GroupAccount(name, gid, command))
        self.users[name] = UserAccount(name, uid, gid, home, command)

    def groupadd(self, parsed: _Parsed, command: SimpleCommand) -> None:
        if len(parsed.operands) != 1 or parsed.operands[0] is None:
            return  # addgroup USER GROUP adds a member
        name = parsed.operands[0]
        gid = _number(parsed.options.get("gid"), "gid" in parsed.options, "the gid is chosen when the group is created")
        if name in self.groups and parsed.flags & {"-f", "--force"}:
            return
        self.groups[name] = GroupAccount(name, gid, command)

    def modify(self, program: str, arguments: Sequence[str | None], command: SimpleCommand) -> None:
        parsed = _parse(arguments, SHADOW_VALUED if program == "usermod" else _GROUPADD_VALUED)
        name = parsed.operands[-1] if parsed.operands else None
        if name is None:
            return
        new = parsed.options.get("login", name) or name
        if program == "groupmod":
            group = self.groups.pop(name, GroupAccount(name, Unknown("the group is not known"), command))
            gid = self.group_id(parsed.options["gid"]) if "gid" in parsed.options else group.gid
            self.groups[new] = GroupAccount(new, gid, command)
            for user in list(self.users.values()):
                if (
                    isinstance(group.gid, Known) and user.gid == group.gid
                ):  # groupmod(8): users keep it as their primary group
                    self.users[user.name] = replace(user, gid=gid)
            return
        why = Unknown("the user is not known")
        user = self.users.pop(name, UserAccount(name, why, why, why, command))
        options = parsed.options
        self.users[new] = UserAccount(
            new,
            _number(options["uid"], True, "") if "uid" in options else user.uid,
            self.group_id(options["gid"]) if "gid" in options else user.gid,
            _text(options["home"], "the home directory is not literal") if "home" in options else user.home,
            command,
        )

    def remove(self, program: str, arguments: Sequence[str | None]) -> None:
        operands = [word for word in arguments if word is not None and not word.startswith("-")]
        if len(operands) != 1:
            return  # deluser USER GROUP removes a member
        if program in ("userdel", "deluser"):
            self.users.pop(operands[0], None)
        else:
            self.groups.pop(operands[0], None)


def _number(text: str | None, given: bool, why: str) -> Fact[int]:
    if not given:
        return Unknown(why)
    if text is not None and text.isascii() and text.isdigit() and len(text) < 11:
        return Known(int(text))
    return Unknown("the number is not literal")


def _text(text: str | None, why: str) -> Fact[str]:
    return Known(text) if text is not None else Unknown(why)


# base-passwd's passwd.master; alpine-baselayout's passwd; setup's passwd of Fedora and RHEL.
_DEBIAN: Final = (
    ("root", 0, 0, "/root"),
    ("daemon", 1, 1, "/usr/sbin"),
    ("bin", 2, 2, "/bin"),
    ("sys", 3, 3, "/dev"),
    ("mail", 8, 8, "/var/mail"),
    ("www-data", 33, 33, "/var/www"),
    ("backup", 34, 34, "/var/backups"),
    ("nobody", 65534, 65534, "/nonexistent"),
)
_ALPINE: Final = (
    ("root", 0, 0, "/root"),
    ("bin", 1, 1, "/bin"),
    ("daemon", 2, 2, "/sbin"),
    ("guest", 405, 100, "/dev/null"),
    ("nobody", 65534, 65534, "/"),
)
_RHEL: Final = (("root", 0, 0, "/root"), ("bin", 1, 1, "/bin"), ("nobody", 65534, 65534, "/"))
_BY_FAMILY: Final = MappingProxyType(
    {"debian": _DEBIAN, "ubuntu": _DEBIAN, "alpine": _ALPINE, "rhel": _RHEL, "fedora": _RHEL}
)
# nodejs/docker-node: groupadd --gid 1000 node && useradd --uid 1000 --gid node; likewise with busybox on Alpine.
_BY_IMAGE: Final = MappingProxyType({"library/node": (("node", 1000, 1000, "/home/node"),)})
# Images that make accounts for what they run, beside those of their distribution; not all of them are listed above.
_WITH_ACCOUNTS: Final = frozenset(
    """
    caddy composer docker drupal gradle haproxy httpd mariadb mongo mysql neo4j nginx postgres r-base rabbitmq redis
    traefik wordpress
    """.split()  # noqa: SIM905 - a list of quoted words would be no clearer
)
_DISTRIBUTIONS: Final = ("almalinux/", "nvidia/cuda", "redhat/", "rockylinux/")


def _base_users(stage: Stage) -> tuple[tuple[str, int, int, str], ...]:
    if stage.base is None:
        return ()
    users: tuple[tuple[str, int, int, str], ...] = _BY_FAMILY.get(stage.base.family, ())
    ref = parse_image_ref(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
    return users + (_BY_IMAGE.get(ref.repository, ()) if ref is not None else ())


# Programs that create no accounts, whatever their arguments. Shell builtins, coreutils, and what fetches and unpacks.
_HARMLESS: Final = (
    frozenset(
        [
            ".",
            ":",
            "[",
            "[[",
            "test",
            "true",
            "false",
            "echo",
            "printf",
            "cd",
            "set",
            "export",
            "unset",
            "exit",
            "mkdir",
            "rmdir",
            "rm",
            "ls",
            "cat",
            "chmod",
            "chown",
            "chgrp",
            "touch",
            "sleep",
            "date",
            "head",
            "tail",
            "grep",
            "sort",
            "uniq",
            "tr",
            "cut",
            "wc",
            "id",
            "getent",
            "which",
            "command",
            "type",
            "pwd",
            "umask",
            "ulimit",
            "trap",
            "wait",
            "find",
            "du",
            "df",
            "stat",
            "basename",
            "dirname",
            "curl",
            "wget",
            "git",
            "gpg",
            "sha256sum",
            "sha512sum",
            "md5sum",
        ]
    )
    | _COMMANDS
)
_LANGUAGE_MANAGERS: Final = frozenset(("pip", "uv", "poetry", "pdm", "pipenv", "npm", "yarn", "pnpm", "gem", "bundler"))


def _gaps(facts: BuildFacts, chain: Sequence[Stage], end: int) -> Iterator[_Gap]:
    base = chain[-1].base
    if base is None:
        yield _Gap("the base image is not known")
    elif base.family not in _BY_FAMILY and base.family != "scratch":
        yield _Gap("the accounts of the base image are not known")
    elif base.family != "scratch":
        yield from _base_gaps(chain[-1])
    for stage in chain:
        history = facts.account_history(stage)
        if history.gaps is None:
            history.gaps = tuple(_stage_gaps(facts, stage))
        yield from (gap for position, gap in history.gaps if stage is not chain[-1] or position < end)


def _base_gaps(stage: Stage) -> Iterator[_Gap]:
    """Accounts of a base image that its distribution does not have."""
    ref = parse_image_ref(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
    name = ref.repository if ref is not None and ref.registry == "docker.io" else None
    if name is None or name.startswith(_DISTRIBUTIONS):
        return
    if name.startswith("library/") and name.removeprefix("library/") not in _WITH_ACCOUNTS:
        return
    yield _Gap(f"the image {name} may have accounts of its own", packages=name.startswith("library/"))


def _stage_gaps(facts: BuildFacts, stage: Stage) -> Iterator[tuple[int, _Gap]]:
    for position, instruction in enumerate(stage.program):
        if isinstance(instruction, Copy | Add):
            yield from ((position, gap) for gap in _copied(facts, instruction))
        elif isinstance(instruction, Run):
            yield from ((position, gap) for gap in _run_gaps(facts, instruction))


def _copied(facts: BuildFacts, instruction: Copy | Add) -> Iterator[_Gap]:
    target = facts.state(instruction).expand(instruction.destination.text) if instruction.destination else Known("")
    if not isinstance(target, Known):
        yield _Gap(f"what the {instruction.name} in line {instruction.start_line} writes is not known")
        return
    path = target.value
    if not path.startswith("/"):
        workdir = facts.state(instruction).workdir
        if not isinstance(workdir, Known):
            return  # a base image whose working directory is / or /etc would be a first
        path = posixpath.join(workdir.value, path)
    if normal_path(path) == "/" or re.match(r"/+etc(?:/+(?:passwd|group)?)?/*\Z", path):
        yield _Gap(f"the {instruction.name} in line {instruction.start_line} may bring an /etc/passwd")


def _run_gaps(facts: BuildFacts, instruction: Run) -> Iterator[_Gap]:
    commands = facts.commands(instruction)
    line = instruction.start_line
    if commands.script is None and not commands.steps:
        yield _Gap(f"the RUN in line {line} could not be read")
        return
    for step in commands.steps:
        yield from _step_gaps(step, line)


def _step_gaps(step: Step, line: int) -> Iterator[_Gap]:
    manager = step.package.manager if step.package is not None else None
    name = step.command.basename
    program = _program(step)
    if any(each.target is not None and "/etc/" in each.target.text for each in step.command.redirects):
        yield _Gap(f"the RUN in line {line} writes into /etc")
    if manager in SYSTEM_MANAGERS:
        yield _Gap(f"packages of line {line} may create accounts", packages=True)
    elif program is not None:
        if None in program[1]:
            yield _Gap(f"the {program[0]} in line {line} is not literal")
    elif manager not in _LANGUAGE_MANAGERS and name not in _HARMLESS and step.command.words:
        yield _Gap(f"{name or 'a command'} in line {line} may create accounts")
