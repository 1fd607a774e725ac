"""What the commands of a build do to its users and groups, replayed step by step.

Sources: shadow's useradd(8), usermod(8) and groupadd(8) (USERGROUPS_ENAB is yes on Debian, Ubuntu, Fedora and RHEL, so
useradd creates a group of the user's name); Debian's adduser(8); busybox `loginutils/adduser.c` and `addgroup.c`.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dockfix.facts.accounts.commands import (
    BUSYBOX_USER_VALUED,
    GROUPADD_VALUED,
    SHADOW_VALUED,
    ParsedArguments,
    option_kinds,
    parse_arguments,
    program_values,
)
from dockfix.facts.accounts.gaps import base_gaps, stage_gaps, step_gaps
from dockfix.facts.accounts.model import Accounts, Gap, GroupAccount, UserAccount
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.stages import Stage, StageGraph
from dockfix.facts.tables.accounts import FAMILIES, IMAGE_USERS, RHEL_FAMILIES, SYSTEM_GIDS, USER_GIDS, BaseUser
from dockfix.syntax.shell import Context, SimpleCommand
from dockfix.syntax.tree import Instruction, Run

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.state import State

_MENTIONS: Final = re.compile(
    r"useradd|adduser|groupadd|addgroup|usermod|groupmod|userdel|deluser|groupdel|delgroup|newusers|/etc/(?:passwd|group)"
)


class History:
    """What the instructions of a stage do to its accounts; cached with the facts.

    `positions` maps the start of each instruction to its position, `commands` are the commands with theirs.
    """

    def __init__(self, positions: Mapping[int, int], commands: tuple[tuple[int, Step], ...]) -> None:
        self.positions = positions
        self.commands = commands
        self.gaps: tuple[tuple[int, Gap], ...] | None = None
        self.first_gaps: dict[bool, int] = {}
        self.earlier_kinds: frozenset[bool] | None = None
        self.ledger: tuple[int, _Ledger] | None = None
        self.last: _Ledger | None = None
        self.inside: tuple[int, int, _Ledger] | None = None
        self.run_gaps: dict[int, tuple[tuple[int, Gap], ...]] = {}


class AccountReplay:
    """The accounts at each point of one build, cached."""

    def __init__(
        self,
        graph: StageGraph,
        state: Callable[[Instruction], State],
        commands: Callable[[Instruction], Commands],
    ) -> None:
        self._graph = graph
        self._state = state
        self._commands = commands
        self._histories: dict[int, History] = {}
        self._bases: dict[int, _Ledger] = {}

    def history(self, stage: Stage) -> History:
        """What the instructions of a stage do to accounts; instructions without such a command are not parsed."""
        if stage.index not in self._histories:
            self._histories[stage.index] = self._read(stage)
        return self._histories[stage.index]

    def _read(self, stage: Stage) -> History:
        positions: dict[int, int] = {}
        found: list[tuple[int, Step]] = []
        for position, instruction in enumerate(stage.program):
            positions[instruction.span.start] = position
            if not isinstance(instruction, Run):
                continue
            text = instruction.script.text if instruction.script is not None else instruction.logical.text
            if _MENTIONS.search(text):
                steps = self._commands(instruction).steps
                found += ((position, step) for step in steps if program_values(step) is not None)
        return History(MappingProxyType(positions), tuple(found))

    def before(self, stage: Stage | None, instruction: Instruction) -> Accounts:
        """The accounts when an instruction of a stage runs, before its own effect."""
        if stage is None:
            gap = Gap("nothing runs before a FROM")
            return Accounts({}, {}, frozenset(), {}, lambda: (gap,), lambda: frozenset({gap.packages}))
        return self._accounts(stage, self.history(stage).positions.get(instruction.span.start, 0))

    def at_end(self, stage: Stage) -> Accounts:
        """The accounts at the end of a stage."""
        return self._accounts(stage, len(stage.program))

    def _accounts(self, stage: Stage, end: int) -> Accounts:
        ledger = self._ledger(stage, end)
        return Accounts(
            MappingProxyType(ledger.users),
            MappingProxyType(ledger.groups),
            stage.base.taken_ids if stage.base is not None else frozenset(),
            ledger.groups.gids,
            lambda: self._gaps(stage, end),
            lambda: self._gap_kinds(stage, end),
        )

    def before_command(self, stage: Stage | None, run: Run, step: Step) -> Accounts:
        """The accounts when a command of a RUN is executed: those before the RUN, and what the RUN did before it."""
        before = self.before(stage, run)
        if stage is None:
            return before
        history = self.history(stage)
        position = history.positions.get(run.span.start)
        ledger = self._inside(stage, history, position or 0, step)

        def own_gaps() -> tuple[tuple[int, Gap], ...]:
            if run.span.start not in history.run_gaps:
                steps = self._commands(run).steps
                found = ((each.command.start, gap) for each in steps for gap in step_gaps(each, run.start_line))
                history.run_gaps[run.span.start] = tuple(found)
            return history.run_gaps[run.span.start]

        def gaps() -> tuple[Gap, ...]:
            own = (gap for start, gap in own_gaps() if start < step.command.start)
            return tuple(dict.fromkeys((*before.gap_finder(), *own)))

        def kinds() -> frozenset[bool]:
            found = before.gap_kinds()
            if len(found) < 2:
                found |= {gap.packages for start, gap in own_gaps() if start < step.command.start}
            return found

        users, groups = MappingProxyType(ledger.users), MappingProxyType(ledger.groups)
        return Accounts(users, groups, before.taken_ids, ledger.groups.gids, gaps, kinds)

    def _inside(self, stage: Stage, history: History, position: int, step: Step) -> _Ledger:
        """The ledger before a command of the RUN at a position; the last answer is kept, since calls come in order."""
        first = bisect_left(history.commands, position, key=lambda each: each[0])
        kept = history.inside
        earlier = kept is not None and kept[0] == position and kept[1] > first
        wanted = kept[1] if kept is not None and earlier and self._is_before(history, kept[1] - 1, step) else first
        while (
            wanted < len(history.commands)
            and history.commands[wanted][0] == position
            and history.commands[wanted][1].command.start < step.command.start
        ):
            wanted += 1
        if kept is not None and kept[0] == position and kept[1] <= wanted:
            done, ledger = kept[1:]
        else:
            done, ledger = first, self._ledger(stage, position)
        if done < wanted:
            ledger = ledger.copy()
            for _, other in history.commands[done:wanted]:
                ledger.apply(other)
        history.inside = (position, wanted, ledger)
        return ledger

    @staticmethod
    def _is_before(history: History, index: int, step: Step) -> bool:
        return history.commands[index][1].command.start < step.command.start

    def _ledger(self, stage: Stage, end: int) -> _Ledger:
        """The ledger before the position `end` of a stage; the last answer is kept: calls mostly come in order."""
        history = self.history(stage)
        wanted = bisect_left(history.commands, end, key=lambda each: each[0])
        done, ledger = 0, self._start(stage)
        if history.ledger is not None and history.ledger[0] <= wanted:
            done, ledger = history.ledger
        if done < wanted:
            ledger = ledger.copy()
            for _, step in history.commands[done:wanted]:
                ledger.apply(step)
        history.ledger = (wanted, ledger)
        return ledger

    def _start(self, stage: Stage) -> _Ledger:
        """The ledger at the start of a stage: the one at the end of the stage that it is based on, which is kept."""
        above: list[Stage] = []
        at = stage
        while at.parent is not None and (not above or self.history(above[-1]).last is None):
            at = self._graph.stages[at.parent]
            above.append(at)
        ledger = self.history(above[-1]).last if above else None
        if ledger is None:
            if at.index not in self._bases:
                self._bases[at.index] = _Ledger(at)
            ledger = self._bases[at.index]
        for each in reversed(above):
            history = self.history(each)
            if history.last is None:
                if history.commands:
                    ledger = ledger.copy()
                    for _, step in history.commands:
                        ledger.apply(step)
                history.last = ledger
            ledger = history.last
        return ledger

    def _own_gaps(self, stage: Stage) -> tuple[tuple[int, Gap], ...]:
        """The gaps of the instructions of a stage, with their positions."""
        history = self.history(stage)
        if history.gaps is None:
            history.gaps = tuple(stage_gaps(stage, self._state, self._commands))
            for position, gap in history.gaps:
                history.first_gaps.setdefault(gap.packages, position)
        return history.gaps

    def _gaps(self, stage: Stage, end: int) -> tuple[Gap, ...]:
        gaps = list(base_gaps(stage))
        for each in reversed(self._graph.chain(stage)):
            gaps += (gap for position, gap in self._own_gaps(each) if each is not stage or position < end)
        return tuple(dict.fromkeys(gaps))

    def _gap_kinds(self, stage: Stage, end: int) -> frozenset[bool]:
        """The kinds of the gaps before a position of a stage; those at its start are kept."""
        unknown: list[Stage] = []
        at: Stage | None = stage
        while at is not None and self.history(at).earlier_kinds is None:
            unknown.append(at)
            at = self._graph.stages[at.parent] if at.parent is not None else None
        for each in reversed(unknown):
            history = self.history(each)
            if each.parent is None:
                history.earlier_kinds = frozenset(gap.packages for gap in base_gaps(stage))
            else:
                history.earlier_kinds = self._kinds_before(self._graph.stages[each.parent], None)
        return self._kinds_before(stage, end)

    def _kinds_before(self, stage: Stage, end: int | None) -> frozenset[bool]:
        history = self.history(stage)
        self._own_gaps(stage)
        own = {kind for kind, position in history.first_gaps.items() if end is None or position < end}
        return (history.earlier_kinds or frozenset()) | own


_OTHER_ROOT: Final = re.compile(r"-[RP]\Z|--(?:root|prefix)(?:=|\Z)")
"""Options of shadow's programs that name another root directory, whose accounts they change."""
_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND


