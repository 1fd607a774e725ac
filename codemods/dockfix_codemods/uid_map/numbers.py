"""The numbers of users and groups in a Dockerfile: where an account gets its number, and where a number is used.

Sources: shadow's useradd(8), usermod(8) and groupadd(8); Debian's adduser(8); busybox `loginutils/adduser.c`; the
Dockerfile reference for USER, `--chown` and `RUN --mount`; chown(1) for `USER:GROUP`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from dockfix.facts.accounts.commands import account_program, option_kinds
from dockfix.facts.model import Known, known
from dockfix.syntax.shell import Word
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Add, Copy, Dockerfile, Expose, From, Instruction, Run, User

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts
    from dockfix.facts.accounts.model import UserAccount
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.stages import Stage

Kind = Literal["user", "group"]


class AccountNumber(Struct, frozen=True):
    """A place that sets the number of an account, or refers to an account by its number or name.

    Args:
        kind: user or group.
        name: the name of the account; empty where the place only has a number.
        number: the number; None if there is none, or a variable without a known value.
        text: the number as written.
        span: the digits; None if they are not in one piece.
        at: the command, flag or instruction.
        line: the line of `at`.
        creates: whether the place is a command that creates the account.
        created_here: whether this file creates the account, rather than the base image.
    """

    kind: Kind
    name: str
    number: int | None
    text: str
    span: Span | None
    at: Span
    line: int
    creates: bool = False
    created_here: bool = False


class CreatedUser(Struct, frozen=True):
    """A user that a stage creates, as it is at the end of the stage; None for an ID that is not in the file.

    `own_group` says whether its group is the one of its own name.
    """

    name: str
    uid: int | None
    gid: int | None
    own_group: bool
    at: Span
    line: int


_KINDS: Final[tuple[Kind, Kind]] = ("user", "group")
_OPTIONS: Final[Mapping[str, Kind]] = MappingProxyType({"uid": "user", "gid": "group"})
_USER_PROGRAMS: Final = frozenset(("useradd", "adduser"))
_GROUP_PROGRAMS: Final = frozenset(("groupadd", "addgroup"))


def account_numbers(facts: BuildFacts) -> Iterator[AccountNumber]:
    """All places of a Dockerfile that set or use a number, in order."""
    for stage in facts.graph.stages:
        for instruction in stage.executed:
            match instruction:
                case User() if instruction.args:
                    word = instruction.args[0]
                    yield from _owner(facts, instruction, word.text, word.span, instruction.span)
                case Copy() | Add():
                    flag = instruction.flag("chown")
                    if flag is not None and flag.value:
                        yield from _owner(facts, instruction, flag.value, flag.value_span, flag.span)
                case Run():
                    yield from _mounts(instruction)
                    commands = facts.commands(instruction)
                    for step in commands.steps:
                        yield from _commands(facts, stage, commands, step)
                case _:
                    pass


def created_users(facts: BuildFacts) -> Iterator[CreatedUser]:
    """The users that each stage creates, in order."""
    for stage in facts.graph.stages:
        accounts = facts.accounts(stage)
        own = {id(node) for node in stage.instructions}
        created: dict[int, list[UserAccount]] = {}
        for user in accounts.users.values():
            created.setdefault(id(user.created_by), []).append(user)
        for position, step in facts.account_history(stage).commands:
            run = stage.program[position]
            if id(run) not in own:
                continue  # an ONBUILD trigger of the parent, which is in another place
            for user in created.get(id(step.command), ()):
                group = accounts.groups.get(user.name)
                has_own = group is not None and group.gid == user.gid
                span = facts.commands(run).span(step.command)
                yield CreatedUser(user.name, known(user.uid), known(user.gid), has_own, span, _line(facts, span))


def number_spans(dockerfile: Dockerfile, number: int) -> Iterator[Span]:
    """Where a whole number occurs in the instructions of a Dockerfile, except FROM and EXPOSE."""
    for instruction in dockerfile.instructions:
        if isinstance(instruction, From | Expose):
            continue
        logical = instruction.logical
        for found in re.finditer(rf"(?<![\d.]){number}(?![\d.])", logical.text):
            yield logical.span(found.start(), found.end())
        for heredoc in instruction.heredocs:
            for found in re.finditer(rf"(?<![\d.]){number}(?![\d.])", heredoc.content):
                yield Span(heredoc.body.start + found.start(), heredoc.body.start + found.end())


def _line(facts: BuildFacts, span: Span) -> int:
    return facts.dockerfile.positions.line(span.start)


def _owner(
    facts: BuildFacts, instruction: Instruction, text: str, span: Span | None, at: Span
) -> Iterator[AccountNumber]:
    """The accounts of `USER[:GROUP]`, as in USER and `--chown`."""
    line = _line(facts, at)
    expanded = facts.state(instruction).expand(text) if "$" in text else Known(text)
    if not isinstance(expanded, Known):
        yield AccountNumber("user", "", None, text, None, at, line)
        return
    exact = "$" not in text and span is not None and span.end - span.start == len(text)
    start = span.start if span is not None and exact else None
    for kind, part in zip(_KINDS, expanded.value.split(":"), strict=False):
        number = _number(part)
        where = Span(start, start + len(part)) if start is not None and number is not None else None
        if number is not None:
            yield AccountNumber(kind, "", number, part if exact else text, where, at, line)
        elif part:
            created = _is_created(facts.accounts(instruction), kind, part)
            yield AccountNumber(kind, part, None, part, None, at, line, created_here=created)
        if start is not None:
            start += len(part) + 1


def _is_created(accounts: Accounts, kind: Kind, name: str) -> bool:
    account = accounts.users.get(name) if kind == "user" else accounts.groups.get(name)
    return account is not None and account.created_by is not None


def _mounts(run: Run) -> Iterator[AccountNumber]:
    for mount in run.mounts:
        for option in mount.options:
            kind = _OPTIONS.get(option.key)
            if kind is not None and option.value:
                number = _number(option.value)
                span = option.value_span if number is not None else None
                yield AccountNumber(kind, "", number, option.value, span, mount.span, run.start_line)


def _commands(facts: BuildFacts, stage: Stage, commands: Commands, step: Step) -> Iterator[AccountNumber]:
    program = account_program(step)
    at = commands.span(step.command)
    line = _line(facts, at)
    if program is not None:
        for kind, name, text, digits in _account_command(stage, step, *program):
            span = commands.span(digits) if digits is not None else None
            exact = span is not None and span.end - span.start == len(text)
            creates = bool(name)
            yield AccountNumber(kind, name, _number(text), text, span if exact else None, at, line, creates, creates)
    elif step.command.basename in ("chown", "chgrp"):
        yield from _chown(commands, step, at, line)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None


def _account_command(
    stage: Stage, step: Step, program: str, first: int
) -> Iterator[tuple[Kind, str, str, Word | None]]:
    """The accounts of a command: kind, name (empty for the group of a user), number as written, digits."""
    words = list(step.command.words[first:])
    family = stage.base.family if stage.base is not None else ""
    kinds = option_kinds(program, family, [word.value for word in words])
    given: dict[str, tuple[str, Word | None]] = {}
    operands: list[str] = []
    while words:
        word = words.pop(0)
        value = word.value if word.value is not None else word.text
        if not value.startswith("-") or value == "-":
            operands.append(word.value or "")
            continue
        option, equals, tail = value.partition("=") if value.startswith("--") else _short(value, kinds)
        kind = kinds.get(option)
        if kind is None:
            continue
        if not equals and not tail and words:
            word = words.pop(0)
            tail = word.value if word.value is not None else word.text
        given[kind] = (tail, _digits(word, tail))
    if len(operands) != 1 or not operands[0]:
        return
    if program in _USER_PROGRAMS:
        text, digits = given.get("uid", ("", None))
        yield "user", operands[0], text, digits
        if "gid" in given and _number(given["gid"][0]) is not None:
            yield "group", "", *given["gid"]
    elif program in _GROUP_PROGRAMS:
        text, digits = given.get("gid", ("", None))
        yield "group", operands[0], text, digits


def _short(value: str, kinds: Mapping[str, str]) -> tuple[str, str, str]:
    """The option of a cluster of short ones that takes a value, and the value if it is in the same word."""
    for index, letter in enumerate(value[1:], 1):
        if f"-{letter}" in kinds:
            return f"-{letter}", "", value[index + 1 :]
    return value, "", ""


def _digits(word: Word, value: str) -> Word | None:
    """The part of a word that holds the digits of a number."""
    at = word.text.rfind(value)
    if at < 0 or _number(value) is None:
        return None
    return Word(word.start + at, word.start + at + len(value), value, value)


def _chown(commands: Commands, step: Step, at: Span, line: int) -> Iterator[AccountNumber]:
    """The owners that `chown USER:GROUP` and `chgrp GROUP` name by number."""
    owner = next((word for word in step.command.args if not word.text.startswith("-")), None)
    if owner is None or owner.text != owner.value:
        return
    user, _, group = owner.text.partition(":")
    if step.command.basename == "chgrp":
        user, group = "", owner.text
    start = owner.start
    for kind, text, offset in zip(_KINDS, (user, group), (0, len(owner.text) - len(group)), strict=True):
        number = _number(text)
        if number is not None:
            span = commands.span(Word(start + offset, start + offset + len(text), text, text))
            exact = span.end - span.start == len(text)
            yield AccountNumber(kind, "", number, text, span if exact else None, at, line)