class _Groups(dict[str, GroupAccount]):
    """Groups by name, with how often each GID is used."""

    def __init__(self, groups: Mapping[str, GroupAccount] = MappingProxyType({})) -> None:
        super().__init__(groups)
        own = groups.gids if isinstance(groups, _Groups) else map(_gid, groups.values())
        self.gids: Counter[int | None] = Counter(own)

    def __setitem__(self, name: str, group: GroupAccount) -> None:
        self._forget(name)
        self.gids[_gid(group)] += 1
        super().__setitem__(name, group)

    def remove(self, name: str) -> None:
        """Remove a group, if it exists."""
        self._forget(name)
        super().pop(name, None)

    def _forget(self, name: str) -> None:
        if name in self:
            self.gids[_gid(self[name])] -= 1


def _gid(group: GroupAccount) -> int | None:
    return group.gid.value if isinstance(group.gid, Known) else None


class _Ledger:
    """The accounts while commands are applied to them, one by one."""

    def __init__(self, stage: Stage) -> None:
        self.family = stage.base.family if stage.base is not None else ""
        self.taken = stage.base.taken_ids if stage.base is not None else frozenset()
        self.users: dict[str, UserAccount] = {}
        self.groups = _Groups()
        for name, uid, gid, home in _base_users(stage):
            self.users[name] = UserAccount(name, Known(uid), Known(gid), Known(home))
            if uid == gid:
                self.groups[name] = GroupAccount(name, Known(gid))
        if stage.base is not None and self.family != "scratch" and "root" not in self.groups:
            self.groups["root"] = GroupAccount("root", Known(0))

    def copy(self) -> _Ledger:
        """A copy of the accounts."""
        other = copy(self)
        other.users, other.groups = dict(self.users), _Groups(self.groups)
        return other

    def apply(self, step: Step) -> None:
        program = program_values(step)
        if program is None:
            return
        name, arguments = program
        if any(each is not None and _OTHER_ROOT.match(each) for each in arguments):
            return
        before_users, before_groups = (dict(self.users), dict(self.groups)) if self.uncertain(step) else (None, None)
        if name == "adduser" and self.family in RHEL_FAMILIES:
            name = "useradd"
        kinds = option_kinds(name, self.family, arguments)
        if name == "useradd":
            self.useradd(parse_arguments(arguments, kinds), step.command)
        elif name == "adduser":
            self.adduser(parse_arguments(arguments, kinds), step.command, kinds is BUSYBOX_USER_VALUED)
        elif name in ("groupadd", "addgroup"):
            self.groupadd(parse_arguments(arguments, kinds), step.command)
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
        """Mark the ids that a conditional command changed as unknown."""
        why = Unknown("it is set in a branch or a loop")
        for name, user in self.users.items():
            if users.get(name) is not user:
                self.users[name] = UserAccount(name, why, why, why, user.created_by)
        for name, group in list(self.groups.items()):
            if groups.get(name) is not group:
                self.groups[name] = GroupAccount(name, why, group.created_by)
        self.users.update((name, user) for name, user in users.items() if name not in self.users)
        for name, group in groups.items():
            if name not in self.groups:
                self.groups[name] = group

    def group_id(self, text: str | None) -> Fact[int]:
        """The gid that `-g TEXT` means."""
        if text is None:
            return Unknown("the group is not literal")
        if text.isascii() and text.isdigit() and len(text) < 11:
            return Known(int(text))
        group = self.groups.get(text)
        return group.gid if group is not None else Unknown(f"the gid of {text} is not known")

    def gid_free(self, gid: int) -> bool:
        return gid not in self.taken and not self.groups.gids[gid]

    def useradd(self, parsed: ParsedArguments, command: SimpleCommand) -> None:
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
        """The group created with a user, of the same name, and of the same number if that is free and in `gids`."""
        gid: Fact[int] = Unknown("the gid is chosen when the user is created")
        if isinstance(uid, Known) and self.gid_free(uid.value) and (gids is None or uid.value in gids):
            gid = uid
        if name not in self.groups:
            self.groups[name] = GroupAccount(name, gid, command)
        return self.groups[name].gid

    def adduser(self, parsed: ParsedArguments, command: SimpleCommand, busybox: bool) -> None:
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
            if name not in self.groups:
                self.groups[name] = GroupAccount(name, gid, command)
        self.users[name] = UserAccount(name, uid, gid, home, command)

    def groupadd(self, parsed: ParsedArguments, command: SimpleCommand) -> None:
        if len(parsed.operands) != 1 or parsed.operands[0] is None:
            return  # addgroup USER GROUP adds a member
        name = parsed.operands[0]
        gid = _number(parsed.options.get("gid"), "gid" in parsed.options, "the gid is chosen when the group is created")
        if name in self.groups and parsed.flags & {"-f", "--force"}:
            return
        self.groups[name] = GroupAccount(name, gid, command)

    def modify(self, program: str, arguments: Sequence[str | None], command: SimpleCommand) -> None:
        parsed = parse_arguments(arguments, SHADOW_VALUED if program == "usermod" else GROUPADD_VALUED)
        name = parsed.operands[-1] if parsed.operands else None
        if name is None:
            return
        new = parsed.options.get("login", name) or name
        if program == "groupmod":
            group = self.groups.get(name, GroupAccount(name, Unknown("the group is not known"), command))
            self.groups.remove(name)
            gid = self.group_id(parsed.options["gid"]) if "gid" in parsed.options else group.gid
            self.groups[new] = GroupAccount(new, gid, command)
            for user in list(self.users.values()):
                # groupmod(8): it stays the primary group of its users
                if isinstance(group.gid, Known) and user.gid == group.gid:
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
            self.groups.remove(operands[0])


def _number(text: str | None, given: bool, why: str) -> Fact[int]:
    if not given:
        return Unknown(why)
    if text is not None and text.isascii() and text.isdigit() and len(text) < 11:
        # shadow reads it as octal (`strtol` with base 0), busybox does not
        return Known(int(text)) if text[:1] != "0" or text == "0" else Unknown("the number begins with 0")
    return Unknown("the number is not literal")


def _text(text: str | None, why: str) -> Fact[str]:
    return Known(text) if text is not None else Unknown(why)


def _base_users(stage: Stage) -> tuple[BaseUser, ...]:
    if stage.base is None:
        return ()
    family = FAMILIES.get(stage.base.family)
    ref = parse_image_ref(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
    return (family.users if family is not None else ()) + (
        IMAGE_USERS.get(ref.repository, ()) if ref is not None else ()
    )
